"""A module of the project, parsed: where each node stands and what each name refers to.

Nodes are only read; all changes are edits of the text, so that what no edit names keeps its bytes.
Pure.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import libcst as cst
from libcst.metadata import (
    BaseAssignment,
    CodePosition,
    CodeRange,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

NEWLINE = re.compile(r"\r\n|\r|\n")
"""What ends a line of Python source; `str.splitlines` knows more."""

Definition = cst.FunctionDef | cst.ClassDef


class ParsedModule:
    """One module with its text; raises `libcst.ParserSyntaxError` when it does not parse."""

    def __init__(self, path: str, source: str) -> None:
        """Parse the text of the module at `path`."""
        self.path = path
        self.source = source
        # The parser makes every node anew, so the copy that would make them unique is not needed.
        self._wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
        self.tree = self._wrapper.module

    @cached_property
    def _positions(self) -> Mapping[cst.CSTNode, CodeRange]:
        return self._wrapper.resolve(PositionProvider)

    @cached_property
    def _parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        return self._wrapper.resolve(ParentNodeProvider)

    @cached_property
    def _scopes(self) -> Mapping[cst.CSTNode, Scope | None]:
        return self._wrapper.resolve(ScopeProvider)

    @cached_property
    def line_starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in NEWLINE.finditer(self.source))]

    @cached_property
    def nodes(self) -> tuple[cst.CSTNode, ...]:
        """Every node that has a place, in the order of the text."""
        placed = [node for node in self._positions if node is not self.tree]
        return tuple(sorted(placed, key=lambda node: (self.start(node), -self.end(node))))

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """Every scope of the module."""
        return tuple({id(scope): scope for scope in self._scopes.values() if scope}.values())

    @cached_property
    def _referents(self) -> dict[int, tuple[BaseAssignment, ...]]:
        return {
            id(access.node): tuple(access.referents)
            for scope in self.scopes
            for access in scope.accesses
        }

    def start(self, node: cst.CSTNode) -> int:
        """Return the offset of a node's first character, decorators included."""
        if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.decorators:
            return self.start(node.decorators[0])
        return self._offset(self._positions[node].start)

    def end(self, node: cst.CSTNode) -> int:
        """Return the offset after a node's last character."""
        return self._offset(self._positions[node].end)

    def _offset(self, at: CodePosition) -> int:
        # Where the last line has no end, the parser sees one all the same.
        past = at.line > len(self.line_starts)
        return len(self.source) if past else self.line_starts[at.line - 1] + at.column

    def line(self, node: cst.CSTNode) -> int:
        """Return the line that a node begins on."""
        return self._positions[node].start.line

    def text(self, node: cst.CSTNode) -> str:
        """Return what is written."""
        return self.source[self.start(node) : self.end(node)]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node around a node."""
        return self._parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Give the nodes around a node, the innermost first."""
        around = self.parent(node)
        while around is not None:
            yield around
            around = self.parent(around)

    def scope(self, node: cst.CSTNode) -> Scope | None:
        """Return the scope that a node is in."""
        for candidate in (node, *self.ancestors(node)):
            found = self._scopes.get(candidate)
            if found is not None:
                return found
        return None

    def statement(self, node: cst.CSTNode) -> cst.BaseStatement | None:
        """Return the innermost whole statement that a node is part of."""
        for candidate in (node, *self.ancestors(node)):
            if isinstance(candidate, cst.SimpleStatementLine | cst.BaseCompoundStatement):
                return candidate
        return None

    def function_around(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """Return the function whose body a node is in."""
        inside = node
        for around in self.ancestors(node):
            if isinstance(around, cst.FunctionDef) and inside is around.body:
                return around
            inside = around
        return None

    def class_around(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """Return the class that a node is in, also from inside a method."""
        for around in self.ancestors(node):
            if isinstance(around, cst.ClassDef):
                return around
        return None

    def referents(self, name: cst.CSTNode) -> tuple[BaseAssignment, ...]:
        """Return all that a name that is read may have been bound by."""
        return self._referents.get(id(name), ())

    def root_referents(self, node: cst.BaseExpression) -> tuple[BaseAssignment, ...]:
        """Return all that the first name of a chain of attributes may have been bound by."""
        while isinstance(node, cst.Attribute):
            node = node.value
        return self.referents(node)

    def definition(self, name: cst.CSTNode) -> Definition | None:
        """Return the one function or class that a name stands for."""
        match self.referents(name):
            case (BaseAssignment() as only,):
                node = getattr(only, "node", None)
                return node if isinstance(node, cst.FunctionDef | cst.ClassDef) else None
        return None

    def value(self, name: cst.CSTNode) -> cst.BaseExpression | None:
        """Return the expression that a name was given, if it was given one only."""
        match self.referents(name):
            case (BaseAssignment() as only,):
                return self.assigned(getattr(only, "node", None))
        return None

    def assigned(self, target: cst.CSTNode | None) -> cst.BaseExpression | None:
        """Return what a plain assignment gives to the name that is its target."""
        around = self.parent(target) if target is not None else None
        if isinstance(around, cst.AnnAssign):
            return around.value
        assign = self.parent(around) if isinstance(around, cst.AssignTarget) else None
        return assign.value if isinstance(assign, cst.Assign) else None
