"""What answers show: small dicts, whatever is stored."""

from datetime import timedelta

import pytest

from mcp_server.core import views
from mcp_server.core.definitions import Metadata, Phase, Task
from mcp_server.core.lifecycle import pass_phase, prepare
from mcp_server.core.models import PhaseAttempt
from mcp_server.core.transitions import Action, Status
from mcp_server.gates.model import Gate
from tests.builders import NOON, definition, gate
from tests.core.session_builders import ERROR, ID, birth, state


def test_a_call_is_text_that_can_be_sent_as_it_is():
    shown = views.call(Action.START, target_file='a "b".py', phase=2, reset=True, note="\u6587")
    assert shown == (
        'aos_workflow(action="start", target_file="a \\"b\\".py", phase=2, reset=true,'
        ' note="\u6587")'
    )


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (NOON, "2026-03-14T12:00:00.000Z"),
        (NOON + timedelta(microseconds=1_999), "2026-03-14T12:00:00.001Z"),
        (None, None),
    ],
)
def test_a_time_is_shown_in_utc_to_the_millisecond(time, shown):
    assert views.timestamp(time) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("abc", "abc"), ("abcd", "ab\u2026"), ("a" * 99, "aa\u2026")]
)
def test_long_text_is_clipped_visibly(text, shown):
    assert views.clip(text, 3) == shown


def test_a_definition_in_a_list():
    metadata = Metadata(
        workflow_type="small_v1",
        version="2.1",
        name="Small",
        description="d" * 400,
        category="test",
        tags=("a", "b"),
        estimated_duration="1 hour",
    )
    assert views.workflow(metadata, 3, "built-in") == {
        "workflow_type": "small_v1",
        "name": "Small",
        "version": "2.1",
        "category": "test",
        "description": "d" * 299 + "\u2026",
        "phases": 3,
        "estimated_duration": "1 hour",
        "source": "built-in",
        "tags": ["a", "b"],
    }


def test_a_definition_that_says_little_is_shown_by_its_type():
    assert views.workflow(Metadata(workflow_type="bare"), "dynamic", "local") == {
        "workflow_type": "bare",
        "name": "bare",
        "version": "0",
        "category": "general",
        "description": "",
        "phases": "dynamic",
        "estimated_duration": "",
        "source": "local",
    }


def test_a_phase_is_shown_with_its_tasks_and_what_its_gate_asks_for():
    assert views.phase_content(definition().phases[0], state()) == {
        "phase_number": 1,
        "title": "Phase 1",
        "description": "",
        "content": "# Phase 1\n",
        "tasks": [{"task_number": 1, "title": "Task 1", "file": "task-1-do.md"}],
        "checkpoint": {
            "strict": True,
            "required_evidence": ["tests", "report"],
            "evidence": {
                "tests": {
                    "type": "integer",
                    "required": True,
                    "description": "Tests",
                    "minimum": 1,
                },
                "report": {"type": "string", "required": True, "description": "Path of the report"},
            },
        },
        "artifacts_from_previous_phases": {},
    }


def test_what_a_gate_compares_is_shown_and_what_it_only_says_is_not():
    asked = Gate.model_validate(
        {
            "evidence_schema": {
                "done": {"type": "boolean", "required": True},
                "free": {"required": False, "title": "T", "default": 1, "examples": [1]},
                "chosen": {"type": "string", "enum": ["a", "b"], "$comment": "hidden"},
                "vast": {"type": "string", "enum": ["e" * 400]},
                "checked": {"type": "integer", "validator": "positive", "description": "d" * 400},
            },
            "validators": {"positive": "lambda x: x > 0"},
            "cross_field_validation": [
                {"rule": "lambda e: e['checked'] > 1"},
                {"rule": "lambda e: e['checked'] > 2", "error_message": "must be over 2"},
            ],
        }
    )
    shown = views.phase_content(Phase(phase_number=1, title="P", gate=asked), state())
    assert shown["checkpoint"] == {
        "strict": True,
        "required_evidence": ["done", "chosen", "vast", "checked"],
        "evidence": {
            "done": {"type": "boolean", "required": True, "const": True},
            "free": {"type": "any", "required": False},
            "chosen": {"type": "string", "required": True, "enum": ["a", "b"]},
            "vast": {"type": "string", "required": True, "enum": ["e" * 400]},
            "checked": {
                "type": "integer",
                "required": True,
                "description": "d" * 299 + "\u2026",
                "validator": "positive: lambda x: x > 0",
            },
        },
        "rules": ["lambda e: e['checked'] > 1", "must be over 2"],
    }


def test_a_phase_shows_the_artifacts_of_completed_phases_before_it():
    first = pass_phase(birth(phases=(1, 2, 3)).state, prepare({"a": 1}), NOON).state
    second = pass_phase(first, prepare({"b": 2}), NOON).state
    current = second.model_copy(update={"evidence": second.evidence | {3: prepare({"c": 3}).items}})
    phases = definition(3).phases
    shown = [views.phase_content(phase, current) for phase in phases]
    assert [list(one["artifacts_from_previous_phases"]) for one in shown] == [[], ["1"], ["1", "2"]]
    rolled_back = current.model_copy(update={"completed_phases": ()})
    assert views.phase_content(phases[2], rolled_back)["artifacts_from_previous_phases"] == {}


def test_a_task():
    task = Task(
        task_number=2,
        title="Do",
        file="task-2-do.md",
        content="# Do\n",
        execution_steps=("Begin", "End"),
        estimated_duration="5 minutes",
    )
    assert views.task_content(task) == {
        "title": "Do",
        "content": "# Do\n",
        "execution_steps": ["Begin", "End"],
        "estimated_duration": "5 minutes",
    }


def test_a_summary():
    assert views.session_summary(state(last_updated=NOON + timedelta(seconds=1))) == {
        "session_id": ID,
        "workflow_type": "small_v1",
        "target_file": "src/a.py",
        "current_phase": 1,
        "total_phases": 2,
        "status": "active",
        "created_at": "2026-03-14T12:00:00.000Z",
        "last_updated": "2026-03-14T12:00:01.000Z",
    }


def test_details_show_large_options_by_their_size_and_count_those_left_out():
    options = {"small": 1, "large": "x" * 300, **{f"option_{n}": n for n in range(200)}}
    shown = views.session_details(state(options=options))["options"]
    assert shown == {
        "small": 1,
        "large": "(302 bytes)",
        **{f"option_{n}": n for n in range(len(shown) - 3)},
        "...": f"{203 - len(shown)} more",
    }
    assert len(str(shown)) < 1_500


def test_details_show_the_latest_attempts():
    attempts = tuple(
        PhaseAttempt(phase=1, attempt=n, status="failed", started_at=NOON) for n in range(1, 41)
    )
    shown = views.session_details(state(history=attempts))["phase_history"]
    assert [attempt["attempt"] for attempt in shown] == list(range(41 - len(shown), 41))
    assert 10 < len(shown) < 40


def test_an_error():
    assert views.error(ERROR.model_copy(update={"details": {"a": 1}})) == {
        "phase": 1,
        "timestamp": "2026-03-14T12:00:00.000Z",
        "error_type": "ValidationError",
        "message": "the gate said no",
        "details": {"a": 1},
        "remediation": "Do better.",
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ACTIVE, f'aos_workflow(action="get_phase", session_id="{ID}")'),
        (Status.PAUSED, f'aos_workflow(action="resume", session_id="{ID}")'),
        (Status.FAILED, f'aos_workflow(action="retry_phase", session_id="{ID}", phase=1)'),
        (Status.COMPLETED, 'aos_workflow(action="list_workflows")'),
    ],
)
def test_the_next_step_is_the_one_call_that_goes_on(status, expected):
    assert views.next_step(state(status=status)) == expected


def test_the_next_step_into_a_phase_is_its_first_task():
    first = definition().phases[0]
    assert views.next_step(state(), first) == (
        f'aos_workflow(action="get_task", session_id="{ID}", phase=1, task_number=1)'
    )
    assert views.next_step(state(status=Status.PAUSED), first) == (
        f'aos_workflow(action="resume", session_id="{ID}")'
    )


def test_the_next_step_in_a_phase_without_tasks_is_its_gate():
    bare = Phase(phase_number=1, title="P", gate=gate())
    assert views.next_step(state(), bare) == (
        f'aos_workflow(action="complete_phase", session_id="{ID}", phase=1,'
        ' evidence={"...":"..."})'
    )
