"""TOML whose tables are put in and taken out as text: every other byte stays as it is. Pure.

A table is one header with the statements under it, and the tables under its name. What does not
stand as tables of its own (an inline table, dotted keys) is not edited but refused. Each change is
read back and compared with what it should have made of the document, so that a slip of this module
is an error and never a damaged file.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Any

Path = Sequence[str]
Span = tuple[int, int]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_PLACE = re.compile(r"line (\d+)")


class TomlTextError(ValueError):
    """A text that cannot be read or changed; `line` counts from 1, where it is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.reason = reason
        self.line = line


class TomlText:
    """A TOML document as it is written."""

    def __init__(self, text: str) -> None:
        """Read `text`; raises TomlTextError."""
        self.text = text
        self.data = _read(text)
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def with_table(self, path: Path, table: Mapping[str, Any]) -> str:
        """Return the text with a table at `path`, in place of the one there is; at the end if none.

        Raises TomlTextError.
        """
        block = table_text(path, table).replace("\n", self._newline)
        spans = self._spans(path)
        if spans:
            first, _ = spans[0]
            kept = self._cut(spans)
            return self._checked(kept[:first] + block + kept[first:], path, table)
        gap = ""
        if self.text.strip():
            gap = self._newline if self.text.endswith("\n") else self._newline * 2
        return self._checked(self.text + gap + block, path, table)

    def without_table(self, path: Path) -> str:
        """Return the text without the table at `path`, which is there; raises TomlTextError."""
        spans = [(self._with_gap(start), end) for start, end in self._spans(path)]
        return self._checked(self._cut(spans), path, None)

    def _spans(self, path: Path) -> list[Span]:
        """Return where the table and those under it stand, without what follows them."""
        wanted, starts = list(path), [*self._headers(), (len(self.text), [""])]
        if isinstance(_at(self.data, path), list):
            raise _not_a_table(path)
        return [
            (start, self._end_of(start, end))
            for (start, found), (end, _) in pairwise(starts)
            if found[: len(wanted)] == wanted
        ]

    def _headers(self) -> Iterator[tuple[int, list[str]]]:
        for start in _statements(self.text):
            line, _, _ = self.text[start:].partition("\n")
            if line.lstrip().startswith("["):
                yield start, _path_of(line.rstrip())

    def _end_of(self, start: int, end: int) -> int:
        """Return where the last statement ends: comments under it belong to what follows."""
        last = start
        for begin in _statements(self.text[:end]):
            line = self.text[begin:end].lstrip(" \t\r\n")
            if begin >= start and line and not line.startswith("#"):
                last = begin
        return next((at for at in _statements(self.text[:end]) if at > last), end)

    def _with_gap(self, start: int) -> int:
        """Return the start with the empty line before it."""
        before = self.text[:start]
        return start - len(self._newline) if before.endswith(self._newline * 2) else start

    def _cut(self, spans: Sequence[Span]) -> str:
        text = self.text
        for start, end in reversed(spans):
            text = text[:start] + text[end:]
        return text

    def _checked(self, text: str, path: Path, table: Mapping[str, Any] | None) -> str:
        try:
            found = _read(text)
        except TomlTextError as error:
            raise _not_a_table(path) from error
        if _at(found, path) != table or _rest(found, path) != _rest(self.data, path):
            raise _not_a_table(path)
        return text


def table_text(path: Path, table: Mapping[str, Any]) -> str:
    """Return a table at `path` as it is written, those in it as inline ones."""
    lines = [_header(path), *(f"{_key(name)} = {_value(value)}" for name, value in table.items())]
    return "".join(f"{line}\n" for line in lines)


def _at(data: Any, path: Path) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _rest(data: Any, path: Path) -> Any:
    """Return what is there besides `path`; a table that holds nothing else counts as none."""
    key, *further = path
    if not isinstance(data, dict):
        return data
    others = {name: value for name, value in data.items() if name != key}
    below = _rest(data.get(key, {}), further) if further else {}
    return others | {key: below} if below else others


def _statements(text: str) -> Iterator[int]:
    """Yield where each line begins that does not lie within a value."""
    depth = 0
    yield 0
    for found in _TOKEN.finditer(text):
        sign = found[0]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "\n" and depth == 0:
            yield found.end()


def _path_of(header: str) -> list[str]:
    path: list[str] = []
    node: Any = tomllib.loads(header)
    while node := node[0] if isinstance(node, list) else node:
        ((key, node),) = node.items()
        path.append(key)
    return path


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        # Without a place the text ends too soon: that is where it is to be mended.
        line = int(place[1]) if place else text.count("\n") + 1
        raise TomlTextError(str(error).partition(" (at ")[0], line) from error
    except RecursionError as error:
        raise TomlTextError("nested too deep") from error


def _header(path: Path) -> str:
    return f"[{'.'.join(map(_key, path))}]"


def _key(name: str) -> str:
    return name if _BARE.match(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(name)} = {_value(one)}' for name, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, date | time):
        return value.isoformat()
    # A text of JSON is one of TOML, but for a DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _not_a_table(path: Path) -> TomlTextError:
    return TomlTextError(f"{'.'.join(path)} does not stand as a table of its own there")
