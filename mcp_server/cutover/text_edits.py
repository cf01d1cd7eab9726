"""Edits of a text: whole lines dropped, lines added, stretches replaced. All else keeps its bytes.

Dropped lines take with them the comments that stand directly above them and the blank lines that
only set them off, so that what is left looks as if they had never been there. Pure.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from mcp_server.cutover.parsed import NEWLINE, ParsedModule

_RULE = re.compile(r"#\s*[-=#*~_]{3,}")


@dataclass(slots=True)
class _Region:
    """Lines that go, the last one included, and what comes in their place."""

    first: int
    last: int
    added: list[str] = field(default_factory=list)


class TextEdits:
    """The edits of one module."""

    def __init__(self, module: ParsedModule) -> None:
        """Start with no edits."""
        self._source = module.source
        self._starts = module.line_starts
        self._regions: list[_Region] = []
        self._changes: list[tuple[int, int, str]] = []
        found = NEWLINE.search(module.source)
        self.newline = found.group() if found else "\n"

    def __bool__(self) -> bool:
        """Whether there is anything to change."""
        return bool(self._regions or self._changes)

    def line_at(self, offset: int) -> int:
        """Return the index of the line that holds an offset."""
        return bisect_right(self._starts, offset) - 1

    def line_text(self, index: int) -> str:
        """Return a line without what ends it."""
        if not 0 <= index < len(self._starts):
            return ""
        return self._source[self._starts[index] : self._line_end(index)].rstrip("\r\n")

    def indent_at(self, offset: int) -> str:
        """Return the white space that the line of an offset begins with."""
        line = self.line_text(self.line_at(offset))
        return line[: len(line) - len(line.lstrip())]

    def has_own_lines(self, start: int, end: int) -> bool:
        """Whether nothing but white space and a comment shares the lines of a stretch."""
        before = self._source[self._starts[self.line_at(start)] : start]
        after = self._source[end : self._line_end(self.line_at(end))].strip()
        return not before.strip() and (not after or after.startswith("#"))

    def line_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of the whole lines that another stretch is on."""
        return self._starts[self.line_at(start)], self._line_end(self.line_at(end))

    def replace(self, start: int, end: int, text: str) -> None:
        """Put a text in the place of a stretch."""
        self._changes.append((start, end, text))

    def drop_lines(self, start: int, end: int) -> None:
        """Drop the lines of a statement, with its comments."""
        first, last = self.line_at(start), self.line_at(end)
        indent = self.indent_at(start)
        last = self._footer(last, indent)
        self._regions.append(_Region(self._header(first, last, indent), last))

    def add_line(self, at: int, text: str) -> None:
        """Add a line before the line of an offset, in the place of what is dropped there."""
        line = self.line_at(at)
        self._regions.append(_Region(line, line - 1, [text + self.newline]))

    def add_before(self, start: int, text: str) -> None:
        """Add a line before a statement that stays, above its comments and set off as it is."""
        line = first = self.line_at(start)
        indent = self.indent_at(start)
        while self._is_comment(first - 1, indent):
            first -= 1
        if first == 0:
            # What heads the file is not the statement's: a shebang, a licence.
            first = line
        blanks = 0
        while self._is_blank(first - blanks - 1):
            blanks += 1
        added = [text + self.newline] + [self.newline] * blanks
        self._regions.append(_Region(first, first - 1, added))

    def add_after(self, end: int, text: str) -> None:
        """Add a line after a statement."""
        line = self.line_at(end) + 1
        self._regions.append(_Region(line, line - 1, [text + self.newline]))

    def _header(self, first: int, last: int, indent: str) -> int:
        top = first
        while self._is_comment(top - 1, indent):
            top -= 1
        comments = [self.line_text(index) for index in range(top, first)]
        heads_what_follows = bool(self.line_text(last + 1).strip()) and last == first
        if top == 0 or heads_what_follows or any(_RULE.search(line) for line in comments):
            return first
        return top

    def _footer(self, last: int, indent: str) -> int:
        """Return the last line of the comments that end an indented block."""
        at = last
        while at + 1 < len(self._starts):
            at += 1
            line = self.line_text(at)
            deeper = line.startswith(indent) and line[len(indent) :][:1].isspace()
            if line.strip().startswith("#") and deeper:
                last = at
            elif line.strip():
                break
        return last

    def _is_comment(self, index: int, indent: str) -> bool:
        line = self.line_text(index)
        return line.startswith(f"{indent}#") and line.strip() == line[len(indent) :].rstrip()

    def _line_end(self, index: int) -> int:
        return self._starts[index + 1] if index + 1 < len(self._starts) else len(self._source)

    def _is_blank(self, index: int) -> bool:
        return 0 <= index < len(self._starts) and not self.line_text(index).strip()

    def _merged(self) -> list[_Region]:
        """Return the regions in order, those with nothing but blank lines between them as one."""
        merged: list[_Region] = []
        for region in sorted(self._regions, key=lambda region: (region.first, region.last)):
            before = merged[-1] if merged else None
            if before is None or not self._touches(before, region):
                merged.append(_Region(region.first, region.last, list(region.added)))
                continue
            before.last = max(before.last, region.last)
            before.added += region.added
        return merged

    def _touches(self, before: _Region, region: _Region) -> bool:
        if region.first <= before.last + 1:
            return True
        drops_both = before.last >= before.first and region.last >= region.first
        return drops_both and all(map(self._is_blank, range(before.last + 1, region.first)))

    def _without_blanks(self, region: _Region) -> tuple[int, int]:
        """Return the lines to drop: where nothing is added, with the blank lines around."""
        first, last = region.first, region.last
        if region.added:
            return first, last
        above = below = 0
        while self._is_blank(first - above - 1):
            above += 1
        while self._is_blank(last + below + 1) and last + below + 2 < len(self._starts):
            below += 1
        opened = not above and self._opens(first)
        if self._closes(region, last + below + 1) or (above and below and above <= below):
            return first - above, last
        return first, last + (below if opened or (above and below) else 0)

    def _opens(self, first: int) -> bool:
        line = self.line_text(first - 1)
        return first == 0 or line.partition("#")[0].rstrip().endswith(":")

    def _closes(self, region: _Region, following: int) -> bool:
        """Whether the block ends with a region."""
        if following >= len(self._starts) or not self.line_text(following):
            return following >= len(self._starts) - 1
        indent = len(self.indent_at(self._starts[region.first]))
        return len(self.indent_at(self._starts[following])) < indent

    def applied(self) -> str:
        """Return the text with all edits made."""
        changes = list(self._changes)
        for region in self._merged():
            first, last = self._without_blanks(region)
            start = self._starts[first] if first < len(self._starts) else len(self._source)
            end = self._line_end(last) if last >= first else start
            text = "".join(region.added)
            if start and self._source[start - 1] not in "\r\n":
                text = self.newline + text
            changes.append((start, end, text))
        return self._ended_as_before(_apply(self._source, changes))

    def _ended_as_before(self, text: str) -> str:
        if self._source and self._source[-1] not in "\r\n" and text.endswith(("\r", "\n")):
            return text.removesuffix(self.newline)
        return text


def _apply(source: str, changes: list[tuple[int, int, str]]) -> str:
    """Make changes from front to back; one that lies within an earlier one has no effect."""
    parts, at = [], 0
    # What is only added at a place comes before what is dropped from there on.
    for start, end, text in sorted(changes, key=lambda c: (c[0], c[0] != c[1], -c[1])):
        if start < at and end <= at:
            continue
        parts += [source[at : max(start, at)], text]
        at = max(at, end)
    return "".join([*parts, source[at:]])
