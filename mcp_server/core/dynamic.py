"""Phases that come from a list of work: templates filled with what the list says. Pure.

What is rendered is pinned with the session, so that the list may be ticked off, and even rewritten,
while it is executed. A placeholder that nothing fills stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from mcp_server.core.definitions import Phase, Task
from mcp_server.core.task_list import ListedPhase, ListedTask, TaskList
from mcp_server.gates.model import Gate

NONE = "none"
"""What stands for what there is not: the number after the last, no dependencies."""

MAX_RENDERED = 16 * 1024 * 1024
"""Characters that all phases and tasks of a list may come to."""

_PLACEHOLDER = re.compile(r"\[(?P<name>[A-Z][A-Z_]+)\]")

PHASE_PLACEHOLDERS = (
    "PHASE_NUMBER",
    "PHASE_NAME",
    "PHASE_DESCRIPTION",
    "ESTIMATED_DURATION",
    "TASK_COUNT",
    "NEXT_PHASE_NUMBER",
    "VALIDATION_GATE",
)
TASK_PLACEHOLDERS = (
    "TASK_ID",
    "TASK_NAME",
    "TASK_DESCRIPTION",
    "ESTIMATED_TIME",
    "DEPENDENCIES",
    "ACCEPTANCE_CRITERIA",
    "NEXT_TASK_NUMBER",
)
"""What a template for tasks may name besides what one for phases may."""

PHASE_TEMPLATE = """\
# Phase [PHASE_NUMBER]: [PHASE_NAME]

[PHASE_DESCRIPTION]

Estimated duration: [ESTIMATED_DURATION]. Tasks: [TASK_COUNT].

## Validation gate

[VALIDATION_GATE]
"""

TASK_TEMPLATE = """\
# Task [TASK_ID]: [TASK_NAME]

**Estimated Time:** [ESTIMATED_TIME]

[TASK_DESCRIPTION]

Depends on: [DEPENDENCIES]

## Acceptance criteria

[ACCEPTANCE_CRITERIA]
"""


class TooLargeError(Exception):
    """What a list and its templates come to is more than a session can follow."""


@dataclass(frozen=True, slots=True)
class Templates:
    """How a phase and a task of a list are told."""

    phase: str = PHASE_TEMPLATE
    task: str = TASK_TEMPLATE


def phases_of(
    listed: TaskList, templates: Templates, gate_of: Callable[[ListedPhase], Gate]
) -> tuple[Phase, ...]:
    """Return the phases of a list, told by `templates`, each with its gate.

    Raises TooLargeError.
    """
    rendered: list[Phase] = []
    size = 0
    for phase, following in pairwise((*listed.phases, None)):
        if phase is None:
            continue
        values = _phase_values(phase, following)
        tasks = _tasks(phase, values, templates.task)
        content = _filled(templates.phase, values)
        size += len(content) + sum(len(task.content) for task in tasks)
        if size > MAX_RENDERED:
            raise TooLargeError(f"the phases and tasks come to over {MAX_RENDERED} characters")
        rendered.append(
            Phase(
                phase_number=phase.number,
                title=f"Phase {phase.number}: {phase.name}",
                description=phase.objective or phase.deliverable,
                content=content,
                tasks=tasks,
                gate=gate_of(phase),
            )
        )
    return tuple(rendered)


def _tasks(phase: ListedPhase, values: Mapping[str, str], template: str) -> tuple[Task, ...]:
    return tuple(
        Task(
            task_number=task.number,
            title=f"Task {task.task_id}: {task.name}",
            file=f"task {task.task_id}",
            content=_filled(template, {**values, **_task_values(task, following)}),
            execution_steps=task.steps,
            estimated_duration=task.estimated_time or None,
        )
        for task, following in pairwise((*phase.tasks, None))
        if task is not None
    )


def _phase_values(phase: ListedPhase, following: ListedPhase | None) -> dict[str, str]:
    values = (
        str(phase.number),
        phase.name,
        phase.objective or phase.deliverable or phase.name,
        phase.duration or "not said",
        str(len(phase.tasks)),
        str(following.number) if following else NONE,
        _boxes(tuple(criterion.text for criterion in phase.criteria)),
    )
    return dict(zip(PHASE_PLACEHOLDERS, values, strict=True))


def _task_values(task: ListedTask, following: ListedTask | None) -> dict[str, str]:
    values = (
        task.task_id,
        task.name,
        task.description or task.name,
        task.estimated_time or "not said",
        task.dependency_text or ", ".join(task.dependencies) or NONE,
        _boxes(task.acceptance_criteria),
        str(following.number) if following else NONE,
    )
    return dict(zip(TASK_PLACEHOLDERS, values, strict=True))


def _boxes(criteria: tuple[str, ...]) -> str:
    return "\n".join(f"- [ ] {text}" for text in criteria) or NONE


def _filled(template: str, values: Mapping[str, str]) -> str:
    # One pass: what the list says is told as it is, also where it looks like a placeholder.
    return _PLACEHOLDER.sub(lambda found: values.get(found["name"], found[0]), template)
