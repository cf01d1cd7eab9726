"""What goes with the old registrations: their functions, and what only those needed. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.findings import Place
from mcp_server.cutover.items import Item, ItemsOf
from mcp_server.cutover.liveness import Liveness, exports
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project
from mcp_server.cutover.resolution import Resolution
from mcp_server.cutover.spellings import Registration

_UNREAD = "nothing reads it now; kept, because making it may do more than make a value"
_KEPT = "no longer a tool, and kept: other code still uses the function"


@dataclass(frozen=True, slots=True, eq=False)
class _Tool:
    """The function that a registration makes a tool, where it is defined."""

    registration: Registration
    module: ParsedModule
    function: cst.FunctionDef


class Obsolete:
    """Finds what goes, in all modules that old tools are registered or defined in."""

    def __init__(self, project: Project, old: Sequence[Registration]) -> None:
        """Take the registrations of old tools."""
        self._project = project
        self._old = old
        self._resolved = Resolution(project)
        self._tools = [tool for one in old for tool in self._tool(one)]
        self._seeds: dict[str, list[cst.CSTNode]] = {}
        for one in old:
            self._seeds.setdefault(one.module.path, [])
            self._seeds.setdefault(one.home.path, []).append(one.site)
        for module, loop in _finished_loops(old):
            self._seeds[module.path].append(loop)
        self._exported = [found for tool in self._tools for found in self._exports_of(tool)]
        for home in (tool.module for tool in (*self._tools, *(t for t, _, _ in self._exported))):
            self._seeds.setdefault(home.path, [])
        for _, module, _ in self._exported:
            self._seeds.setdefault(module.path, [])
        self.modules = [m for path in self._seeds if (m := project.module(path)) is not None]
        self.kept: list[Place] = []

    def nodes(self) -> dict[str, list[cst.CSTNode]]:
        """Return what goes in each module, and note the functions of tools that do not."""
        weak = {id(tool.function) for tool in self._tools}
        items = {m.path: ItemsOf(m, self._seeds[m.path], weak) for m in self.modules}
        weak |= {id(alias) for _, _, alias in self._exported}
        liveness = Liveness(self._project, items, weak)
        self._lead(liveness, items)
        servers = {
            id(source): (one.module.path, source)
            for one in self._old
            for source in one.module.root_referents(one.host)
        }
        for path, source in servers.values():
            if (item := items[path].bound_by(source)) is not None:
                liveness.keep(item)
        seeds = [
            item
            for path, nodes in self._seeds.items()
            for node in nodes
            if (item := items[path].at(node)) is not None
        ]
        dead = liveness.dead(seeds)
        for tool in self._tools:
            if items[tool.module.path].at(tool.function) not in dead:
                line, name = tool.module.line(tool.function), tool.function.name.value
                self.kept.append(Place(tool.module.path, line, name, _KEPT))
        for module in self.modules:
            self.kept += _unread(items[module.path], dead, set(servers))
        return {m.path: _with_exports(m, dead, weak) for m in self.modules}

    def _lead(self, liveness: Liveness, items: Mapping[str, ItemsOf]) -> None:
        """Lead from registrations to what they register, wherever it stands."""
        for tool in self._tools:
            one = tool.registration
            self._lead_to(liveness, items, one, items[tool.module.path].at(tool.function))
            around = one.home.statement(one.site)
            if one.round is not None and around is not None:
                self._lead_to(liveness, items, one, items[one.home.path].at(around))
        for tool, module, alias in self._exported:
            self._lead_to(liveness, items, tool.registration, items[module.path].at(alias))

    @staticmethod
    def _lead_to(
        liveness: Liveness, items: Mapping[str, ItemsOf], one: Registration, to: Item | None
    ) -> None:
        seed = items[one.home.path].at(one.site)
        if seed is not None and to is not None:
            liveness.lead(seed, to)

    def _exports_of(self, tool: _Tool) -> Iterator[tuple[_Tool, ParsedModule, cst.ImportAlias]]:
        """Give the imports by which packages hand on the function of a tool."""
        if not isinstance(tool.module.parent(tool.function), cst.Module):
            return
        name = tool.function.name.value
        for path in self._project.readers(tool.module.path, {name}):
            module = self._project.module(path) if path.endswith("__init__.py") else None
            for node in module.nodes if module is not None else ():
                if not isinstance(node, cst.ImportAlias) or module is None:
                    continue
                target = self._project.imported(node, module)
                if target is not None and (target.path, target.name) == (tool.module.path, name):
                    yield tool, module, node

    def _tool(self, one: Registration) -> list[_Tool]:
        if one.function is not None:
            return [_Tool(one, one.home, one.function)]
        found = self._resolved.definition(one.target, one.home) if one.target is not None else None
        if found is not None and isinstance(found[1], cst.FunctionDef):
            return [_Tool(one, found[0], found[1])]
        return []


def _unread(
    of_module: ItemsOf, dead: Collection[Item], servers: Collection[int]
) -> Iterator[Place]:
    """Give the variables that only removed code read, and whose making may do more than that."""
    module = of_module.module
    for scope in module.scopes:
        for assignment in scope.assignments:
            node = getattr(assignment, "node", None)
            owners = [of_module.owner(access.node) for access in assignment.references]
            if not owners or id(assignment) in servers or not isinstance(node, cst.Name):
                continue
            if of_module.bound_by(assignment) is not None:
                continue
            if all(owner in dead for owner in owners) and of_module.owner(node) not in dead:
                yield Place(module.path, module.line(node), node.value, _UNREAD)


def _with_exports(
    module: ParsedModule, dead: Collection[Item], weak: Collection[int]
) -> list[cst.CSTNode]:
    """Return the nodes that go in a module, with the names in `__all__` that go with them."""
    here = [item for item in dead if item.module is module]
    gone = {item.name for item in here if item.is_global and id(item.node) in weak}
    named = [element for name, element in exports(module) if name in gone]
    return [*(item.node for item in here), *named]


def _finished_loops(old: Sequence[Registration]) -> list[tuple[ParsedModule, cst.For]]:
    """Return the loops in which nothing is left to register, and which do nothing else."""
    rounds: dict[int, list[Registration]] = {}
    for one in old:
        if one.round is not None:
            rounds.setdefault(id(one.round.loop), []).append(one)
    finished = []
    for members in rounds.values():
        first = members[0].round
        if first is None or len(members) != len(first.collection.elements):
            continue
        others = [s for s in first.loop.body.body if not _adds_one(s)]
        if len(others) == 1 and first.loop.orelse is None:
            finished.append((members[0].module, first.loop))
    return finished


def _adds_one(statement: cst.CSTNode) -> bool:
    match statement:
        case cst.SimpleStatementLine(
            body=[cst.AugAssign(target=cst.Name(), value=cst.Integer(value="1"))]
        ):
            return True
    return False
