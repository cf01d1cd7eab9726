"""JSON whose text is changed at one place: comments, order and layout stay as they are. Pure.

`JsonText` reads a document with the position of every part, and gives the text back with one value
set or one part removed. What a program allows beyond JSON is its `Dialect`. A change is refused
where a key on the way stands twice: programs differ in which of the two they mean.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 200

Path = Sequence[str | int]
Edit = tuple[int, int, str]
"""Replace the text from the first offset to the second."""

_BOM = "\ufeff"
_BLANK = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
_SCALAR = re.compile(
    r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)\b"
)
_REST_OF_LINE = re.compile(r"(?:[ \t]*(?:/\*[^\r\n]*?\*/|//[^\r\n]*))*")
_LINE = re.compile(r"\r?\n")
_INDENT = re.compile(r"[ \t]*")
_REST = re.compile(r"[ \t]*(\r?\n)?")


class JsonTextError(ValueError):
    """A text that cannot be read or changed; `line` counts from 1."""

    def __init__(self, reason: str, line: int) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a program allows in its files beyond JSON."""

    comments: bool = False
    trailing_commas: bool = False


STRICT = Dialect()
WITH_COMMENTS = Dialect(comments=True)
RELAXED = Dialect(comments=True, trailing_commas=True)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands; `parts` are those of an object or an array."""

    start: int
    end: int
    data: Any
    parts: tuple["Part", ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A member of an object or an element of an array; `comma` is where the one after it is."""

    key: str | int
    start: int
    value: Node
    comma: int | None


class JsonText:
    """A JSON document as it is written."""

    def __init__(self, text: str, dialect: Dialect = RELAXED) -> None:
        """Read `text`; raises JsonTextError."""
        self.text = text
        self.root = _Reader(text, dialect).document()
        found = _LINE.search(text)
        self._newline = found[0] if found else "\n"
        self._unit = self._find_unit()

    @property
    def data(self) -> Any:
        """What the document says."""
        return self.root.data

    def find(self, path: Path) -> Node | None:
        """Return the value at `path`, None if there is none; raises JsonTextError."""
        node: Node | None = self.root
        for key in path:
            part = self._part(node, key) if node else None
            node = part.value if part else None
        return node

    def line_of(self, offset: int) -> int:
        """Return the line of an offset, counted from 1."""
        return self.text.count("\n", 0, offset) + 1

    def with_value(self, path: Path, value: Any) -> str:
        """Return the text with `value` at `path`; objects that are missing on the way are made.

        An element is added to an array by the index after its last. Raises JsonTextError.
        """
        node = self.root
        for depth, key in enumerate(path):
            part = self._part(node, key)
            if part is None:
                for name in reversed(path[depth + 1 :]):
                    value = {name: value}
                return self._added(node, key, value)
            node = part.value
        indent = self._indent_at(node.start)
        return self._edited([(node.start, node.end, self._written(value, indent, node))])

    def without(self, path: Path) -> str:
        """Return the text without the part at `path`, which is there; raises JsonTextError."""
        around = self.find(path[:-1])
        part = self._part(around, path[-1]) if around else None
        if around is None or part is None:
            raise KeyError(path)
        index = around.parts.index(part)
        before = around.parts[index - 1] if index else None
        edits = self._cut(part)
        if part.comma is None and before is not None and before.comma is not None:
            edits.append((before.comma, before.comma + 1, ""))
        return self._edited(edits)

    def _part(self, node: Node | None, key: str | int) -> Part | None:
        wanted, kind = (dict, "an object") if isinstance(key, str) else (list, "an array")
        if node is None or not isinstance(node.data, wanted):
            raise JsonTextError(
                f"there should be {kind} here, to hold {key!r}, and it is {_kind_of(node)}",
                self.line_of(node.start) if node else 1,
            )
        found = [part for part in node.parts if part.key == key]
        if len(found) > 1:
            raise JsonTextError(f"the key {key!r} stands twice", self.line_of(found[1].start))
        return found[0] if found else None

    def _added(self, node: Node, key: str | int, value: Any) -> str:
        if not node.parts:
            return self._edited([self._filled(node, key, value)])
        last = node.parts[-1]
        inline = self._is_inline(node)
        after = last.value.end if last.comma is None else last.comma + 1
        found = _REST_OF_LINE.match(self.text, after)
        at = found.end() if found and not inline else after
        indent = self._indent_at(node.parts[0].start)
        gap = " " if inline else self._newline + indent
        added = gap + self._named(key, value, indent, inline=inline)
        if last.comma is not None:
            return self._edited([(at, at, f"{added},")])
        return self._edited([(after, after, ","), (at, at, added)])

    def _filled(self, node: Node, key: str | int, value: Any) -> Edit:
        """Return what puts a first part into an object or an array, behind its comments."""
        outer = self._indent_at(node.start)
        inner = self.text[node.start + 1 : node.end - 1]
        kept = inner.rstrip()
        at = node.start + 1 + len(kept)
        if self._is_one_line() and not kept:
            return at, node.end - 1, self._named(key, value, outer, inline=True)
        indent = outer + self._unit
        added = self._newline + indent + self._named(key, value, indent, inline=False)
        return at, node.end - 1, added + self._newline + outer

    def _cut(self, part: Part) -> list[Edit]:
        """Return what takes a part out, with its line where nothing else stands on it."""
        end, commas = part.value.end, list[Edit]()
        if part.comma is not None and not self.text[end : part.comma].strip():
            end = part.comma + 1
        elif part.comma is not None:
            # A comment between a value and its comma stays.
            commas = [(part.comma, part.comma + 1, "")]
        line = self.text.rfind("\n", 0, part.start) + 1
        rest = _REST.match(self.text, end)
        after = rest.end() if rest else end
        if not self.text[line : part.start].strip():
            if rest and rest[1]:
                return [(line, after, ""), *commas]
            if self.text[after : after + 1] in {"}", "]"}:
                before = self.text[:line].rstrip("\r\n")
                # Behind a comment that ends with its line nothing else may come to stand.
                ends_in_comment = "//" in before[before.rfind("\n") + 1 :]
                return [(line if ends_in_comment else len(before), end, ""), *commas]
        start = part.start
        if part.comma is None:
            start, after = len(self.text[:start].rstrip(" \t")), end
        return [(start, after, ""), *commas]

    def _named(self, key: str | int, value: Any, indent: str, *, inline: bool) -> str:
        told = self._told(value, None if inline else indent)
        return f"{json.dumps(key, ensure_ascii=False)}: {told}" if isinstance(key, str) else told

    def _written(self, value: Any, indent: str, old: Node) -> str:
        inline = bool(old.parts) and self._is_inline(old)
        return self._told(value, None if inline or self._is_one_line() else indent)

    def _told(self, value: Any, indent: str | None) -> str:
        if indent is None:
            return json.dumps(value, ensure_ascii=False)
        lines = _layout(value, self._unit)
        return (self._newline + indent).join(lines)

    def _is_inline(self, node: Node) -> bool:
        return "\n" not in self.text[node.start : node.parts[0].start]

    def _is_one_line(self) -> bool:
        """Tell whether all of the document that says anything stands on one line."""
        return bool(self.root.parts) and "\n" not in self.text[self.root.start : self.root.end]

    def _indent_at(self, offset: int) -> str:
        line = self.text.rfind("\n", 0, offset) + 1
        found = _INDENT.match(self.text, line)
        return found[0] if found else ""

    def _find_unit(self) -> str:
        parts = self.root.parts
        if parts and not self._is_inline(self.root):
            return self._indent_at(parts[0].start) or "  "
        return "  "

    def _edited(self, edits: Iterable[Edit]) -> str:
        pieces, kept = list[str](), 0
        # The sort is stable: of two at one place the later one goes behind.
        for start, end, new in sorted(edits, key=lambda edit: edit[0]):
            pieces += [self.text[kept:start], new]
            kept = end
        return "".join([*pieces, self.text[kept:]])


def _kind_of(node: Node | None) -> str:
    kinds = {dict: "an object", list: "an array", str: "a text", bool: "true or false"}
    if node is None or node.data is None:
        return "null"
    return kinds.get(type(node.data), "a number")


def _layout(value: Any, unit: str) -> list[str]:
    """Return the lines of a value: objects over several, arrays of scalars on one."""
    if not isinstance(value, dict) or not value:
        return [json.dumps(value, ensure_ascii=False)]
    lines = ["{"]
    for key, item in value.items():
        first, *more = _layout(item, unit)
        lines += [f"{unit}{json.dumps(key, ensure_ascii=False)}: {first}"]
        lines += [unit + line for line in more]
        lines[-1] += ","
    lines[-1] = lines[-1].removesuffix(",")
    return [*lines, "}"]


class _Reader:
    """Reads one document, from left to right."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self._text = text
        self._dialect = dialect
        self._at = 1 if text.startswith(_BOM) else 0

    def document(self) -> Node:
        self._skip()
        node = self._value(0)
        self._skip()
        if self._at < len(self._text):
            raise self._error("something stands behind the end")
        return node

    def _value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._error("nested too deep")
        start = self._at
        sign = self._text[start : start + 1]
        if sign == "{":
            members = self._parts("}", depth)
            return Node(start, self._at, {p.key: p.value.data for p in members}, members)
        if sign == "[":
            elements = self._parts("]", depth)
            return Node(start, self._at, [part.value.data for part in elements], elements)
        data = self._string() if sign == '"' else self._scalar()
        return Node(start, self._at, data)

    def _parts(self, closer: str, depth: int) -> tuple[Part, ...]:
        self._at += 1
        parts: list[Part] = []
        while True:
            self._skip()
            if self._text[self._at : self._at + 1] == closer:
                if parts and not self._dialect.trailing_commas:
                    raise self._error("a comma stands behind the last part")
                break
            part = self._part(len(parts), depth, is_member=closer == "}")
            parts.append(part)
            if part.comma is None:
                break
        self._expect(closer)
        return tuple(parts)

    def _part(self, index: int, depth: int, *, is_member: bool) -> Part:
        start, key = self._at, index if not is_member else self._key()
        value = self._value(depth + 1)
        self._skip()
        if self._text[self._at : self._at + 1] != ",":
            return Part(key, start, value, None)
        self._at += 1
        return Part(key, start, value, self._at - 1)

    def _key(self) -> str:
        if self._text[self._at : self._at + 1] != '"':
            raise self._error("a key in double quotes is missing")
        key = self._string()
        self._skip()
        self._expect(":")
        self._skip()
        return key

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if not found:
            raise self._error("a text lacks the quote at its end")
        try:
            text: str = json.loads(found[0])
        except ValueError as error:
            raise self._error("a text holds an unknown escape") from error
        self._at = found.end()
        return text

    def _scalar(self) -> Any:
        found = _SCALAR.match(self._text, self._at)
        if not found:
            raise self._error("a value is missing")
        self._at = found.end()
        try:
            return json.loads(found[0])
        except ValueError as error:
            raise self._error("a number has too many digits") from error

    def _skip(self) -> None:
        """Go on to what is neither blank nor a comment."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if not self._text.startswith(("//", "/*"), self._at):
                return
            comment = _COMMENT.match(self._text, self._at)
            if not comment:
                raise self._error("a comment does not end")
            if not self._dialect.comments:
                raise self._error("a comment stands where its program allows none")
            self._at = comment.end()

    def _expect(self, sign: str) -> None:
        if self._text[self._at : self._at + 1] != sign:
            raise self._error(f"{sign!r} is missing")
        self._at += 1

    def _error(self, reason: str) -> JsonTextError:
        return JsonTextError(reason, self._text.count("\n", 0, self._at) + 1)
