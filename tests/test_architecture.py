"""The structure that the code promises: arrows point down, pure stays pure, small stays small."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "mcp_server"
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(PACKAGE / "workflows")
)

LAYERS = (
    "__init__",
    "interpreter",
    "errors",
    "editing",
    "gates",
    "core",
    "config",
    "pages",
    "server",
    "verifying",
    "__main__",
    "viewing",
    "example",
    "demo",
    "validating",
    "importing",
    "maintenance",
    "moving",
    "cutover",
    "http",
    "terminal",
    "trusting",
    "approving",
    "throwaway",
    "selftest",
    "linting",
    "scaffolding",
    "authoring",
    "statistics",
    "setting_up",
    "doctor",
    "cli",
)
"""Lowest first; a module imports from its own layer and from lower ones."""

PURE = (
    "core/artifacts",
    "core/callers",
    "core/criteria_gate",
    "core/definitions",
    "core/dynamic",
    "core/encoding",
    "core/halves",
    "core/identifiers",
    "core/journal",
    "core/legacy",
    "core/lifecycle",
    "core/limits",
    "core/markdown",
    "core/models",
    "core/named_validators",
    "core/paging",
    "core/postgres/keys",
    "core/postgres/rows",
    "core/postgres/statements",
    "core/refusals",
    "core/rendering",
    "core/restoring",
    "core/selection",
    "core/stand_in",
    "core/state_answer",
    "core/store",
    "core/task_list",
    "core/task_notes",
    "core/task_outline",
    "core/task_references",
    "core/task_sections",
    "core/task_walk",
    "core/task_wording",
    "core/tasks_markdown",
    "core/tasks_yaml",
    "core/transitions",
    "core/verification",
    "core/views",
    "core/waiting",
    "core/watching",
    "cutover/calls",
    "cutover/changes",
    "cutover/counts",
    "cutover/elements",
    "cutover/findings",
    "cutover/front_matter",
    "cutover/inertness",
    "cutover/insertion",
    "cutover/items",
    "cutover/json_mentions",
    "cutover/json_tree",
    "cutover/leftovers",
    "cutover/liveness",
    "cutover/loops",
    "cutover/mentions",
    "cutover/naming",
    "cutover/new_registration",
    "cutover/obsolete",
    "cutover/origins",
    "cutover/parsed",
    "cutover/permissions",
    "cutover/project",
    "cutover/prose_mentions",
    "cutover/python_plan",
    "cutover/recounts",
    "cutover/removal",
    "cutover/resolution",
    "cutover/rewriting",
    "cutover/selection",
    "cutover/spellings",
    "cutover/text_edits",
    "doctor/findings",
    "editing/json_text",
    "editing/toml_text",
    "core/visible",
    "gates/commands",
    "gates/evaluation",
    "gates/expressions",
    "gates/hostile",
    "gates/model",
    "gates/observation",
    "gates/plausible",
    "gates/plausible_files",
    "gates/probe_settings",
    "gates/schema",
    "gates/vocabulary",
    "gates/yaml_source",
    "linting/gate_schema",
    "linting/json_keywords",
    "linting/metadata_schema",
    "linting/problems",
    "linting/strength",
    "linting/verify_schema",
    "pages/diagram",
    "pages/escaping",
    "pages/history_page",
    "pages/page",
    "pages/session_page",
    "pages/tables",
    "pages/words",
    "pages/workflow_list",
    "server/framing",
    "server/tools/actions",
    "server/tools/redaction",
    "statistics/charts",
    "statistics/figures",
    "statistics/reading",
    "statistics/tables",
    "validating/as_junit",
    "validating/outcomes",
    "validating/table",
    "validating/targets",
    "setting_up/clients",
    "setting_up/configs",
    "viewing/board",
    "viewing/session_text",
    "viewing/session_view",
    "viewing/check_shapes",
    "viewing/shapes",
    "viewing/signs",
    "viewing/workflows_text",
    "viewing/workflows_view",
)
IMPURE_IMPORTS = {
    "os",
    "pathlib",
    "time",
    "secrets",
    "random",
    "tempfile",
    "subprocess",
    "io",
    "shutil",
}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer_of(dotted: str) -> int | None:
    parts = dotted.split(".")
    if parts[0] != "mcp_server":
        return None
    return LAYERS.index(parts[1]) if parts[1:] and not parts[1].startswith("__v") else -1


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_from_its_own_layer_and_lower_ones_only(path):
    own = layer_of(f"mcp_server.{name_of(path).replace('/', '.')}")
    imported = [layer_of(name) for name in imports_of(path)]
    assert all(layer <= own for layer in imported if layer is not None)


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_touches_neither_clock_nor_disk_nor_environment(name):
    path = PACKAGE / f"{name}.py"
    imported = {module.split(".")[0] for module in imports_of(path)}
    assert not imported & IMPURE_IMPORTS
    # JSON is the encoding's business; `editing` writes single texts and numbers of other programs.
    assert "json" not in imported or name.startswith(("core/encoding", "editing/"))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"open", "print", "input", "datetime.now", "datetime.utcnow"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_evaluated_as_code(path):
    names = {node.func.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    assert not names & {"eval", "exec", "compile", "__import__"}


def test_only_the_file_store_and_its_helper_write_or_lock_state():
    writing = {"core/file_store", "core/durable", "core/file_evidence", "core/file_locks"}
    locking = {
        name_of(path) for path in MODULES if any(i.startswith("filelock") for i in imports_of(path))
    }
    assert locking == {"core/file_locks"}
    # What the cutover writes is no state: other people's files, and backups of them.
    cutover = {"cutover/applying", "cutover/backup", "cutover/files"}
    users = {name_of(p) for p in MODULES if "mcp_server.core.durable" in imports_of(p)}
    # Tokens are no state, but are to survive a crash as well.
    assert users <= writing | cutover | {"http/tokens"}
    callers = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"write_text", "write_bytes", "unlink", "rmtree", "ftruncate", "mkdir"}
    }
    assert callers <= writing | cutover | {
        "authoring",
        "demo",
        "example",
        "gates/trust",
        "http/tokens",
        "scaffolding",
        "setting_up/writing",
        "throwaway",
        # Its throw-away project, and the report that a person asks for.
        "validating/command",
        "validating/project",
    }


def test_the_dispatcher_holds_the_only_handler_of_every_exception_of_ours():
    broad = [
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]
    # Code of other packages runs in the first; the second answers for all of ours.
    assert broad == ["gates/plugins", "server/tools/workflow_tools"]


def test_handlers_neither_catch_nor_branch():
    tree = ast.parse((PACKAGE / "server/tools/workflow_tools.py").read_text(encoding="utf-8"))
    handlers = [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)
                and node.name.startswith("_handle_")]  # fmt: skip
    assert len(handlers) == 14
    for handler in handlers:
        assert not any(
            isinstance(n, ast.If | ast.Try | ast.For | ast.While) for n in ast.walk(handler)
        )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name
