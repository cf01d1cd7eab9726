"""Thousands of finished sessions, written as the store would have left them."""

from datetime import timedelta
from pathlib import Path

from mcp_server.core import lifecycle
from mcp_server.core.definitions import Definition
from mcp_server.core.file_store import FileStore
from mcp_server.core.journal import encode_line
from mcp_server.core.models import DefinitionRef
from mcp_server.core.transitions import Status
from tests.builders import EVIDENCE, NOON

SUBMITTED = lifecycle.prepare(EVIDENCE)


def add_finished(folder: Path, definition: Definition, number: int) -> list[str]:
    """Write the journals of `number` finished sessions of `definition`; return their ids."""
    FileStore(folder).pin(definition.digest, definition.snapshot)
    made = [f"{definition.workflow_type}_old_20260101_000000_{n:06x}" for n in range(number)]
    for index, session_id in enumerate(made):
        journal = folder / "finished" / f"{session_id}.jsonl"
        journal.write_bytes(_journal(definition, session_id, index))
    return made


def _journal(definition: Definition, session_id: str, index: int) -> bytes:
    # Many share a second, as sessions started together do.
    now = NOON + timedelta(seconds=index // 3)
    change = lifecycle.begin(
        session_id=session_id,
        workflow_type=definition.workflow_type,
        target_file=f"src/{index}.py",
        definition=DefinitionRef(version=definition.version, digest=definition.digest),
        phases=definition.phase_numbers,
        options={},
        now=now,
    )
    line, record = encode_line(change, None)
    lines = [line]
    while record.state.status is not Status.COMPLETED:
        line, record = encode_line(lifecycle.pass_phase(record.state, SUBMITTED, now), record)
        lines.append(line)
    return b"".join(lines)
