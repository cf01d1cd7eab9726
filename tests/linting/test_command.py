"""`aos-workflow lint` and `schema`: what they look at, what they print and how they end."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.linting.linter import lint, lint_all, place_of
from tests.builders import BUILT_IN_FOLDER, copy_compat
from tests.linting.lint_builders import GATE_FILE, brief, clean, put, swap

CLEAN = "0 errors, 0 warnings in {} definition{}.\n"
OWN = ".praxis-os/workflows"
LENIENT = "a lenient gate: a value of the wrong kind passes"
CASE = "differ by case only (definition/case)"


def run(*arguments: object):
    return CliRunner().invoke(app, ["lint", *map(str, arguments)])


@pytest.fixture
def inside(project, monkeypatch):
    monkeypatch.chdir(project)
    return project


def test_without_a_path_the_own_definitions_are_meant(inside):
    clean(inside / OWN)
    clean(inside / "universal/workflows", "other_v1")
    swap(GATE_FILE, "strict: true", "strict: false")(inside / OWN / "small_v1")

    done = run()

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{OWN}/small_v1/{GATE_FILE}:1: warning: {LENIENT} (gate/lenient)",
        "    Write strict: true.",
        "0 errors, 1 warning in 2 definitions.",
    ]


def test_a_project_without_any_gets_the_built_in_ones_and_they_are_clean(inside):
    done = run("--strict")

    count = sum(1 for _ in BUILT_IN_FOLDER.glob("*/metadata.json"))
    assert (done.exit_code, done.stdout) == (0, CLEAN.format(count, "s"))


def test_an_error_ends_in_one_a_warning_only_if_it_is_to_be_strict(inside):
    folder = clean(inside / OWN, notes="x", colour="red")
    assert (run(folder).exit_code, run(folder, "--strict").exit_code) == (0, 1)

    put(folder, GATE_FILE, "{")
    assert run(folder).exit_code == 1


@pytest.mark.parametrize(
    ("path", "count"),
    [
        (f"{OWN}/small_v1", 1),
        (f"{OWN}/small_v1/", 1),
        (f"{OWN}/small_v1/metadata.json", 1),
        (OWN, 2),
        ("small_v1", 1),
        ("test_generation_v3", 1),
    ],
)
def test_a_path_is_a_definition_a_folder_of_them_or_a_name(inside, path, count):
    clean(inside / OWN)
    clean(inside / OWN, "other_v1")

    assert run(path).stdout == CLEAN.format(count, "s" if count > 1 else "")


def test_the_working_directory_can_be_the_definition(inside, monkeypatch):
    folder = clean(inside / OWN)
    put(folder, "phases/1/task_1.md", "# x\n")
    monkeypatch.chdir(folder)

    assert run(".").stdout.startswith(f"{OWN}/small_v1/phases/1/task_1.md: error: ")
    assert run("..").stdout.endswith("in 1 definition.\n")


def test_a_definition_that_is_named_twice_is_looked_at_once(inside):
    clean(inside / OWN)

    assert run(OWN, "small_v1").stdout == CLEAN.format(1, "")


def test_definitions_outside_of_the_project_are_told_from_their_folder(inside, tmp_path):
    swap(GATE_FILE, "strict: true", "strict: false")(clean(tmp_path / "elsewhere"))

    assert run(tmp_path / "elsewhere").stdout.startswith(f"small_v1/{GATE_FILE}:1: warning: ")


def test_named_definitions_need_no_project(tmp_path, monkeypatch):
    home = tmp_path / "home"
    clean(home / "shelf")
    monkeypatch.chdir(home)

    assert run("shelf").stdout == CLEAN.format(1, "")
    assert run().exit_code == 2


@pytest.mark.parametrize("path", ["nothing", "../nothing", "empty", "file.txt", ""])
def test_a_path_that_is_nothing_is_wrong_usage(inside, path):
    (inside / "empty").mkdir()
    put(inside, "file.txt", "x")

    done = run(path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"aos-workflow: {path!r} ")


def test_other_formats(inside):
    folder = clean(inside / OWN, colour="red")

    assert json.loads(run(folder, "--format", "json").stdout)["warnings"] == 1
    assert run(folder, "--format", "github").stdout.startswith("::warning file=")
    assert run(folder, "--format", "xml").exit_code == 2


def test_a_folder_without_metadata_is_an_error_rather_than_passed_over(inside):
    clean(inside / OWN)
    (clean(inside / OWN, "other_v1") / "metadata.json").unlink()

    for done in (run(), run(OWN)):
        assert done.stdout.startswith(f"{OWN}/other_v1/metadata.json: error: there is no metadata")
        assert done.exit_code == 1


# Names among each other


def test_names_that_differ_by_case_only_are_errors_that_name_both(inside):
    clean(inside / OWN)
    clean(inside / "universal/workflows", "Small_V1")

    lines = [line for line in run().stdout.splitlines() if "error: " in line]

    assert lines == [
        f"{OWN}/small_v1: error: small_v1 and Small_V1 {CASE}",
        f"universal/workflows/Small_V1: error: Small_V1 and small_v1 {CASE}",
    ]


def test_a_neighbour_that_was_not_named_counts_as_well(tmp_path):
    if (tmp_path / "a").mkdir() or (tmp_path / "A").exists():
        pytest.skip("the file system does not tell case apart")
    folder = clean(tmp_path / "shelf")
    clean(tmp_path / "shelf", "SMALL_v1")

    assert brief(lint(folder)) == [("error", "", None, "definition/case")]


def test_a_built_in_name_in_other_letters_is_an_error(inside):
    folder = clean(inside / OWN, "Code_Review_V1")

    assert "Code_Review_V1 and code_review_v1 differ by case only" in run(folder).stdout


def test_a_definition_linked_from_outside_is_an_error(inside, tmp_path):
    outside = clean(tmp_path / "outside")
    (inside / OWN).mkdir(parents=True)
    (inside / OWN / "small_v1").symlink_to(outside, target_is_directory=True)

    done = run(f"{OWN}/small_v1")

    assert done.stdout.startswith(f"{OWN}/small_v1: error: a link leads out of the project")


@pytest.mark.parametrize("name", ["two words", "a" * 65, "ä_v1"])
def test_a_name_that_cannot_be_asked_for_is_an_error(tmp_path, name):
    folder = clean(tmp_path / "shelf", name)

    assert [found[3] for found in brief(lint(folder))] == ["definition/name"]


# Definitions of others


def test_foreign_definitions_have_warnings_and_no_errors(compat, project):
    copy_compat(compat, project)
    folders = sorted((project / OWN).iterdir())

    problems = lint_all(place_of(folder, project) for folder in folders)

    assert len(folders) == 2
    assert {str(problem.severity) for problem in problems} == {"warning"}
    assert {problem.code for problem in problems} == {
        "gate/lenient",
        "gate/proves-nothing",
        "metadata/required-evidence",
        "task/too-long",
        "text/unnamed-evidence",
    }
    assert sum(problem.code == "gate/lenient" for problem in problems) == 7


def test_the_built_in_definitions_are_clean_wherever_they_lie(tmp_path):
    for folder in sorted(path.parent for path in BUILT_IN_FOLDER.glob("*/metadata.json")):
        shutil.copytree(folder, tmp_path / folder.name)
        assert lint(tmp_path / folder.name) == []


# Schemas


@pytest.mark.parametrize("name", ["metadata", "gate"])
def test_a_schema_is_printed_as_json(name):
    done = CliRunner().invoke(app, ["schema", name])

    assert (done.exit_code, json.loads(done.stdout)["$schema"]) == (
        0,
        "https://json-schema.org/draft/2020-12/schema",
    )


def test_an_unknown_schema_is_wrong_usage():
    done = CliRunner().invoke(app, ["schema", "task"])

    assert (done.exit_code, done.stderr) == (
        2,
        "aos-workflow: unknown schema 'task'. Write one of metadata, gate.\n",
    )
