"""What the cutover finds in a project, and where. Pure."""

from dataclasses import dataclass

OLD_TOOLS = (
    "start_workflow",
    "get_current_phase",
    "get_task",
    "complete_phase",
    "get_workflow_state",
    "create_workflow",
    "validate_workflow",
)
"""The tools that `aos_workflow` takes the place of."""

NEW_TOOL = "aos_workflow"


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a project; `path` is POSIX and relative to it, `line` counts from 1."""

    path: str
    line: int
    what: str
    """The tool or the mention, as it is written there."""
    note: str = ""
    """Why it is left to a person, or what becomes of it."""
