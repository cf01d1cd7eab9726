"""Which function or class of the project an expression means, wherever it is defined.

A name, an attribute of a module of the project, or a method of an instance that was made in sight:
`start_workflow`, `handlers.start_workflow`, `WorkflowTools(engine).start_workflow`. Pure.
"""

from collections.abc import Iterable

import libcst as cst
from libcst.metadata import ImportAssignment

from mcp_server.cutover.loops import attribute_value
from mcp_server.cutover.parsed import Definition, ParsedModule
from mcp_server.cutover.project import Project, alias_of, dotted_name

Found = tuple[ParsedModule, Definition]

_DEPTH = 6


class Resolution:
    """Follows expressions to definitions."""

    def __init__(self, project: Project) -> None:
        """Take the project that definitions are looked for in."""
        self._project = project

    def definition(
        self, node: cst.BaseExpression, module: ParsedModule, depth: int = _DEPTH
    ) -> Found | None:
        """Return the definition that an expression means, with its module."""
        if depth == 0:
            return None
        match node:
            case cst.Name():
                return self._named(node, module, depth)
            case cst.Attribute(value=owner, attr=attr):
                return self._member(owner, attr.value, module, depth)
            case cst.Call(args=[cst.Arg(value=inner), *_]):
                # A call that wraps a function: a decorator, or functools.partial.
                return self.definition(inner, module, depth - 1)
        return None

    def _named(self, node: cst.Name, module: ParsedModule, depth: int) -> Found | None:
        here = module.definition(node)
        if here is not None:
            return module, here
        for source in module.referents(node):
            if not isinstance(source, ImportAssignment):
                continue
            alias = alias_of(source.node, node.value)
            target = self._project.imported(alias, module) if alias is not None else None
            home = self._project.module(target.path) if target and target.name else None
            if home is not None and target is not None and target.name is not None:
                return self._of_module(home, target.name, depth)
        value = module.value(node)
        return self.definition(value, module, depth - 1) if value is not None else None

    def _of_module(self, home: ParsedModule, name: str, depth: int) -> Found | None:
        found = _defined(home.tree.body, name)
        if found is not None:
            return home, found
        for line in home.tree.body:
            for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                alias = alias_of(small, name)
                target = self._project.imported(alias, home) if alias is not None else None
                further = self._project.module(target.path) if target and target.name else None
                if further is not None and target and target.name and depth:
                    return self._of_module(further, target.name, depth - 1)
        return None

    def _member(
        self, owner: cst.BaseExpression, name: str, module: ParsedModule, depth: int
    ) -> Found | None:
        path = self._project.module_meant(owner, module)
        home = self._project.module(path) if path is not None else None
        if home is not None:
            return self._of_module(home, name, depth)
        found = self._class_of(owner, module, depth)
        if found is None or not isinstance(found[1], cst.ClassDef):
            return None
        method = _defined(found[1].body.body, name)
        return (found[0], method) if method is not None else None

    def _class_of(
        self, owner: cst.BaseExpression, module: ParsedModule, depth: int
    ) -> Found | None:
        """Return the class of an instance, or the class that an expression is."""
        if dotted_name(owner) in {"self", "cls"}:
            around = module.class_around(owner)
            return (module, around) if around is not None else None
        value: cst.BaseExpression | None = owner
        if isinstance(owner, cst.Name):
            value = module.value(owner) or owner
        elif isinstance(owner, cst.Attribute) and dotted_name(owner.value) == "self":
            value = attribute_value(module, owner, owner.attr.value)
        made = value.func if isinstance(value, cst.Call) else value
        return self.definition(made, module, depth - 1) if made is not None else None


def _defined(body: Iterable[cst.CSTNode], name: str) -> Definition | None:
    found = [
        node
        for node in body
        if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.name.value == name
    ]
    return found[0] if len(found) == 1 else None
