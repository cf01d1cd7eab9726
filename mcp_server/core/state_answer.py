"""The answer to get_state: where a session stands, and what was submitted, in a kilobyte.

What a session always has comes first. What it may have much of shares the rest: the phases that
are completed, the names of evidence that is kept for the next attempt, the artifacts. What has no
room is counted, and a warning names the call that tells it. Asked for one phase, the answer has the
room of a list, and of the artifacts only those of that phase. Pure.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_server.core import views
from mcp_server.core.artifacts import artifacts
from mcp_server.core.halves import Halves, answer_of, size_of
from mcp_server.core.models import SessionState

View = dict[str, Any]

BESIDE_CONTENT, OF_ONE_PHASE = 1_024, 8_192
"""Bytes of either half of the answer: of the whole session, and where one phase is asked for."""

LEFT_OUT = "told in part: get_state with phase=N tells all of phase N"

_HEAD = {"status": "success", "action": "get_state"}
"""What the dispatcher adds."""

_CONTENT = "unverified"
"""What a gate says in its author's words is content, and as long as it is."""


def state_answer(
    state: SessionState,
    phase: int | None,
    *,
    definition: Mapping[str, str],
    verification: Mapping[str, Any],
) -> View:
    """Return what get_state says of a session, or of it and the artifacts of one phase.

    `definition` is the one that it follows, `verification` what is known of one that runs.
    """
    answer: View = {
        "session_id": state.session_id,
        "workflow_type": state.workflow_type,
        "target_file": state.target_file,
        "current_phase": state.current_phase,
        "total_phases": state.total_phases,
        "completed_phases": [],
        "session_status": str(state.status),
        "artifacts": {},
        "created_at": views.timestamp(state.created_at),
        "last_updated": views.timestamp(state.last_updated),
        "resume_capable": state.resume_capable,
        "definition": definition,
        "next": views.next_step(state),
        **verification,
    }
    told = {name: answer[name] for name in answer if name not in (_CONTENT, "completed_phases")}
    room = answer_of(BESIDE_CONTENT if phase is None else OF_ONE_PHASE) - size_of(_HEAD | told)
    lists, is_all = _lists(state, phase, room)
    if not is_all and phase is None:
        warning = {"warnings": [LEFT_OUT]}
        lists = _lists(state, phase, room - size_of(warning))[0] | warning
    return answer | lists


def _lists(state: SessionState, phase: int | None, room: Halves) -> tuple[View, bool]:
    """Return what there may be much of, within `room`, and whether that is all of it."""
    completed = state.completed_phases
    # The half of what is left, each, so that neither leaves nothing for the artifacts.
    shown = _fitting("completed_phases", completed, room // 2, from_end=True)
    current = state.current_phase
    if current not in completed and (kept := sorted(state.evidence.get(current, ()))):
        shown |= _fitting("kept_evidence", kept, (room - size_of(shown)) // 2)
    evidence = {number: state.evidence[number] for number in completed
                if number in state.evidence and phase in (None, number)}  # fmt: skip
    phases, is_all = artifacts(evidence, room - size_of(shown))
    cut = any(name.startswith("more_") for name in shown)
    return {**shown, "artifacts": phases}, is_all and not cut


def _fitting(
    name: str, items: Sequence[Any], room: Halves, *, from_end: bool = False
) -> dict[str, Any]:
    """Return as many of `items` as have room, the first or the last, and the count of the rest."""

    def of(count: int) -> View:
        return {name: list(items[len(items) - count :] if from_end else items[:count])}

    whole = of(len(items))
    if room.holds(size_of(whole)):
        return whole
    more = f"more_{name}"
    room -= size_of({more: len(items)})
    too_many = bisect_right(range(len(items) + 1), 0, key=lambda n: not room.holds(size_of(of(n))))
    shown = of(max(too_many - 1, 0))
    cut = {**shown, more: len(items) - len(shown[name])}
    # A short list is no longer than the count of what it would miss.
    return whole if size_of(cut).holds(size_of(whole)) else cut
