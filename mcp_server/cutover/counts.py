"""The numbers of tools that functions return or add up, kept true.

A literal is a count only when it is the number of tools that are registered where it stands: in
its function for `return 8` and `count = 8`, since the last count in its block for `count += 8`. Any
other number, and any number in a text, is shown to a person. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.loops import written_out
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project

_COUNTING = re.compile(r"count|total|num|tools|registered", re.IGNORECASE)
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip
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
    becomes: str | None
    note: str = ""


class Counts:
    """The counts of a function, or of the statements of a module outside of any."""

    def __init__(
        self,
        project: Project,
        module: ParsedModule,
        function: cst.FunctionDef | None,
        tally: Tally,
    ) -> None:
        """Take what is registered in a function of a module."""
        self._project = project
        self._module = module
        self._tally = tally
        start = module.start(function) if function is not None else 0
        end = module.end(function) if function is not None else len(module.source)
        self._before, self._after = tally.within(start, end)
        self._nodes = [
            node
            for node in module.nodes
            # A function ends before a comment that stands behind its last statement.
            if (isinstance(node, cst.Comment) or start <= module.start(node) < end)
            and module.function_around(node) is function
        ]

    def all(self) -> Iterator[Count]:
        """Give every number that has to change, and every one that may have to."""
        for node in self._nodes:
            match node:
                case cst.Return(value=cst.Integer() as number):
                    yield from _judged(number, self._before, self._after)
                case cst.Assign(
                    targets=[cst.AssignTarget(target=cst.Name(value=name))],
                    value=cst.Integer() as number,
                ) if _COUNTING.search(name) and number.evaluated_value > 1:
                    yield from _judged(number, self._before, self._after)
                case cst.AugAssign(operator=cst.AddAssign(), value=cst.Integer() as number):
                    yield from _judged(number, *self._tally.within(*self._stretch(node)))
                case cst.Call():
                    yield from _told(node, self._before, self._after)
                case cst.Comment(value=text) | cst.Expr(value=cst.SimpleString(value=text)):
                    yield from _remarked(node, text, self._before, self._after)

    def lengths(self, registered: cst.CSTNode) -> Iterator[Count]:
        """Give the lengths of a collection of tools that stand for the number of tools."""
        for node in self._nodes:
            match node:
                case (
                    cst.Return(value=cst.Call(func=cst.Name(value="len"), args=[only]) as call)
                    | cst.Assign(value=cst.Call(func=cst.Name(value="len"), args=[only]) as call)
                    | cst.AugAssign(value=cst.Call(func=cst.Name(value="len"), args=[only]) as call)
                ) if written_out(self._project, self._module, only.value)[1] is registered:
                    yield Count(call, f"{self._module.text(call)} + 1")

    def counter(self, spot: int, loops: Sequence[cst.For]) -> str | None:
        """Return the name that counts tools, where nothing counts one registered at `spot`."""
        found = None
        for node in self._nodes:
            match node:
                case cst.AugAssign(
                    target=cst.Name(value=name),
                    operator=cst.AddAssign(),
                    value=cst.Integer() as number,
                ):
                    start, end = self._stretch(node)
                    counted, _ = self._tally.within(start, end)
                    if counted == number.evaluated_value and start <= spot < end:
                        return None
                    in_loop = any(loop in loops for loop in self._module.ancestors(node))
                    if counted == number.evaluated_value or in_loop:
                        found = found or name
        return found if found is not None and self._is_set_before(found, spot) else None

    def _is_set_before(self, name: str, spot: int) -> bool:
        return any(
            isinstance(node, cst.AssignTarget)
            and isinstance(node.target, cst.Name)
            and node.target.value == name
            and self._module.start(node) < spot
            for node in self._nodes
        )

    def _stretch(self, node: cst.AugAssign) -> tuple[int, int]:
        """Return the stretch that an addition counts: since the one before it in its block."""
        line = self._module.statement(node)
        block = self._module.parent(line) if line is not None else None
        start = self._module.start(block.body[0]) if isinstance(block, cst.IndentedBlock) else 0
        for statement in block.body if isinstance(block, cst.IndentedBlock | cst.Module) else ():
            if statement is line:
                break
            if isinstance(statement, cst.SimpleStatementLine) and any(
                isinstance(small, cst.AugAssign) for small in statement.body
            ):
                start = self._module.end(statement)
        return start, self._module.start(node)


def _judged(number: cst.Integer, before: int, after: int) -> Iterator[Count]:
    if number.evaluated_value == before:
        if after != before:
            yield Count(number, str(after))
    elif number.evaluated_value > 1 and after != before:
        yield Count(number, None, f"{before} tools were registered here and {after} are now")


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


def _remarked(node: cst.CSTNode, text: str, before: int, after: int) -> Iterator[Count]:
    """Give a comment or a docstring that speaks of as many tools as there were."""
    word = _WORDS[before] if before < len(_WORDS) else str(before)
    speaking = re.compile(rf"\b(?:{before}|{word})(?:\s+\w+)?\s+tools?\b", re.IGNORECASE)
    if before != after and (found := speaking.search(text)):
        yield Count(node, None, f"it says {found[0]!r}, and now it is {after}")


def _texts(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.SimpleString | cst.FormattedStringText):
        yield node.value
    for child in node.children:
        yield from _texts(child)
