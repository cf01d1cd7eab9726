"""Phases told from a list: placeholders filled, everything else left as it is."""

import pytest

from mcp_server.core import dynamic
from mcp_server.core.dynamic import Templates, TooLargeError, phases_of
from mcp_server.core.task_list import Criterion, ListedPhase, ListedTask, TaskList
from tests.builders import gate

FULL = ListedTask(
    task_id="1.1",
    number=1,
    name="Lay the table",
    line=3,
    description="Plates and cups",
    estimated_time="10 minutes",
    acceptance_criteria=("Four plates", "Four cups"),
    steps=("Count the guests",),
)
BARE = ListedTask(task_id="1.3", number=3, name="Call everyone", line=9, dependencies=("1.1",))

LISTED = TaskList((
    ListedPhase(
        number=1, name="Before", line=1, objective="Be ready", duration="1 hour",
        tasks=(FULL, BARE), criteria=(Criterion("All is there", 12), Criterion("Warm", 13)),
    ),
    ListedPhase(number=4, name="After", line=20,
                tasks=(ListedTask(task_id="4.1", number=1, name="Wash up", line=21),)),
))  # fmt: skip

PHASE = (
    "[PHASE_NUMBER]|[PHASE_NAME]|[PHASE_DESCRIPTION]|[ESTIMATED_DURATION]|[TASK_COUNT]|"
    "[NEXT_PHASE_NUMBER]|[VALIDATION_GATE]"
)
TASK = (
    "[PHASE_NUMBER]|[PHASE_NAME]|[TASK_ID]|[TASK_NAME]|[TASK_DESCRIPTION]|[ESTIMATED_TIME]|"
    "[DEPENDENCIES]|[ACCEPTANCE_CRITERIA]|[NEXT_TASK_NUMBER]"
)


def told(phase=PHASE, task=TASK, listed=LISTED):
    return phases_of(listed, Templates(phase, task), lambda _phase: gate())


def test_what_a_phase_says_fills_its_template():
    first, last = told()

    assert first.content == "1|Before|Be ready|1 hour|2|4|- [ ] All is there\n- [ ] Warm"
    assert last.content == "4|After|After|not said|1|none|none"
    assert (first.phase_number, first.title, first.description) == (
        1,
        "Phase 1: Before",
        "Be ready",
    )
    assert (last.phase_number, last.title) == (4, "Phase 4: After")


def test_what_a_task_says_fills_its_template():
    first, last = told()
    full, bare = first.tasks

    assert full.content == (
        "1|Before|1.1|Lay the table|Plates and cups|10 minutes|none|"
        "- [ ] Four plates\n- [ ] Four cups|3"
    )
    assert bare.content == "1|Before|1.3|Call everyone|Call everyone|not said|1.1|none|none"
    assert [task.task_number for task in first.tasks] == [1, 3]
    assert (full.title, full.file) == ("Task 1.1: Lay the table", "task 1.1")
    assert (full.execution_steps, full.estimated_duration) == (("Count the guests",), "10 minutes")
    assert bare.estimated_duration is None
    assert last.tasks[0].content.startswith("4|After|4.1|Wash up")


@pytest.mark.parametrize(
    "text",
    ["[UNKNOWN]", "[Brief description]", "[DEPENDENCIES or 'None']", "[task_id]", "[]", "[N]"],
)
def test_what_nothing_fills_stays(text):
    assert told(phase=text, task=text)[0].content == text
    assert told(phase=text, task=text)[0].tasks[0].content == text


def test_a_phase_knows_nothing_of_its_tasks():
    assert told(phase="[TASK_NAME]")[0].content == "[TASK_NAME]"


def test_what_the_list_says_is_not_filled_again():
    task = ListedTask(task_id="1.1", number=1, name="[PHASE_NAME] and [TASK_ID]", line=2)
    listed = TaskList((ListedPhase(number=1, name="[TASK_COUNT]", line=1, tasks=(task,)),))

    [phase] = told("[PHASE_NAME]", "[TASK_NAME]", listed)

    assert phase.content == "[TASK_COUNT]"
    assert phase.tasks[0].content == "[PHASE_NAME] and [TASK_ID]"


def test_without_templates_everything_is_told_all_the_same():
    first, _ = phases_of(LISTED, Templates(), lambda _phase: gate())

    assert first.content.startswith("# Phase 1: Before\n\nBe ready\n")
    assert "- [ ] All is there" in first.content
    assert "Depends on: 1.1" in first.tasks[1].content


def test_each_phase_has_the_gate_that_is_made_for_it():
    gates = {1: gate(), 4: gate(evidence_schema={"b": {}})}
    phases = phases_of(LISTED, Templates(), lambda phase: gates[phase.number])
    assert [phase.gate for phase in phases] == [gates[1], gates[4]]


def test_more_than_a_session_can_follow_is_refused(monkeypatch):
    monkeypatch.setattr(dynamic, "MAX_RENDERED", 200)
    with pytest.raises(TooLargeError, match="come to over 200 characters"):
        told(task="x" * 100)
    assert len(told(task="x")) == 2
