"""What counts, and how."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from mcp_server.core.transitions import Status
from mcp_server.statistics.figures import (
    NOTHING,
    RULES,
    DayFigures,
    Figures,
    PhaseFigures,
    Tally,
    WorkflowFigures,
)
from tests.builders import NOON
from tests.statistics.story_builders import ACTIVE_ONLY, TODAY, Story, figures

MINUTE = 60.0


def phase(number, attempts=1, refusals=0, **more):
    told = {"overrides": 0, "rollbacks": 0, "median_seconds": None, "refused_fields": ()}
    return PhaseFigures("small_v1", number, attempts, refusals, **{**told, **more})


def phases(*stories):
    return list(figures(*stories).phases)


def test_no_sessions_add_up_to_nothing():
    assert figures() == Figures(0, dict.fromkeys(Status, 0), None, (), (), ())


def test_a_session_that_was_only_started_is_counted_and_has_no_phases_yet():
    assert figures(Story()) == Figures(
        sessions=1,
        statuses=ACTIVE_ONLY,
        average_seconds=None,
        days=(DayFigures(TODAY, 1),),
        workflows=(WorkflowFigures("small_v1", 1, 0, None),),
        phases=(),
    )


def test_a_walk_is_told_phase_by_phase():
    walk = Story().refused(10, "tests: too few").retried(12).passed(15).passed(35)
    assert figures(walk) == Figures(
        sessions=1,
        statuses=ACTIVE_ONLY | {Status.ACTIVE: 0, Status.COMPLETED: 1},
        average_seconds=35 * MINUTE,
        days=(DayFigures(TODAY, 1),),
        workflows=(WorkflowFigures("small_v1", 1, 1, 35 * MINUTE),),
        phases=(
            phase(1, 2, 1, median_seconds=15 * MINUTE, refused_fields=(("tests", 1),)),
            phase(2, 1, median_seconds=20 * MINUTE),
        ),
    )


def test_time_stands_still_while_a_session_is_paused():
    walk = Story().paused(5).resumed(65).passed(75).passed(80)
    assert phases(walk) == [
        phase(1, median_seconds=15 * MINUTE),
        phase(2, median_seconds=5 * MINUTE),
    ]
    assert figures(walk).average_seconds == 20 * MINUTE


def test_time_stands_still_between_the_end_and_a_rollback():
    walk = Story().passed(5).passed(10).rolled_back(1_000).passed(1_001).passed(1_002)
    assert figures(walk).average_seconds == 12 * MINUTE
    assert phases(walk) == [
        phase(1, 2, median_seconds=3 * MINUTE),
        phase(2, 2, median_seconds=3 * MINUTE),
    ]


def test_a_rollback_takes_nothing_back_and_what_it_leaves_has_no_time():
    walk = Story(phases=(1, 2, 3)).passed(5).passed(10).refused(30, "a: no").rolled_back(40)
    assert phases(walk.passed(46)) == [
        phase(1, 2, median_seconds=5.5 * MINUTE),
        phase(2, median_seconds=5 * MINUTE),
        phase(3, 1, 1, rollbacks=1, refused_fields=(("a", 1),)),
    ]


def test_an_override_is_no_attempt_and_leaves_the_no():
    (first,) = phases(Story().refused(5, "a: no").overridden(9))
    assert first == phase(
        1, 1, 1, overrides=1, median_seconds=9 * MINUTE, refused_fields=(("a", 1),)
    )
    assert first.refusal_rate == 1.0


def test_a_session_that_is_waved_through_at_its_end_is_completed():
    walk = Story(phases=(1,)).refused(5, "a: no").overridden(9)
    assert figures(walk).workflows == (WorkflowFigures("small_v1", 1, 1, 9 * MINUTE),)


def test_an_attempt_to_skip_ahead_is_no_attempt_at_a_phase():
    assert phases(Story().skipped(5)) == []
    (first,) = phases(Story().skipped(5).passed(6))
    assert first.refusal_rate == 0.0


def test_the_median_is_of_all_sessions_of_the_workflow_and_no_others():
    walks = [Story().passed(minutes) for minutes in (1, 2, 60)]
    other = Story(workflow_type="other_v1").passed(500)
    assert [p.median_seconds for p in phases(*walks, other)] == [2 * MINUTE, 500 * MINUTE]


def test_a_phase_without_a_time_of_its_own_counts_no_time():
    (first, second) = phases(Story().passed(0).passed(7))
    assert (first.attempts, first.median_seconds) == (1, None)
    assert second.median_seconds == 7 * MINUTE


def test_a_clock_that_is_set_back_takes_nothing_away():
    walk = Story().refused(10, "a: no").retried(4).passed(6)
    assert phases(walk)[0].median_seconds == 12 * MINUTE


def test_fields_count_once_a_no_the_most_refused_first():
    walk = (
        Story()
        .refused(1, "b: too small", "b: claimed 3, but junit shows 2", missing=["a", "c"])
        .retried(2)
        .refused(3, "rule not met: a is b", "rule could not be applied: x", missing=["c"])
        .retried(4)
        .refused(5, "evidence is empty: submit at least one field")
    )
    (first,) = phases(walk)
    assert first.refused_fields == (("c", 2), (RULES, 1), (NOTHING, 1), ("a", 1), ("b", 1))


@pytest.mark.parametrize(
    "details", [{}, {"validation_errors": None}, {"validation_errors": [3, {}]}]
)
def test_what_another_server_recorded_otherwise_stops_nothing(details):
    first, refused = Story().refused(1).steps
    recorded = refused.refusal.model_copy(update={"details": details})
    tally = Tally(datetime.date, TODAY)
    tally.add(Story().state.summary, [first, replace(refused, refusal=recorded)])
    (told,) = tally.figures().phases
    assert (told.attempts, told.refusals) == (1, 1)


def test_days_without_a_start_are_between_the_first_and_today():
    stories = [Story(now=NOON - timedelta(days=days)) for days in (3, 3, 1)]
    assert [(day.day.day, day.started) for day in figures(*stories).days] == [
        (11, 2), (12, 0), (13, 1), (14, 0),
    ]  # fmt: skip


def test_a_session_that_is_dated_after_today_counts_today():
    told = figures(Story(now=NOON + timedelta(days=3_000)), today=date(2026, 3, 14))
    assert told.days == (DayFigures(date(2026, 3, 14), 1),)


def test_workflows_come_by_use_and_then_by_name_and_phases_with_them():
    stories = [Story(workflow_type=name).passed(1) for name in ("b", "c", "a", "c")]
    told = figures(*stories)
    assert [(w.workflow_type, w.started) for w in told.workflows] == [("c", 2), ("a", 1), ("b", 1)]
    assert [p.workflow_type for p in told.phases] == ["c", "a", "b"]


def test_each_status_is_counted():
    told = figures(Story(), Story().paused(1), Story().refused(1), Story().passed(1).passed(2))
    assert told.statuses == dict.fromkeys(Status, 1)
