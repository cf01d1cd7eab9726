"""Authors' texts as parts of Markdown and of Mermaid: shown as they are, and nothing more. Pure.

Results are one line each. Escaped text fits into headings, paragraphs and table cells alike, in
CommonMark and in the dialect of GitHub.
"""

import re

from mcp_server.core.visible import visible

MAX_SHOWN = 400
"""Characters of one text that a page shows."""

BAR = r"\|"
"""A bar in a code span in a table: there only the table takes the backslash away."""

# An underscore within a word emphasizes nothing.
_MARKDOWN = re.compile(r"[\\`*\[\]<>&~$#]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"\A(\d*)([-+=.)])(?=[\s=-]|\Z)")
_PLAIN_LABEL = re.compile(r"[^\w ,.()/+=?…-]")
_TAKEN_FOR_STYLE = re.compile(r"style|classDef")


def plain(text: str, limit: int = MAX_SHOWN) -> str:
    """Return a text as one line, its invisible signs spelt out, cut off at `limit`."""
    line = " ".join(text.split())
    shown = line if len(line) <= limit else f"{line[: limit - 1]}…"
    return visible(shown)


def markdown(text: str, limit: int = MAX_SHOWN) -> str:
    """Return a text that Markdown shows as it is, wherever in a line it stands."""
    shown = _MARKDOWN.sub(r"\\\g<0>", plain(text, limit))
    # At the beginning of a line these signs make lists, rules and underlined headings.
    shown = _BLOCK.sub(r"\1\\\2", shown)
    # Behind a backslash a bar would end the cell for some parsers; an entity never does.
    return shown.replace("|", "&#124;")


def code(text: str, limit: int = MAX_SHOWN, *, in_cell: bool = False) -> str:
    """Return a text as a code span where that can hold it, else as escaped text."""
    shown = plain(text, limit)
    if not shown or "`" in shown or (in_cell and "\\|" in shown):
        return markdown(shown, limit)
    return f"`{shown.replace('|', BAR)}`" if in_cell else f"`{shown}`"


def label(text: str, limit: int = 80) -> str:
    """Return a text for the inside of a quoted label of Mermaid."""
    shown = plain(text, limit)
    signs = _PLAIN_LABEL.sub(_entity, shown)
    # Mermaid takes `style ...: ...#...;` for a line of its own, and cuts it.
    return signs if _TAKEN_FOR_STYLE.search(shown) else signs.replace("#58;", ":")


def _entity(found: re.Match[str]) -> str:
    return f"#{ord(found[0])};"
