"""The verdict: what fails a validation, and what does not."""

import pytest

from mcp_server.core.transitions import Action
from mcp_server.validating.outcomes import CheckOutcome, Memory, Pace, Standing, Timing
from mcp_server.validating.rounds import timings
from mcp_server.validating.targets import MEMORY_LIMIT, TARGETS
from tests.validating.validation_builders import failing, report

LIST = TARGETS[Action.LIST_WORKFLOWS]


def test_the_targets_are_those_that_are_published():
    limits = {action: (target.limit, target.alert) for action, target in TARGETS.items()}
    assert limits.pop(Action.LIST_WORKFLOWS) == (0.1, 0.2)
    assert limits.pop(Action.START) == (0.5, 1.0)
    assert len(limits) == 12
    assert set(limits.values()) == {(0.2, None)}
    assert MEMORY_LIMIT == 100_000_000


@pytest.mark.parametrize(
    ("seconds", "pace", "holds"),
    [
        ((0.09, 0.05, 5.0), Pace.HOLDS, True),
        ((0.1,), Pace.MISSED, False),
        ((0.15, 0.01, 0.15), Pace.MISSED, False),
        ((0.21, 0.01, 0.21), Pace.ALERT, False),
        ((), Pace.NOT_MEASURED, False),
    ],
)
def test_the_median_is_compared_to_the_target(seconds, pace, holds):
    timing = Timing(Action.LIST_WORKFLOWS, LIST, seconds)
    assert (timing.pace, timing.holds) == (pace, holds)


def test_slack_moves_target_and_alert():
    timing = Timing(Action.LIST_WORKFLOWS, LIST.times(10), (0.9,))
    assert timing.pace is Pace.HOLDS
    assert timing.target.alert == 2.0
    assert TARGETS[Action.PAUSE].times(10).alert is None


def test_only_what_cannot_be_timed_is_excused():
    found = {timing.action: timing for timing in timings({}, 1.0, has_files=False)}
    assert found[Action.ROLLBACK].holds
    assert not found[Action.PAUSE].holds
    assert not any(timing.holds for timing in timings({}, 1.0, has_files=True))


@pytest.mark.parametrize(
    ("memory", "holds", "verdict"),
    [
        (Memory(100, server=199, bare=100), True, "holds"),
        (Memory(100, server=200, bare=100), False, "target missed"),
        (Memory(100, server=50, bare=100), True, "holds"),
        (Memory(100, server=500, reason="why"), True, "not measured"),
        (Memory(100, reason="why"), True, "not measured"),
    ],
)
def test_memory_is_what_is_over_a_bare_server(memory, holds, verdict):
    assert (memory.holds, memory.verdict) == (holds, verdict)


def test_a_report_holds_if_everything_does():
    assert report().holds
    assert report(CheckOutcome(Action.START, "x", Standing.NOT_CHECKED, "why")).holds
    assert report(memory=Memory(1, reason="why")).holds


@pytest.mark.parametrize(
    "broken",
    [
        report(failing()),
        report(timings=(Timing(Action.LIST_WORKFLOWS, LIST, (0.1,)),)),
        report(timings=(Timing(Action.LIST_WORKFLOWS, LIST),)),
        report(memory=Memory(10, server=20, bare=10)),
        report(left_behind=("small_v1_a_20260101_000000_abcdef",)),
    ],
    ids=["check", "slow", "not timed", "memory", "left behind"],
)
def test_one_thing_fails_the_report(broken):
    assert not broken.holds


def test_a_subject_has_the_worst_verdict_of_what_is_about_it():
    slow = (Timing(Action.PAUSE, TARGETS[Action.PAUSE], (1.0,)),)
    assert report().verdict(Action.PAUSE) == "holds"
    assert report(failing()).verdict(Action.PAUSE) == "failed"
    assert report(timings=slow).verdict(Action.PAUSE) == "target missed"
    assert report().verdict("connection") == "not checked"
    left_out = CheckOutcome(Action.PAUSE, "x", Standing.NOT_CHECKED, "why")
    assert report(left_out).verdict(Action.PAUSE) == "holds in part"
    assert report(left_out, failing()).verdict(Action.PAUSE) == "failed"
