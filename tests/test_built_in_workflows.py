"""Every built-in workflow: that it can be walked, and that its gates can be passed and do gate."""

import json
import re

import pytest
from markdown_it import MarkdownIt

from mcp_server.config import load_settings
from mcp_server.errors import GateRefusedError
from mcp_server.example import Example, claims
from mcp_server.gates.evaluation import Verdict, evaluate
from mcp_server.gates.observation import Judgement, Known, Observation
from mcp_server.server.services import services_for
from tests.builders import (
    BUILT_IN_FOLDER,
    BUILT_IN_NAMES,
    DYNAMIC_NAME,
    library,
    passing_evidence,
)

LIBRARY = library()
WORKFLOWS = {name: LIBRARY.load(name) for name in BUILT_IN_NAMES}
PHASES = {
    f"{name}-{phase.phase_number}": (name, phase)
    for name, made in WORKFLOWS.items()
    for phase in made.phases
}

each_workflow = pytest.mark.parametrize("name", BUILT_IN_NAMES)
each_phase = pytest.mark.parametrize(("name", "phase"), PHASES.values(), ids=PHASES)


def test_a_refusal_names_what_is_needed_by_the_target_of_the_session(project):
    engine = services_for(load_settings()).engine
    session = engine.start("spec_creation_v1", "specs/pay")["session_id"]
    with pytest.raises(GateRefusedError) as refused:
        engine.complete_phase(session, 1, {})
    told = str(refused.value.fields)
    assert "specs/pay/inputs.md is not there; needed: specs/pay/inputs.md, written in" in told
    assert "{target_file}" not in told


def folder_of(name, phase):
    return BUILT_IN_FOLDER / name / "phases" / str(phase.phase_number)


def text_of(path):
    return path.read_text(encoding="utf-8")


def links_of(path):
    """The targets of the links of a Markdown file; what stands in code is no link."""
    inline = (token for token in MarkdownIt("commonmark").parse(text_of(path)) if token.children)
    return [
        str(child.attrs["href"])
        for token in inline
        for child in token.children
        if child.type == "link_open"
    ]


def test_the_built_in_workflows_are_these():
    names = sorted((*BUILT_IN_NAMES, DYNAMIC_NAME))
    assert [place.name for place in LIBRARY.places()] == names
    assert sorted(path.name for path in BUILT_IN_FOLDER.iterdir()) == names


@each_workflow
def test_a_workflow_has_four_to_eight_phases_numbered_without_a_gap(name):
    numbers = WORKFLOWS[name].phase_numbers

    assert 4 <= len(numbers) <= 8
    assert numbers == tuple(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] in {0, 1}


@each_workflow
def test_the_metadata_agrees_with_the_folders(name):
    made = WORKFLOWS[name]
    written = json.loads(text_of(BUILT_IN_FOLDER / name / "metadata.json"))

    assert written["workflow_type"] == name
    assert written["total_phases"] == len(made.phases)
    assert written.get("start_phase", 0) == made.phase_numbers[0]
    assert written["dynamic_phases"] is False
    assert [entry["phase_number"] for entry in written["phases"]] == list(made.phase_numbers)
    assert [phase.title for phase in made.phases] == [
        f"Phase {entry['phase_number']}: {entry['phase_name']}" for entry in written["phases"]
    ]


@each_workflow
def test_the_metadata_says_what_the_list_shows(name):
    made = WORKFLOWS[name]

    assert re.fullmatch(r"\d+\.\d+\.\d+", made.version)
    assert all((made.name, made.description, made.category, made.estimated_duration))


@each_workflow
def test_nothing_else_lies_in_a_workflow_s_folder(name):
    root = BUILT_IN_FOLDER / name
    made = WORKFLOWS[name]
    expected = {"metadata.json"} | {
        f"phases/{phase.phase_number}/{file}"
        for phase in made.phases
        for file in ("phase.md", "gate-definition.yaml", *(task.file for task in phase.tasks))
    }

    assert {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not path.is_relative_to(root / "example")
    } == expected


@each_workflow
def test_the_example_of_a_workflow_has_the_work_of_its_phases_and_nothing_else(name):
    example = Example.of(BUILT_IN_FOLDER / name)
    phases = {f"phase-{number}" for number in WORKFLOWS[name].phase_numbers}

    assert {path.name for path in example.folder.iterdir()} <= phases | {"before", "example.json"}
    assert set(example.commit_after) <= set(WORKFLOWS[name].phase_numbers)


@each_workflow
def test_at_most_a_third_of_what_a_workflow_requires_are_claims(name):
    required = [
        field
        for phase in WORKFLOWS[name].phases
        for field in phase.gate.evidence_schema.values()
        if field.required
    ]
    claimed = [field for field in required if not field.probes]

    assert len(claimed) * 3 <= len(required)


@each_phase
def test_a_phase_has_two_to_six_tasks_numbered_from_one(name, phase):
    del name

    assert 2 <= len(phase.tasks) <= 6
    assert [task.task_number for task in phase.tasks] == list(range(1, len(phase.tasks) + 1))


@each_phase
def test_a_phase_and_its_tasks_have_titles_and_the_tasks_have_steps(name, phase):
    del name

    assert phase.description
    assert phase.title.startswith(f"Phase {phase.phase_number}: ")
    for task in phase.tasks:
        assert task.title.startswith(f"Task {task.task_number}: "), task.file
        assert task.execution_steps, task.file
        assert task.estimated_duration, task.file


@each_phase
def test_a_task_is_at_most_100_lines(name, phase):
    del name

    assert {
        task.file: len(task.content.splitlines())
        for task in phase.tasks
        if len(task.content.splitlines()) > 100
    } == {}


@each_phase
def test_a_gate_is_strict_and_cannot_be_overridden(name, phase):
    del name
    checkpoint = phase.gate.checkpoint

    assert (checkpoint.strict, checkpoint.allow_override) == (True, False)


@each_phase
def test_a_gate_wants_something_and_describes_each_field(name, phase):
    del name
    fields = phase.gate.evidence_schema

    assert phase.gate.required_fields
    assert [key for key, field in fields.items() if not (field.type and field.description)] == []
    assert [key for key, field in fields.items() if "examples" not in field.json_schema] == []


def seen_at(gate, **changed):
    """What the server finds when the work is as the examples say, but for what is `changed`."""
    examples = passing_evidence(gate)
    return {
        name: changed.get(name, Observation(Known.OBSERVED, examples[name]))
        for name in gate.verified_fields
    }


@each_phase
def test_a_gate_lets_through_what_its_examples_say(name, phase):
    del name
    gate, evidence = phase.gate, passing_evidence(phase.gate)

    verdict = evaluate(gate, claims(gate), seen_at(gate))

    known = {key: "observed" if key in gate.verified_fields else "claimed" for key in evidence}
    assert verdict == Verdict(Judgement.PASS, known=known, values=evidence)


@each_phase
def test_a_gate_refuses_when_any_required_claim_is_left_out(name, phase):
    del name
    gate = phase.gate

    for left_out in set(gate.required_fields) - set(gate.verified_fields):
        lacking = {key: value for key, value in claims(gate).items() if key != left_out}
        verdict = evaluate(gate, lacking, seen_at(gate))
        assert (verdict.outcome, verdict.missing) == (Judgement.FAIL, (left_out,))


@each_phase
@pytest.mark.parametrize("judgement", [Judgement.FAIL, Judgement.COULD_NOT_VERIFY])
def test_a_gate_lets_nothing_through_that_the_server_did_not_find(name, phase, judgement):
    del name
    gate = phase.gate
    nothing = Observation(Known.OBSERVED, judgement=judgement, reason="x", remedy="y")

    for field in set(gate.required_fields) & set(gate.verified_fields):
        seen = seen_at(gate, **{field: nothing})
        assert evaluate(gate, claims(gate), seen).outcome is judgement
        assert evaluate(gate, passing_evidence(gate), seen).outcome is judgement


@each_phase
def test_no_gate_is_claims_only(name, phase):
    del name
    gate = phase.gate

    verified = set(gate.required_fields) & set(gate.verified_fields)
    assert 2 * len(verified) >= len(gate.required_fields)


@each_phase
def test_a_gate_refuses_what_an_agent_would_write_to_be_done(name, phase):
    del name
    gate = phase.gate

    for value in (True, "", "done", "later", 0, [], {}):
        careless = dict.fromkeys(gate.evidence_schema, value)
        assert evaluate(gate, careless, seen_at(gate)).outcome is Judgement.FAIL, value
        assert evaluate(gate, careless, {}).outcome is not Judgement.PASS, value


@each_phase
def test_each_link_leads_to_a_file_of_the_phase(name, phase):
    folder = folder_of(name, phase)

    broken = [
        f"{path.name}: {target}"
        for path in sorted(folder.glob("*.md"))
        for target in links_of(path)
        if not target.startswith("#") and not (folder / target.partition("#")[0]).is_file()
    ]

    assert broken == []


@each_phase
def test_the_text_of_a_phase_links_to_each_task_in_order(name, phase):
    links = links_of(folder_of(name, phase) / "phase.md")

    assert [link for link in links if link.startswith("task-")] == [
        task.file for task in phase.tasks
    ]


@each_phase
def test_the_text_of_a_phase_names_exactly_the_fields_of_its_gate(name, phase):
    del name
    _, _, after = phase.content.partition("\n## What the gate asks for\n")
    section = after.partition("\n## ")[0]

    assert re.findall(r"^- `([^`]+)`", section, re.MULTILINE) == list(phase.gate.evidence_schema)
