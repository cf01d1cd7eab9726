"""Workflow definitions in YAML: phases, tasks, gates, and what is refused in which line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.named_validators import expression
from mcp_server.core.task_list import TaskListError
from mcp_server.core.tasks_yaml import parse_workflow_definition
from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.expressions import Expression
from mcp_server.gates.observation import Judgement

TEXT = """name: survey
phases:
  - number: 0
    name: Look
    purpose: See what is there
    deliverable: Notes
    tasks:
      - number: 1
        name: walk
        purpose: Walk around
        steps_outline: [Go, "Note: all"]
        validation_criteria: [Nothing is left out]
        commands_needed: [ls]
        task_context: It pays.
      - {number: 3, name: sort, dependencies: ["0.1"]}
    validation_gate:
      evidence_required:
        notes: {type: array, description: The notes, validator: min_length_2}
        seen: {type: boolean, validator: is_true}
      human_approval_required: true
  - number: 2
    name: Draw
    tasks: [{number: 1, name: draw, dependencies: [Phase 0 complete]}]
"""


def test_phases_and_tasks_are_read():
    look, draw = parse_workflow_definition(TEXT).tasks.phases
    assert (look.number, look.name, look.objective, look.deliverable, look.line) == (
        0, "Look", "See what is there", "Notes", 3,
    )  # fmt: skip
    assert [one.text for one in look.criteria] == ["The notes", "seen"]
    walk, sort = look.tasks
    assert (walk.task_id, walk.name, walk.description) == ("0.1", "walk", "Walk around")
    assert walk.steps == ("Go", "Note: all")
    assert walk.acceptance_criteria == ("Nothing is left out",)
    assert walk.text == "It pays.\n\n**Commands:**\n\n- ls"
    assert (sort.number, sort.dependencies) == (3, ("0.1",))
    assert draw.tasks[0].phase_dependencies == (0,)


def test_a_gate_is_strict_and_has_the_named_validators():
    gate = parse_workflow_definition(TEXT).gates[0]
    assert gate.checkpoint.strict
    assert gate.evidence_schema["notes"].type == "list"
    assert gate.validators == {
        "is_true": "lambda x: x is True",
        "min_length_2": "lambda x: len(x) >= 2",
    }
    assert gate.required_fields == ("notes", "seen", "human_approval")
    assert evaluate(gate, {"notes": ["a"], "seen": True}, {}).outcome is Judgement.FAIL


def test_an_approval_is_asked_of_a_person():
    field = parse_workflow_definition(TEXT).gates[0].evidence_schema["human_approval"]
    assert [probe.probe for probe in field.probes] == ["approval"]
    assert field.must_be_true


def test_a_phase_without_a_gate_asks_whether_it_is_completed():
    assert parse_workflow_definition(TEXT).gates[2].required_fields == ("phase_completed",)


REFUSED = {
    "no YAML": ("a: [", "not YAML", 2),
    "no mapping": ("- a\n", "mapping", 1),
    "no phases": ("name: x\n", "no phase", 1),
    "phases misspelt": ("phase: []\n", "did you mean phases", 1),
    "phases of another type": ("phases: {a: 1}\n", "must be a list", 1),
    "an unknown validator": (
        TEXT.replace("min_length_2", "min_len_2"),
        "min_len_2.*min_length",
        18,
    ),
    "another case": (TEXT.replace("is_true", "Is_True"), "Is_True", 19),
    "an unknown type": (TEXT.replace("array", "heap"), "heap", 18),
    "a misspelt key": (TEXT.replace("validator: is", "validater: is"), "validater", 19),
    "a misspelt gate": (TEXT.replace("validation_gate", "validation_gates"), "validation_gate", 16),
    "an unknown gate key": (TEXT.replace("human_approval_required", "approval"), "approval", 20),
    "approval in words": (TEXT.replace("required: true", "required: soon"), "true or false", 20),
    "no number": (TEXT.replace("- number: 2\n    name", "- name"), "whole number", 21),
    "a broken number": (TEXT.replace("number: 2", "number: 2.5"), "whole number", 21),
    "no name": (TEXT.replace("    name: Draw\n", ""), "name must be", 21),
    "a phase twice": (TEXT.replace("number: 2", "number: 0"), "phase 0 is there twice", 21),
    "a task twice": (TEXT.replace("number: 3", "number: 1"), "task 0.1 is there twice", 15),
    "no such task": (TEXT.replace('"0.1"', '"0.2"'), "depends on task 0.2", 15),
    "a dependency as a number": (TEXT.replace('"0.1"', "0.1"), "in quotes", 15),
    "approval twice": (TEXT.replace("seen:", "human_approval:"), "twice", 19),
    "no text": (TEXT.replace("Walk around", "[a]"), "purpose must be text", 10),
}


@pytest.mark.parametrize(("text", "reason", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_line(text, reason, line):
    with pytest.raises(TaskListError, match=reason) as refusal:
        parse_workflow_definition(text)
    assert refusal.value.line == line


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("is_true", True, False),
        ("is_false", False, True),
        ("non_empty", "a", ""),
        ("positive", 1, 0),
        ("min_length_2", [1, 2], [1]),
        ("max_length_2", "ab", "abc"),
        ("equals_5", 5, 6),
        ("equals_0_85", 0.85, 85),
        ("equals_high", "high", "High"),
        ("equals_very_high", "very_high", "high"),
        ("equals_true", True, False),
        ("equals_-3", -3, 3),
        ("greater_than_or_equal_0_85", 0.85, 0.84),
        ("less_than_or_equal_2_0", 2.0, 2.1),
        ("greater_than_3", 4, 3),
        ("less_than_3", 2, 3),
        ("in_range_1_5", 5, 6),
        ("in_range_0_5_1_5", 0.5, 0.4),
    ],
)
def test_a_validator_means_what_its_name_says(name, good, bad):
    source = expression(name)
    assert source is not None
    assert Expression(source)(good)
    assert not Expression(source)(bad)


@pytest.mark.parametrize(
    "name",
    ["", "IS_TRUE", "is_true ", "min_length", "min_length_-1", "min_length_1_5", "greater_than_x",
     "in_range_5_1", "in_range_0_5_10", "equals_", "equals_a b", "equals_'", "positive\n",
     "equals_5\n", "lambda x: True"],
)  # fmt: skip
def test_other_names_mean_nothing(name):
    assert expression(name) is None


@given(st.text())
def test_every_name_means_an_expression_or_nothing(name):
    for source in map(expression, (name, f"equals_{name}", f"less_than_{name}")):
        assert source is None or Expression(source).parameters == ("x",)


KEYS = (
    "number|name|tasks|phases|purpose|dependencies|validation_gate|evidence_required|type|validator"
)
PARTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["1.1", "a", "1"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS.split("|")), inner, max_size=5),
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(), PARTS.map(lambda part: str({"phases": [part]}))))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(TaskListError):
        assert parse_workflow_definition(text.replace("None", "null")).tasks.phases


def test_a_definition_of_another_project_is_read(compat):
    text = (compat / "definitions" / "standards_creation.yaml").read_text(encoding="utf-8")
    found = parse_workflow_definition(text)
    assert [len(phase.tasks) for phase in found.tasks.phases] == [5, 6, 4, 5, 5, 6]
    assert [len(gate.evidence_schema) for gate in found.gates.values()] == [4, 7, 5, 5, 5, 6]
    gate = found.gates[3]
    good = {"queries_tested": 5, "queries_found_top3": 4, "average_relevance": 0.85,
            "average_rank": 2.0, "discoverability_passed": True}  # fmt: skip
    assert evaluate(gate, good, {}).outcome is Judgement.PASS
    for field, value in [("queries_tested", 4), ("average_relevance", 0.84), ("average_rank", 2.1)]:
        assert evaluate(gate, good | {field: value}, {}).outcome is Judgement.FAIL
