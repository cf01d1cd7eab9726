"""Lists of work, as dynamic workflows take them: what keeps them from being followed.

A Markdown list is read together with the `gates.yaml` beside it, as `start` does; any other YAML
file is a workflow definition in one file.
"""

from pathlib import Path

from mcp_server.core.criteria_gate import gates_of, parse_gates
from mcp_server.core.task_list import TaskListError
from mcp_server.core.task_source import GATES_NAME, LIST_NAME
from mcp_server.core.tasks_markdown import parse_tasks_markdown
from mcp_server.core.tasks_yaml import parse_workflow_definition
from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.linting.problems import Problem, Severity

MARKDOWN = frozenset({".md", ".markdown"})
YAML = frozenset({".yaml", ".yml"})


def list_at(path: Path) -> Path | None:
    """Return the list that `path` names: a file, or the one in a folder; None if it is none."""
    if path.suffix.lower() in MARKDOWN | YAML and path.is_file():
        return path
    inner = path / LIST_NAME
    return inner if inner.is_file() and not (path / "metadata.json").exists() else None


def lint_list(path: Path) -> list[Problem]:
    """Return what is wrong with a list; at most the first thing, for its reader stops there."""
    try:
        text = _text(path)
        if path.name == GATES_NAME:
            parse_gates(text)
        elif path.suffix.lower() in YAML:
            parse_workflow_definition(text)
        else:
            return _lint_markdown(path, text)
    except TaskListError as error:
        return [_problem(path, error)]
    return []


def _lint_markdown(path: Path, text: str) -> list[Problem]:
    beside = path.parent / GATES_NAME
    listed = parse_tasks_markdown(text)
    try:
        gates_of(listed, _text(beside) if beside.is_file() else None)
    except TaskListError as error:
        return [_problem(beside if beside.is_file() else path, error)]
    return []


def _text(path: Path) -> str:
    try:
        return ProjectFiles(path.parent).read(path.name).text()
    except LookFailedError as error:
        raise TaskListError(error.reason.removeprefix(f"{path.name} ")) from error


def _problem(path: Path, error: TaskListError) -> Problem:
    return Problem(
        Severity.ERROR,
        path.as_posix(),
        error.line,
        "list/unusable",
        error.reason,
        "Mend it: start refuses a list that cannot be followed.",
    )
