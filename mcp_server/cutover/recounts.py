"""Numbers elsewhere that a function's new count of tools makes untrue, mostly in tests. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.findings import Place
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project


@dataclass(frozen=True, slots=True)
class Recount:
    """A function that returns another number of tools than before."""

    path: str
    function: str
    before: int
    after: int


def recounted(project: Project, recount: Recount) -> Iterator[Place]:
    """Give the comparisons with the old number, where the function is spoken of."""
    for path in project.readers(recount.path, {recount.function}):
        module = project.module(path)
        for node in module.nodes if module is not None else ():
            if module is None or not isinstance(node, cst.Comparison):
                continue
            if _compares(node, recount.before) and _speaks_of(module, node, recount.function):
                note = f"{recount.function} returns {recount.after} now, not {recount.before}"
                yield Place(path, module.line(node), module.text(node), note)


def _compares(node: cst.Comparison, number: int) -> bool:
    sides = [node.left, *(target.comparator for target in node.comparisons)]
    return any(isinstance(side, cst.Integer) and side.evaluated_value == number for side in sides)


def _speaks_of(module: ParsedModule, node: cst.CSTNode, name: str) -> bool:
    around = module.function_around(node)
    return name in module.text(around if around is not None else node)
