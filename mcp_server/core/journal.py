"""One line of a session's journal: how a record is written as bytes, and read back.

A line is a JSON object whose last key is `hash`, the SHA-256 of the line's bytes before that key.
As it also holds the hash of the line before (`previous`), the lines of a journal form a chain.
Checking the bytes rather than the parsed object keeps the check independent of how a JSON library
prints numbers. Pure: bytes in, bytes out.
"""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from mcp_server.core.encoding import digest, encode
from mcp_server.core.models import NO_HASH, Change, Record, SessionState

SCHEMA_VERSION = 1

_HASH_KEY = b',"hash":"'
_HASH_TAIL = len(_HASH_KEY) + 64 + len(b'"}')


class LineError(Exception):
    """A line is not a record of this schema version, or not what its hash says."""


class _Line(BaseModel):
    """The envelope of a line, as far as a reader needs it."""

    schema_version: int
    seq: int
    previous: str
    state: dict[str, Any]


def encode_line(change: Change, last: Record | None) -> tuple[bytes, Record]:
    """Return the line (with its newline) that appends `change` after `last`, and its record."""
    seq = last.seq + 1 if last else 1
    body = encode(
        {
            "schema_version": SCHEMA_VERSION,
            "seq": seq,
            "time": change.time.isoformat(),
            "action": change.action,
            "phase": change.phase,
            "outcome": change.outcome,
            "previous": last.hash if last else NO_HASH,
            "state": change.state.model_dump(mode="json"),
        },
        sort_keys=False,
    )
    line_hash = digest(body[:-1])
    line = body[:-1] + _HASH_KEY + line_hash.encode("ascii") + b'"}\n'
    return line, Record(seq=seq, hash=line_hash, state=change.state)


def decode_line(line: bytes) -> Record:
    """Return the record of one line (without its newline); raises LineError."""
    body, tail = line[:-_HASH_TAIL], line[-_HASH_TAIL:]
    try:
        parsed = _Line.model_validate(from_json(line))
    except ValueError as error:
        raise LineError("the last line is not a record") from error
    if parsed.schema_version > SCHEMA_VERSION:
        raise LineError(
            f"written by a newer server (schema {parsed.schema_version}, this one knows"
            f" {SCHEMA_VERSION})"
        )
    stated = tail[len(_HASH_KEY) : -2].decode("ascii", "replace")
    if not tail.startswith(_HASH_KEY) or digest(body) != stated:
        raise LineError(f"line {parsed.seq} is not what its hash says")
    try:
        state = SessionState.model_validate(parsed.state)
    except ValidationError as error:
        raise LineError(f"line {parsed.seq} does not hold a session") from error
    return Record(seq=parsed.seq, hash=stated, state=state)
