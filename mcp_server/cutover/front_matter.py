"""The tools that the front matter of a command, an agent or a rule may use. Pure.

A page of Markdown may open with YAML between two lines of dashes. Of it, only lists of tools are
read: `tools: a, b` on one line, or one entry a line below the key.
"""

import re
from collections.abc import Callable, Sequence

from mcp_server.cutover.findings import Place
from mcp_server.cutover.permissions import LISTS, renewed
from mcp_server.cutover.prose_mentions import Known, Mentions, line_of

_MATTER = re.compile(r"---[ \t]*\r?\n(?P<inner>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LINE = re.compile(
    r"^(?P<key>[\w-]+):[ \t]*(?P<open>\[?)(?P<list>[^\n\[\]\"'#]+?)(?P<close>\]?)[ \t]*\r?$",
    re.MULTILINE,
)
_BLOCK = re.compile(
    r"^(?P<key>[\w-]+):[ \t]*\r?\n(?P<items>(?:[ \t]*-[ \t]+[^\n]*(?:\n|\Z))+)", re.MULTILINE
)
_ITEM = re.compile(r"(?P<lead>[ \t]*-[ \t]+[\"']?)(?P<entry>[^\s\"'#]+)(?P<rest>[^\n]*(?:\n|\Z))")


def rewrite_front_matter(path: str, text: str, known: Known) -> Mentions:
    """Return the text with the lists of tools in its front matter rewritten."""
    matter = _MATTER.match(text)
    if not matter:
        return Mentions(text)
    found: list[Place] = []

    def new_entries(key: str, names: Sequence[str]) -> Sequence[str | None]:
        new = _renewed(key, names, known)
        for name, becoming in zip(names, new, strict=True):
            if name != becoming:
                line = line_of(text, text.index(name, matter.start("inner")))
                note = f"now {becoming}" if becoming else "gone: no entry of its own any more"
                found.append(Place(path, line, name, note))
        return new

    inner = _LINE.sub(lambda line: _one_line(line, new_entries), matter["inner"])
    inner = _BLOCK.sub(lambda block: _lines_below(block, new_entries), inner)
    before, after = text[: matter.start("inner")], text[matter.end("inner") :]
    return Mentions(before + inner + after, tuple(found))


_NewEntries = Callable[[str, Sequence[str]], Sequence[str | None]]


def _one_line(line: re.Match[str], new_entries: _NewEntries) -> str:
    parts = re.split(r"(\s*,\s*)", line["list"])
    new = new_entries(line["key"], parts[::2])
    separator = parts[1] if len(parts) > 1 else ", "
    kept = separator.join(name for name in new if name is not None)
    return line[0].replace(line["list"], kept, 1)


def _lines_below(block: re.Match[str], new_entries: _NewEntries) -> str:
    items = [_ITEM.match(line) for line in block["items"].splitlines(keepends=True)]
    known = [item for item in items if item]
    if len(known) < len(items):
        return block[0]
    new = new_entries(block["key"], [item["entry"] for item in known])
    kept = (
        f"{item['lead']}{becoming}{item['rest']}"
        for item, becoming in zip(known, new, strict=True)
        if becoming is not None
    )
    return block[0].removesuffix(block["items"]) + "".join(kept)


def _renewed(key: str, names: Sequence[str], known: Known) -> Sequence[str | None]:
    new = renewed(key, names, known, bare=False) if key in LISTS else None
    return names if new is None or new.problem else new.entries
