"""Finding and reading definitions: who wins, what is refused, and when they are read again."""

import json
import os
import shutil
import sys

import pytest

from mcp_server.core.library import MAX_FILE, MAX_PHASES, Shelf, WorkflowLibrary
from mcp_server.errors import DefinitionError, NotFoundError
from mcp_server.gates.evaluation import Outcome, evaluate
from mcp_server.gates.model import TYPE_NAMES
from mcp_server.server.services import library_for
from tests.builders import BUILT_IN_NAMES, EVIDENCE, GATE, copy_compat, library, write_workflow

METADATA = "shelf/small_v1/metadata.json"
PHASE = "shelf/small_v1/phases/1"


@pytest.fixture
def shelf(tmp_path):
    """An empty folder of definitions."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


def refusal(shelf, name="small_v1"):
    """What loading a definition is refused with."""
    with pytest.raises(DefinitionError) as raised:
        library(shelf).load(name)
    assert str(shelf.parent) not in raised.value.message + raised.value.remediation
    return raised.value.message


def put(folder, relative, text):
    path = folder / relative
    path.write_text(text, encoding="utf-8", newline="")
    return path


def link(path, target, *, is_folder=False):
    if sys.platform == "win32":
        pytest.skip("links need a privilege on Windows")
    path.symlink_to(target, target_is_directory=is_folder)


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


def test_dates_in_a_gate_stay_text(shelf):
    folder = write_workflow(shelf, phases=1)
    put(folder, "phases/1/gate-definition.yaml", "evidence_schema:\n  day: {const: 2024-02-03}\n")

    gate = library(shelf).load("small_v1").phases[0].gate

    assert evaluate(gate, {"day": "2024-02-03"}, {}).outcome is Outcome.PASS


# The gate of a phase without a gate file


ASKED = [{"phase_number": 1, "checkpoint": {"required_evidence": ["plan", "report"]}}]


@pytest.mark.parametrize("number", [1, "1"], ids=["number", "text"])
def test_without_a_gate_file_the_evidence_of_the_metadata_is_required(shelf, number):
    entry = {**ASKED[0], "phase_number": number}
    write_workflow(shelf, phases=1, gate=None, metadata={"phases": [entry]})

    gate = library(shelf).load("small_v1").phases[0].gate

    assert gate.required_fields == ("plan", "report")
    assert evaluate(gate, {"plan": 1, "report": "x"}, {}).outcome is Outcome.PASS
    assert evaluate(gate, {"plan": 1}, {}).missing == ("report",)


def test_a_gate_file_comes_before_the_metadata(shelf):
    write_workflow(shelf, phases=1, metadata={"phases": ASKED})

    assert library(shelf).load("small_v1").phases[0].gate.required_fields == ("tests", "report")


@pytest.mark.parametrize("entries", [[], [{"phase_number": 1}]], ids=["no entry", "bare entry"])
def test_with_neither_anything_but_nothing_is_accepted(shelf, entries):
    write_workflow(shelf, phases=1, gate=None, metadata={"phases": entries})

    gate = library(shelf).load("small_v1").phases[0].gate

    assert evaluate(gate, {"note": "x"}, {}).outcome is Outcome.PASS
    assert evaluate(gate, {}, {}).outcome is Outcome.FAIL


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
    }
    assert {name: shelves.find(name).shelf.label for name in (*BUILT_IN_NAMES, "another_v1")} == {
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
        f"no workflow {name[:64]!r}",
        'Call aos_workflow(action="list_workflows"); there are: small_v1',
        {"workflow_types": ["small_v1"]},
    )


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
        '{"workflow_type": "other_v1"}', ": workflow_type 'other_v1' is not the folder's name",
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
def test_a_dynamic_definition_is_listed_and_refused_at_load(shelf, said):
    write_workflow(shelf, metadata=said)
    shelves = library(shelf)
    [place] = shelves.places()

    assert shelves.phase_count(place, shelves.metadata(place)) == "dynamic"
    assert refusal(shelf) == (
        f"{METADATA}: dynamic_phases: its phases come from a task list, which cannot be read"
    )


# Broken phases, tasks and gates


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


GATE_FILE = f"{PHASE}/gate-definition.yaml"

BROKEN_GATES = {
    "empty": ("", ":1: a gate needs the key evidence_schema"),
    "list": ("- a\n", ":1: a gate needs the key evidence_schema"),
    "misspelt section": ("evidence_shema:\n  a: {}\n", ":1: a gate needs the key evidence_schema"),
    "syntax": (
        "evidence_schema:\n  a: [\n", ":3: not YAML: did not find expected node content",
    ),
    "duplicate key": (
        "evidence_schema:\n  a: {type: integer}\n  b: {}\n  a: {}\n", ":4: duplicate key 'a'",
    ),
    "unknown type": (
        "evidence_schema:\n  a: {}\n  b:\n    type: text\n",
        f":4: evidence_schema.b.type: unknown type 'text'; one of {', '.join(TYPE_NAMES)}",
    ),
    "keyword of a wrong type": (
        "evidence_schema:\n  a: {}\n  b: {minimum: few}\n",
        ":3: evidence_schema.b: not a JSON Schema: 'few' is not of type 'number'",
    ),
    "unknown probe": (
        "evidence_schema:\n  a: {verify: {oracle: x}}\n",
        ":2: evidence_schema.a: unknown probe in verify: {'oracle': 'x'}",
    ),
    "unknown validator": (
        "checkpoint: {}\nevidence_schema:\n  a: {validator: v}\n",
        ":1: a: unknown validator 'v' (none is defined)",
    ),
    "broken validator": (
        "evidence_schema: {}\nvalidators:\n  v: x > 0\n",
        ":2: validators: validator 'v': must be a lambda, such as: lambda x: x > 0",
    ),
    "broken rule": (
        "evidence_schema: {}\ncross_field_validation:\n  - rule: 'lambda e: f'\n",
        ":3: cross_field_validation.0.rule: name 'f' is not a parameter",
    ),
    "field of no name": (
        "evidence_schema:\n  yes: {}\n",
        ":1: evidence_schema.1.[key]: Input should be a valid string",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BROKEN_GATES.values(), ids=BROKEN_GATES)
def test_a_broken_gate_is_refused_with_file_and_line(shelf, text, reason):
    put(write_workflow(shelf), "phases/1/gate-definition.yaml", text)

    assert refusal(shelf) == GATE_FILE + reason


def test_a_bomb_in_a_gate_is_refused(shelf):
    put(write_workflow(shelf), "phases/1/gate-definition.yaml", "[" * 500_000)

    assert refusal(shelf) == f"{GATE_FILE}:1: nested deeper than 64"


# JSON's numbers are decimal, and Python refuses to write one of so many digits.
NO_JSON = f"evidence_schema: {{a: {{maximum: 0x{'f' * 5000}}}}}"


def test_what_cannot_be_pinned_is_refused(shelf):
    put(write_workflow(shelf), "phases/1/gate-definition.yaml", NO_JSON)

    assert refusal(shelf).startswith("shelf/small_v1/phases: not plain data: ")


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


# Reading again


def test_a_definition_is_kept_while_nothing_changes(shelf):
    write_workflow(shelf)
    shelves = library(shelf)

    assert shelves.load("small_v1") is shelves.load("small_v1")


def _touch(path, text):
    """Change a file, and its time for certain, whatever the clock of the disk."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))


def _swap(one, other):
    keep = one.with_name("keep")
    one.rename(keep)
    other.rename(one)
    keep.rename(other)


CHANGES = {
    "metadata": lambda folder: _touch(
        folder / "metadata.json", json.dumps({"workflow_type": "small_v1", "version": "2"})
    ),
    "phase": lambda folder: _touch(folder / "phases/1/phase.md", "# Other\n"),
    "text of the same size": lambda folder: _touch(
        folder / "phases/1/phase.md",
        (folder / "phases/1/phase.md").read_text(encoding="utf-8").replace("Do it", "Do at"),
    ),
    "task": lambda folder: _touch(folder / "phases/2/task-1-do.md", "# Other\n"),
    "gate": lambda folder: _touch(
        folder / "phases/1/gate-definition.yaml", "evidence_schema: {a: {}}\n"
    ),
    "new task": lambda folder: _touch(folder / "phases/1/task-2-new.md", "# New\n"),
    "task that is gone": lambda folder: (folder / "phases/1/task-1-do.md").unlink(),
    "gate that is gone": lambda folder: (folder / "phases/2/gate-definition.yaml").unlink(),
    "phase that is gone": lambda folder: shutil.rmtree(folder / "phases/2"),
    "phases that changed places": lambda folder: _swap(folder / "phases/1", folder / "phases/2"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_definition_is_read_again_when_a_file_has_changed(shelf, change):
    folder = write_workflow(shelf)
    shelves = library(shelf)
    before = shelves.load("small_v1").digest

    change(folder)

    assert shelves.load("small_v1").digest == library(shelf).load("small_v1").digest != before


def test_a_change_behind_a_link_to_a_folder_is_seen(tmp_path):
    shelf, common = tmp_path / "shelf", tmp_path / "common"
    folder = write_workflow(shelf, phases=2)
    (folder / "phases" / "2").rename(common)
    link(folder / "phases" / "2", common, is_folder=True)
    shelves = WorkflowLibrary((Shelf("shelf", shelf, tmp_path),))
    before = shelves.load("small_v1").digest

    _touch(common / "gate-definition.yaml", "evidence_schema: {a: {}}\n")

    assert shelves.load("small_v1").digest != before


def test_a_definition_that_was_mended_loads(shelf):
    folder = write_workflow(shelf)
    gate = (folder / "phases/1/gate-definition.yaml").read_text(encoding="utf-8")
    shelves = library(shelf)
    put(folder, "phases/1/gate-definition.yaml", "[")
    with pytest.raises(DefinitionError):
        shelves.load("small_v1")

    put(folder, "phases/1/gate-definition.yaml", gate)

    assert shelves.load("small_v1").phase_numbers == (1, 2)


def test_a_definition_that_broke_is_no_longer_served(shelf):
    folder = write_workflow(shelf)
    shelves = library(shelf)
    shelves.load("small_v1")

    put(folder, "phases/1/gate-definition.yaml", "[")

    with pytest.raises(DefinitionError):
        shelves.load("small_v1")


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
