"""The two ways to register `aos_workflow`: a function of our package, or of a bridge. Pure."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project, dotted_name
from mcp_server.cutover.text_edits import TextEdits

Style = Literal["import", "bridge"]

BRIDGE = "aos_workflow_bridge"
FUNCTIONS = {"import": "setup_server", "bridge": "register_aos_workflow"}

_QUALIFIED = ("mcp_server.server.setup_server", f"{BRIDGE}.register_aos_workflow")


@dataclass(frozen=True, slots=True)
class NewRegistration:
    """How one module registers `aos_workflow`."""

    source: str
    """The module that the function is imported from, as the import writes it."""
    function: str
    alias: str

    @property
    def statement(self) -> str:
        """The import."""
        renamed = f" as {self.alias}" if self.alias != self.function else ""
        return f"from {self.source} import {self.function}{renamed}"

    def call(self, host: str) -> str:
        """Return the call for a server."""
        return f"{self.alias}({host})"


def new_registration(project: Project, module: ParsedModule, style: Style) -> NewRegistration:
    """Return how a module registers `aos_workflow`."""
    function = FUNCTIONS[style]
    source = "mcp_server.server" if style == "import" else _sibling(project, module)
    taken = any(
        scope_assignment.name == function
        for scope in module.scopes
        for scope_assignment in scope.assignments
    )
    alias = f"{function}_of_aos_workflow" if taken else function
    return NewRegistration(source, function, alias)


def imports_already(module: ParsedModule, new: NewRegistration) -> bool:
    """Whether a module has the import."""
    return any(
        isinstance(node, cst.ImportFrom)
        and "." * len(node.relative) + dotted_name(node.module) == new.source
        and not isinstance(node.names, cst.ImportStar)
        and any(alias.evaluated_name == new.function for alias in node.names)
        for node in module.nodes
    )


def registered_hosts(module: ParsedModule) -> Iterator[cst.BaseExpression]:
    """Give the servers on which a module registers `aos_workflow` already."""
    for node in module.nodes:
        match node:
            case cst.Call(func=cst.Name() as function, args=[only]):
                scope = module.scope(function)
                names = scope.get_qualified_names_for(function) if scope is not None else ()
                if any(name.name.endswith(_QUALIFIED) for name in names):
                    yield only.value


def add_import(edits: TextEdits, module: ParsedModule, text: str, before: int) -> None:
    """Add an import after the last one at the head of a module, and before an offset."""
    last: cst.BaseStatement | cst.BaseSmallStatement | None = None
    for statement in module.tree.body:
        if module.start(statement) >= before:
            break
        if _is_import(statement):
            last = statement
        elif not _belongs_to_head(statement):
            break
    if last is not None:
        edits.add_after(module.end(last), text)
        return
    first = module.tree.body[0]
    if _is_docstring(first):
        edits.add_after(module.end(first), edits.newline + text)
    else:
        blanks = 2 if isinstance(first, cst.FunctionDef | cst.ClassDef) else 1
        edits.add_before(module.start(first), text + edits.newline * blanks)


def _is_import(statement: cst.BaseStatement | cst.BaseSmallStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(small, cst.Import | cst.ImportFrom) for small in statement.body
    )


def _belongs_to_head(statement: cst.BaseStatement | cst.BaseSmallStatement) -> bool:
    """Whether imports may follow: a docstring, a guarded import, a plain assignment."""
    if isinstance(statement, cst.Try | cst.If):
        return True
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(small, cst.Expr | cst.Assign | cst.AnnAssign) for small in statement.body
    )


def _is_docstring(statement: cst.BaseStatement | cst.BaseSmallStatement) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )


def _sibling(project: Project, module: ParsedModule) -> str:
    """Return the bridge as a module beside this one is imported from it."""
    folder = module.path.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    stems = {
        path.removeprefix(prefix).removesuffix(".py").removesuffix("/__init__")
        for path in project.sources
        if path.startswith(prefix)
    } - sys.stdlib_module_names
    for node in module.nodes:
        if isinstance(node, cst.ImportFrom) and node.relative:
            return f".{BRIDGE}"
        if isinstance(node, cst.ImportFrom | cst.Import) and _plain_roots(node) & stems:
            return BRIDGE
    if folder and f"{prefix}__init__.py" in project.sources:
        return f".{BRIDGE}"
    package = _package(project, module, folder) if folder else ""
    return f"{package}.{BRIDGE}" if package else BRIDGE


def _package(project: Project, module: ParsedModule, folder: str) -> str:
    """Return the dotted name of a folder without an `__init__.py`, as imports write it."""
    for node in module.nodes:
        if not isinstance(node, cst.ImportFrom) or node.relative:
            continue
        dotted = dotted_name(node.module)
        path = project.named(dotted, 0, module.path)
        whole = path.removesuffix("/__init__.py").removesuffix(".py") if path is not None else ""
        root = whole.removesuffix(dotted.replace(".", "/"))
        if path is not None and folder.startswith(root):
            return folder.removeprefix(root).replace("/", ".")
    return ""


def _plain_roots(node: cst.Import | cst.ImportFrom) -> set[str]:
    if isinstance(node, cst.ImportFrom):
        return {dotted_name(node.module).split(".")[0]}
    return {alias.evaluated_name.split(".")[0] for alias in node.names}


def bridge_path(module: ParsedModule) -> str:
    """Return where the bridge of a module stands."""
    folder = module.path.rpartition("/")[0]
    return f"{folder}/{BRIDGE}.py" if folder else f"{BRIDGE}.py"
