"""Mentions of the old tools in JSON: lists of permissions and prompts rewritten, the rest listed.

Every byte outside of an edit stays: edits are spans of the text, not a new rendering. Pure.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcp_server.core.encoding import decode, encode
from mcp_server.cutover import json_tree
from mcp_server.cutover.calls import NEWLINE, becomes
from mcp_server.cutover.findings import Place
from mcp_server.cutover.json_tree import JsonTreeError, Node
from mcp_server.cutover.permissions import LISTS, NewList, renewed
from mcp_server.cutover.prose_mentions import (
    Known,
    Mentions,
    line_of,
    mentions_in,
    rewrite_prose,
)

_SERVERS = frozenset({"mcpServers", "servers", "mcp", "mcp_servers", "context_servers"})


@dataclass(frozen=True, slots=True)
class _Edit:
    """A span of the text, and what stands there instead."""

    start: int
    end: int
    text: str


class _Document:
    def __init__(self, path: str, text: str, known: Known) -> None:
        self.path, self.text, self.known = path, text, known
        self.edits: list[_Edit] = []
        self.rewritten: list[Place] = []
        self.left: list[Place] = []
        self._taken: set[int] = set()

    def look(self, root: Node) -> None:
        """Find everything, the lists first: what is in them is not looked at again."""
        nodes = list(root.walk())
        lists = [found for path, node in nodes if (found := self._list_at(path, node))]
        # Half of what was forbidden must not become allowed: then a person decides on all lists.
        problem = next((new.problem for _, new in lists if new.problem), "")
        for node, new in lists:
            self._renew(node, NewList(new.entries, problem))
        for _, node in nodes:
            for key, _ in node.members:
                self._look_at_key(key)
            if node.kind == "string" and node.start not in self._taken:
                self._look_at_string(node)

    def _list_at(self, path: json_tree.Path, node: Node) -> tuple[Node, NewList] | None:
        key = str(path[-1]) if path else ""
        if key not in LISTS or any(item.kind != "string" for item in node.items):
            return None
        entries = [item.value for item in node.items]
        new = renewed(key, entries, self.known, bare=self._is_meant(path, entries))
        return (node, new) if new else None

    def _renew(self, node: Node, new: NewList) -> None:
        for item, becoming in zip(node.items, new.entries, strict=True):
            entry = item.value
            if not any(mentions_in(entry, self.known.old)):
                continue
            if new.problem:
                self._leave(item, entry, new.problem)
            elif entry != becoming:
                self._taken.add(item.start)
                note = f"now {becoming}" if becoming else "gone: no entry of its own any more"
                self.rewritten.append(self._place(item, entry, note))
        if not new.problem:
            self.edits += _edits_of(self.text, node, new)

    def _is_meant(self, path: json_tree.Path, entries: list[str]) -> bool:
        """Tell whether bare names in a list are tools of the server that is cut over."""
        under = [path[at + 1] for at, part in enumerate(path[:-1]) if part in _SERVERS]
        if any(name in self.known.servers for name in under):
            return True
        named = {entry for entry in entries if entry in self.known.old}
        return bool(under) and len(named) > 1

    def _look_at_key(self, key: Node) -> None:
        for mention in mentions_in(key.value, self.known.old):
            self._leave(key, key.value, f"a key; {becomes(mention.name)}")

    def _look_at_string(self, node: Node) -> None:
        value: str = node.value
        if not any(mentions_in(value, self.known.old)):
            return
        prose = rewrite_prose(self.path, value, self.known, self.text)
        spelling = _spelling(node.text)
        for place in prose.left:
            self._leave(node, place.what, place.note)
        if prose.text == value:
            return
        if spelling is None:
            self._leave(node, node.text[:60], "its spelling would change; edit it by hand")
            return
        self.edits.append(_Edit(node.start, node.end, spelling(prose.text)))
        self.rewritten += [self._place(node, place.what, place.note) for place in prose.rewritten]

    def _leave(self, node: Node, what: str, note: str) -> None:
        self._taken.add(node.start)
        self.left.append(self._place(node, what, note))

    def _place(self, node: Node, what: str, note: str) -> Place:
        return Place(self.path, line_of(self.text, node.start), what, note)


def rewrite_json(path: str, text: str, known: Known) -> Mentions:
    """Return the text with its lists of permissions, and certain calls in it, rewritten."""
    if not any(mentions_in(text, known.old)):
        return Mentions(text)
    document = _Document(path, text, known)
    try:
        document.look(json_tree.parse(text))
        new = _edited(text, document.edits)
        json_tree.parse(new)
    except JsonTreeError as error:
        return Mentions(text, (), tuple(_listed(path, text, known, str(error))))
    return Mentions(new, tuple(document.rewritten), tuple(document.left))


def _edited(text: str, edits: list[_Edit]) -> str:
    parts, at = list[str](), 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def _listed(path: str, text: str, known: Known, reason: str) -> Iterator[Place]:
    for mention in mentions_in(text, known.old):
        what = text[mention.start : mention.end]
        yield Place(path, line_of(text, mention.start), what, f"{reason}; {becomes(mention.name)}")


def _spelling(written: str) -> Callable[[str], str] | None:
    """Return what writes a string as this one is written; None if nothing of ours does."""
    value = decode(written.encode())
    for spell in (_plain, _escaped):
        if spell(value) == written:
            return spell
    return None


def _plain(value: str) -> str:
    return encode(value).decode()


def _escaped(value: str) -> str:
    return "".join(
        sign if sign.isascii() else _plain_escape(sign) for sign in encode(value).decode()
    )


def _plain_escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _edits_of(text: str, node: Node, new: NewList) -> Iterator[_Edit]:
    """Yield the edits that make an array hold the new entries; comments between them stay."""
    kept = [at for at, entry in enumerate(new.entries) if entry is not None]
    if not kept and _is_blank(text[node.start + 1 : node.end - 1], node):
        yield _Edit(node.start, node.end, "[]")
        return
    ending = _ending_lines(text, node, new)
    for at, (item, entry) in enumerate(zip(node.items, new.entries, strict=True)):
        if at in ending:
            yield _Edit(node.items[at - 1].end, item.end, "")
        elif entry is not None:
            if entry != item.value:
                yield _Edit(item.start, item.end, _plain(entry))
        elif any(later > at for later in kept):
            following = node.items[at + 1].start
            yield _Edit(item.start, _end_of(text, item.end, following), "")
        else:
            before = node.items[at - 1].end if at else item.start
            yield from _without_last(text, before, item)


def _ending_lines(text: str, node: Node, new: NewList) -> set[int]:
    """Return the entries that go from the end of a line, which then ends after the one before."""
    found: set[int] = set()
    for at in reversed(range(1, len(node.items) - 1)):
        before = text[node.items[at - 1].end : node.items[at].start]
        behind = text[node.items[at].end : node.items[at + 1].start]
        is_last = NEWLINE in behind and not behind.replace(",", "").strip()
        goes = new.entries[at] is None and not before.replace(",", "").strip()
        if goes and NEWLINE not in before and (is_last or at + 1 in found):
            found.add(at)
    for at in sorted(found):
        if new.entries[at - 1] is None and at - 1 not in found:
            found.remove(at)
    return found


def _without_last(text: str, before: int, item: Node) -> Iterator[_Edit]:
    """Yield the edits that take out an entry after which none is kept, and its comma before."""
    between = text[before : item.start]
    if between.replace(",", "").strip():
        comma = before + between.index(",")
        yield _Edit(comma, comma + 1, "")
        yield _Edit(item.start, item.end, "")
    else:
        yield _Edit(before, item.end, "")


def _end_of(text: str, end: int, following: int) -> int:
    """Return where an entry ends with its comma, and with the space after it if it is only that."""
    between = text[end:following]
    return following if not between.replace(",", "").strip() else end + between.index(",") + 1


def _is_blank(inner: str, node: Node) -> bool:
    for item in node.items:
        inner = inner.replace(item.text, "", 1)
    return not inner.replace(",", "").strip()
