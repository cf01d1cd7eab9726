"""What name a tool is registered under, as far as it can be told without running anything.

A name is folded into parts: text that is certain, and holes for what is computed. Only a name
without holes is acted upon; one whose certain parts could belong to an old tool is shown to a
person. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import Assignment, ImportAssignment

from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project, alias_of

Bindings = Mapping[str, cst.BaseExpression]
"""The element that stands for each variable of a loop."""

_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in parts, None where it is computed."""

    parts: tuple[str | None, ...]

    @property
    def value(self) -> str | None:
        """Return the text if all of it is certain."""
        return None if None in self.parts else "".join(part for part in self.parts if part)

    def may_be(self, name: str) -> bool:
        """Whether a text with something certain in it could turn out to be `name`."""
        if not any(self.parts):
            return False
        pattern = "".join(".*" if part is None else re.escape(part) for part in self.parts)
        return re.fullmatch(pattern, name) is not None


UNKNOWN = Folded((None,))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads names in one module, with the variables of a loop standing for one round of it."""

    project: Project
    module: ParsedModule
    bindings: Bindings
    home: ParsedModule | None = None
    """The module that the bindings are written in, where it is another one."""
    depth: int = 0

    def resolve(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return what stands for a variable of the loop, or the expression itself."""
        return self.bindings.get(node.value, node) if isinstance(node, cst.Name) else node

    def _bound_reader(self) -> "Reader":
        return self._deeper(self.home or self.module)

    def fold(self, node: cst.BaseExpression) -> Folded:
        """Return what is certain of a text."""
        match node:
            case cst.Name(value=name) if name in self.bindings:
                return self._bound_reader().fold(self.bindings[name])
            case cst.SimpleString():
                return Folded((literal(node),))
            case cst.Attribute(value=function, attr=cst.Name(value="__name__")):
                named = self.function_name(function)
                return UNKNOWN if named is None else Folded((named,))
            case cst.Name() | cst.Attribute() if self.depth < _DEPTH:
                return self._constant(node)
        return Folded(tuple(part for folded in self._pieces(node) for part in folded.parts))

    def _pieces(self, node: cst.BaseExpression) -> list[Folded]:
        """Return a text that is put together piece by piece."""
        match node:
            case (
                cst.ConcatenatedString(left=left, right=right)
                | cst.BinaryOperation(left=left, operator=cst.Add(), right=right)
            ):
                return [self.fold(left), self.fold(right)]
            case cst.FormattedString(parts=parts):
                return [self._part(part) for part in parts]
        return [UNKNOWN]

    def _part(self, part: cst.BaseFormattedStringContent) -> Folded:
        if isinstance(part, cst.FormattedStringText):
            return Folded((part.value if "\\" not in part.value else None,))
        if isinstance(part, cst.FormattedStringExpression) and not (
            part.conversion or part.format_spec or part.equal
        ):
            return self.fold(part.expression)
        return UNKNOWN

    def _constant(self, node: cst.Name | cst.Attribute) -> Folded:
        value = self.module.value(node) if isinstance(node, cst.Name) else self._member(node)
        if value is not None:
            return self._deeper(self.module).fold(value)
        found = imported_value(self.project, self.module, node)
        return self._deeper(found[0]).fold(found[1]) if found is not None else UNKNOWN

    def _member(self, node: cst.Attribute) -> cst.BaseExpression | None:
        """Return what a class gives to a name of its own, where only its body does."""
        around = self.module.definition(node.value)
        if not isinstance(around, cst.ClassDef) or around.bases:
            return None
        return class_value(around, node.attr.value)

    def _deeper(self, module: ParsedModule) -> "Reader":
        return Reader(self.project, module, {}, depth=self.depth + 1)

    def function_name(self, node: cst.BaseExpression) -> str | None:
        """Return the name that a function bears, where it is defined or comes from is known."""
        if isinstance(node, cst.Name) and node.value in self.bindings:
            return self._bound_reader().function_name(self.bindings[node.value])
        match node:
            case cst.Name():
                return self._bound_name(node)
            case cst.Attribute(attr=attr):
                return attr.value
            case cst.Call(func=cst.Name(value="getattr"), args=[_, name]):
                return self.fold(name.value).value
            case cst.Call(args=[cst.Arg(value=inner), *_]):
                return self.function_name(inner)
        return None

    def _bound_name(self, node: cst.Name) -> str | None:
        definition = self.module.definition(node)
        if definition is not None:
            return definition.name.value
        match self.module.referents(node):
            case (ImportAssignment(node=statement),):
                alias = alias_of(statement, node.value)
                return None if alias is None else alias.evaluated_name
            case (Assignment(),) if self.depth < _DEPTH:
                value = self.module.value(node)
                return None if value is None else self._deeper(self.module).function_name(value)
        return None


def imported_value(
    project: Project, module: ParsedModule, name: cst.BaseExpression
) -> tuple[ParsedModule, cst.BaseExpression] | None:
    """Return what another module of the project assigns to an imported name, with that module."""
    for source in module.referents(name):
        alias = alias_of(source.node, source.name) if isinstance(source, ImportAssignment) else None
        target = project.imported(alias, module) if alias is not None else None
        home = project.module(target.path) if target is not None and target.name else None
        if home is not None and target is not None and target.name is not None:
            value = global_value(home, target.name)
            return None if value is None else (home, value)
    return None


def literal(node: cst.SimpleString) -> str | None:
    """Return the text of a plain string, None for bytes and for one with escapes."""
    if "\\" in node.raw_value or "b" in node.prefix:
        return None
    return node.raw_value


def class_value(around: cst.ClassDef, name: str) -> cst.BaseExpression | None:
    """Return what the body of a class assigns to a name, once."""
    return _only_value(around.body.body, name)


def global_value(module: ParsedModule, name: str) -> cst.BaseExpression | None:
    """Return what a module assigns to a name, once."""
    return _only_value(module.tree.body, name)


def _only_value(body: object, name: str) -> cst.BaseExpression | None:
    found = []
    for line in body if isinstance(body, list | tuple) else ():
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            match small:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=written))]):
                    found += [small.value] if written == name else []
                case cst.AnnAssign(target=cst.Name(value=written), value=cst.BaseExpression() as v):
                    found += [v] if written == name else []
    return found[0] if len(found) == 1 else None
