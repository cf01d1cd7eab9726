"""Loops over collections that are written out in the source: one round for each entry.

    for f in (start_workflow, get_task): ...
    for name, f in TOOLS.items(): ...
    for name, f, description in self._tools: ...

Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.naming import Bindings, class_value, imported_value
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project

Entry = cst.BaseElement | cst.BaseDictElement
Collection = cst.Tuple | cst.List | cst.Set | cst.Dict


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One round of a loop: the entry it is for, and what the variables stand for in it."""

    loop: cst.For
    home: ParsedModule
    """The module that the collection is written in."""
    collection: Collection
    entry: Entry
    bindings: Bindings


def rounds(
    project: Project,
    module: ParsedModule,
    inside: cst.CSTNode,
    *used: cst.BaseExpression | None,
) -> list[Round]:
    """Return the rounds of the loop whose variables are used, none where there is no such loop."""
    names = {
        node.value for expression in used if expression is not None for node in _names(expression)
    }
    for loop in module.ancestors(inside):
        if isinstance(loop, cst.FunctionDef | cst.ClassDef):
            return []
        if isinstance(loop, cst.For) and names & {node.value for node in _names(loop.target)}:
            return list(_rounds(project, module, loop))
    return []


def _rounds(project: Project, module: ParsedModule, loop: cst.For) -> Iterator[Round]:
    over, view = loop.iter, ""
    match over:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=method)), args=[]):
            over, view = inner, method
        case cst.Call(func=cst.Name(value="list" | "tuple" | "sorted"), args=[only]):
            over = only.value
    home, found = written_out(project, module, over)
    if found is None:
        return
    for entry in found.elements:
        given = _given(entry, view)
        bindings = bound(loop.target, given) if given is not None else None
        if bindings is None:
            continue
        yield Round(loop, home, found, entry, bindings)


def written_out(
    project: Project, module: ParsedModule, node: cst.BaseExpression
) -> tuple[ParsedModule, Collection | None]:
    """Return the collection that an expression means, with the module that it is written in."""
    found = imported_value(project, module, node) if isinstance(node, cst.Name) else None
    if found is not None:
        home, value = found
        return home, collection(home, value)
    return module, collection(module, node)


def collection(module: ParsedModule, node: cst.BaseExpression) -> Collection | None:
    """Return the collection that an expression is, or is a name of."""
    match node:
        case cst.Tuple() | cst.List() | cst.Set() | cst.Dict():
            return node
        case cst.Name():
            value = module.value(node)
            return collection(module, value) if value is not None else None
        case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=attr):
            value = attribute_value(module, node, attr.value)
            return collection(module, value) if value is not None else None
        case cst.Attribute(value=cst.Name() as owner, attr=attr):
            around = module.definition(owner)
            value = class_value(around, attr.value) if isinstance(around, cst.ClassDef) else None
            return collection(module, value) if value is not None else None
    return None


def attribute_value(
    module: ParsedModule, node: cst.CSTNode, name: str
) -> cst.BaseExpression | None:
    """Return what the class around a node gives to an attribute of itself, once."""
    around = module.class_around(node)
    if around is None:
        return None
    found = [value for value in (class_value(around, name),) if value is not None]
    for target in module.nodes:
        match target:
            case cst.Attribute(
                value=cst.Name(value="self" | "cls"), attr=cst.Name(value=written)
            ) if written == name and module.class_around(target) is around:
                value = module.assigned(target)
                found += [value] if value is not None else []
    return found[0] if len(found) == 1 else None


def _given(entry: Entry, view: str) -> cst.BaseExpression | None:
    match entry:
        case cst.DictElement(key=key, value=value):
            both = cst.Tuple([cst.Element(key), cst.Element(value)])
            return {"": key, "keys": key, "values": value, "items": both}.get(view)
        case cst.Element(value=value) if not view:
            return value
    return None


def bound(target: cst.BaseExpression, given: cst.BaseExpression) -> Bindings | None:
    """Return what each variable of a loop is bound to, None where that cannot be told."""
    match target, given:
        case cst.Name(value=name), _:
            return {name: given}
        case ((cst.Tuple() | cst.List()), (cst.Tuple() | cst.List())):
            wanted = [element.value for element in target.elements]
            values = [element.value for element in given.elements]
            if len(wanted) != len(values):
                return None
            together = [bound(one, value) for one, value in zip(wanted, values, strict=True)]
            merged: dict[str, cst.BaseExpression] = {}
            for part in together:
                if part is None:
                    return None
                merged |= part
            return merged
    return None


def _names(node: cst.BaseExpression) -> Iterator[cst.Name]:
    if isinstance(node, cst.Name):
        yield node
    for child in node.children:
        if isinstance(child, cst.BaseExpression):
            yield from _names(child)
        else:
            for inner in child.children:
                if isinstance(inner, cst.BaseExpression):
                    yield from _names(inner)
