"""One line of a session's journal: how a record is written as bytes, and read back.

A line is a JSON object whose last key is `hash`, the SHA-256 of the line's bytes before that key.
As it also holds the hash of the line before (`previous`), the lines of a journal form a chain.
Checking the bytes rather than the parsed object keeps the check independent of how a JSON library
prints numbers. Pure: bytes in, bytes out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from mcp_server.core.encoding import digest, encode
from mcp_server.core.models import NO_HASH, Change, ErrorEntry, Record, SessionSummary
from mcp_server.core.transitions import Outcome, Status

SCHEMA_VERSION = 1

_STATE_KEY = b',"state":'
_HEAD = {"time", "action", "phase", "outcome"}
_MAX_HEAD = 1_000
"""What stands before the state of a line is a few short values."""

_HASH_KEY = b',"hash":"'
_HASH_TAIL = len(_HASH_KEY) + 64 + len(b'"}')


class LineError(Exception):
    """A line is not a record of this schema version, or not what its hash says."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a line says happened, and when; of a gate's no also what was recorded of it.

    `action` and `outcome` stay text: a newer server may know more of them.
    """

    time: datetime
    action: str
    outcome: str
    phase: int
    refusal: ErrorEntry | None = None


def encode_line(change: Change, last: Record | None) -> tuple[bytes, Record]:
    """Return the line (with its newline) that appends `change` after `last`, and its record."""
    seq, previous = (last.seq + 1, last.hash) if last else (1, NO_HASH)
    head = encode(
        {
            "schema_version": SCHEMA_VERSION,
            "seq": seq,
            "time": change.time.isoformat(),
            "action": change.action,
            "phase": change.phase,
            "outcome": change.outcome,
            "principal": change.principal,
            "previous": previous,
        },
        sort_keys=False,
    )
    # The state is most of a line, and its own serializer far faster than going through objects.
    body = head[:-1] + _STATE_KEY + change.state.model_dump_json().encode("utf-8")
    line_hash = digest(body)
    line = body + _HASH_KEY + line_hash.encode("ascii") + b'"}\n'
    record = Record(
        seq=seq,
        previous=previous,
        hash=line_hash,
        action=change.action,
        outcome=change.outcome,
        phase=change.phase,
        state=change.state,
        principal=change.principal,
    )
    return line, record


def decode_line(line: bytes) -> Record:
    """Return the record of one line (without its newline); raises LineError."""
    parsed, line_hash = _checked(line)
    try:
        return Record.model_validate({**parsed, "hash": line_hash})
    except ValidationError as error:
        raise LineError(f"line {parsed['seq']} does not hold a session") from error


def decode_summary(line: bytes) -> SessionSummary:
    """Return what lists need of one line, at a fraction of the cost; raises LineError."""
    parsed, _ = _checked(line)
    try:
        state = parsed["state"]
        return SessionSummary(
            session_id=str(state["session_id"]),
            workflow_type=str(state["workflow_type"]),
            target_file=str(state["target_file"]),
            status=Status(state["status"]),
            current_phase=int(state["current_phase"]),
            total_phases=len(state["phases"]),
            created_at=datetime.fromisoformat(state["created_at"]),
            last_updated=datetime.fromisoformat(state["last_updated"]),
            definition=str(state["definition"]["digest"]),
            owner=_text_or_none(state.get("owner")),
            project=_text_or_none(state.get("project")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LineError(f"line {parsed['seq']} does not hold a session") from error


def decode_step(line: bytes) -> Step:
    """Return what happened in one line, without reading the state after it; raises LineError.

    The line is not held against its hash: that is what the audit of a session is for.
    """
    try:
        parsed = _head(line)
        outcome = str(parsed["outcome"])
        refusal = None
        if outcome == Outcome.REFUSED:
            refusal = ErrorEntry.model_validate(from_json(line)["state"]["errors"][-1])
        return Step(
            time=datetime.fromisoformat(parsed["time"]).astimezone(UTC),
            action=str(parsed["action"]),
            outcome=outcome,
            phase=int(parsed["phase"]),
            refusal=refusal,
        )
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise LineError("a line is not a record") from error


def _head(line: bytes) -> Any:
    """Return a line's object, without its state where that stands last, as it is written here."""
    head, state, _ = line[:_MAX_HEAD].partition(_STATE_KEY)
    parsed = from_json(head + b"}") if state else {}
    return parsed if parsed.keys() >= _HEAD else from_json(line)


def hash_of(line: bytes) -> str:
    """Return the hash that a line (without its newline) should end with."""
    return digest(line[:-_HASH_TAIL])


def stated_hash(line: bytes) -> str:
    """Return the hash that a line ends with, nothing if it ends otherwise."""
    tail = line[-_HASH_TAIL:]
    ends_well = tail.startswith(_HASH_KEY) and tail.endswith(b'"}')
    return tail[len(_HASH_KEY) : -2].decode("ascii", "replace") if ends_well else ""


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _checked(line: bytes) -> tuple[dict[str, Any], str]:
    """Return a line's object and hash, once its bytes are what its hash says."""
    try:
        # Keys alone are worth remembering: ids and times come once.
        parsed = from_json(line, cache_strings="keys")
        version, seq = parsed["schema_version"], parsed["seq"]
    except (ValueError, TypeError, KeyError) as error:
        raise LineError("the last line is not a record") from error
    if not isinstance(version, int) or not isinstance(seq, int):
        raise LineError("the last line is not a record")
    if version > SCHEMA_VERSION:
        raise LineError(
            f"written by a newer server (schema {version}, this one knows {SCHEMA_VERSION})"
        )
    stated = stated_hash(line)
    if hash_of(line) != stated:
        raise LineError(f"line {seq} is not what its hash says")
    return parsed, stated
