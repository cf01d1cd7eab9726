"""Mentions of the old tools in prompts, rules and Markdown: calls rewritten, the rest listed. Pure.

A call is left to a person where the text defines the name itself, or takes it from something else
(`queue.get_task(...)`): then it may be another function that shares it.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from mcp_server.cutover.calls import (
    EQUIVALENTS,
    UncertainCallError,
    becomes,
    is_signature,
    rewritten,
)
from mcp_server.cutover.findings import NEW_TOOL, Place

_ACTION_BEFORE = re.compile(r"action\\?[\"']?\s*[=:]\s*\\?[\"'`]?\Z")
_DEFINED_BEFORE = re.compile(r"\b(?:def|class|function|func|fn|import)\s+\Z")
_IMPORTED_FROM = re.compile(r"\bfrom\s+\Z")
_IMPORT_AFTER = re.compile(r"\s+import\b")
_METHOD_AFTER = re.compile(r"\s*\(\s*(?:self|cls)\b")
_DECORATED = re.compile(r"(?:^[ \t]*@[^\n]*\n)+[^\n]*\Z", re.MULTILINE)
_TOOL = re.compile(r"@[\w.]*\btool\b")
_LOOK_BACK = 40
_LOOK_BACK_FOR_DECORATORS = 400
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Mentions:
    """A text as it becomes, what was rewritten in it, and what is left to a person."""

    text: str
    rewritten: tuple[Place, ...] = ()
    left: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is being cut over: the old tools, and the names that clients have for their server."""

    old: Collection[str]
    servers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mention:
    """An old tool's name in a text; `server` is set where it is written with its server's name."""

    name: str
    server: str
    start: int
    end: int


def mentions_in(text: str, old: Collection[str]) -> Iterator[Mention]:
    """Yield every mention of an old tool, but for actions of `aos_workflow` of the same name."""
    if not any(name in text for name in old):
        return
    for found in _pattern(tuple(old)).finditer(text):
        before = text[max(0, found.start() - _LOOK_BACK) : found.start()]
        if not _ACTION_BEFORE.search(before):
            server = found["server"] or found["cursor"] or found["joined"] or ""
            yield Mention(found["name"], server, found.start(), found.end())


def rewrite_prose(path: str, text: str, known: Known, around: str = "") -> Mentions:
    """Return the text with every certain call of an old tool rewritten.

    `around` is the whole document where the text is a part of one.
    """
    parts: list[str] = []
    places: dict[bool, list[Place]] = {True: [], False: []}
    at = 0
    about = _About(known, _defined(text, known.old), NEW_TOOL in text or NEW_TOOL in around)
    for mention in mentions_in(text, known.old):
        if mention.start < at:
            continue
        line = line_of(text, mention.start)
        what = text[mention.start : mention.end]
        try:
            end, brackets = _call(text, mention, about)
        except UncertainCallError as error:
            places[False].append(Place(path, line, what, str(error)))
            continue
        name = what.removesuffix(mention.name) + NEW_TOOL
        parts += [text[at : mention.start], name, brackets]
        at = end
        places[True].append(Place(path, line, what, f"now {name}{_short(brackets)}"))
    return Mentions("".join([*parts, text[at:]]), tuple(places[True]), tuple(places[False]))


def line_of(text: str, at: int) -> int:
    """Return the line, from 1, that a position stands in."""
    return text.count("\n", 0, at) + 1


def servers_meant(texts: Collection[str], old: Collection[str]) -> frozenset[str]:
    """Return the servers that clients have for two or more of the old tools.

    One tool alone may be another server's that shares its name.
    """
    tools: dict[str, set[str]] = {}
    for text in texts:
        for mention in mentions_in(text, old):
            if mention.server:
                tools.setdefault(mention.server, set()).add(mention.name)
    return frozenset(server for server, names in tools.items() if len(names) > 1)


@dataclass(frozen=True, slots=True)
class _About:
    """What is known of a text: names that it defines, and whether it knows the new tool."""

    known: Known
    defined: frozenset[str]
    knows_new: bool


def _call(text: str, mention: Mention, about: _About) -> tuple[int, str]:
    if mention.server and mention.server not in about.known.servers:
        raise UncertainCallError(f"whether the server {mention.server} is meant is not certain")
    if not text.startswith("(", mention.end):
        raise UncertainCallError(becomes(mention.name))
    if mention.name in about.defined or _is_defined(text, mention):
        raise UncertainCallError("the text defines or imports a function of this name")
    if mention.start and text[mention.start - 1] == ".":
        raise UncertainCallError("it is called on something else")
    if about.knows_new and _may_be_the_action(text, mention):
        raise UncertainCallError(f"it may be the action of {NEW_TOOL} of this name")
    try:
        return rewritten(text, mention.name, mention.end)
    except UncertainCallError as error:
        hint = becomes(mention.name)
        raise UncertainCallError(
            str(error) if hint in str(error) else f"{error}; {hint}"
        ) from error


def _may_be_the_action(text: str, mention: Mention) -> bool:
    """Tell whether a call may be a line in a list of the actions of `aos_workflow`."""
    shared = mention.name in EQUIVALENTS and EQUIVALENTS[mention.name].action == mention.name
    return shared and is_signature(text, mention.end)


def _defined(text: str, old: Collection[str]) -> frozenset[str]:
    """Return the names that mean something else here than the old tools."""
    return frozenset(
        mention.name
        for mention in mentions_in(text, old)
        if _is_defined(text, mention) and not _is_no_other_function(text, mention)
    )


def _is_defined(text: str, mention: Mention) -> bool:
    before = text[max(0, mention.start - _LOOK_BACK) : mention.start]
    if _IMPORTED_FROM.search(before):
        return _IMPORT_AFTER.match(text, mention.end) is not None
    return _DEFINED_BEFORE.search(before) is not None


def _is_no_other_function(text: str, mention: Mention) -> bool:
    """Whether a definition is of a method, or of the old tool itself under its decorator."""
    before = text[max(0, mention.start - _LOOK_BACK_FOR_DECORATORS) : mention.start]
    decorated = _DECORATED.search(before)
    is_tool = decorated is not None and _TOOL.search(decorated[0]) is not None
    return is_tool or _METHOD_AFTER.match(text, mention.end) is not None


def _short(brackets: str) -> str:
    shown = " ".join(brackets.split())
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


@lru_cache
def _pattern(old: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, old), key=len, reverse=True))
    servers = (
        r"mcp__(?P<server>[\w.-]+?)__|mcp_(?P<cursor>[A-Za-z0-9.-]+)_"
        r"|(?P<joined>[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+)_"
    )
    return re.compile(rf"(?<![\w-])(?:{servers})?(?P<name>{names})(?!\w)")
