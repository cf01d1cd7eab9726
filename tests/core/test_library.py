"""Finding and reading definitions: what they are made of, who wins, and those of others."""

import shutil

import pytest

from mcp_server.errors import DefinitionError, NotFoundError, quoted
from mcp_server.gates.evaluation import evaluate
from mcp_server.server.services import library_for
from tests.builders import BUILT_IN_NAMES, EVIDENCE, GATE, copy_compat, library, write_workflow
from tests.core.session_builders import PHASE, link, put, refusal


def task_numbers(phase):
    return [task.task_number for task in phase.tasks]


# Reading


def test_a_definition_is_read_whole(shelf):
    write_workflow(shelf, phases=1)

    made = library(shelf).load("small_v1")

    [phase] = made.phases
    [task] = phase.tasks
    assert made.model_dump(exclude={"phases"}) == {
        "workflow_type": "small_v1",
        "version": "1.0.0",
        "name": "Small",
        "description": "A small workflow",
        "category": "test",
        "estimated_duration": "5 minutes",
    }
    assert phase.model_dump(exclude={"tasks", "gate"}) == {
        "phase_number": 1,
        "title": "Phase 1: Work",
        "description": "Do it.",
        "content": "# Phase 1: Work\n\nDo it.\n",
    }
    assert task.model_dump(exclude={"content"}) == {
        "task_number": 1,
        "title": "Task 1: Do",
        "file": "task-1-do.md",
        "execution_steps": ("Begin", "End"),
        "estimated_duration": "5 minutes",
    }
    assert task.content.startswith("# Task 1: Do\n")
    assert phase.gate.required_fields == ("tests", "report")


def test_a_definition_without_a_name_is_called_by_its_type(shelf):
    write_workflow(shelf, metadata={"name": None})

    assert library(shelf).load("small_v1").name == "small_v1"


def test_a_byte_order_mark_is_no_part_of_a_file(shelf):
    folder = write_workflow(shelf, phases=1)
    for path in folder.rglob("*.*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    [phase] = library(shelf).load("small_v1").phases

    assert phase.content.startswith("# Phase 1")
    assert phase.gate.required_fields == ("tests", "report")


def test_tasks_are_in_the_order_of_their_numbers_and_may_start_at_0(shelf):
    folder = write_workflow(shelf, phases=1)
    for number in (10, 2, 0):
        put(folder, f"phases/1/task-{number}-more.md", f"# Task {number}\n")

    assert task_numbers(library(shelf).load("small_v1").phases[0]) == [0, 1, 2, 10]


def test_only_files_named_as_tasks_are_tasks(shelf):
    folder = write_workflow(shelf, phases=1)
    for name in ("task-2.md", "task-x.md", "task-3-a.txt", "my-task-4.md", "task-5-a.md~", "6.md"):
        put(folder, f"phases/1/{name}", "text")

    [phase] = library(shelf).load("small_v1").phases

    assert [(task.file, task.title) for task in phase.tasks] == [
        ("task-1-do.md", "Task 1: Do"),
        ("task-2.md", "task-2"),
    ]


def test_two_files_for_one_task_are_refused(shelf):
    folder = write_workflow(shelf)
    put(folder, "phases/1/task-01-again.md", "# Again\n")

    assert refusal(shelf) == f"{PHASE}/task-1-do.md: task 1 is also in task-01-again.md"


def test_phases_are_in_the_order_of_their_numbers_and_may_start_at_0(shelf):
    write_workflow(shelf, first=0, phases=11)

    assert library(shelf).load("small_v1").phase_numbers == tuple(range(11))


def test_the_folders_are_right_about_which_phases_exist(shelf):
    folder = write_workflow(
        shelf,
        phases=3,
        metadata={"total_phases": 9, "phases": [{"phase_number": 7, "phase_name": "Seven"}]},
    )
    shutil.rmtree(folder / "phases" / "2")
    (folder / "phases" / "notes").mkdir()
    (folder / "phases" / "dynamic").mkdir()

    shelves = library(shelf)

    assert shelves.load("small_v1").phase_numbers == (1, 3)
    place = shelves.find("small_v1")
    assert shelves.phase_count(place, shelves.metadata(place)) == 2


def test_phases_before_the_start_phase_are_left_out(shelf):
    write_workflow(shelf, first=0, phases=3, metadata={"start_phase": 1})

    shelves = library(shelf)

    assert shelves.load("small_v1").phase_numbers == (1, 2)
    place = shelves.find("small_v1")
    assert shelves.phase_count(place, shelves.metadata(place)) == 2


ENTRY = {"phase_number": 1, "phase_name": "Named", "purpose": "Stated"}

TEXTS = {
    "heading and paragraph": ({}, "# Title\n\nText.\n", ("Title", "Text.")),
    "purpose of the metadata": (ENTRY, "# Title\n\nText.\n", ("Title", "Stated")),
    "label": ({}, "# Title\n\n**Purpose:** Label\n\nText.\n", ("Title", "Label")),
    "name of the metadata": (ENTRY, "Text.\n", ("Named", "Stated")),
    "nothing": ({}, "", ("Phase 1", "")),
    "range": ({**ENTRY, "phase_number": "1-N"}, "", ("Phase 1", "")),
    "another phase": ({**ENTRY, "phase_number": 2}, "", ("Phase 1", "")),
}


@pytest.mark.parametrize(("entry", "text", "expected"), TEXTS.values(), ids=TEXTS)
def test_title_and_description_come_from_the_first_source_that_has_them(
    shelf, entry, text, expected
):
    folder = write_workflow(shelf, phases=1, metadata={"phases": [entry] if entry else []})
    put(folder, "phases/1/phase.md", text)

    [phase] = library(shelf).load("small_v1").phases

    assert (phase.title, phase.description) == expected


def test_a_phase_may_be_only_tasks_or_only_text(shelf):
    folder = write_workflow(shelf, phases=2)
    (folder / "phases/1/phase.md").unlink()
    (folder / "phases/2/task-1-do.md").unlink()

    first, second = library(shelf).load("small_v1").phases

    assert (first.content, task_numbers(first), second.tasks) == ("", [1], ())


def test_keys_that_nobody_knows_are_kept(shelf):
    folder = write_workflow(
        shelf, metadata={"author": "us"}, gate={**GATE, "notes": {"owner": "us"}}
    )

    shelves = library(shelf)

    metadata = shelves.metadata(shelves.find(folder.name))
    assert metadata.model_dump()["author"] == "us"
    gate = shelves.load("small_v1").phases[0].gate
    assert gate.model_dump()["notes"] == {"owner": "us"}


# Whose definition it is


def test_the_project_s_own_folders_come_before_the_built_in_ones(project):
    own, universal = project / ".praxis-os" / "workflows", project / "universal" / "workflows"
    write_workflow(own, "spec_creation_v1")
    write_workflow(universal, "spec_creation_v1")
    write_workflow(universal, "code_review_v1")
    write_workflow(universal, "another_v1")

    shelves = library_for(project)

    assert {place.name: place.shelf.label for place in shelves.places()} == {
        "spec_creation_v1": ".praxis-os/workflows",
        "code_review_v1": "universal/workflows",
        "another_v1": "universal/workflows",
        "production_code_v2": "built-in",
        "test_generation_v3": "built-in",
        "spec_execution_v1": "built-in",
    }
    names = (*BUILT_IN_NAMES, "spec_execution_v1", "another_v1")
    assert {name: shelves.find(name).shelf.label for name in names} == {
        place.name: place.shelf.label for place in shelves.places()
    }
    assert shelves.load("spec_creation_v1").name == "Small"


def test_each_shelf_lists_its_definitions_by_name(shelf):
    for name in ("b_v1", "a_v1", "c_v1"):
        write_workflow(shelf, name)
    (shelf / "no_metadata").mkdir()
    put(shelf, "README.md", "text")

    assert [place.name for place in library(shelf).places()] == ["a_v1", "b_v1", "c_v1"]


def test_a_folder_that_does_not_exist_holds_nothing(shelf):
    assert list(library(shelf / "missing").places()) == []


BREAKS = {
    "metadata that is no JSON": lambda folder: put(folder, "metadata.json", "{"),
    "metadata that is a link to nowhere": lambda folder: (
        (folder / "metadata.json").unlink(), link(folder / "metadata.json", "nowhere"),
    ),
    "gate that does not parse": lambda folder: put(folder, "phases/1/gate-definition.yaml", "["),
    "no phases": lambda folder: shutil.rmtree(folder / "phases"),
}  # fmt: skip


@pytest.mark.parametrize("do_break", BREAKS.values(), ids=BREAKS)
def test_the_first_of_a_name_wins_even_when_it_is_broken(tmp_path, do_break):
    do_break(write_workflow(tmp_path / "first"))
    write_workflow(tmp_path / "second")

    shelves = library(tmp_path / "first", tmp_path / "second")

    assert [place.shelf.label for place in shelves.places()] == ["first"]
    with pytest.raises(DefinitionError, match=r"^first/small_v1/"):
        shelves.load("small_v1")


@pytest.mark.parametrize(
    "name",
    ["other", "", ".", "..", "../shelf/small_v1", "small_v1/", "small_v1\n", "/small_v1", "a" * 65],
)
def test_an_unknown_workflow_is_answered_with_those_that_exist(shelf, name):
    write_workflow(shelf)

    with pytest.raises(NotFoundError) as raised:
        library(shelf).load(name)

    assert (str(raised.value), raised.value.remediation, raised.value.details) == (
        f"no workflow {quoted(name)}",
        'Call aos_workflow(action="list_workflows"); there are: small_v1',
        {"workflow_types": ["small_v1"]},
    )


# Definitions of another project


def test_a_foreign_definition_loads_unchanged(compat, project):
    copy_compat(compat, project)
    shelves = library_for(project)

    made = shelves.load("spec_creation_v1")

    assert shelves.find("spec_creation_v1").shelf.label == ".praxis-os/workflows"
    assert made.phase_numbers == (0, 1, 2, 3, 4, 5)
    assert [len(phase.tasks) for phase in made.phases] == [4, 5, 6, 5, 4, 3]
    assert task_numbers(made.phases[0]) == [0, 1, 2, 3]
    assert [phase.gate.checkpoint.strict for phase in made.phases] == [False] * 6
    assert all(phase.gate.required_fields for phase in made.phases)


def test_a_foreign_gate_refuses_without_its_required_fields(compat, project):
    copy_compat(compat, project)

    for phase in library_for(project).load("spec_creation_v1").phases:
        verdict = evaluate(phase.gate, EVIDENCE, {})
        assert verdict.missing == phase.gate.required_fields


def test_a_foreign_dynamic_definition_is_listed(compat, project):
    copy_compat(compat, project)
    shelves = library_for(project)
    place = shelves.find("spec_execution_v1")

    metadata = shelves.metadata(place)

    assert shelves.phase_count(place, metadata) == "dynamic"
    assert [entry.phase_number for entry in metadata.phases] == [0, "1-N"]
