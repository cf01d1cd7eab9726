"""The 14 actions as data: what each needs, what else it takes, what it is for.

The tool's description, the check for missing arguments, the refusals that name the legal call and
the reference in the documentation all come from this table.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from mcp_server.core.transitions import Action


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action: the arguments that it needs and may take besides, and its purpose."""

    summary: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """The arguments as people write them: needed ones first, the others in brackets."""
        return ", ".join((*self.needs, *(f"[{name}]" for name in self.takes)))


ACTIONS: Mapping[Action, ActionSpec] = {
    Action.LIST_WORKFLOWS: ActionSpec(
        "the workflows that can be started", takes=("category", "limit", "cursor")
    ),
    Action.START: ActionSpec(
        "begin a session; gives session_id and the first phase",
        needs=("workflow_type", "target_file"),
        takes=("options",),
    ),
    Action.GET_PHASE: ActionSpec(
        "the current phase: text, tasks, what its gate asks for",
        needs=("session_id",),
        takes=("phase",),
    ),
    Action.GET_TASK: ActionSpec(
        "one task in full", needs=("session_id", "task_number"), takes=("phase",)
    ),
    Action.COMPLETE_PHASE: ActionSpec(
        "submit evidence; the gate lets the phase pass, or says what is missing",
        needs=("session_id", "phase", "evidence"),
    ),
    Action.GET_STATE: ActionSpec(
        "where the session stands, what was submitted (with phase: all of that phase), what comes"
        " next",
        needs=("session_id",),
        takes=("phase", "cursor"),
    ),
    Action.LIST_SESSIONS: ActionSpec(
        "sessions, newest first", takes=("status", "options", "limit", "cursor")
    ),
    Action.GET_SESSION: ActionSpec("one session with its history", needs=("session_id",)),
    Action.DELETE_SESSION: ActionSpec(
        "remove a session and its evidence, for good", needs=("session_id",), takes=("reason",)
    ),
    Action.PAUSE: ActionSpec(
        "set a session aside", needs=("session_id",), takes=("checkpoint_note",)
    ),
    Action.RESUME: ActionSpec("take a paused session up again", needs=("session_id",)),
    Action.RETRY_PHASE: ActionSpec(
        "after a refusal: open the phase for the next attempt",
        needs=("session_id", "phase"),
        takes=("reset_evidence",),
    ),
    Action.ROLLBACK: ActionSpec(
        "go back to an earlier phase; later evidence is cleared", needs=("session_id", "to_phase")
    ),
    Action.GET_ERRORS: ActionSpec("the recorded refusals", needs=("session_id",)),
}


_OLDER_NAMES: Mapping[str, Action] = {
    "start_workflow": Action.START,
    "get_current_phase": Action.GET_PHASE,
    "get_workflow_state": Action.GET_STATE,
}
"""What tools of older servers are called that an action of another name stands in for."""


def closest(name: str) -> Action | None:
    """Return the action that somebody who wrote `name` most likely meant, if any."""
    said = name[:64].lower()
    close = difflib.get_close_matches(said, [str(action) for action in ACTIONS], n=1, cutoff=0.5)
    return _OLDER_NAMES.get(said) or (Action(close[0]) if close else None)


def example_call(action: Action) -> str:
    """Return how a call with everything the action needs looks."""
    arguments = "".join(f", {name}=..." for name in ACTIONS[action].needs)
    return f'aos_workflow(action="{action}"{arguments})'
