"""What goes with the old registrations: their functions, and what only those needed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.findings import Place
from mcp_server.cutover.items import Item, ItemsOf
from mcp_server.cutover.liveness import Liveness
from mcp_server.cutover.naming import alias_of
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project
from mcp_server.cutover.spellings import Registration

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
        self._tools = [tool for one in old for tool in self._tool(one)]
        self._seeds: dict[str, list[cst.CSTNode]] = {one.module.path: [] for one in old}
        for one in old:
            self._seeds[one.module.path].append(one.site)
        for module, loop in _finished_loops(old):
            self._seeds[module.path].append(loop)
        for tool in self._tools:
            self._seeds.setdefault(tool.module.path, [])
        self.modules = [m for path in self._seeds if (m := project.module(path)) is not None]
        self.kept: list[Place] = []

    def items(self) -> set[Item]:
        """Return what goes, and note the functions of tools that do not."""
        functions = {id(tool.function) for tool in self._tools}
        items = {
            module.path: ItemsOf(module, self._seeds[module.path], functions)
            for module in self.modules
        }
        liveness = Liveness(self._project, items)
        for tool in self._tools:
            one = tool.registration
            seed, item = (
                items[one.module.path].at(one.site),
                items[tool.module.path].at(tool.function),
            )
            if seed is not None and item is not None:
                liveness.lead(seed, item)
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
        return dead

    def _tool(self, one: Registration) -> list[_Tool]:
        if one.function is not None:
            return [_Tool(one, one.module, one.function)]
        if not isinstance(one.target, cst.Name):
            return []
        definition = one.module.definition(one.target)
        if isinstance(definition, cst.FunctionDef):
            return [_Tool(one, one.module, definition)]
        return self._imported_tool(one, one.target)

    def _imported_tool(self, one: Registration, name: cst.Name) -> list[_Tool]:
        for source in one.module.referents(name):
            alias = alias_of(getattr(source, "node", name), name.value)
            target = self._project.imported(alias, one.module) if alias is not None else None
            home = self._project.module(target.path) if target and target.name else None
            if home is None or target is None:
                continue
            for statement in home.tree.body:
                if isinstance(statement, cst.FunctionDef) and statement.name.value == target.name:
                    return [_Tool(one, home, statement)]
        return []


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
