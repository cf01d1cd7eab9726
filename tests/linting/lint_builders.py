"""A clean definition, to be broken in one place, and what the linter says of it then."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcp_server.core.library import WorkflowLibrary
from mcp_server.errors import DefinitionError, NotFoundError
from mcp_server.linting.linter import lint, place_of
from mcp_server.linting.problems import Problem

GATE_FILE = "phases/1/gate-definition.yaml"

GATE = """\
checkpoint: {strict: true, allow_override: false}
evidence_schema:
  tests:
    type: integer
    description: Passing tests
    minimum: 1
    validator: positive
    verify: {junit: reports/junit.xml, count: passed}
  report:
    type: string
    description: Path of the report
validators:
  positive: "lambda x: x > 0"
cross_field_validation:
  - rule: "lambda e: e['tests'] >= len(e['report'])"
    error_message: too few
"""

PHASE = """\
# Phase {number}: Work

Do it, as [task 1](task-1-do.md) says.

## What the gate asks for

- `tests`: how many pass
- `report`: where the report is
"""

TASK = "# Task 1: Do\n\n## Steps\n\n1. Begin\n2. End\n"

METADATA: dict[str, Any] = {
    "workflow_type": "small_v1",
    "version": "1.0.0",
    "name": "Small",
    "description": "A small workflow",
    "total_phases": 2,
    "phases": [
        {"phase_number": 1, "phase_name": "Work"},
        {"phase_number": 2, "phase_name": "Work"},
    ],
}

DYNAMIC: dict[str, Any] = {
    "total_phases": "dynamic",
    "dynamic_phases": True,
    "dynamic_config": {
        "source_type": "spec_tasks_md",
        "source_path_key": "spec_path",
        "templates": {
            "phase": "phases/dynamic/phase-template.md",
            "task": "phases/dynamic/task-template.md",
        },
        "parser": "spec_tasks_parser",
    },
}


def put(folder: Path, name: str, text: str) -> Path:
    """Write a file of a definition."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def clean(shelf: Path, name: str = "small_v1", **metadata: Any) -> Path:
    """Write a definition that nothing is to be said about, and return its folder."""
    folder = shelf / name
    described = {**METADATA, "workflow_type": name, **metadata}
    put(folder, "metadata.json", json.dumps(described, indent=2))
    for number in (1, 2):
        put(folder, f"phases/{number}/phase.md", PHASE.format(number=number))
        put(folder, f"phases/{number}/task-1-do.md", TASK)
        put(folder, f"phases/{number}/gate-definition.yaml", GATE)
    return folder


def clean_dynamic(shelf: Path) -> Path:
    """Write a dynamic definition that nothing is to be said about and return its folder."""
    folder = clean(shelf, **DYNAMIC)
    put(folder, "phases/dynamic/phase-template.md", "# Phase [PHASE_NUMBER]: [PHASE_NAME]\n")
    put(folder, "phases/dynamic/task-template.md", "# Task [TASK_ID]\n\nIn [PHASE_NAME].\n")
    return folder


def brief(problems: list[Problem]) -> list[tuple[str, str, int | None, str]]:
    """Severity, file, line and code of each problem; the definition's own folder left out."""
    return [(str(p.severity), p.file.partition("/")[2], p.line, p.code) for p in problems]


def told(folder: Path) -> list[tuple[str, str, int | None, str]]:
    """What the linter says of a definition, in brief."""
    return brief(lint(folder))


def loads(folder: Path) -> bool:
    """Tell whether the library loads a definition, a dynamic one as far as it is its own."""
    place = place_of(folder)
    library = WorkflowLibrary((place.shelf,))
    try:
        if library.metadata(place).is_dynamic:
            library.static_phases(place)
        else:
            library.load(place.name)
    except (DefinitionError, NotFoundError):
        return False
    return True


Change = Callable[[Path], Any]


def text(name: str, content: str) -> Change:
    """A change that writes a file."""
    return lambda folder: put(folder, name, content)


def swap(name: str, old: str, new: str) -> Change:
    """A change that replaces a piece of a file."""

    def change(folder: Path) -> None:
        before = (folder / name).read_text(encoding="utf-8")
        assert old in before
        put(folder, name, before.replace(old, new))

    return change


def meta(**keys: Any) -> Change:
    """A change of keys of metadata.json."""

    def change(folder: Path) -> None:
        path = folder / "metadata.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        put(folder, "metadata.json", json.dumps({**data, **keys}, indent=2))

    return change


def data(name: str, content: bytes) -> Change:
    """A change that writes bytes."""
    return lambda folder: (folder / name).write_bytes(content)


def gone(name: str) -> Change:
    """A change that removes a file."""
    return lambda folder: (folder / name).unlink()


def moved(name: str, to: str) -> Change:
    """A change that renames a file or a folder."""
    return lambda folder: (folder / name).rename(folder / to)
