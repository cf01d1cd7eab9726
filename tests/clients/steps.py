"""The project that a client is driven in, and the calls that its scripted model makes there."""

import json
import re
from pathlib import Path
from typing import Any

from mcp_server.core.transitions import Action

WORKFLOW = "two_gates_v1"

SESSION = re.compile(rf"{WORKFLOW}_[a-z0-9_]+_\d{{8}}_\d{{6}}_[0-9a-f]{{6}}")

TASK = """\
# Task 1: Write the notes

Quotes "double" and 'single', a backslash \\, <angles> & an ampersand, and äöü → 語.

```python
print("one\\ttab\\n")
```

Last line of the task.
"""
"""Whatever a client might escape or lose on the way to its model."""

_METADATA = {
    "workflow_type": WORKFLOW,
    "version": "1.0.0",
    "name": "Two gates",
    "description": "One gate that looks into a file, and one that asks a person",
    "category": "test",
    "total_phases": 2,
    "start_phase": 1,
    "phases": [
        {"phase_number": 1, "phase_name": "Notes", "purpose": "Have notes"},
        {"phase_number": 2, "phase_name": "Consent", "purpose": "Have a person agree"},
    ],
}

_NOTED = """\
checkpoint: {strict: true, allow_override: false}
evidence_schema:
  lines:
    type: integer
    required: true
    minimum: 2
    description: Lines "- text" in the notes
    verify: {count: "{target_file}", pattern: '^- \\S'}
"""

_AGREED = """\
checkpoint: {strict: true, allow_override: false}
evidence_schema:
  agreed:
    type: boolean
    required: true
    description: A person says that the notes will do
    verify: {approval: "Will these notes do?", of: "{target_file}"}
"""


def write_project(root: Path) -> None:
    """Write a project with notes and the workflow of two gates."""
    folder = root / ".praxis-os" / "workflows" / WORKFLOW
    files = {
        root / "notes.md": "- first\n- second\n",
        folder / "metadata.json": json.dumps(_METADATA),
        folder / "phases/1/phase.md": "# Phase 1: Notes\n\nWrite down what is known.\n",
        folder / "phases/1/task-1-write.md": TASK,
        folder / "phases/1/gate-definition.yaml": _NOTED,
        folder / "phases/2/phase.md": "# Phase 2: Consent\n\nHave a person agree.\n",
        folder / "phases/2/task-1-show.md": "# Task 1: Show the notes\n",
        folder / "phases/2/gate-definition.yaml": _AGREED,
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def calls(session_id: str) -> list[dict[str, Any]]:
    """Return the calls, in order; before the session is there its id is empty."""
    of_session = {"session_id": session_id}
    completing = {"action": Action.COMPLETE_PHASE, **of_session}
    return [
        {"action": Action.LIST_WORKFLOWS},
        {"action": Action.START, "workflow_type": WORKFLOW, "target_file": "notes.md"},
        {"action": Action.GET_TASK, **of_session, "task_number": 1},
        {**completing, "phase": 1, "evidence": {"lines": 7}},
        {**completing, "phase": 1, "evidence": {"lines": 2}},
        {"action": Action.RETRY_PHASE, **of_session, "phase": 1, "reset_evidence": True},
        {"action": "frobnicate"},
        {"action": Action.GET_PHASE, "sesion_id": session_id},
        {**completing, "phase": 1, "evidence": {"lines": 2}},
        {**completing, "phase": 2, "evidence": {}},
        {"action": Action.GET_STATE, **of_session},
    ]


EXPECTED = (
    (Action.LIST_WORKFLOWS, ""),
    (Action.START, ""),
    (Action.GET_TASK, ""),
    (Action.COMPLETE_PHASE, "ValidationError"),
    (Action.COMPLETE_PHASE, "StateError"),
    (Action.RETRY_PHASE, ""),
    ("frobnicate", "ValueError"),
    (Action.GET_PHASE, "ValueError"),
    (Action.COMPLETE_PHASE, ""),
    (Action.COMPLETE_PHASE, "VerificationUnavailable"),
    (Action.GET_STATE, ""),
)
"""The action that each answer names, and the type of its error, if it is one."""
