"""`new` and `render`, as people run them."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.pages.page import page
from tests.builders import copy_compat, library, tree, write_workflow
from tests.pages.page_builders import STATIC_NAMES

runner = CliRunner()


def run(*arguments):
    return runner.invoke(app, [*arguments])


def commands(output) -> list[list[str]]:
    """The commands that an output names, without the program."""
    lines = re.findall(r"^  aos-workflow (.*)$", output, re.MULTILINE)
    return [shlex.split(line) for line in lines]


def test_new_tells_what_it_wrote_and_the_commands_that_it_names_succeed(project, monkeypatch):
    monkeypatch.chdir(project)
    made = run("new", "release_v1", "--phases", "2")
    assert made.exit_code == 0
    lines = made.stdout.splitlines()
    assert lines[0] == "Wrote .praxis-os/workflows/release_v1:"
    assert lines[1:4] == [
        "  metadata.json",
        "  phases/1: phase.md, task-1-look.md, task-2-report.md, gate-definition.yaml",
        "  phases/2: phase.md, task-1-test.md, task-2-report.md, gate-definition.yaml",
    ]
    assert lines[-1] == (
        '  aos_workflow(action="start", workflow_type="release_v1", target_file="src")'
    )
    assert commands(made.stdout) == [
        ["lint", "--strict", ".praxis-os/workflows/release_v1"],
        ["gates", "test", "release_v1"],
        ["render", "release_v1"],
    ]
    assert [run(*command).exit_code for command in commands(made.stdout)] == [0, 0, 0]


def test_every_file_that_was_written_is_named(project):
    made = run("new", "release_v1")
    listing = made.stdout.partition(":\n")[2].partition("\n\nNext")[0].splitlines()
    named = set()
    for line in listing:
        folder, mark, names = line.strip().rpartition(": ")
        named |= {f"{folder}{'/' if mark else ''}{name}" for name in names.split(", ")}
    assert named == tree(project / ".praxis-os" / "workflows" / "release_v1").keys()


def test_from_elsewhere_the_commands_name_the_project(tmp_path, project, monkeypatch):
    monkeypatch.delenv("AOS_WORKFLOW_PROJECT")
    monkeypatch.chdir(tmp_path)
    made = run("new", "release_v1", "--phases", "1", "--project", "project")
    assert commands(made.stdout) == [
        ["lint", "--strict", "project/.praxis-os/workflows/release_v1", "--project", "project"],
        ["gates", "test", "release_v1", "--project", "project"],
        ["render", "release_v1", "--project", "project"],
    ]
    assert [run(*command).exit_code for command in commands(made.stdout)] == [0, 0, 0]


def test_a_workflow_can_be_written_to_another_folder_of_the_project(project, monkeypatch):
    monkeypatch.chdir(project)
    made = run("new", "release_v1", "--folder", "universal/workflows")
    assert made.stdout.startswith("Wrote universal/workflows/release_v1:\n")
    assert ["gates", "test", "release_v1"] in commands(made.stdout)
    assert not (project / ".praxis-os").exists()


def test_a_workflow_in_a_folder_that_is_not_searched_is_said_to_be_so(tmp_path, project):
    made = run("new", "release_v1", "--folder", str(tmp_path / "shared"))
    assert made.exit_code == 0
    assert (tmp_path / "shared" / "release_v1" / "metadata.json").is_file()
    assert "It can be started once it is in .praxis-os/workflows of a project." in made.stdout
    (command,) = commands(made.stdout)
    assert run(*command).exit_code == 0


def test_nothing_is_written_over(project):
    assert run("new", "release_v1", "--phases", "1").exit_code == 0
    before = tree(project)
    again = run("new", "release_v1", "--phases", "2")
    assert again.exit_code == 2
    assert again.stdout == ""
    assert again.stderr == (
        "aos-workflow: there is already 'release_v1' (in the same folder). Choose another name,"
        " such as one with a higher version.\n"
    )
    assert tree(project) == before


def test_a_name_that_cannot_be_is_refused(project):
    refused = run("new", "a b")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("aos-workflow: a workflow cannot be named 'a b'. Use 1 to 64")
    assert tree(project) == {}


@pytest.mark.parametrize("phases", ["0", "21", "-1", "many"])
def test_a_workflow_has_1_to_20_phases(project, phases):
    assert run("new", "release_v1", "--phases", phases).exit_code == 2
    assert tree(project) == {}


def test_a_link_out_of_the_project_is_not_followed(tmp_path, project):
    (tmp_path / "outside").mkdir()
    (project / ".praxis-os").mkdir()
    (project / ".praxis-os" / "workflows").symlink_to(tmp_path / "outside")
    refused = run("new", "release_v1")
    assert refused.exit_code == 2
    assert "leads out of the project through a link" in refused.stderr
    assert tree(tmp_path / "outside") == {}


@pytest.mark.parametrize("name", STATIC_NAMES)
def test_render_prints_the_page_and_nothing_else(project, name):
    shelf = library()
    shown = run("render", name)
    assert shown.exit_code == 0
    metadata = shelf.metadata(shelf.find(name))
    assert shown.stdout_bytes == page(metadata, shelf.load(name).phases).encode("utf-8")
    assert tree(project) == {}


def test_render_writes_a_file_when_it_is_told_to(project):
    shown = run("render", "code_review_v1")
    file = project / "review.md"
    for _ in range(2):
        written = run("render", "code_review_v1", "--output", str(file))
        assert (written.exit_code, written.stdout) == (0, "")
        assert file.read_bytes() == shown.stdout_bytes


def test_a_page_that_cannot_be_written_is_refused(project):
    refused = run("render", "code_review_v1", "--output", str(project / "none" / "review.md"))
    assert refused.exit_code == 1
    assert "the page cannot be written" in refused.stderr
    assert str(project) not in refused.stderr


def test_a_workflow_that_is_not_there_or_broken_is_refused(project):
    absent = run("render", "none_v1")
    assert absent.exit_code == 2
    assert "no workflow 'none_v1'" in absent.stderr
    shelf = project / ".praxis-os" / "workflows"
    write_workflow(shelf, "broken_v1", phases=1, gate={"checkpoint": {}})
    broken = run("render", "broken_v1")
    assert broken.exit_code == 1
    assert ".praxis-os/workflows/broken_v1/phases/1/gate-definition.yaml:1" in broken.stderr


def test_workflows_of_other_projects_are_rendered(compat, project):
    copy_compat(compat, project)
    listed = run("render", "spec_execution_v1")
    assert listed.exit_code == 0
    assert "\n## Phases of the task list\n" in listed.stdout
    assert "option `spec_path`" in listed.stdout
    assert listed.stdout.count("\n## Phase ") == 1
    shown = run("render", "spec_creation_v1")
    assert shown.stdout.count("**This gate is lenient:**") == 6
