"""Pages of long lists and the cursors between them."""

import base64
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE_BYTES, page_of
from mcp_server.errors import InvalidArgumentError, quoted


def page(items, **options):
    return page_of(items, key=lambda item: (item,), show=lambda item: {"name": item}, **options)


def shown(found):
    return [view["name"] for view in found.shown]


def walk(items, **options):
    """All pages, one after the other."""
    found = [page(items, **options)]
    while found[-1].next_cursor:
        found.append(page(items, cursor=found[-1].next_cursor, **options))
    return [shown(one) for one in found]


def cursor_of(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_short_list_is_one_page_in_order():
    found = page(["b", "c", "a"])
    assert (found.shown, found.next_cursor) == (
        [{"name": "a"}, {"name": "b"}, {"name": "c"}],
        None,
    )


def test_an_empty_list_is_an_empty_page():
    assert (page([]).shown, page([]).next_cursor) == ([], None)


def test_a_page_holds_twenty_items_unless_told():
    assert [len(one) for one in walk([f"{n:02}" for n in range(41)])] == [20, 20, 1]
    assert DEFAULT_LIMIT == 20


def test_a_page_that_is_just_full_has_no_next():
    assert walk(["a", "b"], limit=2) == [["a", "b"]]


@pytest.mark.parametrize("limit", [1, MAX_LIMIT])
def test_the_limits_of_a_limit_are_accepted(limit):
    assert len(page([f"{n:03}" for n in range(101)], limit=limit).shown) == limit


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_a_limit_out_of_range_is_refused(limit):
    with pytest.raises(InvalidArgumentError) as refusal:
        page(["a"], limit=limit)
    assert refusal.value.message == f"limit {limit} is out of range"
    assert refusal.value.remediation == ("Pass a limit from 1 to 100, or leave it out for 20.")


@given(items=st.sets(st.text(max_size=5), max_size=30), limit=st.integers(1, 7))
def test_the_pages_together_are_the_list(items, limit):
    assert list(itertools.chain(*walk(sorted(items), limit=limit))) == sorted(items)


def test_a_cursor_outlives_what_comes_and_goes():
    first = page(["b", "d", "f", "h"], limit=2)
    assert shown(first) == ["b", "d"]
    assert shown(page(["a", "c", "e", "f", "h"], cursor=first.next_cursor)) == ["e", "f", "h"]


def test_a_page_ends_before_it_gets_too_large():
    items = [f"{n}{'x' * 2_000}" for n in range(9)]
    assert [len(one) for one in walk(items)] == [3, 3, 3]
    for view in (
        page(items).shown,
        page(["\u6587" * 1_000, "\u6588" * 1_000, "\u6589" * 1_000]).shown,
    ):
        assert len(json.dumps(view, ensure_ascii=False).encode()) <= MAX_PAGE_BYTES + 100


def test_an_item_that_is_too_large_for_any_page_is_shown_alone():
    items = ["a" * 10_000, "b" * 10_000, "c"]
    assert [len(one) for one in walk(items)] == [1, 1, 1]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "!!!!",
        "caf\u00e9",
        "\ud800",
        "a" * 10_001,
        cursor_of([]),
        cursor_of([1]),
        cursor_of(["a", None]),
        cursor_of({"a": 1}),
        cursor_of("a"),
        cursor_of(["a"]) + "\n",
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b"\xff\xff").decode(),
    ],
    ids=lambda cursor: ascii(cursor[:20]),
)
def test_a_cursor_that_the_tool_never_gave_is_refused(cursor):
    with pytest.raises(InvalidArgumentError) as refusal:
        page(["a"], cursor=cursor)
    assert refusal.value.message == f"cursor {quoted(cursor)} is not one that this tool gave"
    assert refusal.value.remediation == (
        "Pass next_cursor of the page before unchanged, or no cursor at all."
    )
