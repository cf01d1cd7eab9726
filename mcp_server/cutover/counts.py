"""The numbers of tools that functions return or add up, kept true.

A literal is a count only when it is the number of tools that are registered where it stands: in
its function for `return 8` and `count = 8`, since the last count in its block for `count += 8`. Any
other number, and any number in a text, is shown to a person. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.parsed import ParsedModule

_COUNTING = re.compile(r"count|total|num|tools|registered", re.IGNORECASE)
_TELLING = frozenset({"debug", "info", "warning", "error", "log", "print", "write", "echo"})


@dataclass(frozen=True, slots=True)
class Tally:
    """The tools registered by one function: where each one is, where old ones are, where new."""

    all: Sequence[int]
    old: Sequence[int]
    new: Sequence[int]

    def within(self, start: int, end: int) -> tuple[int, int]:
        """Return how many tools were registered between two offsets, and how many will be."""
        before = sum(start <= at < end for at in self.all)
        gone = sum(start <= at < end for at in self.old)
        come = sum(start <= at < end for at in self.new)
        return before, before - gone + come


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """A number in the source, and what it has to be; None where that cannot be told."""

    node: cst.CSTNode
    becomes: int | None
    note: str = ""


def counts(module: ParsedModule, function: cst.FunctionDef | None, tally: Tally) -> Iterator[Count]:
    """Give the counts of a function, or of the statements of a module outside of any."""
    whole: cst.CSTNode = function if function is not None else module.tree
    start = module.start(function) if function is not None else 0
    end = module.end(function) if function is not None else len(module.source)
    before, after = tally.within(start, end)
    for node in module.nodes:
        if not start <= module.start(node) < end or module.function_around(node) is not function:
            continue
        match node:
            case cst.Return(value=cst.Integer() as number) if whole is function:
                yield from _judged(number, before, after)
            case cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name(value=name))],
                value=cst.Integer() as number,
            ) if _COUNTING.search(name) and number.evaluated_value > 1:
                yield from _judged(number, before, after)
            case cst.AugAssign(operator=cst.AddAssign(), value=cst.Integer() as number):
                yield from _judged(number, *tally.within(_since(module, node), module.start(node)))
            case cst.Call():
                yield from _told(node, before, after)


def _judged(number: cst.Integer, before: int, after: int) -> Iterator[Count]:
    if number.evaluated_value == before:
        if after != before:
            yield Count(number, after)
    elif number.evaluated_value > 1 and after != before:
        yield Count(number, None, f"{before} tools were registered here and {after} are now")


def _since(module: ParsedModule, node: cst.AugAssign) -> int:
    """Return where the stretch begins that an addition counts: after the one before it."""
    line = module.statement(node)
    block = module.parent(line) if line is not None else None
    start = module.start(block) if isinstance(block, cst.IndentedBlock) else 0
    for statement in block.body if isinstance(block, cst.IndentedBlock | cst.Module) else ():
        if statement is line:
            break
        if isinstance(statement, cst.SimpleStatementLine) and any(
            isinstance(small, cst.AugAssign) for small in statement.body
        ):
            start = module.end(statement)
    return start


def _told(call: cst.Call, before: int, after: int) -> Iterator[Count]:
    last = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    last = call.func.value if isinstance(call.func, cst.Name) else last
    if last not in _TELLING or before == after:
        return
    for arg in call.args:
        for text in _texts(arg.value):
            if re.search(rf"\b{before}\b", text):
                yield Count(call, None, f"the text says {before}, and {after} are registered now")
                return


def _texts(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.SimpleString | cst.FormattedStringText):
        yield node.value
    for child in node.children:
        yield from _texts(child)
