"""The answer to get_state: where a session stands, and what was submitted, in a kilobyte.

What a session always has comes first. What it may have much of shares the rest: the phases that
are completed, the names of evidence that is kept for the next attempt, the artifacts. What has no
room is counted, and a warning names the call that tells it. Asked for one phase, the answer has the
room of a list, and of the artifacts only those of that phase. Pure.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from mcp_server.core import views
from mcp_server.core.artifacts import MORE_FIELDS, Evidence, artifacts, in_full
from mcp_server.core.halves import Halves, answer_of, size_of
from mcp_server.core.models import EvidenceItem, SessionState
from mcp_server.core.paging import cursor_after, key_of, no_cursor

View = dict[str, Any]

BESIDE_CONTENT, OF_ONE_PHASE = 1_024, 8_192
"""Bytes of either half of the answer: of the whole session, and where one phase is asked for."""

LEFT_OUT = "told in part: get_state with phase=N tells all of phase N"

_ROOM_OF_A_CURSOR = Halves(750, 750)
"""The longest names of fields make cursors of some 700 bytes."""

_HEAD = {"status": "success", "action": "get_state"}
"""What the dispatcher adds."""

_CONTENT = "unverified"
"""What a gate says in its author's words is content, and as long as it is."""


def state_answer(
    state: SessionState,
    phase: int | None = None,
    cursor: str | None = None,
    *,
    definition: Mapping[str, str],
    verification: Mapping[str, Any],
) -> View:
    """Return what get_state says of a session, or of it and the artifacts of one phase.

    `cursor` says after which of its fields to go on; raises InvalidArgumentError. `definition` is
    the one that the session follows, `verification` what is known of one that runs.
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
    if phase is not None:
        return answer | _of_one_phase(state, phase, cursor, room)
    lists, is_all = _lists(state, _completed(state), room)
    if not is_all:
        warning = {"warnings": [LEFT_OUT]}
        lists = _lists(state, _completed(state), room - size_of(warning))[0] | warning
    return answer | lists


def _of_one_phase(state: SessionState, phase: int, cursor: str | None, room: Halves) -> View:
    """Return the artifacts of one phase, and the cursor of those that have no room."""
    items = _completed(state).get(phase, {})
    if cursor is not None:
        (last, *_) = key_of(cursor)
        if last not in items:
            raise no_cursor(cursor)
        names = list(items)
        items = {name: items[name] for name in names[names.index(last) + 1 :]}
    room -= _ROOM_OF_A_CURSOR
    lists, _ = _lists(state, {phase: items} if items else {}, room)
    fields = lists["artifacts"].get(str(phase), {})
    if MORE_FIELDS not in fields:
        return lists
    whole = list(takewhile(lambda name: fields.get(name) == in_full(items[name]), items))
    # What has no room for its value comes on the next page, but for the first one of a page.
    shown = whole or list(items)[:1]
    page = {name: fields[name] for name in shown} | {MORE_FIELDS: len(items) - len(shown)}
    cursor = cursor_after((shown[-1],))
    return lists | {"artifacts": {str(phase): page}, "next_cursor": cursor}


def _completed(state: SessionState) -> dict[int, Mapping[str, EvidenceItem]]:
    return {number: state.evidence[number] for number in state.completed_phases
            if number in state.evidence}  # fmt: skip


def _lists(state: SessionState, evidence: Evidence, room: Halves) -> tuple[View, bool]:
    """Return what there may be much of, within `room`, and whether that is all of it."""
    completed = state.completed_phases
    # The half of what is left, each, so that neither leaves nothing for the artifacts.
    shown = _fitting("completed_phases", completed, room // 2, from_end=True)
    current = state.current_phase
    if current not in completed and (kept := sorted(state.evidence.get(current, ()))):
        shown |= _fitting("kept_evidence", kept, (room - size_of(shown)) // 2)
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
