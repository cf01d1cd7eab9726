"""A list of work as dynamic workflows follow it: phases in order, their tasks and criteria. Pure.

A `TaskList` that exists is sound: phases and tasks are there once each, each dependency is on a
task or phase of the list, and no task waits for itself around a corner. Numbers may have gaps.
Reading a list from Markdown or YAML is the parsers' business; what they refuse, and what is
refused here, is a `TaskListError` with the line at fault.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MAX_TEXT = 4 * 1024 * 1024
"""Bytes of UTF-8 that a list may have."""

MAX_LINES = 10_000
MAX_PHASES = 200
MAX_TASKS = 2_000
MAX_NAME = 200
_SHOWN = 12

BEFORE_THE_LIST = 0
"""The phase in which a workflow reads its list; a task may say that it waits for it."""


class TaskListError(Exception):
    """A list of tasks that cannot be used; `line` counts from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition of a phase's validation gate."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTask:  # pylint: disable=too-many-instance-attributes # what templates may ask for
    """One task; `text` is its source, for those who want what no field holds."""

    task_id: str
    number: int
    name: str
    line: int
    description: str = ""
    estimated_time: str = ""
    dependencies: tuple[str, ...] = ()
    phase_dependencies: tuple[int, ...] = ()
    dependency_text: str = ""
    dependency_line: int | None = None
    acceptance_criteria: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPhase:
    """One phase; `criteria` are those of the validation gate at its end."""

    number: int
    name: str
    line: int
    objective: str = ""
    duration: str = ""
    deliverable: str = ""
    tasks: tuple[ListedTask, ...] = ()
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskList:
    """All phases of a list, by number."""

    phases: tuple[ListedPhase, ...]
    tasks: Mapping[str, ListedTask] = field(init=False)
    """The tasks of all phases by id."""

    def __post_init__(self) -> None:
        """Refuse a list that could not be followed."""
        object.__setattr__(self, "phases", _in_order(self.phases))
        object.__setattr__(self, "tasks", _by_id(self.phases))
        _require_dependencies(self)
        _refuse_cycles(self.tasks)


def require_size(text: str) -> None:
    """Raise TaskListError for a text that is too large to be parsed."""
    # The characters come first: encoding fifty million of them takes time.
    if len(text) > MAX_TEXT or len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT:
        raise TaskListError(f"the list is too large, over {MAX_TEXT} bytes")
    if text.count("\n") + text.count("\r") - text.count("\r\n") > MAX_LINES:
        raise TaskListError(f"the list is too long, over {MAX_LINES} lines", MAX_LINES + 1)


def require_count(phases: int, tasks: int, line: int | None) -> None:
    """Raise TaskListError for more phases or tasks than a list may have."""
    if phases > MAX_PHASES:
        raise TaskListError(f"more than {MAX_PHASES} phases", line)
    if tasks > MAX_TASKS:
        raise TaskListError(f"more than {MAX_TASKS} tasks", line)


def _in_order(phases: Iterable[ListedPhase]) -> tuple[ListedPhase, ...]:
    seen: dict[int, ListedPhase] = {}
    for phase in phases:
        require_count(len(seen) + 1, 0, phase.line)
        first = seen.setdefault(phase.number, phase)
        if first is not phase:
            raise TaskListError(
                f"phase {phase.number} is there twice, first in line {first.line}", phase.line
            )
        if not phase.tasks and not phase.criteria:
            raise TaskListError(
                f"phase {phase.number} has neither a task nor a validation gate", phase.line
            )
    if not seen:
        raise TaskListError("there is no phase; write headings such as '## Phase 1: Name'")
    return tuple(sorted(seen.values(), key=lambda phase: phase.number))


def _by_id(phases: Iterable[ListedPhase]) -> dict[str, ListedTask]:
    seen: dict[str, ListedTask] = {}
    for phase in phases:
        numbers: set[int] = set()
        for task in phase.tasks:
            require_count(0, len(seen) + 1, task.line)
            first = seen.setdefault(task.task_id, task)
            if first is not task:
                raise TaskListError(
                    f"task {task.task_id} is there twice, first in line {first.line}", task.line
                )
            if task.number in numbers:
                raise TaskListError(
                    f"phase {phase.number} has two tasks with the number {task.number}", task.line
                )
            numbers.add(task.number)
    return seen


def _require_dependencies(tasks: TaskList) -> None:
    phases = {phase.number for phase in tasks.phases} | {BEFORE_THE_LIST}
    for task in tasks.tasks.values():
        line = task.dependency_line or task.line
        for name in task.dependencies:
            if name not in tasks.tasks:
                raise TaskListError(
                    f"task {task.task_id} depends on task {name}, which is not in the list", line
                )
        for number in task.phase_dependencies:
            if number not in phases:
                raise TaskListError(
                    f"task {task.task_id} depends on phase {number}, which is not in the list", line
                )


def _refuse_cycles(tasks: Mapping[str, ListedTask]) -> None:
    done: set[str] = set()
    for start in tasks:
        # The path is a list of its own because a list of tasks may be a chain of two thousand.
        path: list[str] = []
        pending: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            path.append(start)
            pending.append((start, iter(tasks[start].dependencies)))
        while pending:
            name, waiting_for = pending[-1]
            following = next((other for other in waiting_for if other not in done), None)
            if following is None:
                done.add(name)
                path.pop()
                pending.pop()
            elif following in path:
                raise _cycle(tasks, [*path[path.index(following) :], following])
            else:
                path.append(following)
                pending.append((following, iter(tasks[following].dependencies)))


def _cycle(tasks: Mapping[str, ListedTask], names: list[str]) -> TaskListError:
    shown = names if len(names) <= _SHOWN else [*names[:6], "...", *names[-5:]]
    first = tasks[names[0]]
    return TaskListError(
        f"tasks wait for each other: {' -> '.join(shown)}", first.dependency_line or first.line
    )
