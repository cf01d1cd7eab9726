"""The new text of one module, put together from what goes, what comes and what has to count it.

Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.counts import Count, Counts, Tally
from mcp_server.cutover.findings import Place
from mcp_server.cutover.insertion import Group, Spot, spot
from mcp_server.cutover.new_registration import NewRegistration, add_import, imports_already
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project
from mcp_server.cutover.recounts import Recount
from mcp_server.cutover.removal import Removal
from mcp_server.cutover.spellings import Registration
from mcp_server.cutover.text_edits import TextEdits


@dataclass(frozen=True, slots=True)
class Changes:
    """All that happens to one module."""

    project: Project
    module: ParsedModule
    every: Sequence[Registration]
    """Each registration of a tool in it."""
    groups: Sequence[Group]
    """The old ones, by function and server."""
    chosen: Sequence[Group]
    """The groups in whose place `aos_workflow` gets registered."""
    dead: Sequence[cst.CSTNode]
    new: NewRegistration


class Rewriting:
    """Writes one module anew."""

    def __init__(self, changes: Changes) -> None:
        """Take what happens to the module."""
        self._changes = changes
        self._module = changes.module
        self._edits = TextEdits(changes.module)
        self._removal = Removal(changes.module, changes.dead)
        self._spots = {
            group: place
            for group in changes.chosen
            # A tool that is registered by another old tool goes with it.
            if not self._removal.goes_with_another((place := spot(group)).statement)
        }
        self._counters: dict[Group, str | None] = {}
        self.left: list[Place] = []
        self.recounts: list[Recount] = []

    def text(self) -> str:
        """Return the new text."""
        self._count()
        self._removal.settle({id(place.block) for place in self._spots.values()})
        self._removal.write(self._edits)
        # Where both stand at the head of the module, the import comes first.
        self._import()
        for group, place in self._spots.items():
            self._register(group, place)
        return self._edits.applied()

    def _import(self) -> None:
        if self._spots and not imports_already(self._module, self._changes.new):
            statements = [place.statement for place in self._spots.values()]
            before = min(self._module.start(_top(self._module, one)) for one in statements)
            add_import(self._edits, self._module, self._changes.new.statement, before)

    def _register(self, group: Group, place: Spot) -> None:
        start = self._module.start(place.statement)
        indent = self._edits.indent_at(start)
        lines = [indent + self._changes.new.call(group.host)]
        counter = self._counters.get(group)
        if counter is not None:
            lines.append(f"{indent}{counter} += 1")
        text = self._edits.newline.join(lines)
        if place.is_after:
            self._edits.add_after(self._module.end(place.statement), text)
        elif self._removal.goes(place.statement):
            self._edits.add_line(start, text)
        else:
            self._edits.add_before(start, text)

    def _count(self) -> None:
        spots = [self._module.start(place.statement) for place in self._spots.values()]
        old = [one for group in self._changes.groups for one in group.registrations]
        tally = Tally(self._places(self._changes.every), self._places(old), spots)
        for function in {id(g.function): g.function for g in self._changes.groups}.values():
            counts = Counts(self._changes.project, self._module, function, tally)
            for count in counts.all():
                self._put(count)
                self._note_recount(function, count)
            for group in self._changes.groups:
                if group.function is function:
                    self._count_group(counts, group)

    def _note_recount(self, function: cst.FunctionDef | None, count: Count) -> None:
        is_returned = isinstance(self._module.parent(count.node), cst.Return)
        if function is not None and is_returned and count.becomes is not None:
            name, before = function.name.value, int(self._module.text(count.node))
            self.recounts.append(Recount(self._module.path, name, before, int(count.becomes)))

    def _count_group(self, counts: Counts, group: Group) -> None:
        rounds = [one.round for one in group.registrations if one.round is not None]
        if group in self._spots:
            at = self._module.start(self._spots[group].statement)
            self._counters[group] = counts.counter(at, [one.loop for one in rounds])
            for collection in {id(one.collection): one.collection for one in rounds}.values():
                for count in counts.lengths(collection):
                    self._put(count)

    def _places(self, found: Iterable[Registration]) -> list[int]:
        return [self._module.start(one.anchor) for one in found]

    def _put(self, count: Count) -> None:
        node, around = count.node, self._module.parent(count.node)
        line = self._module.statement(node)
        if count.becomes is None:
            text = self._module.text(node)
            self.left.append(Place(self._module.path, self._module.line(node), text, count.note))
        elif (
            count.becomes == "0"
            and isinstance(around, cst.AugAssign)
            and isinstance(line, cst.SimpleStatementLine)
            and len(line.body) == 1
        ):
            self._removal.also(line)
        else:
            self._edits.replace(self._module.start(node), self._module.end(node), count.becomes)


def _top(module: ParsedModule, node: cst.CSTNode) -> cst.CSTNode:
    for around in module.ancestors(node):
        if not isinstance(around, cst.Module):
            node = around
    return node
