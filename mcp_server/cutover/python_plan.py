"""The cutover of a project's Python: old registrations out, `aos_workflow` in, as new texts.

    find     every registration of a tool (spellings), and which of them are old ones
    follow   what only they use, to a fixpoint (items, liveness)
    place    one registration of `aos_workflow` for each server (insertion), true counts (counts)
    write    edits of the text (removal, text_edits): what no edit names keeps its bytes

What cannot be told with certainty is not touched, and listed with its place and the reason. Pure.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import libcst as cst

from mcp_server.cutover.counts import Tally, counts
from mcp_server.cutover.findings import Place
from mcp_server.cutover.insertion import Group, Spot, groups, spot
from mcp_server.cutover.items import Item, ItemsOf
from mcp_server.cutover.liveness import Liveness
from mcp_server.cutover.naming import alias_of
from mcp_server.cutover.new_registration import (
    Style,
    add_import,
    bridge_path,
    imports_already,
    new_registration,
)
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project
from mcp_server.cutover.removal import Removal
from mcp_server.cutover.spellings import Registration, Spellings
from mcp_server.cutover.text_edits import TextEdits

_REGISTERING = (".tool", "add_tool")


@dataclass(frozen=True, slots=True)
class PythonPlan:
    """What becomes of a project's Python."""

    files: Mapping[str, str]
    """The new text of each changed module, and of each new one."""
    registrations: tuple[Place, ...]
    """The old tools that were found registered, each with its spelling."""
    left: tuple[Place, ...]
    """What is not certain and a person has to do, with the reason."""
    unparsed: tuple[Place, ...]
    """Modules that do not parse."""
    style: Style


def plan_python(
    sources: Mapping[str, str], old: Collection[str], *, style: Style, bridge: str = ""
) -> PythonPlan:
    """Return the new texts of the modules that register old tools, and what is left to do."""
    return _Planner(sources, frozenset(old), style, bridge).plan()


class _Planner:
    def __init__(
        self, sources: Mapping[str, str], old: frozenset[str], style: Style, bridge: str
    ) -> None:
        self._project = Project(sources)
        self._old = old
        self._style: Style = style
        self._bridge = bridge
        self._left: list[Place] = []
        self._files: dict[str, str] = {}

    def plan(self) -> PythonPlan:
        every = self._every_registration()
        old = [one for one in every if one.name.value in self._old]
        self._note_uncertain(every)
        if old:
            self._rewrite(every, old)
        mentioning = set(self._project.mentioning(self._old))
        unparsed = (place for path, place in self._project.unparsed.items() if path in mentioning)
        return PythonPlan(
            MappingProxyType(self._files),
            tuple(_place(one) for one in old),
            tuple(sorted(self._left, key=lambda place: (place.path, place.line))),
            tuple(unparsed),
            self._style,
        )

    def _every_registration(self) -> list[Registration]:
        found: list[Registration] = []
        for path in self._project.mentioning([*self._old, *_REGISTERING]):
            module = self._project.module(path)
            if module is not None:
                found += Spellings(self._project, module).registrations()
        return found

    def _note_uncertain(self, every: list[Registration]) -> None:
        for one in every:
            if one.name.value is not None:
                continue
            if one.bearer in self._old or any(one.name.may_be(name) for name in self._old):
                place = _place(one)
                note = "the name is computed: it cannot be told which tool this is"
                self._left.append(Place(place.path, place.line, place.note, note))

    def _rewrite(self, every: list[Registration], old: list[Registration]) -> None:
        seeds: dict[str, list[cst.CSTNode]] = {}
        functions: dict[int, tuple[Registration, ParsedModule, cst.FunctionDef]] = {}
        for one in old:
            seeds.setdefault(one.module.path, []).append(one.site)
            found = self._function(one)
            if found is not None:
                functions[id(found[1])] = (one, *found)
                seeds.setdefault(found[0].path, [])
        for loop in _finished_loops(old):
            seeds[loop[0].path].append(loop[1])
        items = {
            path: ItemsOf(module, nodes, set(functions))
            for path, nodes in seeds.items()
            if (module := self._project.module(path)) is not None
        }
        dead = self._dead(items, seeds, functions)
        new = groups(old)
        for of_module in items.values():
            self._write(of_module.module, dead, every, old, new)

    def _dead(
        self,
        items: dict[str, ItemsOf],
        seeds: dict[str, list[cst.CSTNode]],
        functions: dict[int, tuple[Registration, ParsedModule, cst.FunctionDef]],
    ) -> set[Item]:
        liveness = Liveness(self._project, items)
        roots = [
            item
            for path, nodes in seeds.items()
            for node in nodes
            if (item := items[path].at(node)) is not None
        ]
        for one, module, function in functions.values():
            seed, item = items[one.module.path].at(one.site), items[module.path].at(function)
            if seed is not None and item is not None:
                liveness.lead(seed, item)
        dead = liveness.dead(roots)
        for _, module, function in functions.values():
            if items[module.path].at(function) not in dead:
                note = "no longer a tool, and kept: other code still uses the function"
                self._left.append(
                    Place(module.path, module.line(function), function.name.value, note)
                )
        return dead

    def _function(self, one: Registration) -> tuple[ParsedModule, cst.FunctionDef] | None:
        """Return the function that a registration makes a tool, and its module."""
        if one.function is not None:
            return one.module, one.function
        target = one.target
        if isinstance(target, cst.Name):
            definition = one.module.definition(target)
            if isinstance(definition, cst.FunctionDef):
                return one.module, definition
            return self._imported_function(one.module, target)
        return None

    def _imported_function(
        self, module: ParsedModule, name: cst.Name
    ) -> tuple[ParsedModule, cst.FunctionDef] | None:
        for source in module.referents(name):
            alias = alias_of(getattr(source, "node", name), name.value)
            target = self._project.imported(alias, module) if alias is not None else None
            home = self._project.module(target.path) if target and target.name else None
            for statement in home.tree.body if home is not None else ():
                if home is None or target is None or not isinstance(statement, cst.FunctionDef):
                    continue
                if statement.name.value == target.name:
                    return home, statement
        return None

    def _write(
        self,
        module: ParsedModule,
        dead: set[Item],
        every: list[Registration],
        old: list[Registration],
        new: list[Group],
    ) -> None:
        removal = Removal(module, [item.node for item in dead if item.module is module])
        edits = TextEdits(module)
        spots = [(group, spot(group)) for group in new if group.module is module]
        removal.settle({id(place.block) for _, place in spots})
        removal.write(edits)
        registration = new_registration(self._project, module, self._style)
        for group, place in spots:
            self._register(edits, removal, module, registration.call(group.host), place)
        self._count(edits, module, every, old, spots)
        if spots and not imports_already(module, registration):
            before = min(module.start(_top(module, place.statement)) for _, place in spots)
            add_import(edits, module, registration.statement, before)
            self._add_bridge(module)
        self._files[module.path] = edits.applied()

    def _register(
        self, edits: TextEdits, removal: Removal, module: ParsedModule, call: str, place: Spot
    ) -> None:
        start = module.start(place.statement)
        text = edits.indent_at(start) + call
        if place.is_after:
            edits.add_after(module.end(place.statement), text)
        elif removal.goes(place.statement):
            edits.add_line(start, text)
        else:
            edits.add_before(start, text)

    def _add_bridge(self, module: ParsedModule) -> None:
        if self._style == "bridge":
            self._files[bridge_path(module)] = self._bridge

    def _count(
        self,
        edits: TextEdits,
        module: ParsedModule,
        every: list[Registration],
        old: list[Registration],
        spots: list[tuple[Group, Spot]],
    ) -> None:
        def places(found: list[Registration]) -> list[int]:
            return [module.start(one.anchor) for one in found if one.module is module]

        tally = Tally(places(every), places(old), [module.start(s.statement) for _, s in spots])
        functions = {id(g.function): g.function for g in groups(old) if g.module is module}
        for function in functions.values():
            for count in counts(module, function, tally):
                if count.becomes is None:
                    place = Place(
                        module.path, module.line(count.node), module.text(count.node), count.note
                    )
                    self._left.append(place)
                else:
                    start, end = module.start(count.node), module.end(count.node)
                    edits.replace(start, end, str(count.becomes))


def _finished_loops(old: list[Registration]) -> list[tuple[ParsedModule, cst.For]]:
    """Return the loops in which nothing is left to register, and which do nothing else."""
    rounds: dict[int, list[Registration]] = {}
    for one in old:
        if one.round is not None:
            rounds.setdefault(id(one.round.loop), []).append(one)
    finished = []
    for members in rounds.values():
        loop_round = members[0].round
        if loop_round is None:
            continue
        loop = loop_round.loop
        is_simple = len(loop.body.body) == 1 and loop.orelse is None
        if is_simple and len(members) == len(loop_round.collection.elements):
            finished.append((members[0].module, loop))
    return finished


def _top(module: ParsedModule, node: cst.CSTNode) -> cst.CSTNode:
    for around in module.ancestors(node):
        if not isinstance(around, cst.Module):
            node = around
    return node


def _place(one: Registration) -> Place:
    return Place(one.module.path, one.module.line(one.site), one.name.value or "", one.spelling)
