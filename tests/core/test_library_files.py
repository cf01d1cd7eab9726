"""Broken metadata, phases and files, and links that lead astray: what each is refused with."""

import shutil

import pytest

from mcp_server.core.library import MAX_FILE, MAX_PHASES, Shelf, WorkflowLibrary
from mcp_server.errors import DefinitionError, InvalidArgumentError
from tests.builders import library, write_workflow
from tests.core.session_builders import PHASE, link, put, refusal

METADATA = "shelf/small_v1/metadata.json"


# Broken metadata


BROKEN_METADATA = {
    "no JSON": (
        '{\n  "a": 1,,\n}', ":2: not JSON: Expecting property name enclosed in double quotes",
    ),
    "empty": ("", ":1: not JSON: Expecting value"),
    "no object": ("[]", ": Input should be a valid dictionary or instance of Metadata"),
    "nothing": ("null", ": Input should be a valid dictionary or instance of Metadata"),
    "no workflow_type": ("{}", ": workflow_type: Field required"),
    "another workflow_type": (
        '{"workflow_type": "other_v1"}',
        ": workflow_type 'other_v1' is not the folder's name 'small_v1'",
    ),
    "phase without number": (
        '{"workflow_type": "small_v1", "phases": [{}]}', ": phases.0.phase_number: Field required",
    ),
    "too deep": ("[" * 200_000, ": nested too deep"),
    "endless number": (
        '{"a": ' + "1" * 5000 + "}",
        ": a number has too many digits",
    ),
    "too large": (" " * (MAX_FILE + 1), f": over {MAX_FILE} bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BROKEN_METADATA.values(), ids=BROKEN_METADATA)
def test_broken_metadata_is_refused_with_the_reason(shelf, text, reason):
    put(write_workflow(shelf), "metadata.json", text)

    assert refusal(shelf) == METADATA + reason


def test_a_refusal_says_where_and_what_to_do(shelf):
    put(write_workflow(shelf), "metadata.json", "{\n!")

    with pytest.raises(DefinitionError) as raised:
        library(shelf).load("small_v1")

    assert (raised.value.remediation, raised.value.details) == (
        f"Mend {METADATA}:2, or start another workflow.",
        {"workflow_type": "small_v1", "file": METADATA, "line": 2},
    )


@pytest.mark.parametrize("name", ["two words", ".hidden", "a" * 65])
def test_a_folder_whose_name_cannot_be_asked_for_is_named_as_broken(shelf, name):
    write_workflow(shelf, name)
    shelves = library(shelf)
    [place] = shelves.places()

    with pytest.raises(DefinitionError, match="the folder's name is not of the form"):
        shelves.metadata(place)


@pytest.mark.parametrize(
    "said", [{"dynamic_phases": True}, {"total_phases": "dynamic"}], ids=["flag", "total"]
)
def test_a_dynamic_definition_is_listed_and_needs_a_list_to_load(shelf, said):
    write_workflow(shelf, metadata=said)
    shelves = library(shelf)
    [place] = shelves.places()

    assert shelves.phase_count(place, shelves.metadata(place)) == "dynamic"
    assert [phase.phase_number for phase in shelves.static_phases(place)] == [1, 2]
    with pytest.raises(InvalidArgumentError, match=r"options\.spec_path does not say which"):
        shelves.load("small_v1")


# Broken phases, tasks and files


def test_a_workflow_without_phases_is_refused(shelf):
    folder = write_workflow(shelf)
    expected = "shelf/small_v1/phases: no phase folders such as phases/1"

    shutil.rmtree(folder / "phases")
    assert refusal(shelf) == expected
    (folder / "phases" / "dynamic").mkdir(parents=True)
    assert refusal(shelf) == expected


def test_a_start_phase_after_the_last_is_refused(shelf):
    write_workflow(shelf, phases=2, metadata={"start_phase": 3})

    assert refusal(shelf) == "shelf/small_v1/phases: no phase folders such as phases/1"


def test_too_many_phases_are_refused(shelf):
    folder = write_workflow(shelf)
    for number in range(3, MAX_PHASES + 2):
        (folder / "phases" / str(number)).mkdir()

    assert refusal(shelf) == f"shelf/small_v1/phases: {MAX_PHASES + 1} phases, at most {MAX_PHASES}"


def test_two_folders_for_one_phase_are_refused(shelf):
    folder = write_workflow(shelf)
    shutil.copytree(folder / "phases" / "1", folder / "phases" / "01")

    assert refusal(shelf) == f"{PHASE}: there are two folders for phase 1"


def test_a_phase_that_is_no_folder_is_refused_rather_than_passed_over(shelf):
    folder = write_workflow(shelf, phases=2)
    put(folder, "phases/3", "text")

    assert refusal(shelf) == "shelf/small_v1/phases/3: is not a folder"


@pytest.mark.parametrize("text", [None, " \n"], ids=["absent", "blank"])
def test_a_phase_with_neither_text_nor_tasks_is_refused(shelf, text):
    folder = write_workflow(shelf)
    (folder / "phases/1/task-1-do.md").unlink()
    (folder / "phases/1/phase.md").unlink()
    if text:
        put(folder, "phases/1/phase.md", text)

    assert refusal(shelf) == f"{PHASE}/phase.md: the phase has neither a phase.md nor a task"


FILES = ["metadata.json", "phases/1/phase.md", "phases/1/task-1-do.md",
         "phases/1/gate-definition.yaml"]  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_not_utf_8_is_refused_with_its_line(shelf, file):
    (write_workflow(shelf) / file).write_bytes(b"one\ntwo\n\xff\xfe\n")

    assert refusal(shelf) == f"shelf/small_v1/{file}:3: not UTF-8"


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_too_large_is_refused(shelf, file):
    (write_workflow(shelf) / file).write_bytes(b"a" * (MAX_FILE + 1))

    assert refusal(shelf) == f"shelf/small_v1/{file}: over {MAX_FILE} bytes"


def test_a_file_of_the_greatest_size_is_read(shelf):
    (write_workflow(shelf) / "phases/1/phase.md").write_bytes(b"a" * MAX_FILE)

    assert len(library(shelf).load("small_v1").phases[0].content) == MAX_FILE


@pytest.mark.parametrize("file", FILES)
def test_a_folder_in_place_of_a_file_is_refused(shelf, file):
    path = write_workflow(shelf) / file
    path.unlink()
    path.mkdir()

    assert refusal(shelf).startswith(f"shelf/small_v1/{file}: ")


# Links


OUT = "a link leads out of the project"


@pytest.mark.parametrize("file", FILES)
def test_a_file_linked_from_outside_is_refused(shelf, tmp_path, file):
    path = write_workflow(shelf) / file
    outside = tmp_path / "outside"
    path.rename(outside)
    link(path, outside)

    assert refusal(shelf) == f"shelf/small_v1/{file}: {OUT}"


@pytest.mark.parametrize(
    ("folder", "at"), [("", "/phases"), ("phases", "/phases"), ("phases/1", "/phases/1")]
)
def test_a_folder_linked_from_outside_is_refused(shelf, tmp_path, folder, at):
    path = write_workflow(shelf) / folder
    outside = tmp_path / "outside"
    path.rename(outside)
    link(path, outside, is_folder=True)

    assert refusal(shelf) == f"shelf/small_v1{at}: {OUT}"


def test_a_sibling_with_the_same_beginning_is_outside(shelf, tmp_path):
    path = write_workflow(shelf) / "phases/1/phase.md"
    (tmp_path / "shelf-of-others").mkdir()
    outside = tmp_path / "shelf-of-others" / "phase.md"
    path.rename(outside)
    link(path, outside)

    assert refusal(shelf) == f"{PHASE}/phase.md: {OUT}"


BROKEN_LINK_REASONS = {
    "nowhere": {"cannot be read: No such file or directory"},
    # Which of the two depends on the version of Python.
    "itself": {
        "a link leads back to itself",
        "cannot be read: Too many levels of symbolic links",
    },
}


@pytest.mark.parametrize("file", ["phase.md", "task-2-more.md", "gate-definition.yaml"])
@pytest.mark.parametrize("target", BROKEN_LINK_REASONS)
def test_a_broken_link_is_refused_rather_than_absent(shelf, file, target):
    path = write_workflow(shelf) / "phases/1" / file
    path.unlink(missing_ok=True)
    link(path, file if target == "itself" else target)

    where, _, reason = refusal(shelf).partition(": ")

    assert where == f"{PHASE}/{file}"
    assert reason in BROKEN_LINK_REASONS[target]


def test_a_phase_that_is_a_link_to_nowhere_is_refused_rather_than_passed_over(shelf):
    folder = write_workflow(shelf, phases=2)
    link(folder / "phases" / "3", "nowhere", is_folder=True)

    assert refusal(shelf) == "shelf/small_v1/phases/3: is not a folder"


def test_links_within_the_boundary_are_followed(tmp_path):
    shelf, common = tmp_path / "shelf", tmp_path / "common"
    folder = write_workflow(shelf, phases=2)
    (folder / "phases" / "2").rename(common)
    link(folder / "phases" / "2", common, is_folder=True)

    shelves = WorkflowLibrary((Shelf("shelf", shelf, tmp_path),))

    assert shelves.load("small_v1").phase_numbers == (1, 2)


@pytest.mark.parametrize("name", ["task_2_x.md", "Task-2-x.md", "task2.md", "task-2-x.markdown"])
def test_a_task_under_another_name_is_refused_and_not_left_out(shelf, name):
    folder = write_workflow(shelf)
    put(folder, f"phases/1/{name}", "# Task\n")
    told = "not read as a task: name it task-<number>-<slug>.md"
    assert refusal(shelf) == f"{PHASE}/{name}: {told}"
