"""Builders for the tests of probes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.probes.look import Look, PhaseFacts

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def look_at(
    root: Path,
    *,
    type: str | None = None,  # noqa: A002 - the name that Look gives it
    claims: Mapping[str, Any] | None = None,
    started: datetime | None = None,
    name: str = "field",
    **facts: Any,
) -> Look:
    """Return a look at `field` in the project at `root`, in a phase that began long ago."""
    given = {"session_id": "s-1", "target_file": "src/target.py", "options": {}, "phase": 1}
    given |= {"attempt": 1, "started": started or LONG_AGO, **facts}
    return Look(ProjectFiles(root), PhaseFacts(**given), claims or {}, name=name, type=type)


def written(root: Path, path: str, content: str | bytes = "text\n") -> Path:
    """Write a file of the project, with its folders, and return where it is."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file
