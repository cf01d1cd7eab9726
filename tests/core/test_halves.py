"""How long answers are: what their parts add up to is what they come to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.halves import NOTHING, Halves, answer_of, size_around, size_of
from mcp_server.core.rendering import render

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=9)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
fields = st.dictionaries(names, plain, min_size=1, max_size=5)


def sum_of(answer, depth=0):
    return sum((size_of({name: value}, depth) for name, value in answer.items()), NOTHING)


@given(fields)
def test_the_parts_of_an_answer_add_up_to_the_whole(answer):
    structured = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    whole = Halves(len(structured.encode()), len(render(answer).encode()))
    room = answer_of(1_000) - sum_of(answer)
    assert (1_000 - whole.structured, 1_000 - whole.text) == (room.structured, room.text)


@given(fields, names, st.integers(0, 3))
def test_what_is_nested_takes_its_name_and_its_fields(inner, name, depth):
    taken = size_around(name, depth) + sum_of(inner, depth + 1)
    assert taken == size_of({name: inner}, depth)


def test_no_fields_take_nothing():
    assert size_of({}, 3) == NOTHING


@pytest.mark.parametrize(
    ("part", "fits"),
    [((5, 5), True), ((6, 5), False), ((5, 6), False), ((0, 0), True), ((-1, 5), True)],
)
def test_what_fits_fits_both_halves(part, fits):
    assert Halves(5, 5).holds(Halves(*part)) is fits


def test_a_part_of_a_room_is_a_part_of_both_halves():
    assert Halves(9, 4) // 2 == Halves(4, 2)
