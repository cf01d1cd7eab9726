"""What is wrong with the Markdown of a definition: dead links, and evidence that is misnamed."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mcp_server.core.transitions import Action
from mcp_server.linting.ground import Ground
from mcp_server.linting.metadata import is_file_within
from mcp_server.linting.problems import closest, listed

# The heading of a task in a list of tasks is about that task.
_ABOUT_EVIDENCE = re.compile(r"(?!task\s+\d).*(gate|evidence|checkpoint)", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#|\Z", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"[\[\]{}<>]|\.\.\.\Z")
_BEFORE_A_LEADING_NAME = re.compile(r"[\s|*+\-\[\]x]*\Z")

_OF_THE_TOOL = frozenset(
    {*map(str, Action), "aos_workflow", "session_id", "workflow_type", "target_file",
     "task_number", "checkpoint_note", "reset_evidence", "to_phase", "next_phase",
     "evidence_schema", "cross_field_validation", "allow_override", "required_evidence"}
)  # fmt: skip

_parser = MarkdownIt("commonmark")


@dataclass(frozen=True, slots=True)
class Mention:
    """A code span: its text, its line, and whether it comes first in a list item or a row."""

    name: str
    line: int
    leads: bool


class Page:
    """One Markdown document with the lines of what stands in it."""

    def __init__(self, text: str) -> None:
        """Parse `text`."""
        self.text = text
        self._lines = text.splitlines()
        self._tokens = _parser.parse(text)

    @property
    def title(self) -> tuple[str, int] | None:
        """The first heading, and its line."""
        return next(((text, line) for _, text, line in self._headings()), None)

    def links(self) -> Iterator[tuple[str, int]]:
        """Yield the target of each link and image, and its line."""
        for block in self._tokens:
            for part, line, _ in self._parts(block):
                key = {"link_open": "href", "image": "src"}.get(part.type)
                if key:
                    target = str(part.attrGet(key) or "")
                    yield target, self._at(line, target, unquote(target))

    def evidence_line(self) -> int | None:
        """Return the line of the first heading that speaks of the gate or of evidence."""
        return next((line for _, text, line in self._headings()
                     if _ABOUT_EVIDENCE.match(text)), None)  # fmt: skip

    def mentions(self) -> Iterator[Mention]:
        """Yield the code spans of the sections whose heading speaks of the gate or of evidence."""
        within: int | None = None
        for index, block in enumerate(self._tokens):
            if block.type == "heading_open":
                level = int(block.tag[1:])
                if within is not None and level <= within:
                    within = None
                if within is None and _ABOUT_EVIDENCE.match(self._tokens[index + 1].content):
                    within = level
            elif within is not None:
                yield from self._spans(block)

    def names(self, field: str) -> bool:
        """Tell whether the text has a name in it, as a word of its own."""
        return re.search(rf"(?<!\w){re.escape(field)}(?!\w)", self.text) is not None

    def _spans(self, block: Token) -> Iterator[Mention]:
        for part, line, before in self._parts(block):
            if part.type == "code_inline":
                leads = _BEFORE_A_LEADING_NAME.match(before) is not None
                yield Mention(part.content, self._at(line, f"`{part.content}`"), leads)

    def _headings(self) -> Iterator[tuple[int, str, int]]:
        for token, inline in zip(self._tokens, self._tokens[1:], strict=False):
            if token.type == "heading_open" and token.map:
                yield int(token.tag[1:]), inline.content.strip(), token.map[0] + 1

    def _parts(self, block: Token) -> Iterator[tuple[Token, int, str]]:
        """Yield the parts of a text block, their line, and what is before them in that line."""
        if not block.children or not block.map:
            return
        line, before = block.map[0] + 1, ""
        for part in block.children:
            yield part, line, before
            before += part.content
            if part.type in {"softbreak", "hardbreak"}:
                line, before = line + 1, ""

    def _at(self, line: int, *wanted: str) -> int:
        """Return the first line from `line` on that has the text, close by; else `line`."""
        for number in range(line, min(line + 20, len(self._lines) + 1)):
            if any(text and text in self._lines[number - 1] for text in wanted):
                return number
        return line


def check_links(ground: Ground, path: Path, page: Page) -> None:
    """Warn of links to files that are not there, or not in the project."""
    for target, line in page.links():
        file = unquote(target.partition("#")[0].partition("?")[0])
        if _ELSEWHERE.match(target) or not file or _PLACEHOLDER.search(file):
            continue
        if file.startswith(("/", "~", "\\")) or not _stays(ground, path.parent / file):
            ground.warn(path, "text/link-out", f"the link {target!r} leads out of the project",
                        "Link to a file of the project, by a relative path.", line)  # fmt: skip
        elif not _is_linkable(ground, path.parent / file):
            ground.warn(path, "text/dead-link", f"the link {target!r} leads to nothing",
                        "Correct the path, which counts from this file, or write the file.",
                        line)  # fmt: skip


def check_names(
    ground: Ground, path: Path, page: Page, fields: Collection[str], gate_text: str
) -> None:
    """Warn where phase.md and the gate name different evidence."""
    known = frozenset(fields)
    told: set[str] = set()
    for mention in page.mentions():
        name = mention.name
        if name in told or name in known or not _may_be_evidence(mention, gate_text):
            continue
        told.add(name)
        meant = closest(name, known)
        ground.warn(path, "text/unknown-evidence",
                    f"{name!r} is not in the gate" + (f": did you mean {meant}?" if meant else ""),
                    "Name a field of the gate, or add the field to it.", mention.line)  # fmt: skip
    unnamed = [field for field in fields if not page.names(field)]
    if unnamed:
        ground.warn(path, "text/unnamed-evidence",
                    f"the gate asks for {listed(unnamed)}, which phase.md never names",
                    "Name each field of the gate in phase.md, as `name`.",
                    page.evidence_line())  # fmt: skip


def _may_be_evidence(mention: Mention, gate_text: str) -> bool:
    if not _NAME.match(mention.name) or mention.name in _OF_THE_TOOL:
        return False
    if re.search(rf"(?<!\w){re.escape(mention.name)}(?!\w)", gate_text):
        # A value, a command or a setting of the gate.
        return False
    return mention.leads or "_" in mention.name


def _stays(ground: Ground, path: Path) -> bool:
    try:
        return ground.holds(path)
    except (OSError, RuntimeError, ValueError):
        return True


def _is_linkable(ground: Ground, path: Path) -> bool:
    return is_file_within(ground, path) or (_stays(ground, path) and _is_folder(path))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
