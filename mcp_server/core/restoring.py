"""Sessions that come whole from another store: what must hold of them, and what may be there.

Lines are kept byte for byte, so a chain of hashes is the same wherever it lies. Nothing is stored
that an audit would find fault with, and nothing that is there is replaced: a session is extended if
what is there is how it began, and left alone otherwise. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from mcp_server.core.journal import LineError, decode_line
from mcp_server.core.models import Record
from mcp_server.core.verification import verify
from mcp_server.errors import ConflictError, DamagedStateError


class Relation(Enum):
    """How a session that is stored compares to one that is to be stored in its place."""

    BEGINNING = auto()
    SAME = auto()
    AHEAD = auto()
    DIFFERENT = auto()


@dataclass(frozen=True, slots=True)
class Names:
    """What the lines of a session name and do not hold: large evidence, and its definitions."""

    evidence: frozenset[str]
    definitions: frozenset[str]


@dataclass(frozen=True, slots=True)
class SoundSession:
    """A session in which everything fits; made by `sound` alone."""

    session_id: str
    lines: tuple[bytes, ...]
    blobs: Mapping[str, bytes]
    last: Record

    def lacking(self, stored: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the lines that are to follow those that are stored; raises ConflictError."""
        if relation(stored, self.lines) not in {Relation.BEGINNING, Relation.SAME}:
            raise ConflictError(
                f"session {self.session_id} is there already, and another one",
                remediation="It was left as it is. Delete one of the two.",
            )
        return self.lines[len(stored) :]


def relation(stored: Sequence[bytes], lines: Sequence[bytes]) -> Relation:
    """Tell how the lines that are stored compare to others; none are the beginning of any."""
    shared = min(len(stored), len(lines))
    if list(stored[:shared]) != list(lines[:shared]):
        return Relation.DIFFERENT
    if len(stored) == len(lines):
        return Relation.SAME
    return Relation.BEGINNING if len(stored) < len(lines) else Relation.AHEAD


def named_in(session_id: str, lines: Sequence[bytes]) -> Names:
    """Return the digests that any line names; raises DamagedStateError."""
    evidence: set[str] = set()
    definitions: set[str] = set()
    for line in lines:
        try:
            state = decode_line(line).state
        except LineError as error:
            raise damaged(session_id, str(error)) from error
        definitions.add(state.definition.digest)
        for items in state.evidence.values():
            evidence |= {item.sha256 for item in items.values() if not item.inline}
    return Names(frozenset(evidence), frozenset(definitions))


def sound(session_id: str, lines: Sequence[bytes], blobs: Mapping[str, bytes]) -> SoundSession:
    """Return a session as it may be stored, without what it does not name.

    Raises DamagedStateError if anything does not fit.
    """
    if any(b"\n" in line for line in lines):
        # It may be there between the words of a record, and would be two lines in a file.
        raise damaged(session_id, "a line of it is two")

    def blob(digest: str) -> bytes:
        if digest not in blobs:
            raise damaged(session_id, f"evidence {digest[:12]} is missing")
        return blobs[digest]

    audit = verify(session_id, lines, blob)
    if audit.problem is not None:
        where = f" at line {audit.line}" if audit.line else ""
        raise damaged(session_id, f"{audit.problem}{where}")
    wanted = named_in(session_id, lines).evidence
    return SoundSession(
        session_id,
        tuple(lines),
        {digest: content for digest, content in blobs.items() if digest in wanted},
        decode_line(lines[-1]),
    )


def damaged(session_id: str, reason: str) -> DamagedStateError:
    """Return what is said of a session that cannot be carried over."""
    return DamagedStateError(
        f"session {session_id} is damaged: {reason}",
        remediation="It was left as it is. Restore it from a backup, or delete it.",
    )
