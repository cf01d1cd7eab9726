"""The audit of one session: is its journal a chain without gap, and is all its evidence there?

Each line must be what its hash says, follow the line before it in number and hash, and belong to
the session; each piece of evidence that any line names must be what its digest says. Deleting,
reordering, editing and inserting lines are found that way. Lines cut off the end leave a shorter
chain that is sound in itself: they are found against a hash that was noted before. Pure but for
the two lookups that it is given.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mcp_server.core.encoding import digest, encode
from mcp_server.core.journal import LineError, decode_line
from mcp_server.core.models import NO_HASH, EvidenceItem, Record
from mcp_server.errors import DamagedStateError


@dataclass(frozen=True, slots=True)
class Verification:
    """What the audit came to; `line` is the first one that does not fit, counted from 1."""

    session_id: str
    lines: int
    last_hash: str
    evidence: int
    problem: str | None = None
    line: int | None = None

    @property
    def holds(self) -> bool:
        """Whether everything fits."""
        return self.problem is None


class _MisfitError(Exception):
    """A line does not fit."""


def verify(
    session_id: str,
    lines: Iterable[bytes],
    blob: Callable[[str], bytes],
    expected: str | None = None,
) -> Verification:
    """Audit `lines`; `blob` gives evidence by digest, `expected` is a hash noted earlier."""
    previous, count = NO_HASH, 0
    seen: set[str] = set()
    found_expected = False
    for line in lines:
        try:
            record = _following(line, session_id, count, previous)
            _check_evidence(record, blob, seen)
        except (_MisfitError, LineError) as misfit:
            return Verification(session_id, count, previous, len(seen), str(misfit), count + 1)
        previous, count = record.hash, count + 1
        found_expected = found_expected or record.hash == expected
    problem = None
    if not count:
        problem = "the journal holds no whole line"
    elif expected is not None and not found_expected:
        problem = f"no line has the expected hash {expected[:12]}: lines were cut off or rewritten"
    return Verification(session_id, count, previous, len(seen), problem)


def _following(line: bytes, session_id: str, count: int, previous: str) -> Record:
    record = decode_line(line)
    if record.state.session_id != session_id:
        raise _MisfitError(f"it belongs to session {record.state.session_id}")
    if record.seq != count + 1:
        raise _MisfitError(f"it says it is line {record.seq}, and stands at {count + 1}")
    if record.previous != previous:
        raise _MisfitError("it does not follow the line before it")
    return record


def _check_evidence(record: Record, blob: Callable[[str], bytes], seen: set[str]) -> None:
    for phase, items in record.state.evidence.items():
        for name, item in items.items():
            if item.sha256 not in seen and not _is_sound(item, blob):
                raise _MisfitError(f"evidence {name} of phase {phase} is missing or altered")
            seen.add(item.sha256)


def _is_sound(item: EvidenceItem, blob: Callable[[str], bytes]) -> bool:
    try:
        content = encode(item.value) if item.inline else blob(item.sha256)
    except (DamagedStateError, ValueError):
        return False
    return digest(content) == item.sha256
