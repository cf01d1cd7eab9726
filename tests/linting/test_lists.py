"""Lists of work: what lints without an error can be followed."""

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app

TASKS = "## Phase 1: Build\n\n### Task 1.1: Lay\n\n### Validation Gate\n\n- [ ] Tests pass\n"
YAML = "phases:\n  - {number: 1, name: A, purpose: B, tasks: [{number: 1, name: c, purpose: D}]}\n"


@pytest.fixture
def spec(project):
    folder = project / "spec"
    folder.mkdir()
    (folder / "tasks.md").write_text(TASKS, encoding="utf-8")
    return folder


def lint(*paths):
    result = CliRunner().invoke(app, ["lint", *map(str, paths)])
    return result.exit_code, result.stdout


@pytest.mark.parametrize("path", ["", "tasks.md"])
def test_a_list_that_can_be_followed_lints_clean(spec, path):
    code, told = lint(spec / path)
    assert code == 0
    assert told.startswith("0 errors, 0 warnings")


def test_a_definition_in_one_file_is_a_list(spec):
    (spec / "made.yaml").write_text(YAML, encoding="utf-8")
    assert lint(spec / "made.yaml", spec)[0] == 0


BROKEN = {
    "no phases": ("tasks.md", "words\n", "tasks.md: error: there is no phase"),
    "twice": ("tasks.md", TASKS.replace("1.1: Lay", "1.1: Lay\n\n### Task 1.1: Again"),
              "tasks.md:5: error: task 1.1 is there twice"),
    "gates beside it": ("gates.yaml", "phases:\n  7: {}\n", "gates.yaml:2: error: phase 7 is not"),
    "not UTF-8": ("tasks.md", b"\xff\xfe", "tasks.md: error: is not UTF-8 text"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "told"), BROKEN.values(), ids=BROKEN)
def test_what_keeps_a_list_from_being_followed_is_told(spec, name, content, told):
    path = spec / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, printed = lint(spec)
    assert code == 1
    assert told in printed
    assert "(list/unusable)" in printed


def test_gates_alone_are_read_as_what_they_are(spec):
    (spec / "gates.yaml").write_text("phases: 5\n", encoding="utf-8")
    assert lint(spec / "gates.yaml")[0] == 1


def test_the_lists_of_another_project_lint_clean(compat):
    paths = [*(compat / "tasks").iterdir(), *(compat / "definitions").iterdir()]
    assert lint(*paths)[0] == 0
