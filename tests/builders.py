"""Plain functions that build what tests need: valid things, to be broken in one place."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

import mcp_server
from mcp_server.core.definitions import Definition, Phase, Task
from mcp_server.core.library import BUILT_IN, Shelf, WorkflowLibrary
from mcp_server.gates.model import Gate

BUILT_IN_FOLDER = Path(mcp_server.__file__).parent / "workflows"
BUILT_IN_NAMES = ("code_review_v1", "production_code_v2", "spec_creation_v1", "test_generation_v3")
DYNAMIC_NAME = "spec_execution_v1"
"""The built-in workflow whose phases come from a list."""

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

GATE: Mapping[str, Any] = {
    "checkpoint": {"strict": True, "allow_override": False},
    "evidence_schema": {
        "tests": {"type": "integer", "required": True, "description": "Tests", "minimum": 1},
        "report": {"type": "string", "required": True, "description": "Path of the report"},
    },
    "validators": {},
}
"""A small strict gate; `EVIDENCE` passes it."""

EVIDENCE: Mapping[str, Any] = {"tests": 3, "report": "reports/junit.xml"}


TASK = Task(task_number=1, title="Task 1", file="task-1-do.md", content="# Task 1\n")


class Clock:
    """A clock that moves one second at each look."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def gate(**changes: Any) -> Gate:
    """The small gate, with top-level keys replaced."""
    return Gate.model_validate({**GATE, **changes})


def definition(phases: int = 2, first: int = 1, name: str = "small_v1") -> Definition:
    """A workflow of `phases` phases with one task and the small gate each."""
    return Definition(
        workflow_type=name,
        version="1.0.0",
        name="Small",
        category="test",
        phases=tuple(
            Phase(
                phase_number=number,
                title=f"Phase {number}",
                content=f"# Phase {number}\n",
                tasks=(TASK,),
                gate=gate(),
            )
            for number in range(first, first + phases)
        ),
    )


def write_workflow(
    shelf: Path,
    name: str = "small_v1",
    *,
    phases: int = 2,
    first: int = 1,
    metadata: Mapping[str, Any] | None = None,
    gate: Mapping[str, Any] | None = GATE,
) -> Path:
    """Write a valid definition of `phases` phases under `shelf` and return its folder."""
    folder = shelf / name
    folder.mkdir(parents=True)
    described = {
        "workflow_type": name,
        "version": "1.0.0",
        "name": "Small",
        "description": "A small workflow",
        "category": "test",
        "total_phases": phases,
        "estimated_duration": "5 minutes",
    }
    text = json.dumps({**described, **(metadata or {})})
    (folder / "metadata.json").write_text(text, encoding="utf-8")
    for number in range(first, first + phases):
        phase = folder / "phases" / str(number)
        phase.mkdir(parents=True)
        (phase / "phase.md").write_text(f"# Phase {number}: Work\n\nDo it.\n", encoding="utf-8")
        task = "# Task 1: Do\n\n**Estimated Time:** 5 minutes\n\n## Steps\n\n1. Begin\n2. End\n"
        (phase / "task-1-do.md").write_text(task, encoding="utf-8")
        if gate is not None:
            text = yaml.safe_dump(dict(gate), sort_keys=False)
            (phase / "gate-definition.yaml").write_text(text, encoding="utf-8")
    return folder


def library(*folders: Path) -> WorkflowLibrary:
    """A library over `folders`, or over the built-in definitions."""
    if not folders:
        return WorkflowLibrary((Shelf(BUILT_IN, BUILT_IN_FOLDER, BUILT_IN_FOLDER),))
    return WorkflowLibrary(tuple(Shelf(folder.name, folder, folder) for folder in folders))


def copy_compat(compat: Path, project: Path) -> None:
    """Put the foreign definitions where a project's own are looked for."""
    shutil.copytree(compat / "workflows", project / ".praxis-os" / "workflows")


def passing_evidence(gate: Gate) -> dict[str, Any]:
    """Evidence that passes `gate`: each field's example, or the plainest value of its type."""
    plain = {"boolean": True, "integer": 1, "number": 1, "string": "text", "list": ["item"],
             "dict": {"key": "value"}, "object": {"key": "value"}, None: "text"}  # fmt: skip
    return {
        name: field.json_schema.get("examples", [plain[field.type]])[0]
        for name, field in gate.evidence_schema.items()
    }


def tree(folder: Path) -> dict[str, bytes]:
    """The content of every file under `folder`, locks apart, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }
