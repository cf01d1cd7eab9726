"""A new workflow holds as it is written: it is clean, its gates gate, and it can be walked."""

import io
import json
import re

import pytest
from rich.console import Console

from mcp_server.core.limits import Limits
from mcp_server.errors import DiskRefusedError, InvalidArgumentError
from mcp_server.example import Example, claims
from mcp_server.linting.linter import lint
from mcp_server.scaffolding import MAX_PHASES, files_of, require_new, write_definition
from mcp_server.selftest import examine
from mcp_server.server.tools.workflow_tools import aos_workflow
from tests.builders import BUILT_IN_NAMES, library, tree, write_workflow

each_size = pytest.mark.parametrize("phases", [1, 2, 3, 4, MAX_PHASES])
NAMES = ("release_v1", "1.0", "null", "A", "a-b_c.d", "x" * 64)


def write(folder, name="release_v1", phases=4):
    write_definition(folder, name, files_of(name, phases))
    return folder / name


@each_size
def test_a_new_workflow_lints_clean(tmp_path, phases):
    assert lint(write(tmp_path, phases=phases)) == []


@pytest.mark.parametrize("name", NAMES)
def test_any_name_that_a_workflow_may_have_is_written_well(tmp_path, name):
    assert lint(write(tmp_path, name, phases=2)) == []
    assert library(tmp_path).load(name).phase_numbers == (1, 2)


@pytest.mark.parametrize("phases", [1, 4])
def test_nothing_gets_through_a_new_gate(tmp_path, phases):
    write(tmp_path, phases=phases)
    report = examine(library(tmp_path), Limits(), (), Console(file=io.StringIO()))
    assert [gate.phase for gate in report.gates] == list(range(1, phases + 1))
    assert [gate for gate in report.gates if gate.let_through or gate.remarks] == []
    assert sum(gate.claims for gate in report.gates) == 0
    assert report.holds


@each_size
def test_the_metadata_says_what_the_folders_hold(tmp_path, phases):
    folder = write(tmp_path, phases=phases)
    said = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    made = library(tmp_path).load("release_v1")
    assert (said["total_phases"], said["name"]) == (phases, "Release v1")
    assert said["estimated_duration"] == f"{phases * 30} minutes"
    assert [phase.title for phase in made.phases] == [
        f"Phase {entry['phase_number']}: {entry['phase_name']}" for entry in said["phases"]
    ]
    assert len({phase.title for phase in made.phases}) == phases


def test_the_phases_are_named_by_where_they_stand():
    titles = {
        phases: [
            phase["phase_name"]
            for phase in json.loads(files_of("a", phases)["metadata.json"])["phases"]
        ]
        for phases in (1, 2, 3, 4)
    }
    assert titles == {
        1: ["Prove"],
        2: ["Prepare", "Prove"],
        3: ["Prepare", "Build", "Prove"],
        4: ["Prepare", "Build, part 1", "Build, part 2", "Prove"],
    }


@each_size
def test_each_phase_has_two_short_tasks_and_only_the_last_one_tests(tmp_path, phases):
    write(tmp_path, phases=phases)
    for phase in library(tmp_path).load("release_v1").phases:
        assert [task.task_number for task in phase.tasks] == [1, 2]
        assert all(len(task.content.splitlines()) < 40 for task in phase.tasks)
        assert all(len(task.execution_steps) == 3 for task in phase.tasks)
        assert all(task.estimated_duration for task in phase.tasks)
        gate = phase.gate
        tests = ["tests"] if phase.phase_number == phases else []
        assert list(gate.evidence_schema) == ["report", "findings", *tests]
        assert gate.verified_fields == gate.evidence_schema
        last = [field.probes[-1] for field in gate.evidence_schema.values()]
        assert all(probe.fresh for probe in last)
        assert (gate.checkpoint.strict, gate.checkpoint.allow_override) == (True, False)


def test_the_texts_are_whole_and_hold_no_marks():
    for path, text in files_of("release_v1", 4).items():
        assert "@{" not in text, path
        assert re.search(r"TODO|FIXME|XXX|TBD|lorem", text, re.IGNORECASE) is None, path
        assert text.endswith("\n"), path
        assert max(map(len, text.splitlines())) <= 130, path


@pytest.mark.parametrize("phases", [1, 3])
async def test_a_new_workflow_can_be_walked_at_once_with_its_example(project, phases):
    folder = write(project / ".praxis-os" / "workflows", phases=phases)
    example = Example.of(folder)
    example.begin(project)
    started = await aos_workflow(
        "start", workflow_type="release_v1", target_file=example.target_file
    )
    session = started["session_id"]
    for phase in library(folder.parent).load("release_v1").phases:
        number = phase.phase_number
        read = await aos_workflow("get_task", session, phase=number, task_number=2)
        assert len(read["task_content"]["execution_steps"]) == 3
        refused = await aos_workflow("complete_phase", session, phase=number, evidence={})
        assert refused["error_type"] == "ValidationError"
        await aos_workflow("retry_phase", session, phase=number)
        example.work(number, project)
        assert claims(phase.gate) == {}
        passed = await aos_workflow("complete_phase", session, phase=number, evidence={})
        assert passed["status"] == "success"
        assert {field["known"] for field in passed["evidence"].values()} == {"observed"}
    assert passed["workflow_complete"] is True


@pytest.mark.parametrize("name", ["", ".a", "-a", "a b", "a/b", "..", "a\n", "x" * 65, "é"])
def test_a_name_that_no_workflow_may_have_is_refused(tmp_path, name):
    with pytest.raises(InvalidArgumentError, match="a workflow cannot be named"):
        require_new(name, library(), tmp_path)


@pytest.mark.parametrize("name", [BUILT_IN_NAMES[0], BUILT_IN_NAMES[0].upper()])
def test_a_name_that_another_workflow_has_is_refused_in_any_case(tmp_path, name):
    with pytest.raises(InvalidArgumentError, match=rf"already '{BUILT_IN_NAMES[0]}' \(built-in\)"):
        require_new(name, library(), tmp_path)


@pytest.mark.parametrize("kind", ["folder", "file", "broken link", "no workflow"])
def test_whatever_bears_the_name_in_the_folder_is_in_the_way(tmp_path, kind):
    there = tmp_path / "Release_v1"
    if kind == "folder":
        write_workflow(tmp_path, there.name)
    elif kind == "file":
        there.touch()
    elif kind == "broken link":
        there.symlink_to("nowhere")
    else:
        there.mkdir()
    with pytest.raises(InvalidArgumentError, match=r"already 'Release_v1' \(in the same folder\)"):
        require_new("release_v1", library(), tmp_path)


def test_a_new_name_in_a_new_folder_is_taken(tmp_path):
    require_new("release_v1", library(), tmp_path / "none")


def test_a_folder_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DiskRefusedError, match="the folder of workflows cannot be read"):
        require_new("release_v1", library(), tmp_path / "file")


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "kept").mkdir()
    files = {**files_of("a", 1), "b" * 300: "a name that no file can have"}
    with pytest.raises(DiskRefusedError, match="a cannot be written"):
        write_definition(tmp_path / "kept" / "new" / "workflows", "a", files)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept"]


def test_what_came_in_between_is_not_written_over(tmp_path):
    folder = write_workflow(tmp_path, "release_v1")
    before = tree(tmp_path)
    with pytest.raises(DiskRefusedError, match="release_v1 cannot be written"):
        write(tmp_path)
    assert tree(tmp_path) == before
    assert list(tmp_path.iterdir()) == [folder]


def test_a_definition_appears_whole(tmp_path, monkeypatch):
    seen = []
    rename = type(tmp_path).rename

    def watched(self, target):
        seen.append([place.name for place in library(tmp_path).places()])
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", watched)
    write(tmp_path)
    assert seen == [[]]
    assert [path.name for path in tmp_path.iterdir()] == ["release_v1"]


def test_files_are_written_alike_everywhere(tmp_path):
    folder = write(tmp_path)
    written = {path: content.decode("utf-8") for path, content in tree(folder).items()}
    assert written == files_of("release_v1", 4)


def test_others_may_read_what_they_may_read_elsewhere(tmp_path):
    folder = write(tmp_path / "workflows")
    plain = tmp_path / "plain"
    plain.mkdir()
    assert folder.stat().st_mode == plain.stat().st_mode
