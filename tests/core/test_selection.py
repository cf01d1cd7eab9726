"""What a list by change leaves unread, and when it cannot leave anything."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from mcp_server.core.models import Damage
from mcp_server.core.selection import Selection, changed_last, listed
from mcp_server.core.transitions import Status
from tests.builders import NOON
from tests.core.session_builders import birth

LATER = NOON + timedelta(days=1)
SUMMARY = birth().state.summary


def session(number, **changes):
    """One that changed so many hours ago."""
    changed = {"session_id": f"s{number}", "last_updated": LATER - timedelta(hours=number)}
    return replace(SUMMARY, **{**changed, **changes})


def written(sessions, read, skew=timedelta(0)):
    """Sessions with the time of their writing, noting who is read."""
    for one in sessions:
        read.append(one.session_id)
        yield one.last_updated + skew, one


@pytest.mark.parametrize("skew", [0, 50, -50], ids=["in time", "written later", "written sooner"])
def test_no_more_is_read_than_is_shown_and_one_to_see_that_nothing_follows(skew):
    sessions, read = [session(number) for number in range(50)], []
    found = changed_last(written(sessions, read, timedelta(seconds=skew)), Selection(), 3)
    assert found == sessions[:3]
    assert read == ["s0", "s1", "s2", "s3"]


def test_a_clock_that_is_a_little_ahead_hides_nothing():
    first, ahead = session(0), session(1, last_updated=LATER + timedelta(seconds=20))
    found = [(LATER, first), (LATER - timedelta(seconds=10), ahead)]
    assert changed_last(found, Selection(), 1) == [ahead]


def test_what_is_not_chosen_is_passed_over():
    failed = [session(number, status=Status.FAILED) for number in (1, 4, 7)]
    sessions = sorted([*failed, *map(session, (0, 2, 3, 5, 6, 8))], key=lambda one: one.session_id)
    read = []
    chosen = Selection(statuses=frozenset({Status.FAILED}))
    assert changed_last(written(sessions, read), chosen, 2) == failed[:2]
    assert read == ["s0", "s1", "s2", "s3", "s4", "s5"]


def test_a_list_goes_on_after_a_place():
    sessions = [session(number) for number in range(9)]
    after = (sessions[3].last_updated, "s3")
    assert changed_last(written(sessions, []), Selection(), 2, after) == sessions[4:6]
    # Of those that changed at the same time, the greater id comes first.
    twins = [session(0, session_id=name) for name in "cba"]
    for number in range(3):
        after = (twins[number].last_updated, twins[number].session_id)
        rest = twins[number + 1 :]
        assert changed_last(written(twins, []), Selection(), 9, after) == rest


def test_where_sessions_changed_after_they_were_written_all_are_gone_through():
    sessions = [session(number) for number in (5, 3, 0, 4, 1)]
    dates = [NOON - timedelta(hours=number) for number in range(5)]
    for limit in (1, 2, 9):
        found = changed_last(zip(dates, sessions, strict=True), Selection(), limit)
        assert [one.session_id for one in found] == ["s0", "s1", "s3", "s4", "s5"][:limit]


def test_what_cannot_be_read_is_no_part_of_a_list_and_tells_nothing_of_the_others():
    broken = Damage(session_id="s9", reason="torn")
    found = [(LATER, broken), (LATER, session(0)), (NOON, broken), (NOON, session(30))]
    assert changed_last(found, Selection(), 9) == [session(0), session(30)]


def test_damage_belongs_to_the_lists_that_its_id_can_be_in():
    broken = Damage(session_id="s9", reason="torn")
    damage_in = partial(listed, [broken, session(1)])
    for chosen in (Selection(), Selection(beginning="s"), Selection(containing="9")):
        assert damage_in(chosen).damaged == [broken]
    for chosen in (Selection(beginning="s1"), Selection(containing="1")):
        assert (damage_in(chosen).sessions, damage_in(chosen).damaged) == ([session(1)], [])
