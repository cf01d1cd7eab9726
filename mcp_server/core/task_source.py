"""The list of work that a dynamic workflow takes its phases from: found, read and told.

`start` names it by an option: a file of the project, or a folder that holds `tasks.md`. A
`gates.yaml` beside a Markdown list says how criteria are verified. Nothing outside the project is
read. What cannot be used is a DefinitionError that names the file and, where known, the line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mcp_server.core.criteria_gate import gates_of
from mcp_server.core.definitions import Metadata, Phase
from mcp_server.core.dynamic import Templates, TooLargeError, phases_of
from mcp_server.core.paths import validate_target
from mcp_server.core.task_list import TaskList, TaskListError
from mcp_server.core.tasks_markdown import parse_tasks_markdown
from mcp_server.core.tasks_yaml import parse_workflow_definition
from mcp_server.errors import DefinitionError, InvalidArgumentError
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes.files import ProjectFiles

LIST_NAME = "tasks.md"
GATES_NAME = "gates.yaml"

MARKDOWN = "spec_tasks_parser"
YAML = "workflow_definition_parser"
PARSERS = (MARKDOWN, YAML)

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class TaskSource:
    """One list of work, not read yet; `path` is relative to the project."""

    root: Path
    workflow_type: str
    parser: str
    path: str

    @property
    def signature(self) -> Signature:
        """What changes when the list, or the gates beside it, are written."""
        files = (self.root / self.path, self.root / self._gates_path)
        stats = ((path, path.stat()) for path in files if path.is_file())
        return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats)

    def phases(self, templates: Templates, static: tuple[Phase, ...]) -> tuple[Phase, ...]:
        """Return the phases of the list, which follow those of the workflow itself."""
        listed, gates = self._read()
        last = max((phase.phase_number for phase in static), default=-1)
        for phase in listed.phases:
            if phase.number <= last:
                raise self._broken(
                    f"phase {phase.number} is in the way of phase {last} of the workflow itself;"
                    f" number the phases of the list from {last + 1}",
                    phase.line,
                )
        try:
            return phases_of(listed, templates, lambda phase: gates[phase.number])
        except TooLargeError as error:
            raise self._broken(str(error)) from error

    def _read(self) -> tuple[TaskList, Mapping[int, Gate]]:
        text = self._text(self.path)
        try:
            if self.parser == YAML:
                workflow = parse_workflow_definition(text)
                return workflow.tasks, workflow.gates
            listed = parse_tasks_markdown(text)
        except TaskListError as error:
            raise self._broken(error.reason, error.line) from error
        beside = self.root / self._gates_path
        extra = self._text(self._gates_path) if beside.exists() else None
        try:
            return listed, gates_of(listed, extra)
        except TaskListError as error:
            path = self.path if extra is None else self._gates_path
            raise self._broken(error.reason, error.line, path) from error

    @property
    def _gates_path(self) -> str:
        return (PurePosixPath(self.path).parent / GATES_NAME).as_posix()

    def _text(self, path: str) -> str:
        try:
            return ProjectFiles(self.root).read(path).text()
        except LookFailedError as error:
            raise self._broken(error.reason.removeprefix(f"{path} "), path=path) from error

    def _broken(
        self, reason: str, line: int | None = None, path: str | None = None
    ) -> DefinitionError:
        at = f"{path or self.path}{f':{line}' if line else ''}"
        return DefinitionError(
            f"{at}: {reason}",
            remediation=f"Mend {at}, then start again.",
            details={"workflow_type": self.workflow_type, "file": path or self.path, "line": line},
        )


def find_source(root: Path | None, metadata: Metadata, options: Mapping[str, Any]) -> TaskSource:
    """Return the list that `options` name; raises InvalidArgumentError and DefinitionError."""
    config, name = metadata.dynamic_config, metadata.workflow_type
    key = config.source_path_key
    wanted = options.get(key)
    if root is None or not isinstance(wanted, str) or not wanted.strip():
        raise InvalidArgumentError(
            f"{name} takes its phases from a list of tasks: options.{key} does not say which",
            remediation=f'Pass options={{"{key}": "..."}}: a file of the project, or a folder that'
            f" holds {LIST_NAME}.",
        )
    if config.parser not in PARSERS:
        raise DefinitionError(
            f"{name}: unknown parser {config.parser!r} in dynamic_config; one of"
            f" {', '.join(PARSERS)}",
            remediation="Mend its metadata.json, or start another workflow.",
            details={"workflow_type": name},
        )
    validate_target(root, wanted, f"options.{key}")
    path = PurePosixPath(wanted)
    if (root / path).is_dir():
        path /= LIST_NAME
    return TaskSource(root, name, config.parser, path.as_posix())
