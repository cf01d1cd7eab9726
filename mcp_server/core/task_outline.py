"""A Markdown document as a flat row of blocks: headings, paragraphs and list items, with lines.

A CommonMark parser says what is structure. Code, quotes, tables and comments come out as opaque
blocks without text, so that nothing written in them is ever taken for a phase or a task. Pure.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mcp_server.core.task_list import TaskListError, require_size

MAX_DEPTH = 40
"""Levels of nesting; a list with an item in it is two."""

_BOX = re.compile(r"\[[ xX✓✔✅~/-]?\](?:\s+|\Z)")
_RULE = re.compile(r"\s{0,3}-{1,3}\s*\Z")


class Kind(enum.Enum):
    """What a block is."""

    HEADING = enum.auto()
    TEXT = enum.auto()
    ITEM = enum.auto()
    RULE = enum.auto()
    OPAQUE = enum.auto()


@dataclass(frozen=True, slots=True)
class Block:
    """One block; it covers the lines from `line` to `end`, both counted from 1.

    `level` is a heading's, or that of a paragraph which a rule below it makes one; `depth` is
    the number of lists around the block, its own included. `boxed` and `ordered` are said of
    items; the check box itself is no longer in the text.
    """

    kind: Kind
    line: int
    end: int
    lines: tuple[str, ...] = ()
    level: int = 0
    depth: int = 0
    boxed: bool = False
    ordered: bool = False

    @property
    def text(self) -> str:
        """The text in one line."""
        return " ".join(self.lines)


def normalized(text: str) -> str:
    """Return `text` without a byte order mark, with plain line ends."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def outline(text: str) -> tuple[Block, ...]:
    """Return the blocks of a normalized text; raises TaskListError for one that is too much."""
    require_size(text)
    tokens = _parser().parse(text)
    for token in tokens:
        if token.level >= MAX_DEPTH:
            line = token.map[0] + 1 if token.map else None
            raise TaskListError(f"nested deeper than {MAX_DEPTH} levels", line)
    return tuple(_blocks(tokens, text.split("\n")))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_DEPTH + 2}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    # Reading link definitions takes time with the square of their number.
    return parser.disable("reference")


_SKIPPED = {"blockquote_open": "blockquote_close", "table_open": "table_close"}
_OPAQUE = frozenset({"fence", "code_block", "html_block"})


def _blocks(tokens: list[Token], source: list[str]) -> Iterator[Block]:
    lists: list[bool] = []
    item_begins = False
    skipping: Token | None = None
    for before, token in zip([None, *tokens], tokens, strict=False):
        if skipping is not None:
            if token.type == _SKIPPED[skipping.type] and token.level == skipping.level:
                skipping = None
            continue
        if token.type.endswith("list_open"):
            lists.append(token.type == "ordered_list_open")
        elif token.type.endswith("list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            item_begins = True
        elif token.type == "inline" and before is not None:
            ordered = lists[-1] if lists else False
            block = _text_block(before, token, source, len(lists), item_begins, ordered)
            item_begins = False
            yield from _unlazy(block, source)
        elif token.type in _SKIPPED or token.type in _OPAQUE:
            skipping = token if token.type in _SKIPPED else None
            item_begins = False
            yield Block(Kind.OPAQUE, *_extent(token), depth=len(lists))
        elif token.type == "hr":
            yield Block(Kind.RULE, *_extent(token), depth=len(lists))


def _text_block(
    opening: Token, inline: Token, source: list[str], depth: int, item_begins: bool, ordered: bool
) -> Block:
    line, end = _extent(opening)
    text = without_comments(inline.content)
    if item_begins:
        unboxed = _BOX.sub("", text.lstrip(), count=1) if _BOX.match(text.lstrip()) else None
        return Block(
            Kind.ITEM,
            line,
            end,
            _lines(text if unboxed is None else unboxed),
            depth=depth,
            boxed=unboxed is not None,
            ordered=ordered,
        )
    if opening.type == "heading_open" and not depth and not _is_text_over_a_rule(opening, source):
        return Block(Kind.HEADING, line, end, _lines(text), level=int(opening.tag[1:]))
    level = int(opening.tag[1:]) if opening.type == "heading_open" and not depth else 0
    return Block(Kind.TEXT, line, end, _lines(text), depth=depth, level=level)


def _unlazy(block: Block, source: list[str]) -> Iterator[Block]:
    """Yield an item without the bold lines below it that its author meant to stand on their own.

    They start at the margin, without the empty line that would end the item.
    """
    below = range(block.line, block.end) if block.depth and "**" in block.text else ()
    margin = next((number for number in below if source[number].startswith("**")), None)
    if margin is None:
        yield block
        return
    rest = _lines(without_comments("\n".join(source[margin : block.end])))
    yield replace(block, end=margin, lines=block.lines[: -len(rest)])
    yield Block(Kind.TEXT, margin + 1, block.end, rest)


def _is_text_over_a_rule(opening: Token, source: list[str]) -> bool:
    """Tell whether an underlined heading is, to its author, a paragraph and a rule below it."""
    end = opening.map[1] if opening.map else 0
    return opening.markup == "-" and bool(_RULE.match(source[end - 1]))


def _extent(token: Token) -> tuple[int, int]:
    first, last = token.map or (0, 0)
    return first + 1, max(last, first + 1)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in (part.strip() for part in text.split("\n")) if line)


def without_comments(text: str) -> str:
    """Return `text` without HTML comments; one that is never closed stays."""
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[position:start])
        position = end + 3
    return "".join((*kept, text[position:]))
