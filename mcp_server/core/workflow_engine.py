"""The use cases of a workflow: load, decide, save.

Each method is one action. It loads what it needs, lets the pure modules decide (`transitions`
what is legal, `evaluation` whether a phase passes, `lifecycle` what follows) and saves through
the one door, `StateManager.edit`. Completing a phase happens in `completion` and nowhere else.
Holds nothing but caches of immutable definitions: safe to share between threads.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from mcp_server.core import lifecycle, refusals, views
from mcp_server.core.artifacts import DIGEST_SHOWN
from mcp_server.core.completion import Completion, Looker, Workers
from mcp_server.core.consent import Consent, Subjects
from mcp_server.core.definitions import Definition, Phase
from mcp_server.core.encoding import require_size
from mcp_server.core.halves import NOTHING, Halves, size_of
from mcp_server.core.library import WorkflowLibrary
from mcp_server.core.limits import Limits, require_evidence
from mcp_server.core.models import SessionState
from mcp_server.core.paging import page_of
from mcp_server.core.paths import validate_target
from mcp_server.core.pinning import Pinned
from mcp_server.core.state_answer import state_answer
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Action, Status, require_legal
from mcp_server.errors import (
    DefinitionError,
    InvalidArgumentError,
    NotFoundError,
    StateError,
    quoted,
)

Answer = dict[str, Any]

_MAX_OTHERS = 5
_MAX_PREVIOUS = 3
_PREVIOUS_ERRORS = 2_500
"""The refusals that retry_phase tells again, and their bytes; get_errors has all that are kept."""


class ProjectEyes(Looker, Subjects, Protocol):
    """What looks at the project for the engine."""


class WorkflowEngine:
    """Walks sessions through their workflows."""

    def __init__(
        self,
        library: WorkflowLibrary,
        sessions: StateManager,
        *,
        root: Path,
        limits: Limits,
        looker: ProjectEyes,
        workers: Workers | None = None,
    ) -> None:
        """Serve the definitions of `library` to `sessions` of the project at `root`."""
        self._library = library
        self._sessions = sessions
        self._root = root
        self._limits = limits
        self._looker = looker
        self._pinned = Pinned(sessions.store)
        self._completion = Completion(sessions, self._pinned, looker, workers, limits)
        self._consent = Consent(sessions, self._pinned, looker)

    @property
    def consent(self) -> Consent:
        """What records a person's word."""
        return self._consent

    @property
    def pinned(self) -> Pinned:
        """The definitions that sessions follow."""
        return self._pinned

    @property
    def completion(self) -> Completion:
        """What judges submissions, for whoever does it in the server's place."""
        return self._completion

    def list_workflows(
        self, category: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Answer:
        """Return one page of the workflows that can be started, by name."""
        shown: list[views.View] = []
        warnings: list[str] = []
        categories: set[str] = set()
        for found in self._library.listing():
            if isinstance(found, DefinitionError):
                warnings.append(views.clip(found.message))
                continue
            categories.add(found.metadata.category)
            if category is None or found.metadata.category == category:
                shown.append(views.workflow(found.metadata, found.phases, found.source))
        page = page_of(
            shown,
            key=lambda view: (view["workflow_type"],),
            show=dict,
            limit=limit,
            cursor=cursor,
        )
        answer: Answer = {"workflows": page.shown, "count": len(shown)}
        if page.next_cursor:
            answer["next_cursor"] = page.next_cursor
        if warnings:
            answer["warnings"] = views.bounded(warnings, 1_000)
        if category is not None and not shown:
            known = ", ".join(sorted(categories)) or "none"
            answer["warnings"] = [f"no workflow of category {quoted(category)}; there are: {known}"]
        if shown:
            answer["next"] = views.call(Action.START, workflow_type="...", target_file="...")
        return answer

    def start(
        self, workflow_type: str, target_file: str, options: Mapping[str, Any] | None = None
    ) -> Answer:
        """Begin a session of a workflow on a target; its definition is pinned."""
        options = dict(options or {})
        require_size("options", options, self._limits.options, self._limits.depth)
        validate_target(self._root, target_file)
        # One target, one spelling: `./a` and `a//b` would hide open sessions from each other.
        target_file = PurePosixPath(target_file).as_posix()
        definition = self._library.load(workflow_type, options)
        others = self._sessions.open_for(target_file, _MAX_OTHERS)
        commit = self._looker.commit_for(*(phase.gate for phase in definition.phases))
        state = self._sessions.create(definition, target_file, options, commit)
        return {
            "session_id": state.session_id,
            "workflow_type": state.workflow_type,
            "target_file": state.target_file,
            "definition": views.definition(state),
            "other_sessions": others,
            **self._standing(state, definition),
        }

    def get_phase(self, session_id: str, phase: int | None = None) -> Answer:
        """Return the current phase, or an earlier one."""
        state = self._sessions.load(session_id)
        definition = self._pinned(state.definition.digest)
        with refusals.teaching(state):
            wanted = self._reached(state, definition, phase)
        return {
            "current_phase": state.current_phase,
            "total_phases": state.total_phases,
            "phase_content": views.phase_content(wanted, state),
            "next": views.next_step(state, definition.phase(state.current_phase)),
        }

    def get_task(self, session_id: str, task_number: int, phase: int | None = None) -> Answer:
        """Return one task of the current phase, or of an earlier one."""
        state = self._sessions.load(session_id)
        with refusals.teaching(state):
            wanted = self._reached(state, self._pinned(state.definition.digest), phase)
            task = wanted.task(task_number)
        return {
            "phase": wanted.phase_number,
            "task_number": task.task_number,
            "task_content": views.task_content(task),
            "next": _after_task(state, wanted, task_number),
        }

    def complete_phase(self, session_id: str, phase: int, evidence: Mapping[str, Any]) -> Answer:
        """Submit evidence for the current phase: its gate lets it pass, or says what is missing."""
        require_evidence(evidence, self._limits)
        state = self._sessions.load_here(session_id)
        return self._completion.complete(state, phase, evidence)

    def get_state(
        self, session_id: str, phase: int | None = None, cursor: str | None = None
    ) -> Answer:
        """Return where a session stands and what was submitted to it, or to one of its phases."""
        if cursor is not None and phase is None:
            raise InvalidArgumentError(
                "cursor needs phase: the pages of get_state are the fields of one phase",
                remediation="Pass the phase that the page before was of, or no cursor.",
            )
        state = self._sessions.load(session_id)
        if phase is not None:
            with refusals.teaching(state):
                self._reached(state, self._pinned(state.definition.digest), phase)
        return state_answer(
            state,
            phase,
            cursor,
            definition=views.definition(state) | self._moved_on(state),
            verification=self._completion.standing(session_id),
        )

    def resume(self, session_id: str) -> Answer:
        """Take a paused session up again."""
        with self._sessions.edit(session_id, activates=True) as draft:
            before = draft.state
            definition = self._pinned(before.definition.digest)
            now = self._sessions.clock()
            state = draft.record(lifecycle.resume(before, now))
        paused_at = before.paused_at or now
        return {
            "resumed": True,
            "paused_duration_seconds": round((now - paused_at).total_seconds(), 3),
            "checkpoint_note": state.checkpoint_note,
            **self._standing(state, definition),
        }

    def retry_phase(self, session_id: str, phase: int, *, reset_evidence: bool = False) -> Answer:
        """Open a refused phase for another attempt."""
        with self._sessions.edit(session_id) as draft:
            before = draft.state
            require_legal(before.status, Action.RETRY_PHASE)
            definition = self._pinned(before.definition.digest)
            definition.phase(phase)
            if phase != before.current_phase:
                raise StateError(
                    f"cannot retry phase {phase}: the current phase is {before.current_phase}",
                    remediation="Retry the current phase.",
                )
            change = lifecycle.retry_phase(
                before, reset_evidence=reset_evidence, now=self._sessions.clock()
            )
            state = draft.record(change)
        previous = views.unlike(entry for entry in before.errors if entry.phase == phase)
        shown = views.newest(previous[-_MAX_PREVIOUS:], _PREVIOUS_ERRORS)
        # What the gate said is content; what stands around it is not.
        told = [{**error, "details": {}} for error in shown]
        return {
            "retrying": True,
            "attempt": state.attempt,
            "evidence_reset": reset_evidence,
            "previous_errors": shown,
            **self._standing(state, definition, size_of({"previous_errors": told})),
        }

    def rollback(self, session_id: str, to_phase: int) -> Answer:
        """Go back to an earlier phase; what was submitted to later ones is cleared."""
        with self._sessions.edit(session_id, activates=True) as draft:
            before = draft.state
            require_legal(before.status, Action.ROLLBACK)
            definition = self._pinned(before.definition.digest)
            definition.phase(to_phase)
            commit = self._looker.commit_for(definition.phase(to_phase).gate)
            change = lifecycle.roll_back(before, to_phase, self._sessions.clock(), commit=commit)
            state = draft.record(change)
        return {
            "rolled_back": True,
            "from_phase": before.current_phase,
            "to_phase": to_phase,
            "artifacts_cleared": sorted(set(before.evidence) - set(state.evidence)),
            **self._standing(state, definition),
        }

    def get_errors(self, session_id: str) -> Answer:
        """Return the recorded refusals, newest last."""
        state = self._sessions.load(session_id)
        shown = views.newest(views.errors(state.errors), 6_500)
        earlier = state.error_count - len(shown)
        note = {"warnings": [f"{earlier} earlier ones are in the session's journal"]}
        return {
            "errors": shown,
            "error_count": state.error_count,
            **(note if earlier else {}),
            "last_error": shown[-1]["timestamp"] if shown else None,
            "next": views.next_step(state),
        }

    def _standing(
        self, state: SessionState, definition: Definition, taken: Halves = NOTHING
    ) -> Answer:
        phase = definition.phase(state.current_phase)
        return {
            "current_phase": state.current_phase,
            "total_phases": state.total_phases,
            "phase_content": views.phase_content(phase, state, taken),
            "next": views.next_step(state, phase),
        }

    def _reached(self, state: SessionState, definition: Definition, number: int | None) -> Phase:
        phase = definition.phase(state.current_phase if number is None else number)
        if phase.phase_number > state.current_phase:
            raise StateError(
                f"phase {number} is not reached yet: the current phase is {state.current_phase}",
                remediation="Complete the current phase first.",
            )
        return phase

    def _moved_on(self, state: SessionState) -> dict[str, str]:
        try:
            current = self._library.load(state.workflow_type, state.options)
        except (DefinitionError, InvalidArgumentError, NotFoundError):
            return {"moved_on": "the workflow on disk is gone or broken; the pinned one is served"}
        if current.digest == state.definition.digest:
            return {}
        return {"moved_on": f"the workflow on disk is now {current.version}"
                f" ({current.digest[: DIGEST_SHOWN]}); the pinned one is served"}  # fmt: skip


def _after_task(state: SessionState, phase: Phase, task_number: int) -> str:
    later = [task.task_number for task in phase.tasks if task.task_number > task_number]
    session = {"session_id": state.session_id, "phase": phase.phase_number}
    if later:
        return views.call(Action.GET_TASK, **session, task_number=later[0])
    if phase.phase_number != state.current_phase or state.status is not Status.ACTIVE:
        return views.next_step(state)
    return views.call(Action.COMPLETE_PHASE, **session, evidence={"...": "..."})
