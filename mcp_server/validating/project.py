"""The throw-away project: a folder of its own with one small workflow, and the work it asks for.

The workflow has three phases. The first asks for a claim and for something that the server finds
out for itself, the second for a claim alone, the third for a boolean. Each phase's text bears a
word that was made up for this run, by which an answer that shows a later phase is known.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORKFLOW = "aos_validation_v1"
PHASES = 3
NOTES = 2
"""Lines that honest work of the first phase leaves behind."""

STALE_SECONDS = 86_400

FIRST_CLAIMS: dict[str, Any] = {"answer": 42}
SECOND_CLAIMS: dict[str, Any] = {"summary": "What was noted, in one sentence"}
LAST_CLAIMS: dict[str, Any] = {"done": True}
CLAIMS = (FIRST_CLAIMS, SECOND_CLAIMS, LAST_CLAIMS)
"""What is claimed of honest work, phase by phase."""

_METADATA: dict[str, Any] = {
    "workflow_type": WORKFLOW,
    "version": "1.0.0",
    "name": "Validation",
    "description": "Three small phases that a validation walks",
    "category": "validation",
    "total_phases": PHASES,
    "start_phase": 1,
    "estimated_duration": "no time",
    "phases": [
        {"phase_number": 1, "phase_name": "Note", "purpose": "Write notes down"},
        {"phase_number": 2, "phase_name": "Sum up", "purpose": "Say what was noted"},
        {"phase_number": 3, "phase_name": "Close", "purpose": "Say that it is done"},
    ],
}

_GATES = (
    """\
checkpoint: {strict: true, allow_override: false}
evidence_schema:
  notes:
    type: integer
    required: true
    description: Lines that begin with a dash in the notes of the session, from this phase
    minimum: 2
    verify: {count: "notes/{session_id}.md", pattern: '^- \\S', fresh: true}
  answer:
    type: integer
    required: true
    description: The answer, as claimed
    const: 42
""",
    """\
checkpoint: {strict: true, allow_override: false}
evidence_schema:
  summary: {type: string, required: true, description: What was noted, minLength: 10}
""",
    """\
checkpoint: {strict: true, allow_override: false}
evidence_schema:
  done: {type: boolean, required: true, description: It is done}
""",
)


@dataclass(frozen=True, slots=True)
class Project:
    """The folder, and the words that its phases are known by."""

    root: Path
    words: tuple[str, ...]

    def word(self, phase: int) -> str:
        """Return the word that the text of a phase, counted from 1, bears."""
        return self.words[phase - 1]

    def note(self, session_id: str, *, lines: int = NOTES, stale: bool = False) -> None:
        """Write the notes of a session, now or as of yesterday."""
        path = self.root / "notes" / f"{session_id}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"- note {n + 1}\n" for n in range(lines)), encoding="utf-8")
        if stale:
            before = path.stat().st_mtime - STALE_SECONDS
            os.utime(path, (before, before))

    @property
    def private(self) -> tuple[str, ...]:
        """The spellings of the folder, none of which an answer may bear."""
        return tuple(dict.fromkeys((str(self.root), str(self.root.resolve()))))


@contextmanager
def throwaway() -> Iterator[Project]:
    """Yield a project that is removed afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(
        prefix="aos-workflow-validation-", ignore_cleanup_errors=os.name == "nt"
    ) as folder:
        yield lay(Path(folder, "project"))


def lay(root: Path) -> Project:
    """Make the project in a folder that is not there yet."""
    words = tuple(f"{secrets.token_hex(6)}" for _ in range(PHASES))
    workflow = root / ".praxis-os" / "workflows" / WORKFLOW
    workflow.mkdir(parents=True)
    _write(workflow / "metadata.json", json.dumps(_METADATA, indent=2))
    for number, (gate, word) in enumerate(zip(_GATES, words, strict=True), 1):
        folder = workflow / "phases" / str(number)
        folder.mkdir(parents=True)
        name = _METADATA["phases"][number - 1]["phase_name"]
        _write(folder / "phase.md", f"# Phase {number}: {name}\n\nThe word is {word}.\n")
        for task in (1, 2):
            _write(
                folder / f"task-{task}-part.md",
                f"# Task {task}: Part {task} of {name}\n\n## Steps\n\n1. Remember {word}-{task}\n",
            )
        _write(folder / "gate-definition.yaml", gate)
    return Project(root, words)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
