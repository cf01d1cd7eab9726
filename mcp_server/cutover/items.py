"""What of a module can be taken away as a whole: functions, classes, plain assignments, imports.

A function or class counts when nothing but the binding of its name happens where it is defined, an
assignment when its value is inert, an import always: what it binds is all that its removal takes
away, and it goes only when all that read the name goes. Pure.
"""

from dataclasses import dataclass

import libcst as cst
from libcst.metadata import (
    BaseAssignment,
    ClassScope,
    ComprehensionScope,
    GlobalScope,
    ImportAssignment,
    Scope,
)

from mcp_server.cutover.inertness import can_go, is_inert, only_wraps
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import alias_of


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One thing that may go: the node that is taken away, and the name that it binds."""

    module: ParsedModule
    node: cst.CSTNode
    name: str = ""
    is_global: bool = False
    is_method: bool = False
    is_seed: bool = False
    """Whether it goes in any case: a registration of an old tool."""


class ItemsOf:
    """The items of one module, by what binds them and by where they stand."""

    def __init__(self, module: ParsedModule, seeds: list[cst.CSTNode], old: set[int]) -> None:
        """Take the nodes that go in any case, and the ids of the functions of old tools."""
        self.module = module
        self._old = old
        self._by_node = {id(node): Item(module, node, is_seed=True) for node in seeds}
        self._by_assignment: dict[int, Item] = {}
        self._globals: dict[str, list[Item]] = {}
        self.methods: dict[str, list[Item]] = {}
        for scope in module.scopes:
            self._of_scope(scope)

    def owner(self, node: cst.CSTNode) -> Item | None:
        """Return the innermost item that a node is part of."""
        for candidate in (node, *self.module.ancestors(node)):
            found = self._by_node.get(id(candidate))
            if found is not None:
                return found
        return None

    def at(self, node: cst.CSTNode) -> Item | None:
        """Return the item that is taken away with a node."""
        return self._by_node.get(id(node))

    def bound_by(self, assignment: BaseAssignment) -> Item | None:
        """Return the item that binds a name."""
        return self._by_assignment.get(id(assignment))

    def of_global(self, name: str) -> list[Item]:
        """Return the items that bind a name of the module."""
        return self._globals.get(name, [])

    def _of_scope(self, scope: Scope) -> None:
        if isinstance(scope, ComprehensionScope):
            return
        by_name: dict[str, list[BaseAssignment]] = {}
        for assignment in scope.assignments:
            if getattr(assignment, "scope", None) is scope:
                by_name.setdefault(assignment.name, []).append(assignment)
        for name, assignments in by_name.items():
            nodes = [self._removable(assignment, scope) for assignment in assignments]
            is_read = any(assignment.references for assignment in assignments)
            if name == "__all__" or (is_read and None in nodes):
                continue
            for assignment, node in zip(assignments, nodes, strict=True):
                if node is not None:
                    self._add(assignment, node, scope)

    def _add(self, assignment: BaseAssignment, node: cst.CSTNode, scope: Scope) -> None:
        item = self._by_node.get(id(node))
        if item is None:
            is_global, is_method = isinstance(scope, GlobalScope), isinstance(scope, ClassScope)
            item = Item(self.module, node, assignment.name, is_global, is_method)
            self._by_node[id(node)] = item
            if is_global:
                self._globals.setdefault(assignment.name, []).append(item)
            if is_method:
                self.methods.setdefault(assignment.name, []).append(item)
        self._by_assignment[id(assignment)] = item

    def _removable(self, assignment: BaseAssignment, scope: Scope) -> cst.CSTNode | None:
        node = getattr(assignment, "node", None)
        if isinstance(assignment, ImportAssignment) and node is not None:
            return self._import(node, assignment.name)
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return node if self._definition_can_go(node, scope) else None
        if isinstance(node, cst.Name) and not isinstance(scope, ClassScope):
            return self._assignment(node, scope)
        return None

    def _import(self, statement: cst.CSTNode, name: str) -> cst.CSTNode | None:
        if isinstance(statement, cst.ImportFrom) and self._is_future(statement):
            return None
        return alias_of(statement, name)

    @staticmethod
    def _is_future(statement: cst.ImportFrom) -> bool:
        return isinstance(statement.module, cst.Name) and statement.module.value == "__future__"

    def _definition_can_go(self, node: cst.FunctionDef | cst.ClassDef, scope: Scope) -> bool:
        if isinstance(scope, ClassScope) and not self._is_own_method(node):
            return False
        if id(node) in self._old:
            return all(
                id(decorator) in self._by_node or only_wraps(decorator, self.module)
                for decorator in node.decorators
            )
        return can_go(node, self.module)

    def _is_own_method(self, node: cst.FunctionDef | cst.ClassDef) -> bool:
        """Whether a method is called by nothing that its class inherits from."""
        around = self.module.class_around(node)
        if around is None or not isinstance(node, cst.FunctionDef):
            return False
        bases = {base.value.value for base in around.bases if isinstance(base.value, cst.Name)}
        return (
            len(bases) == len(around.bases) and bases <= {"object"} and node.name.value[:2] != "__"
        )

    def _assignment(self, name: cst.Name, scope: Scope) -> cst.CSTNode | None:
        value = self.module.assigned(name)
        line = self.module.statement(name)
        if value is None or not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
            return None
        small = line.body[0]
        if isinstance(small, cst.Assign) and len(small.targets) != 1:
            return None
        at_home = self.module.scope(line) is scope
        return line if at_home and is_inert(value, self.module) else None
