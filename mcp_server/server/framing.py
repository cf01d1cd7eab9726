"""Bytes into lines, none of which can be longer than a limit.

A line over the limit is skipped to its end without being held: what is kept of it are its length
and its two ends, in which a reader may find which request it was. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

KEPT = 256
"""Bytes that are kept of each end of a line that is too long."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """What is known of a line that was skipped."""

    size: int
    head: bytes
    tail: bytes


Line = bytes | TooLong


class LineFramer:
    """Cuts what arrives into lines, without their newlines."""

    def __init__(self, limit: int) -> None:
        """Skip lines of more than `limit` bytes."""
        self._limit = limit
        self._held = bytearray()
        self._skipped: TooLong | None = None

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """Yield the lines that `chunk` completes."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._add(chunk[start:end])
            yield self._taken()
            start = end + 1
        self._add(chunk[start:])

    def finish(self) -> Line | None:
        """Return what stands after the last newline, if anything does."""
        return self._taken() if self._held or self._skipped else None

    def _add(self, part: bytes) -> None:
        skipped = self._skipped
        if skipped is None and len(self._held) + len(part) <= self._limit:
            self._held += part
            return
        head, size, tail = (
            (skipped.head, skipped.size, skipped.tail)
            if skipped
            else (bytes(self._held[:KEPT]), len(self._held), bytes(self._held[-KEPT:]))
        )
        self._held.clear()
        self._skipped = TooLong(
            size + len(part), (head + part)[:KEPT], (tail + part[-KEPT:])[-KEPT:]
        )

    def _taken(self) -> Line:
        line: Line = self._skipped or bytes(self._held)
        self._skipped = None
        self._held.clear()
        return line
