"""What hints at an old tool and is no registration that can be rewritten with certainty.

    types.Tool(name="start_workflow", ...)       what a low-level server lists
    if name == "start_workflow": ...             how it dispatches, in its call_tool handler
    @registry.add("start_workflow")              a decorator that may register what it stands on
    register("start_workflow", start_workflow)   a function of the project that may register
    TOOLS["start_workflow"] = start_workflow     beside a registration under a computed name
    mcp.remove_tool("start_workflow")            what fails once the tool is gone

These are listed for a person. Pure.
"""

import re
from collections.abc import Collection, Iterator, Sequence

import libcst as cst

from mcp_server.cutover.findings import Place
from mcp_server.cutover.naming import UNKNOWN, Reader
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project, dotted_name
from mcp_server.cutover.spellings import Registration

_LOW_LEVEL = "listed by a low-level server: take it out of list_tools and call_tool by hand"
_DISPATCH = "dispatched by a low-level server: take the branch out by hand"
_DECORATOR = "may be registered by this decorator: take it off by hand"
_CALL = "may be registered by this call: take it out by hand"
_GONE = "refers to a tool that is no longer registered: take it out by hand"
_COMPUTED = "may name a tool that this module registers under a computed name"
_HANDLER = "call_tool"
_REGISTERS = re.compile(r"tool|regist", re.IGNORECASE)
_DECORATES = re.compile(r"(mcp_?)?(register_?|add_?)?tool|register", re.IGNORECASE)
_REFERS = re.compile(r"(remove|unregister|disable|enable|get)_tool")
_CALLS = re.compile(r"call|invoke|request|send|assert|get_|has_|find|remove|unregister|schema")


class Leftovers:
    """Looks through one module."""

    def __init__(
        self,
        project: Project,
        module: ParsedModule,
        names: Collection[str],
        every: Sequence[Registration],
    ) -> None:
        """Take the names of old tools, and every registration that was recognised."""
        self._module = module
        self._names = names
        self._known = {id(one.site) for one in every}
        self._known |= {id(one.anchor) for one in every if one.round is not None}
        self._computes = any(
            one.module is module and one.name == UNKNOWN and one.round is None for one in every
        )
        self._reader = Reader(project, module, {})

    def places(self) -> Iterator[Place]:
        """Give what a person has to look at, in the order of the text."""
        for node in self._module.nodes:
            match node:
                case cst.Decorator():
                    yield from self._decorator(node)
                case cst.Call() if not self._is_known(node):
                    yield from self._call(node)
                case cst.Attribute(attr=cst.Name(value="add_tool")):
                    if isinstance(self._module.parent(node), cst.Arg):
                        yield self._place(node, _CALL)
                case cst.Comparison(left=cst.Name(), comparisons=[only]):
                    yield from self._dispatch(node, only.comparator)
                case cst.MatchValue(value=value):
                    yield from self._dispatch(node, value)
                case cst.DictElement(key=key):
                    yield from self._dispatch(node, key)
            yield from self._collected(node)

    def _collected(self, node: cst.CSTNode) -> Iterator[Place]:
        """What stands in a collection may be registered from it, where names are computed."""
        match node:
            case cst.DictElement(key=name) | cst.Element(value=name):
                yield from self._named(node, name)
            case cst.AssignTarget(
                target=cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=name))])
            ):
                yield from self._named(node, name)

    def _is_known(self, node: cst.CSTNode) -> bool:
        return any(id(around) in self._known for around in (node, *self._module.ancestors(node)))

    def _old_name(self, node: cst.BaseExpression | None) -> str | None:
        value = self._reader.fold(node).value if node is not None else None
        return value if value in self._names else None

    def _decorator(self, decorator: cst.Decorator) -> Iterator[Place]:
        function = self._module.parent(decorator)
        expression = decorator.decorator
        called = expression.func if isinstance(expression, cst.Call) else expression
        if self._is_known(decorator) or not isinstance(function, cst.FunctionDef):
            return
        *_, last = dotted_name(called).split(".")
        given = list(_given(expression)) if isinstance(expression, cst.Call) else []
        named = _REGISTERS.search(last) and any(map(self._old_name, given))
        is_telling = _DECORATES.fullmatch(last) and function.name.value in self._names
        if named or is_telling:
            yield self._place(decorator, _DECORATOR)

    def _call(self, call: cst.Call) -> Iterator[Place]:
        if isinstance(self._module.parent(call), cst.Decorator):
            return
        *_, last = dotted_name(call.func).split(".")
        given = list(_given(call))
        named = [name for name in map(self._old_name, given) if name]
        if named and _REFERS.fullmatch(last):
            yield self._place(call, _GONE)
        if not named or not _REGISTERS.search(last) or _CALLS.search(last):
            return
        yield self._place(call, _LOW_LEVEL if last.endswith("Tool") else _CALL)

    def _dispatch(self, node: cst.CSTNode, key: cst.BaseExpression) -> Iterator[Place]:
        function = self._module.function_around(node)
        if function is None or self._old_name(key) is None or self._is_known(node):
            return
        if any(_HANDLER in self._module.text(d.decorator) for d in function.decorators):
            yield self._place(node, _DISPATCH)

    def _named(self, node: cst.CSTNode, name: cst.BaseExpression) -> Iterator[Place]:
        if not self._computes or self._is_known(node):
            return
        definition = self._module.definition(name)
        bears = isinstance(definition, cst.FunctionDef) and definition.name.value in self._names
        if bears or self._old_name(name) is not None:
            yield self._place(node, _COMPUTED)

    def _place(self, node: cst.CSTNode, note: str) -> Place:
        first, *_ = self._module.text(node).splitlines()
        return Place(self._module.path, self._module.line(node), first, note)


def _given(call: cst.Call) -> Iterator[cst.BaseExpression]:
    for index, arg in enumerate(call.args):
        keyword = arg.keyword.value if arg.keyword is not None else ""
        if keyword == "name" or (index == 0 and not keyword):
            yield arg.value
