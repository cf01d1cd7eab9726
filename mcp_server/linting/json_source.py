"""JSON with the line of every part, and the keys that stand twice.

What is JSON is decided by the standard library, as when a definition is loaded; a second look at
the tokens of the accepted text only finds out where things stand.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_PLACED = 8
"""Levels of nesting whose lines are kept; what is deeper has the line of what is around it."""

Path = tuple[str | int, ...]

_PART = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class JsonError(Exception):
    """A text that is not JSON; `line` counts from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.line = line


@dataclass(slots=True)
class _Open:
    """An object or an array that the scan is inside of."""

    path: Path
    is_object: bool
    key: str | int
    awaits_key: bool
    seen: set[str] = field(default_factory=set)


class JsonSource:
    """One parsed JSON document: `data`, where its parts stand, and the `duplicates` of keys."""

    def __init__(self, text: str) -> None:
        """Parse `text`; raises JsonError."""
        try:
            self.data: Any = json.loads(text)
        except json.JSONDecodeError as error:
            raise JsonError(error.msg, error.lineno) from error
        except RecursionError as error:
            raise JsonError("nested too deep") from error
        except ValueError as error:
            raise JsonError("a number has too many digits") from error
        self.duplicates: list[tuple[str, int]] = []
        self._lines: dict[Path, int] = {}
        self._open: list[_Open] = []
        for part, line in _parts(text):
            self._take(part, line)

    def line_of(self, path: Path) -> int | None:
        """Return the line of the part at `path`, or of the nearest part around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)

    def _take(self, part: str, line: int) -> None:
        around = self._open[-1] if self._open else None
        if part in "{[":
            self._open.append(_Open(self._place(line), part == "{", 0, part == "{"))
        elif part in "}]":
            self._open.pop()
        elif part == "," and around:
            around.awaits_key = around.is_object
            around.key = 0 if isinstance(around.key, str) else around.key + 1
        elif around and around.awaits_key:
            self._take_key(around, json.loads(part), line)
        elif part != ":":
            self._place(line)

    def _take_key(self, around: _Open, key: str, line: int) -> None:
        if key in around.seen:
            self.duplicates.append((key, line))
        around.seen.add(key)
        around.key, around.awaits_key = key, False
        if len(around.path) < MAX_PLACED:
            self._lines[*around.path, key] = line

    def _place(self, line: int) -> Path:
        """Keep the line of the value that begins here, and return its path."""
        if not self._open:
            path: Path = ()
        elif len(self._open) > MAX_PLACED:
            return self._open[-1].path
        else:
            path = (*self._open[-1].path, self._open[-1].key)
        self._lines.setdefault(path, line)
        return path


def _parts(text: str) -> Iterator[tuple[str, int]]:
    line, counted = 1, 0
    for found in _PART.finditer(text):
        line += text.count("\n", counted, found.start())
        counted = found.start()
        yield found[0], line
