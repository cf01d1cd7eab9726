"""Answers stay small over a full walk of each built-in workflow, and say nothing twice."""

from functools import cache

import pytest

from benchmarks import sizes
from mcp_server.server.tools.workflow_tools import VALID_ACTIONS
from tests.builders import BUILT_IN_NAMES, DYNAMIC_NAME

NAMES = (*BUILT_IN_NAMES, DYNAMIC_NAME)

LONG = 60
"""Characters from which on a text that is there twice costs more than a name."""

MAY_REPEAT = {
    "description",  # an author may begin the text of a phase with what it is about
    "execution_steps",  # the task's own words once more, as a list: a documented field
    "verified_by",  # two fields may be found in one place
    "validation_errors",  # two refusals may have had one reason
    "value",  # agents may submit the same to two phases
    "session_id",  # `next` is the exact next call, and so bears it
}


@cache
def walked(name, folder):
    project = folder / name
    project.mkdir()
    return sizes.walk(name, project)


@pytest.fixture(params=NAMES)
def measured(request, tmp_path_factory):
    """What a walk of one workflow came to, by action."""
    return walked(request.param, tmp_path_factory.getbasetemp())


def test_each_answer_is_its_content_and_at_most_a_kilobyte_in_each_half(measured):
    beyond_actions = {"complete_phase (refused)", "get_state (one phase)"}
    assert measured.keys() == VALID_ACTIONS | beyond_actions
    over = {a: m.beside for a, m in measured.items() if m.beside > sizes.BESIDE_CONTENT}
    assert over == {}


def test_get_state_is_a_kilobyte_as_a_whole_and_names_every_completed_phase(measured):
    state = measured["get_state"]
    assert state.whole.larger <= sizes.BESIDE_CONTENT
    done = map(str, state.example["completed_phases"])
    assert list(state.example["artifacts"]) == list(done)
    one = measured["get_state (one phase)"]
    (fields,) = one.example["artifacts"].values()
    assert "more_fields" not in fields


def test_records_keep_their_own_limit(measured):
    over = {a: m.with_records for a, m in measured.items() if m.with_records > sizes.WITH_RECORDS}
    assert over == {}


@pytest.mark.parametrize("part", ["name, description, input schema", "with the output schema"])
def test_the_definition_of_the_tool_is_small(part):
    text, limit = sizes.tool_sizes()[part]
    assert len(text.encode()) <= limit


def long_texts(value, name=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from long_texts(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from long_texts(item, name)
    elif isinstance(value, str) and len(value) >= LONG:
        yield name, value


def test_nothing_long_is_said_twice_in_an_answer(measured):
    for example in (m.example for m in measured.values()):
        told = [(name, text) for name, text in long_texts(example) if name not in MAY_REPEAT]
        for at, (name, text) in enumerate(told):
            again = [other for other, whole in told[:at] + told[at + 1 :] if text in whole]
            assert again == [], (example["action"], name)
