"""What answers show of evidence: all of it, or the newest and how much more there is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.artifacts import MAX_VALUE, artifacts
from mcp_server.core.halves import NOTHING, Halves, size_of
from mcp_server.core.lifecycle import prepare
from mcp_server.gates.observation import Known

AMPLE = Halves(10_000, 10_000)


def item(value, known=Known.CLAIMED):
    return prepare({"field": value}, {"field": known}).items["field"]


def evidence(*phases, fields="abcd", value=None):
    items = {name: item(name * 100 if value is None else value) for name in fields}
    return dict.fromkeys(phases, items)


def claimed(size, **more):
    return {"known": "claimed", "size": size, **more}


def test_a_small_value_is_shown_and_a_larger_one_by_its_digest():
    limit = MAX_VALUE - 2
    fields = {
        "small": item("s" * limit, Known.OBSERVED),
        "larger": item("l" * (limit + 1)),
        "large": item("l" * 5_000),
    }
    assert artifacts({1: fields}, AMPLE) == (
        {
            "1": {
                "small": {"known": "observed", "size": 200, "value": "s" * limit},
                "larger": claimed(201, sha256=fields["larger"].sha256[:12]),
                "large": claimed(5_002, sha256=fields["large"].sha256[:12]),
            }
        },
        True,
    )


def test_phases_are_shown_in_the_order_of_their_numbers():
    shown, is_all = artifacts(evidence(10, 2, value=1, fields="a"), AMPLE)
    assert list(shown.items()) == [("2", {"a": claimed(1, value=1)}),
                                   ("10", {"a": claimed(1, value=1)})]  # fmt: skip
    assert is_all


def test_without_evidence_there_is_nothing_to_show():
    assert artifacts({}, NOTHING) == ({}, True)


def test_a_phase_without_fields_is_named():
    assert artifacts({1: {}, **evidence(2)}, Halves(60, 60)) == (
        {"1": {}, "2": {"more_fields": 4}},
        False,
    )


def test_the_newest_phase_loses_values_and_then_fields_and_older_ones_are_counted():
    assert artifacts(evidence(1, 2, 3, value=5), Halves(265, 265)) == (
        {
            "1": {"more_fields": 4},
            "2": {"more_fields": 4},
            "3": {
                "a": claimed(1, value=5),
                "b": claimed(1, value=5),
                "c": claimed(1, value=5),
                "more_fields": 1,
            },
        },
        False,
    )
    assert artifacts(evidence(1, 2), Halves(300, 300)) == (
        {
            "1": {"more_fields": 4},
            "2": {
                "a": claimed(102, value="a" * 100),
                "b": claimed(102),
                "c": claimed(102),
                "more_fields": 1,
            },
        },
        False,
    )


def test_what_has_lost_a_value_only_is_not_all_of_it():
    full, _ = artifacts(evidence(1, fields="a"), AMPLE)
    room = size_of(full, 1)
    assert artifacts(evidence(1, fields="a"), room) == (full, True)
    less = room - Halves(0, 1)
    assert artifacts(evidence(1, fields="a"), less) == ({"1": {"a": claimed(102)}}, False)


def test_phases_whose_names_have_no_room_are_counted():
    assert artifacts(evidence(*range(1, 201)), Halves(80, 80)) == (
        {"199": {"more_fields": 4}, "200": {"more_fields": 4}, "more_phases": 198},
        False,
    )
    assert artifacts(evidence(1, 2), NOTHING) == ({"more_phases": 2}, False)


@pytest.mark.parametrize("half", ["structured", "text"])
@pytest.mark.parametrize("fields", ["a", "ab"])
def test_every_room_is_kept_to_whatever_has_just_no_place_in_it(fields, half):
    submitted = evidence(*range(1, 7), fields=fields, value=5)
    for size in range(30, 500):
        room = Halves(size, 10_000) if half == "structured" else Halves(10_000, size)
        shown, _ = artifacts(submitted, room)
        assert room.holds(size_of(shown, 1)), size


@pytest.mark.parametrize("depth", [1, 2])
def test_what_is_nested_deeper_has_longer_lines(depth):
    full, _ = artifacts(evidence(1, 2), AMPLE)
    room = size_of(full, depth)
    assert artifacts(evidence(1, 2), room, depth) == (full, True)
    assert artifacts(evidence(1, 2), room, depth + 1)[1] is False


LONG = [5, None, "x" * 199, 'say "no"\n\n' * 9, "\u6587" * 66, "\x07" * 30, {"a\n": {"b": [[1]]}},
        json.loads("[" * 60 + "]" * 60), ["one, two", "three"]]  # fmt: skip
"""Values that are short in one half and long in the other, and others."""

fields = st.dictionaries(
    st.sampled_from(["a", "more", "\u6587" * 128, "n" * 128, '"quoted"', "field_5"]),
    st.sampled_from([item(value) for value in LONG]),
    max_size=5,
)
phases = st.dictionaries(st.sampled_from([0, 1, 9, 10, 999, 10_000]), fields)


@given(phases, st.integers(30, 2_000), st.integers(30, 2_000))
def test_whatever_was_submitted_stays_within_the_room(submitted, structured, text):
    room = Halves(structured, text)
    shown, is_all = artifacts(submitted, room)
    assert room.holds(size_of(shown, 1))
    named = [name for name in shown if name != "more_phases"]
    assert len(named) + shown.get("more_phases", 0) == len(submitted)
    assert named == [str(number) for number in sorted(submitted)[shown.get("more_phases", 0) :]]
    for name in named:
        fields = {f: view for f, view in shown[name].items() if f != "more_fields"}
        assert len(fields) + shown[name].get("more_fields", 0) == len(submitted[int(name)])
    assert is_all is (shown == artifacts(submitted, Halves(10**6, 10**6))[0])
