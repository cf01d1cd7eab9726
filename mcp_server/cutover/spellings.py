"""The ways in which a tool gets registered, recognised in a parsed module.

    @mcp.tool            @mcp.tool()          @mcp.tool("n")       @mcp.tool(name="n")
    mcp.tool()(f)        mcp.tool(name="n")(f)                     mcp.tool(f)
    mcp.add_tool(f)      mcp.add_tool(f, name="n")                 mcp.add_tool(Tool(...))

`mcp` is any name or chain of attributes, `mcp.tool` may have been given a shorter name before, and
the calls may stand in a loop over a collection that is written out (see `loops`). Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.loops import Round, rounds
from mcp_server.cutover.naming import UNKNOWN, Folded, Reader
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project, dotted_name

_ADD = "add_tool"
_TOOL = "tool"


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """One tool registered at one place."""

    module: ParsedModule
    name: Folded
    host: cst.BaseExpression
    """The server, as it is written there."""
    site: cst.CSTNode
    """What to take away: a decorator, a statement, or an entry of a collection."""
    anchor: cst.BaseStatement
    """The statement in whose place another registration may stand."""
    spelling: str
    function: cst.FunctionDef | None = None
    """The function that a decorator stands on."""
    target: cst.BaseExpression | None = None
    """What names the function in a call."""
    round: Round | None = None
    """The round of the loop that registers it."""

    @property
    def home(self) -> ParsedModule:
        """The module that the site and the target are written in."""
        return self.round.home if self.round is not None else self.module

    @property
    def bearer(self) -> str | None:
        """The name of the function itself, if it can be told."""
        if self.function is not None:
            return self.function.name.value
        return dotted_name(self.target).rpartition(".")[2] if self.target else None


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that registers something: on which server, what, and under which name."""

    host: cst.BaseExpression
    target: cst.BaseExpression
    name: cst.BaseExpression | None
    known: bool = True


class Spellings:
    """Finds the registrations of one module."""

    def __init__(self, project: Project, module: ParsedModule) -> None:
        """Look at one module of a project."""
        self._project = project
        self._module = module

    def registrations(self) -> Iterator[Registration]:
        """Give every registration of a tool, in the order of the text."""
        for node in self._module.nodes:
            if isinstance(node, cst.FunctionDef):
                yield from self._decorated(node)
            elif isinstance(node, cst.Expr):
                yield from self._called(node)
            elif isinstance(node, cst.Call):
                yield from self._used(node)

    def _decorated(self, function: cst.FunctionDef) -> Iterator[Registration]:
        for decorator in function.decorators:
            expression = self._aliased(decorator.decorator)
            if (host := self.host(expression, _TOOL)) is not None:
                name = Folded((function.name.value,))
            elif isinstance(expression, cst.Call) and (host := self.host(expression.func, _TOOL)):
                name = self._given(expression, function.name.value)
            else:
                continue
            spelling = self._module.text(decorator)
            yield Registration(
                self._module, name, host, decorator, function, spelling, function=function
            )

    def _aliased(self, expression: cst.BaseExpression) -> cst.BaseExpression:
        """Return what a bare name of a decorator was given, or the decorator as it is."""
        if isinstance(expression, cst.Name):
            value = self._module.value(expression)
            return expression if value is None else value
        return expression

    def _given(self, call: cst.Call, otherwise: str) -> Folded:
        written, known = name_argument(call, 0)
        if not known:
            return UNKNOWN
        if written is None:
            return Folded((otherwise,))
        return Reader(self._project, self._module, {}).fold(written)

    def _called(self, expression: cst.Expr) -> Iterator[Registration]:
        call = expression.value
        statement = self._module.parent(expression)
        if not isinstance(call, cst.Call) or not isinstance(statement, cst.SimpleStatementLine):
            # `if x: mcp.add_tool(f)` on one line has a suite where the statement would be.
            statement = self._module.statement(expression)
        found = self.call(call) if isinstance(call, cst.Call) else None
        if found is None or statement is None:
            return
        spelling = self._module.text(expression)
        in_rounds = rounds(self._project, self._module, expression, found.target, found.name)
        for a_round in in_rounds or (None,):
            bindings, home = (a_round.bindings, a_round.home) if a_round else ({}, None)
            reader = Reader(self._project, self._module, bindings, home)
            yield Registration(
                self._module,
                self._named(found, reader),
                found.host,
                a_round.entry if a_round else expression,
                a_round.loop if a_round else statement,
                spelling,
                target=reader.resolve(found.target),
                round=a_round,
            )

    def _used(self, call: cst.Call) -> Iterator[Registration]:
        """Give a registration whose value is used: what to do with it cannot be told."""
        around, statement = self._module.parent(call), self._module.statement(call)
        if statement is None or isinstance(around, cst.Expr | cst.Decorator):
            return
        found = self.call(call)
        if found is not None:
            text = self._module.text(call)
            yield Registration(
                self._module, UNKNOWN, found.host, call, statement, text, target=found.target
            )

    def _named(self, call: _Call, reader: Reader) -> Folded:
        if not call.known:
            return UNKNOWN
        if call.name is not None:
            return reader.fold(call.name)
        name = reader.function_name(call.target)
        return UNKNOWN if name is None else Folded((name,))

    def call(self, call: cst.Call) -> _Call | None:
        """Return what a call registers, None when it registers nothing."""
        inner = call.func
        if isinstance(inner, cst.Call) and (host := self.host(inner.func, _TOOL)):
            first = _positional(call, 0)
            written, known = name_argument(inner, 0)
            return _Call(host, first, written, known) if first is not None else None
        if host := self.host(inner, _TOOL):
            first = _positional(call, 0)
            if first is None or not isinstance(first, cst.Name | cst.Attribute):
                return None
            written, known = name_argument(call, 1)
            return _Call(host, first, written, known)
        if host := self.host(inner, _ADD):
            return self._added(host, call)
        return None

    def _added(self, host: cst.BaseExpression, call: cst.Call) -> _Call | None:
        first = _positional(call, 0) or _keyword(call, "fn") or _keyword(call, "tool")
        if first is None:
            return None
        made = self._aliased(first)
        if isinstance(made, cst.Call) and _makes_a_tool(made):
            function = _keyword(made, "fn") or _positional(made, 0)
            written, known = name_argument(made, 1)
            return _Call(host, function if function is not None else first, written, known)
        written, known = name_argument(call, 1)
        return _Call(host, first, written, known)

    def host(self, expression: cst.BaseExpression, method: str) -> cst.BaseExpression | None:
        """Return the server whose method an expression is, also by a shorter name."""
        if isinstance(expression, cst.Name):
            value = self._module.value(expression)
            return self.host(value, method) if isinstance(value, cst.Attribute) else None
        if isinstance(expression, cst.Attribute) and expression.attr.value == method:
            return expression.value
        return None


def name_argument(call: cst.Call, position: int) -> tuple[cst.BaseExpression | None, bool]:
    """Return the name that a call gives to a tool, and whether all its arguments are in sight."""
    if any(arg.star for arg in call.args):
        return None, False
    named = _keyword(call, "name")
    return (named if named is not None else _positional(call, position)), True


def _positional(call: cst.Call, position: int) -> cst.BaseExpression | None:
    given = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    return given[position] if position < len(given) else None


def _keyword(call: cst.Call, name: str) -> cst.BaseExpression | None:
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    return None


def _makes_a_tool(call: cst.Call) -> bool:
    *_, last = dotted_name(call.func).split(".")
    return last == "from_function" or last.endswith("Tool")
