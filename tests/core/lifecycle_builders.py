"""Moments, submissions and states for the tests of what changes make of a session."""

from datetime import timedelta

from mcp_server.core.lifecycle import pass_phase, prepare, refuse_phase
from mcp_server.core.models import Approval, Override
from tests.builders import NOON
from tests.core.session_builders import ERROR, birth, state

LATER = NOON + timedelta(seconds=90.5)
LATEST = NOON + timedelta(hours=1)
ONE = prepare({"tests": 1})
TWO = prepare({"tests": 2})
WAVED = Override(phase=1, by="alex", via="a terminal", time=LATEST, reason="an experiment")


def attempts(after):
    return [(a.phase, a.attempt, a.status, a.duration_seconds) for a in after.history]


def difference(before, after):
    """The fields of a state that a change has replaced."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return {name for name in new if new[name] != old[name]}


def failed():
    return refuse_phase(state(), ONE, ERROR, LATER).state


def approval(phase=1, field="agreed", **changes):
    made = {"phase": phase, "field": field, "by": "alex", "via": "a terminal", "time": LATER}
    return Approval(**{**made, **changes})


def completed(phases=(1, 2)):
    last = birth(phases=phases).state
    for _ in phases:
        last = pass_phase(last, ONE, LATER).state
    return last
