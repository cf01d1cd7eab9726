"""The project in which the commands of the documents are run: the tutorial's, and then some."""

import subprocess
from pathlib import Path

import pytest

from mcp_server.config import Settings
from mcp_server.errors import GateRefusedError
from mcp_server.server.services import services_for
from tests import importing_builders
from tests.builders import write_workflow
from tests.documents.walkthrough import fences

ROOT = Path(__file__).resolve().parents[2]

READY = {
    "checkpoint": {"strict": True, "allow_override": True},
    "evidence_schema": {
        "ready": {
            "type": "boolean",
            "description": "A person says that the notes are ready",
            "verify": {"approval": "Is {target_file} ready?"},
        },
        "noted": {
            "type": "boolean",
            "description": "There is a file notes/ready.md",
            "verify": {"file": "notes/ready.md"},
        },
    },
}


def lay(project: Path) -> None:
    """Write the tutorial's files, a workflow that asks a person, and state of an older server."""
    for fence in fences((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")):
        if fence.path:
            path = project / fence.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")
    write_workflow(project / "universal" / "workflows", "ready_v1", phases=1, gate=READY)
    (project / "universal/workflows/ready_v1/phases/1/phase.md").write_text(
        "# Phase 1: Work\n\nMake `ready` and `noted` true.\n", encoding="utf-8"
    )
    old = project / "old-state"
    old.mkdir()
    importing_builders.put(old)
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)


def waiting(project: Path) -> str:
    """Start a session that waits for a person's approval only, and return its id."""
    engine = services_for(Settings(project=project)).engine
    session: str = engine.start("ready_v1", "notes/1.4.0.md")["session_id"]
    (project / "notes" / "ready.md").write_text("Ready.\n", encoding="utf-8")
    return session


def refused(project: Path) -> str:
    """Start a session whose gate has said no, and return its id."""
    engine = services_for(Settings(project=project)).engine
    session: str = engine.start("ready_v1", "notes/1.4.0.md")["session_id"]
    with pytest.raises(GateRefusedError):
        engine.complete_phase(session, 1, {"noted": "wrong"})
    return session


def last_hash(project: Path, session: str) -> str:
    """Return the hash of the last line of a session's journal."""
    return services_for(Settings(project=project)).sessions.verify(session).last_hash
