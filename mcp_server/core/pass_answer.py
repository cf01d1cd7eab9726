"""The answer to a phase that passed: what was accepted, how it is known, and what comes next.

All fields are named where a kilobyte holds them, and those that have no room are counted. What the
server looked at is told as far as there is room left. What the author wrote is content. Pure.
"""

from bisect import bisect_right
from typing import Any

from mcp_server.core import views
from mcp_server.core.artifacts import MORE_FIELDS
from mcp_server.core.definitions import Definition
from mcp_server.core.halves import Halves, answer_of, size_of
from mcp_server.core.lifecycle import Submission
from mcp_server.core.models import EvidenceItem, SessionState
from mcp_server.gates.evaluation import Verdict

View = dict[str, Any]
Items = list[tuple[str, EvidenceItem]]

BESIDE_CONTENT = 1_024
"""Bytes of either half of the answer, besides what the author wrote."""

_HEAD = {"status": "success", "action": "complete_phase"}
"""What the dispatcher adds."""

_WORDLESS: View = {"warnings": [], "next_phase": {"phase_number": 10_000}}
"""What is left of some fields without the author's words."""

_FEW, _SHORT = 6, 120
"""So few fields, with so many letters in their names, have room in any answer."""


def passed(
    state: SessionState,
    definition: Definition,
    phase: int,
    submission: Submission,
    verdict: Verdict,
) -> View:
    """Return the answer to a phase that passed; `state` is the one after it."""
    answer: View = {
        "phase_completed": phase,
        "checkpoint_passed": True,
        "evidence_accepted": [],
        "evidence": {},
        "warnings": views.bounded(map(views.clip, verdict.warnings), 1_000),
        **_after(definition, phase),
        "next": views.next_step(state),
    }
    items = list(submission.items.items())
    if len(items) <= _FEW and sum(len(name) for name, _ in items) <= _SHORT:
        answer |= _named(items, len(items))
    else:
        told = answer | {name: empty for name, empty in _WORDLESS.items() if name in answer}
        answer |= _accepted(items, answer_of(BESIDE_CONTENT) - size_of(_HEAD | told))
    if any(item.observation for _, item in items):
        told = {name: value for name, value in answer.items() if name != "next_phase"}
        shown = {name: item for name, item in items if name in answer["evidence"]}
        seen = views.accepted(shown, budget=views.room_in(told))
        answer["evidence"] = answer["evidence"] | seen
    return answer


def _after(definition: Definition, phase: int) -> View:
    following = definition.phase_after(phase)
    if following is None:
        return {"workflow_complete": True}
    shown = {
        "phase_number": following.phase_number,
        "title": following.title,
        "description": views.clip(following.description),
    }
    return {"next_phase": shown}


def _accepted(items: Items, room: Halves) -> View:
    """Return as many fields as have room."""
    whole = _named(items, len(items))
    if room.holds(size_of(whole)):
        return whole
    too_many = bisect_right(
        range(len(items)), 0, key=lambda number: not room.holds(size_of(_named(items, number)))
    )
    return _named(items, max(too_many - 1, 0))


def _named(items: Items, number: int) -> View:
    """Return the first fields by name and by how each is known, and how many more there are."""
    more = {MORE_FIELDS: len(items) - number} if number < len(items) else {}
    return {
        "evidence_accepted": [name for name, _ in items[:number]],
        "evidence": {name: {"known": str(item.known)} for name, item in items[:number]} | more,
    }
