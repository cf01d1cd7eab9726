"""The JSON documents that commands print with `--json`, one object each; pure.

The reference of the command line is generated from these, and tests hold the output to them. Times
are UTC in ISO 8601; null stands for what is not known or does not apply.
"""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from mcp_server.viewing.check_shapes import CommandList, GatesTest, Lint, TokenList, Warnings


class WorkflowRow(TypedDict):
    """A workflow in a list."""

    workflow_type: Annotated[str, "the name that starts it"]
    name: str
    version: str
    category: str
    description: str
    phases: Annotated[int | str, 'how many, or "dynamic"']
    estimated_duration: str
    source: Annotated[str, 'the folder that it was found in, or "built-in"']
    tags: list[str]


class WorkflowList(TypedDict):
    """`workflows`."""

    workflows: list[WorkflowRow]
    count: int
    warnings: Warnings


class TaskRow(TypedDict):
    """A task of a phase."""

    task_number: int
    title: str
    estimated_duration: str | None


class FieldRow(TypedDict):
    """A field of a gate."""

    field: str
    type: str
    required: bool
    description: str
    must_be: Annotated[list[str], "what a value must be, one condition each"]
    known_by: Annotated[
        list[str], "how it is found out, the first that can be had; claimed if none"
    ]
    assurance: Annotated[str | None, "the least way of knowing that is accepted"]


class GateView(TypedDict):
    """The gate at the end of a phase."""

    strict: bool
    allow_override: bool
    fields: list[FieldRow]
    rules: Annotated[list[str], "what must hold between fields"]


class PhaseView(TypedDict):
    """A phase of a workflow."""

    phase_number: int
    title: str
    description: str
    tasks: list[TaskRow]
    gate: GateView


class WorkflowView(TypedDict):
    """`show`."""

    workflow_type: str
    name: str
    version: str
    category: str
    description: str
    estimated_duration: str
    source: str
    tags: list[str]
    total_phases: Annotated[int | str, 'how many, or "dynamic"']
    list_option: Annotated[str | None, "the option of start that names the list of a dynamic one"]
    phases: list[PhaseView]


class SessionRow(TypedDict):
    """A session in a list."""

    session_id: str
    workflow_type: str
    target_file: str
    current_phase: int
    total_phases: int
    status: Annotated[str, "active, paused, failed or completed"]
    created_at: str
    last_updated: str


class SessionList(TypedDict):
    """`sessions`."""

    sessions: Annotated[list[SessionRow], "newest first"]
    count: Annotated[int, "all that match, shown or not"]
    warnings: Warnings


class AttemptRow(TypedDict):
    """An attempt at a phase."""

    attempt: int
    status: Annotated[str, "in_progress, passed, failed, overridden or rolled_back"]
    started_at: str
    completed_at: str | None
    duration_seconds: float | None


class EvidenceRow(TypedDict):
    """A piece of evidence."""

    field: str
    known: Annotated[str, "claimed, observed, executed or approved"]
    size: Annotated[int, "bytes of JSON"]
    sha256: str
    value: NotRequired[Annotated[Any, "left out where it is large"]]
    seen_by: Annotated[str | None, "what the server looked with"]
    files: Annotated[list[str], "what it looked at"]


class PhaseStanding(TypedDict):
    """Where a session stands with one phase."""

    phase_number: int
    title: str
    standing: Annotated[str, "completed, overridden, current, refused, paused or ahead"]
    attempts: list[AttemptRow]
    evidence: list[EvidenceRow]


class ErrorRow(TypedDict):
    """A recorded refusal."""

    phase: int
    timestamp: str
    error_type: str
    message: str
    problems: Annotated[list[str], "field by field"]
    remediation: str


class WaitingRow(TypedDict):
    """An approval that a gate waits for."""

    field: str
    question: str
    files: Annotated[dict[str, str], "SHA-256 by path, of what the approval is of"]
    problem: Annotated[str | None, "why it cannot be given yet"]


class OverrideRow(TypedDict):
    """A phase that a person waved through."""

    phase: int
    by: str
    time: str
    reason: str


class ChangeRow(TypedDict):
    """A line of a journal."""

    line: int
    time: str | None
    action: str | None
    phase: int | None
    outcome: str | None
    status: Annotated[str | None, "of the session, after it"]
    by: Annotated[str | None, "who made the change"]
    hash: str | None
    problem: Annotated[str | None, "why the line cannot be read"]


class SessionView(SessionRow):
    """`show-session`."""

    definition: Annotated[dict[str, str], "version, digest, and moved_on if it has changed since"]
    options: dict[str, Any]
    checkpoint_note: str | None
    verification: Annotated[str | None, "running, could_not_verify, or null"]
    phases: list[PhaseStanding]
    errors: Annotated[list[ErrorRow], "the last ones, newest last"]
    error_count: int
    waiting_for: list[WaitingRow]
    overrides: list[OverrideRow]
    next: Annotated[str, "the agent's next call"]
    next_command: Annotated[str | None, "what a person may do now"]
    history: Annotated[list[ChangeRow] | None, "oldest first; null without --history"]
    warnings: Warnings


class WatchedRow(SessionRow):
    """A session as it is watched."""

    completed_phases: list[int]
    verifying: Annotated[bool, "whether a verification runs"]
    last: Annotated[str, "the last change, in words"]


class Frame(TypedDict):
    """`watch --once`."""

    time: str
    sessions: Annotated[list[WatchedRow], "newest change first"]
    count: int
    statuses: Annotated[dict[str, int], "how many sessions are in each status"]
    warnings: Warnings


class Event(TypedDict):
    """`watch`: one such object a line."""

    time: str
    event: Annotated[
        Literal["present", "changed", "verifying", "verified", "deleted"],
        "present: unfinished when watching began",
    ]
    session_id: str
    current_phase: int
    total_phases: int
    status: Annotated[str, "of the session, after it"]
    action: Annotated[str | None, "of a change"]
    outcome: Annotated[str | None, "of a change: done, passed, finished, refused or skipped"]
    last: Annotated[str, "the same in words"]


class Audit(TypedDict):
    """`verify`."""

    session_id: str
    holds: bool
    lines: int
    evidence: int
    last_hash: str
    problem: str | None
    line: Annotated[int | None, "the first that does not fit"]


class Pruning(TypedDict):
    """`prune`."""

    applied: Annotated[bool, "false: only what would be deleted"]
    sessions: list[SessionRow]
    count: int
    deleted: int
    problems: list[str]


class ImportedRow(TypedDict):
    """A file of an older server's state."""

    file: str
    outcome: Annotated[str, "imported, would be imported, already imported or not imported"]
    session_id: str | None
    reason: Annotated[str | None, "why not"]
    note: Annotated[str | None, "why it can be read and not continued"]


class Import(TypedDict):
    """`import-state`."""

    applied: Annotated[bool, "false: only what would be imported"]
    files: list[ImportedRow]
    count: Annotated[int, "files that are, or would be, imported"]
    already: int
    refused: int


class MigratedRow(TypedDict):
    """A session of the place that sessions are carried from."""

    session_id: str
    outcome: Annotated[
        str,
        "copied, extended, would be copied, would be extended, already there, conflict, damaged or"
        " in use",
    ]
    reason: Annotated[str | None, "why it was left"]
    note: Annotated[str | None, "what to know of it at the other place"]


class Migration(TypedDict):
    """`migrate-state`."""

    applied: Annotated[bool, "false: only what would be carried over"]
    sessions: list[MigratedRow]
    count: Annotated[int, "sessions that are, or would be, copied or extended"]
    already: int
    left: int


DOCUMENTS: dict[str, type] = {
    "workflows": WorkflowList,
    "show": WorkflowView,
    "sessions": SessionList,
    "show-session": SessionView,
    "watch": Event,
    "watch --once": Frame,
    "verify": Audit,
    "prune": Pruning,
    "import-state": Import,
    "migrate-state": Migration,
    "trust --list": CommandList,
    "lint": Lint,
    "gates test": GatesTest,
    "token list": TokenList,
}
"""What each command prints with `--json`."""
