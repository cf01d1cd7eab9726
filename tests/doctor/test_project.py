"""What is found about the project, its settings and its definitions."""

from pathlib import Path

import pytest

from mcp_server.doctor.project import check_definitions, check_project, check_settings
from tests.builders import write_workflow
from tests.doctor.subjects import notes, problems, sound, subject

ALL = (check_project, check_settings, check_definitions)


def test_a_project_that_is_well(project, tmp_path):
    found = [sound(list(check(subject(project, tmp_path)))) for check in ALL]
    assert found == [[f"{project} (--project)"], ["all as usual"], ["5 workflows built-in"]]


def test_the_reason_is_that_of_the_discovery(project, tmp_path):
    there = subject(None, tmp_path, AOS_WORKFLOW_PROJECT=str(project))
    assert sound(list(check_project(there))) == [f"{project} (AOS_WORKFLOW_PROJECT)"]


def test_no_project_is_one_problem_and_not_three(tmp_path):
    there = subject(None, tmp_path, AOS_WORKFLOW_PROJECT=str(tmp_path / "none"))
    assert problems(check_project(there)) == [
        (
            f"AOS_WORKFLOW_PROJECT is not a folder: '{tmp_path / 'none'}'",
            "Name an existing folder, or start the server inside the project.",
        )
    ]
    assert [list(check(there)) for check in (check_settings, check_definitions)] == [[], []]


def test_a_home_folder_is_no_project(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    ((what, remedy),) = problems(check_project(subject(None, tmp_path)))
    assert what.startswith("the working directory is a home folder")
    assert remedy.startswith("Pass --project FOLDER")


@pytest.mark.parametrize(("name", "value"), [("MAX_DEPTH", "32"), ("PROJECT_ID", "mine")])
def test_settings_that_are_not_the_usual_ones_are_told(project, tmp_path, name, value):
    there = subject(project, tmp_path, **{f"AOS_WORKFLOW_{name}": value})
    assert sound(list(check_settings(there))) == [f"AOS_WORKFLOW_{name}={value}"]


def test_a_setting_that_cannot_be_read_is_a_problem_and_the_rest_is_looked_at(project, tmp_path):
    there = subject(project, tmp_path, AOS_WORKFLOW_MAX_DEPTH="deep")
    ((what, remedy),) = problems(check_settings(there))
    assert what.startswith("AOS_WORKFLOW_MAX_DEPTH is not usable: ")
    assert remedy == "Correct or unset AOS_WORKFLOW_MAX_DEPTH, then start the server again."
    assert sound(list(check_definitions(there))) == ["5 workflows built-in"]


def test_a_variable_that_is_no_setting_is_worth_knowing(project, tmp_path):
    there = subject(project, tmp_path, AOS_WORKFLOW_MAX_DEEP="1")
    assert notes(check_settings(there)) == [
        ("AOS_WORKFLOW_MAX_DEEP is set, and no setting of this version",
         "Unset AOS_WORKFLOW_MAX_DEEP.")
    ]  # fmt: skip


def test_definitions_of_the_project_are_counted_and_linted(project, tmp_path):
    folder = write_workflow(project / ".praxis-os" / "workflows")
    (folder / "phases/1/gate-definition.yaml").write_text("evidence_schema: [", encoding="utf-8")
    found = list(check_definitions(subject(project, tmp_path)))
    assert found[0].what == "1 workflow in .praxis-os/workflows, 5 workflows built-in"
    ((what, remedy),) = problems(found)
    assert what.startswith(".praxis-os/workflows/small_v1/phases/1/gate-definition.yaml:2: ")
    assert remedy


def test_many_errors_are_cut_short(project, tmp_path):
    for number in range(12):
        folder: Path = write_workflow(project / ".praxis-os" / "workflows", f"w{number}_v1")
        (folder / "metadata.json").write_text("{", encoding="utf-8")
    found = problems(check_definitions(subject(project, tmp_path)))
    assert len(found) == 11
    assert found[-1] == ("and 2 errors more", "aos-workflow lint")


@pytest.mark.parametrize("check", ALL)
def test_looking_makes_nothing(project, tmp_path, check):
    list(check(subject(project, tmp_path)))
    assert list(project.iterdir()) == []
