"""Turns what goes into edits of one module: statements, names of imports, entries, decorators.

A block that loses all its statements goes with what it belongs to, where that does nothing else,
and gets a `pass` otherwise. Pure.
"""

from collections.abc import Iterable

import libcst as cst

from mcp_server.cutover.elements import drop_elements
from mcp_server.cutover.inertness import is_inert
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.text_edits import TextEdits

Block = cst.BaseSuite | cst.Module


class Removal:
    """What goes from one module; `kept` are statements whose place something else will take."""

    def __init__(self, module: ParsedModule, nodes: Iterable[cst.CSTNode]) -> None:
        """Take the nodes that go."""
        self._module = module
        self._gone = {id(node): node for node in nodes}
        self._statements = {id(s): s for s in map(self._whole_statement, self._gone.values()) if s}
        self._else_blocks: dict[int, cst.Else] = {}
        self._emptied: dict[int, cst.BaseSuite] = {}

    def goes(self, statement: cst.CSTNode) -> bool:
        """Whether a statement goes as a whole, alone or with what is around it."""
        return id(statement) in self._statements or self.goes_with_another(statement)

    def _whole_statement(self, node: cst.CSTNode) -> cst.BaseStatement | None:
        """Return the statement that goes as a whole when a node goes."""
        if isinstance(node, cst.BaseCompoundStatement | cst.SimpleStatementLine):
            return node
        line = self._module.parent(node)
        if isinstance(node, cst.Expr) and isinstance(line, cst.SimpleStatementLine):
            return line if all(id(small) in self._gone for small in line.body) else None
        if isinstance(node, cst.Expr) and isinstance(line, cst.SimpleStatementSuite):
            owner = self._module.parent(line)
            all_go = all(id(small) in self._gone for small in line.body)
            if all_go and isinstance(owner, cst.If) and self._goes_with_its_block(owner, set()):
                return owner
        if isinstance(node, cst.ImportAlias) and line is not None:
            around = self._module.parent(line)
            names = line.names if isinstance(line, cst.Import | cst.ImportFrom) else ()
            whole = not isinstance(names, cst.ImportStar) and all(
                id(n) in self._gone for n in names
            )
            if whole and isinstance(around, cst.SimpleStatementLine) and len(around.body) == 1:
                return around
        return None

    def also(self, statement: cst.BaseStatement) -> None:
        """Let one more statement go."""
        self._statements[id(statement)] = statement

    def settle(self, filled: set[int]) -> None:
        """Find the blocks that are left empty; those whose ids are given get something new."""
        pending = [self._module.parent(statement) for statement in self._statements.values()]
        while pending:
            block = pending.pop()
            if not isinstance(block, cst.BaseSuite) or id(block) in filled:
                continue
            if not all(id(statement) in self._statements for statement in block.body):
                continue
            owner = self._module.parent(block)
            if self._goes_with_its_block(owner, filled) and owner is not None:
                self._statements[id(owner)] = owner  # type: ignore[assignment]
                pending.append(self._module.parent(owner))
            else:
                self._emptied[id(block)] = block

    def _goes_with_its_block(self, owner: cst.CSTNode | None, filled: set[int]) -> bool:
        match owner:
            case cst.If(test=test, orelse=None):
                is_elif = isinstance(self._module.parent(owner), cst.If)
                return not is_elif and is_inert(test, self._module)
            case cst.Try(body=body, orelse=None, finalbody=None):
                # What is empty raises nothing, so that no handler is ever reached.
                return self._is_bare(body) and id(body) not in filled
        return False

    def _is_bare(self, block: cst.BaseSuite) -> bool:
        return all(id(s) in self._statements or _is_pass(s) for s in block.body)

    def write(self, edits: TextEdits) -> None:
        """Write the edits."""
        for statement in self._statements.values():
            if self.goes_with_another(statement):
                continue
            start, end = self._module.start(statement), self._module.end(statement)
            emptied = self._emptied.get(id(self._module.parent(statement)))
            if emptied is not None and emptied.body[0] is statement:
                edits.add_line(start, f"{edits.indent_at(start)}pass")
            edits.drop_lines(start, end)
        self._write_parts(edits)

    def _write_parts(self, edits: TextEdits) -> None:
        sequences: dict[int, cst.CSTNode] = {}
        for node in self._gone.values():
            if self.goes_with_another(node) or id(node) in self._statements:
                continue
            if isinstance(node, cst.Decorator):
                start, end = self._module.start(node), self._module.end(node)
                edits.replace(*edits.line_span(start, end), "")
            elif isinstance(node, cst.Expr):
                self._write_small(edits, node)
            elif isinstance(node, cst.BaseElement | cst.BaseDictElement | cst.ImportAlias):
                around = self._module.parent(node)
                if around is not None and not self.goes(around):
                    sequences[id(around)] = around
        for around in sequences.values():
            parts = getattr(around, "names", getattr(around, "elements", ()))
            drop_elements(edits, self._module, parts, set(self._gone), around)

    def _write_small(self, edits: TextEdits, node: cst.Expr) -> None:
        """Take one of several statements out of its line."""
        line = self._module.parent(node)
        small = list(line.body) if isinstance(line, cst.SimpleStatementLine) else []
        index = small.index(node) if node in small else -1
        start, end = self._module.start(node), self._module.end(node)
        if 0 <= index < len(small) - 1:
            edits.replace(start, self._module.start(small[index + 1]), "")
        elif index > 0:
            edits.replace(self._module.end(small[index - 1]), end, "")
        else:
            edits.replace(start, end, "pass")

    def goes_with_another(self, node: cst.CSTNode) -> bool:
        """Whether a node is part of a statement that goes."""
        return any(id(around) in self._statements for around in self._module.ancestors(node))


def _is_pass(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(small, cst.Pass) for small in statement.body
    )
