"""Which server an expression means: followed back through parameters, attributes and imports.

Two functions that are handed the same server register on one server, which needs one
`aos_workflow`. What cannot be followed further is an origin of its own. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import BaseAssignment, ImportAssignment

from mcp_server.cutover.loops import attribute_value, rounds
from mcp_server.cutover.naming import global_value
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project, alias_of, dotted_name, origin
from mcp_server.cutover.resolution import Resolution

_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a server comes from, and what made it, as far as that is known."""

    key: str
    maker: str = ""
    """The dotted name of what was called to make it, or of its declared type."""


class Origins:
    """Follows expressions through a project."""

    def __init__(self, project: Project) -> None:
        """Take the modules in which calls may be found."""
        self._project = project
        self._resolution = Resolution(project)
        self._handed: dict[int, tuple[Origin, ...]] = {}

    def of(self, node: cst.BaseExpression, module: ParsedModule) -> frozenset[Origin]:
        """Return all the servers that an expression may mean."""
        return frozenset(self._of(node, module, _DEPTH))

    def _of(self, node: cst.BaseExpression, module: ParsedModule, depth: int) -> Iterator[Origin]:
        plain = Origin(f"{module.path}:{module.line(node)}:{module.text(node)}")
        if depth == 0:
            yield plain
        elif dotted_name(node) in {"self", "cls"} and (around := module.class_around(node)):
            yield Origin(f"{module.path}:{around.name.value}")
        elif isinstance(node, cst.Name):
            found = [one for r in module.referents(node) for one in self._bound(r, module, depth)]
            yield from found or [plain]
        elif isinstance(node, cst.Attribute):
            yield from self._attribute(node, module, depth)
        else:
            yield plain

    def _attribute(self, node: cst.Attribute, module: ParsedModule, depth: int) -> Iterator[Origin]:
        around = module.class_around(node)
        if around is None or dotted_name(node.value) not in {"self", "cls"}:
            yield Origin(f"{module.path}:{dotted_name(node)}")
            return
        value = attribute_value(module, node, node.attr.value)
        key = f"{module.path}:{around.name.value}.{node.attr.value}"
        yield from self._value(value, module, key, depth)

    def _value(
        self, value: cst.BaseExpression | None, module: ParsedModule, key: str, depth: int
    ) -> Iterator[Origin]:
        if isinstance(value, cst.Name | cst.Attribute):
            yield from self._of(value, module, depth - 1)
        elif isinstance(value, cst.Call):
            yield Origin(key, self._qualified(value.func, module))
        else:
            yield Origin(key)

    def _qualified(self, node: cst.BaseExpression, module: ParsedModule) -> str:
        """Return the name of something from outside of the project, nothing for all else."""
        scope = module.scope(node)
        names = scope.get_qualified_names_for(node) if scope is not None else ()
        bound = (*module.root_referents(node), *module.referents(node))
        sources = [source for source in bound if isinstance(source, ImportAssignment)]
        for source in sources:
            alias = alias_of(source.node, source.name)
            if alias is None or self._project.imported(alias, module) is not None:
                return ""
            if isinstance(source.node, cst.ImportFrom) and origin(source.node)[1]:
                return ""
        return next((name.name for name in names), "") if sources else ""

    def _bound(self, source: BaseAssignment, module: ParsedModule, depth: int) -> Iterator[Origin]:
        node = getattr(source, "node", None)
        if isinstance(source, ImportAssignment):
            yield from self._imported(source, module, depth)
        elif isinstance(node, cst.Param):
            if id(node) not in self._handed:
                # What leads back to itself is handed nothing new.
                self._handed[id(node)] = ()
                self._handed[id(node)] = tuple(self._parameter(node, module, depth))
            yield from self._handed[id(node)]
        elif isinstance(node, cst.Name):
            key = f"{module.path}:{module.line(node)}:{node.value}"
            yield from self._value(module.assigned(node), module, key, depth)

    def _imported(
        self, source: ImportAssignment, module: ParsedModule, depth: int
    ) -> Iterator[Origin]:
        alias = alias_of(source.node, source.name)
        target = self._project.imported(alias, module) if alias is not None else None
        home = self._project.module(target.path) if target is not None and target.name else None
        if home is None or target is None or target.name is None:
            yield Origin(f"{module.path}:{source.name}")
            return
        value = global_value(home, target.name)
        line = home.line(value) if value is not None else 0
        yield from self._value(value, home, f"{home.path}:{line}:{target.name}", depth)

    def _parameter(self, param: cst.Param, module: ParsedModule, depth: int) -> Iterator[Origin]:
        function = module.parent(module.parent(param) or param)
        if not isinstance(function, cst.FunctionDef):
            yield Origin(f"{module.path}:{module.line(param)}:{param.name.value}")
            return
        found = False
        for calling, call in self._calls(function, module):
            given = _argument(call, function, param)
            if given is not None:
                found = True
                yield from self._of(given, calling, depth - 1)
        if not found:
            key = f"{module.path}:{module.line(param)}:{function.name.value}:{param.name.value}"
            declared = param.annotation.annotation if param.annotation is not None else None
            maker = self._qualified(declared, module) if declared is not None else ""
            yield Origin(key, maker)

    def _calls(
        self, function: cst.FunctionDef, home: ParsedModule
    ) -> Iterator[tuple[ParsedModule, cst.Call]]:
        """Give the calls of a function, or of its class for what makes an instance."""
        name = function.name.value
        around = home.parent(home.parent(function) or function)
        if isinstance(around, cst.ClassDef) and name == "__init__":
            name = around.name.value
        for path in self._project.readers(home.path, {name}):
            module = self._project.module(path)
            for node in module.nodes if module is not None else ():
                if module is None or not isinstance(node, cst.Call):
                    continue
                if name not in _called_names(self._project, module, node):
                    continue
                if not self._means_another(node.func, module, function):
                    yield module, node

    def _means_another(
        self, called: cst.BaseExpression, module: ParsedModule, function: cst.FunctionDef
    ) -> bool:
        """Whether a call is of another function of this name, as in a second copy of a package."""
        found = self._resolution.definition(called, module)
        if found is None or found[0].class_around(found[1]) is not None:
            # A method may be that of a subclass, which cannot be told here.
            return False
        home, definition = found
        if isinstance(definition, cst.ClassDef):
            return home.class_around(function) is not definition
        return definition is not function


def _called_names(project: Project, module: ParsedModule, call: cst.Call) -> set[str]:
    names = {dotted_name(call.func).rpartition(".")[2]}
    for source in module.referents(call.func):
        if isinstance(source, ImportAssignment):
            alias = alias_of(source.node, source.name)
            names |= {alias.evaluated_name} if alias is not None else set()
    if isinstance(call.func, cst.Name) and module.definition(call.func) is None:
        for one in rounds(project, module, call, call.func):
            given = one.bindings.get(call.func.value)
            names |= {dotted_name(given).rpartition(".")[2]} if given is not None else set()
    return names


def _argument(
    call: cst.Call, function: cst.FunctionDef, param: cst.Param
) -> cst.BaseExpression | None:
    """Return what a call gives to a parameter."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == param.name.value:
            return arg.value
    names = [p.name.value for p in (*function.params.posonly_params, *function.params.params)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    if param.name.value not in names:
        return None
    position = names.index(param.name.value)
    given = [arg for arg in call.args if arg.keyword is None]
    if position >= len(given) or any(arg.star for arg in given[: position + 1]):
        return None
    return given[position].value
