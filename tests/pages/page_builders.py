"""Names that try to be more than names, and a parser that would fall for them."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.builders import library

HOSTILE = (
    "a | b || c",
    r"a \| b \\| c \\",
    "`code` and ``more``",
    "*bold* _slanted_ __both__ ~~gone~~",
    "[here](javascript:alert(1)) ![x](y)",
    "<script>alert(1)</script> <https://a.example>",
    "&lt;b&gt; &#124; &amp;",
    "# heading #",
    "- item",
    "+ item",
    "1. first",
    "12) first",
    "=====",
    "---",
    "> quote",
    "~~~",
    "one\n\n# two\n\n| three |\n|---|",
    "one\r\ntwo\ttabs",
    '"]; click phase1 "javascript:alert(1)" %%{init: {}}%%',
    "end",
    "style x:#quot;;",
    "red \x1b[31m and \u202egnitirw",
    "price $a$ and {braces}; #35;",
    "a__b _c_ d_",
)
"""What authors could call a phase, a task or a field."""

_BUILT_IN = library()
STATIC_NAMES = tuple(
    place.name for place in _BUILT_IN.places() if not _BUILT_IN.metadata(place).is_dynamic
)
"""The built-in workflows whose phases all lie in their own folders."""

_parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def parsed(text: str) -> list[Token]:
    """The blocks of a page."""
    return _parser.parse(text)


def inlines(tokens: list[Token]) -> Iterator[Token]:
    """The texts of all blocks."""
    return (token for token in tokens if token.type == "inline")


def shown(token: Token) -> str:
    """What a reader sees of a text."""
    return "".join(child.content for child in token.children or ())


def as_seen(text: str) -> str:
    """What a reader should see of an author's text."""
    line = " ".join(text.split())
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)


def rows(tokens: list[Token]) -> list[list[Token]]:
    """The cells of all table rows, headings included."""
    found: list[list[Token]] = []
    within = False
    for token in tokens:
        if token.type == "tr_open":
            found.append([])
        within = (within or token.type == "table_open") and token.type != "table_close"
        if within and token.type == "inline":
            found[-1].append(token)
    return found
