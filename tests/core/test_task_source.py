"""Dynamic workflows: the list that start names, read from the project and pinned."""

import json
import os

import pytest

from mcp_server.config import Settings
from mcp_server.core.library import Shelf, WorkflowLibrary
from mcp_server.errors import DefinitionError, InvalidArgumentError
from mcp_server.server.services import services_for
from tests.builders import tree, write_workflow

TASKS = """\
# Tasks

## Phase 1: Build

**Objective:** Build it

### Task 1.1: Lay the floor

**Acceptance Criteria:**

- [ ] It is level

### Validation Gate

- [ ] Floor is level
- [ ] Tests pass

## Phase 2: Paint

### Task 2.1: Choose colours

**Dependencies:** Task 1.1

### Validation Gate

- [ ] Walls are white
"""
GATES = """\
phases:
  1:
    tests_pass: {type: integer, minimum: 1, verify: {count: a.md, pattern: x}}
"""
DYNAMIC = {
    "total_phases": "dynamic",
    "dynamic_phases": True,
    "dynamic_config": {
        "source_type": "spec_tasks_md",
        "source_path_key": "spec_path",
        "templates": {"phase": "phases/dynamic/phase.md", "task": "phases/dynamic/task.md"},
        "parser": "spec_tasks_parser",
    },
}
YAML = """\
phases:
  - number: 1
    name: Only
    purpose: Do it
    tasks: [{number: 1, name: do-it, purpose: Really}]
    validation_gate:
      evidence_required:
        done: {type: boolean, description: It is done, validator: is_true}
"""


@pytest.fixture
def spec(project):
    """A project with a dynamic workflow, and the folder of a list for it."""
    folder = write_workflow(
        project / ".praxis-os" / "workflows", "run_v1", phases=1, first=0, metadata=DYNAMIC
    )
    templates = folder / "phases" / "dynamic"
    templates.mkdir()
    (templates / "phase.md").write_text("# [PHASE_NAME], [TASK_COUNT]\n", encoding="utf-8")
    (templates / "task.md").write_text("# [TASK_ID] [TASK_NAME]\n", encoding="utf-8")
    spec = project / "specs" / "house"
    spec.mkdir(parents=True)
    (spec / "tasks.md").write_text(TASKS, encoding="utf-8")
    return spec


@pytest.fixture
def engine(project, spec):
    del spec
    return services_for(Settings(project=project)).engine


def start(engine, path="specs/house", **options):
    return engine.start("run_v1", "specs/house", {"spec_path": path, **options})


def definition(project, path="specs/house"):
    shelf = project / ".praxis-os" / "workflows"
    library = WorkflowLibrary((Shelf("shelf", shelf, project),), project)
    return library.load("run_v1", {"spec_path": path})


@pytest.mark.parametrize("path", ["specs/house", "specs/house/tasks.md", "./specs//house/"])
def test_the_static_phases_come_first_and_then_those_of_the_list(project, spec, path):
    made = definition(project, path)

    assert made.phase_numbers == (0, 1, 2)
    assert [phase.content for phase in made.phases[1:]] == ["# Build, 1\n", "# Paint, 1\n"]
    assert made.phase(1).task(1).content == "# 1.1 Lay the floor\n"


def test_the_criteria_of_a_phase_are_its_gate(project, spec):
    gate = definition(project).phase(1).gate

    assert gate.required_fields == ("floor_is_level", "tests_pass")
    assert gate.evidence_schema["tests_pass"].description == "Tests pass"
    assert gate.checkpoint.strict


def test_a_criterion_may_be_verified_by_a_gates_file_beside_the_list(project, spec):
    (spec / "gates.yaml").write_text(GATES, encoding="utf-8")

    field = definition(project).phase(1).gate.evidence_schema["tests_pass"]

    assert [probe.described for probe in field.probes] == ["count a.md, matches of x"]


def test_a_session_walks_the_list_to_its_end(engine):
    started = start(engine)
    session = started["session_id"]
    assert (started["current_phase"], started["total_phases"]) == (0, 3)
    engine.complete_phase(session, 0, {"tests": 3, "report": "r.xml"})
    shown = engine.get_phase(session)["phase_content"]
    assert shown["content"] == "# Build, 1\n"
    assert engine.get_task(session, 1)["task_content"]["content"] == "# 1.1 Lay the floor\n"
    engine.complete_phase(session, 1, {"floor_is_level": True, "tests_pass": True})
    assert engine.complete_phase(session, 2, {"walls_are_white": True})["workflow_complete"] is True


def test_what_is_ticked_off_or_rewritten_later_changes_nothing_that_runs(engine, spec):
    session = start(engine)["session_id"]
    assert "moved_on" not in engine.get_state(session)["definition"]
    (spec / "tasks.md").write_text(TASKS.replace("Paint", "Burn"), encoding="utf-8")

    engine.complete_phase(session, 0, {"tests": 3, "report": "r.xml"})
    passed = engine.complete_phase(session, 1, {"floor_is_level": True, "tests_pass": True})

    assert passed["next_phase"]["title"] == "Phase 2: Paint"
    assert "the pinned one is served" in engine.get_state(session)["definition"]["moved_on"]


def test_a_list_is_read_again_when_it_or_the_gates_beside_it_change(project, spec):
    shelf = project / ".praxis-os" / "workflows"
    library = WorkflowLibrary((Shelf("shelf", shelf, project),), project)
    options = {"spec_path": "specs/house"}
    first = library.load("run_v1", options)
    assert library.load("run_v1", options) is first

    (spec / "gates.yaml").write_text(GATES, encoding="utf-8")
    second = library.load("run_v1", options)
    (spec / "tasks.md").write_text(TASKS.replace("Paint", "Varnish"), encoding="utf-8")

    assert second.phase(1) != first.phase(1)
    assert library.load("run_v1", options).phase(2).title == "Phase 2: Varnish"


def test_a_definition_may_be_the_list(project, spec, engine):
    folder = project / ".praxis-os" / "workflows" / "run_v1"
    config = {**DYNAMIC["dynamic_config"], "parser": "workflow_definition_parser"}
    data = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    text = json.dumps({**data, "dynamic_config": config})
    (folder / "metadata.json").write_text(text, encoding="utf-8")
    (spec / "made.yaml").write_text(YAML, encoding="utf-8")

    session = start(engine, "specs/house/made.yaml")["session_id"]

    engine.complete_phase(session, 0, {"tests": 3, "report": "r.xml"})
    assert engine.complete_phase(session, 1, {"done": True})["workflow_complete"] is True


@pytest.mark.parametrize("options", [{}, {"spec_path": None}, {"spec_path": 5}, {"spec_path": " "}])
def test_start_says_what_names_the_list(project, engine, options):
    before = tree(project)
    with pytest.raises(InvalidArgumentError) as refusal:
        engine.start("run_v1", "specs/house", options)
    assert refusal.value.message == (
        "run_v1 takes its phases from a list of tasks: options.spec_path does not say which"
    )
    assert refusal.value.remediation == (
        'Pass options={"spec_path": "..."}: a file of the project, or a folder that holds tasks.md.'
    )
    assert tree(project) == before


@pytest.mark.parametrize("path", ["../outside", "/etc", "~/x", "specs/../../x", "link"])
def test_a_list_outside_the_project_is_refused(project, tmp_path, engine, path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "tasks.md").write_text(TASKS, encoding="utf-8")
    (project / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidArgumentError, match=r"directory traversal: options\.spec_path"):
        start(engine, path)


BROKEN = {
    "no file": (None, "specs/house/tasks.md: is not there"),
    "no phases": ("Just words.\n", "specs/house/tasks.md: there is no phase; write headings"),
    "not UTF-8": (b"\xff\xfe\xff", "specs/house/tasks.md: is not UTF-8 text"),
    "a number of the workflow itself": (
        TASKS.replace("Phase 1", "Phase 0").replace("1.1", "0.1"),
        "specs/house/tasks.md:3: phase 0 is in the way of phase 0 of the workflow itself; number",
    ),
    "dependency on nothing": (
        TASKS.replace("Dependencies:** Task 1.1", "Dependencies:** Task 1.9"),
        "specs/house/tasks.md:22: ",
    ),
    "twice": (TASKS.replace("Phase 2: Paint", "Phase 1: Paint"), "specs/house/tasks.md:"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_list_that_cannot_be_used_is_refused_with_file_and_line(
    project, spec, engine, content, message
):
    path = spec / "tasks.md"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = tree(project)
    with pytest.raises(DefinitionError) as refusal:
        start(engine)
    assert refusal.value.message.startswith(message)
    assert tree(project) == before


def test_gates_that_cannot_be_used_are_refused_with_their_file_and_line(spec, engine):
    (spec / "gates.yaml").write_text("phases:\n  1:\n    roof: {type: string}\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as refusal:
        start(engine)
    assert refusal.value.details["file"] == "specs/house/gates.yaml"
    assert refusal.value.details["line"] == 3


@pytest.mark.parametrize("make", ["folder", "fifo", "large"])
def test_what_is_no_file_to_read_is_refused(spec, engine, make):
    path = spec / "tasks.md"
    path.unlink()
    if make == "folder":
        path.mkdir()
    elif make == "fifo":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(50 * 1024 * 1024)
    with pytest.raises(DefinitionError, match=r"specs/house/tasks\.md"):
        start(engine)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"parser": "oracle"},
            "unknown parser 'oracle' in dynamic_config; one of",
        ),
        (
            {"templates": {"phase": "phases/dynamic/none.md"}},
            "there is no file 'phases/dynamic",
        ),
        ({"templates": {"task": "../../secret.md"}}, "template '../../secret.md' is outside"),
        ({"templates": {"task": "/etc/passwd"}}, "template '/etc/passwd' is outside"),
    ],
)
def test_a_dynamic_definition_that_makes_no_sense_is_refused(project, engine, config, message):
    folder = project / ".praxis-os" / "workflows" / "run_v1"
    data = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    text = json.dumps({**data, "dynamic_config": {**DYNAMIC["dynamic_config"], **config}})
    (folder / "metadata.json").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError) as refusal:
        start(engine)
    assert message in refusal.value.message


def test_the_real_lists_of_another_project_are_walked(project, compat):
    counts = {
        "agent-os-upgrade": [8, 6, 7, 6, 7],
        "aos-workflow": [4, 6, 8, 5, 6],
        "divio-docs": [4, 2, 5, 4, 1, 3],
        "dual-transport": [7, 7, 6, 4],
    }
    shelf = compat / "workflows"
    for name, tasks in counts.items():
        (project / f"{name}.md").write_bytes((compat / f"tasks/{name}.tasks.md").read_bytes())
        library = WorkflowLibrary((Shelf("shelf", shelf, shelf),), project)
        made = library.load("spec_execution_v1", {"spec_path": f"{name}.md"})
        assert [len(phase.tasks) for phase in made.phases] == [3, *tasks]
        assert made.phase_numbers == tuple(range(len(tasks) + 1))
