"""How many bytes an answer, or a part of one, takes in each of its two halves.

The structured half is compact JSON, the text what `rendering` makes. Either may be the longer one:
quotes cost the first, the indentation of what is nested the second. So both are counted, and what
fits, fits both. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_server.core.encoding import encode
from mcp_server.core.rendering import render

INDENT = 2
"""Bytes by which the text sets in what is one deeper."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Bytes of the structured half and of the text."""

    structured: int
    text: int

    def __add__(self, other: "Halves") -> "Halves":
        """Return what both take together."""
        return Halves(self.structured + other.structured, self.text + other.text)

    def __sub__(self, other: "Halves") -> "Halves":
        """Return what is left of this without the other."""
        return Halves(self.structured - other.structured, self.text - other.text)

    def __floordiv__(self, parts: int) -> "Halves":
        """Return an equal part of this."""
        return Halves(self.structured // parts, self.text // parts)

    def holds(self, part: "Halves") -> bool:
        """Tell whether a part has room in this."""
        return part.structured <= self.structured and part.text <= self.text


NOTHING = Halves(0, 0)


def answer_of(limit: int) -> Halves:
    """Return the room for the fields of an answer that has at most `limit` bytes in each half."""
    # A comma and the end of a line less than there are fields; but braces around all of them.
    return Halves(limit - 1, limit + 1)


def size_of(fields: Mapping[str, Any], depth: int = 0) -> Halves:
    """Return what some fields add to those of an answer, or to what is nested `depth` deep."""
    if not fields:
        return NOTHING
    text = render(fields)
    set_in = INDENT * depth * (text.count("\n") + 1)
    return Halves(len(encode(fields)) - 1, len(text.encode()) + 1 + set_in)


def size_around(name: str, depth: int = 0) -> Halves:
    """Return what the name of an object adds, apart from the fields in it."""
    return Halves(len(encode(name)) + 3, INDENT * depth + len(name.encode()) + 2)
