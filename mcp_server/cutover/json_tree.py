"""JSON as a tree in which every part knows where it stands, so that an edit touches nothing else.

Comments and trailing commas are taken, as the configuration of many clients has them. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mcp_server.core.encoding import decode

MAX_DEPTH = 100

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"""|(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")"""
    r"""|(?P<mark>[{}\[\]:,])|(?P<literal>-?[0-9][0-9.eE+-]*|true|false|null)""",
    re.DOTALL,
)


class JsonTreeError(ValueError):
    """A text that is not JSON; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        """Say where."""
        super().__init__(f"not JSON at line {line}")
        self.line = line


@dataclass(slots=True)
class Token:
    """A part of the text that cannot be divided."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


@dataclass
class Node:
    """A value: an object has `members`, an array `items`, a scalar its `text`."""

    kind: str
    start: int
    end: int = 0
    text: str = ""
    members: list[tuple["Node", "Node"]] = field(default_factory=list)
    items: list["Node"] = field(default_factory=list)

    @cached_property
    def value(self) -> Any:
        """The value as plain data; of a key that stands twice, the last counts."""
        if self.kind == "object":
            return {key.value: member.value for key, member in self.members}
        if self.kind == "array":
            return [item.value for item in self.items]
        return decode(self.text.encode())

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, "Node"]]:
        """Yield this value and all in it with their paths, from the outside in."""
        yield path, self
        for key, member in self.members:
            yield from member.walk((*path, key.value))
        for number, item in enumerate(self.items):
            yield from item.walk((*path, number))


def parse(text: str) -> Node:
    """Return the tree of a JSON text; raises JsonTreeError."""
    return _Parser(text).document()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [token for token in _tokens(text) if token.kind not in {"space", "comment"}]
        self._at = 0

    def document(self) -> Node:
        node = self._value(0)
        if self._at < len(self._tokens):
            self._at += 1
            raise self._error()
        return node

    def _value(self, depth: int) -> Node:
        token = self._next()
        if depth > MAX_DEPTH:
            raise self._error()
        if token.text == "{":
            return self._object(token, depth)
        if token.text == "[":
            return self._array(token, depth)
        if token.kind not in {"string", "literal"}:
            raise self._error()
        node = Node(token.kind, token.start, token.end, token.text)
        try:
            _ = node.value
        except ValueError as error:
            raise self._error() from error
        return node

    def _object(self, opened: Token, depth: int) -> Node:
        node = Node("object", opened.start)
        while not self._takes("}"):
            key = self._next()
            if key.kind != "string" or not self._takes(":"):
                raise self._error()
            named = Node("string", key.start, key.end, key.text)
            node.members.append((named, self._value(depth + 1)))
            self._separator("}")
        node.end = self._tokens[self._at - 1].end
        return node

    def _array(self, opened: Token, depth: int) -> Node:
        node = Node("array", opened.start)
        while not self._takes("]"):
            node.items.append(self._value(depth + 1))
            self._separator("]")
        node.end = self._tokens[self._at - 1].end
        return node

    def _separator(self, closing: str) -> None:
        if not self._takes(",") and not self._comes(closing):
            raise self._error()

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise self._error()
        self._at += 1
        return self._tokens[self._at - 1]

    def _comes(self, mark: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].text == mark

    def _takes(self, mark: str) -> bool:
        comes = self._comes(mark)
        self._at += comes
        return comes

    def _error(self) -> JsonTreeError:
        last = self._tokens[min(self._at, len(self._tokens)) - 1].start if self._tokens else 0
        return JsonTreeError(self._text.count("\n", 0, last) + 1)


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise JsonTreeError(text.count("\n", 0, at) + 1)
        yield Token(found.lastgroup or "", found[0], at)
        at = found.end()
