"""Parses a tasks.md: `parse_tasks_markdown(text) -> TaskList`. Pure.

The work is divided: `task_outline` says what is a heading, a paragraph, an item; `task_sections`
which sections are phases and gates; `task_walk` what stands in them; `task_wording` what one line
says; `task_references` what a task waits for. Here the parts become a list.

What counts: ids "1.2" number the tasks of a phase by what stands after the dot. Without such ids,
or where they do not number (1.2a), tasks are numbered by position. A phase whose gate is not
called one ends with its exit, success or acceptance criteria, if it has any.
"""

import textwrap
from collections.abc import Iterable

from mcp_server.core.task_list import (
    MAX_NAME,
    Criterion,
    ListedPhase,
    ListedTask,
    TaskList,
    TaskListError,
    require_count,
    require_size,
)
from mcp_server.core.task_notes import Note, criteria, texts
from mcp_server.core.task_outline import normalized, outline
from mcp_server.core.task_references import Named, TaskNames, references
from mcp_server.core.task_sections import GateSection, Section, Sections, real_phases
from mcp_server.core.task_walk import Mode, PhaseWalk, TaskDraft, walk, walk_gate
from mcp_server.core.task_wording import Label, split_duration, spoken, tidy


def parse_tasks_markdown(text: str) -> TaskList:
    """Return the list of a tasks.md; raises TaskListError, with the line at fault."""
    require_size(text)
    text = normalized(text)
    sections = Sections(outline(text))
    walks = {id(section): _walk(section) for section in sections.phases}
    real = real_phases(sections.phases, lambda section: len(walks[id(section)].tasks))
    require_count(len(real), 0, real[-1].heading.line if real else None)
    gates = _gates_by_phase(sections.gates, real)
    lines = text.split("\n")
    assembly = _Assembly([(section, walks[id(section)]) for section in real], lines)
    return TaskList(tuple(
        assembly.phase(section, walks[id(section)], gates.get(section.name.number, []))
        for section in real
    ))  # fmt: skip


def _walk(section: Section) -> PhaseWalk:
    number = section.name.number
    first = walk(number, section.blocks, Mode.IDS)
    if first.tasks:
        return first
    walks = (walk(number, section.blocks, mode) for mode in Mode if mode is not Mode.IDS)
    return next((found for found in walks if found.tasks), first)


def _gates_by_phase(gates: Iterable[GateSection], phases: list[Section]) -> dict[int, list[Note]]:
    known = {section.name.number for section in phases}
    found: dict[int, list[Note]] = {}
    for gate in gates:
        notes = walk_gate(gate.number, gate.blocks)
        if known and notes and gate.number not in known:
            raise TaskListError(
                f"the validation gate of phase {gate.number}, which is not in the list",
                gate.heading.line,
            )
        found.setdefault(gate.number, []).extend(notes)
    return found


class _Assembly:
    """Gives tasks their ids and resolves what they wait for."""

    def __init__(self, phases: list[tuple[Section, PhaseWalk]], lines: list[str]) -> None:
        self._lines = lines
        self._named: dict[int, Named] = {}
        for section, found in phases:
            for draft, named in zip(found.tasks, _names(section.name.number, found), strict=True):
                self._named[id(draft)] = named
        self._names = TaskNames(self._named.values())

    def phase(self, section: Section, found: PhaseWalk, gate: list[Note]) -> ListedPhase:
        name, duration = split_duration(tidy(section.name.name))
        own, kept = _gate_of(found)
        description = _said(found.values, Label.DESCRIPTION)
        return ListedPhase(
            number=section.name.number,
            name=_short(name) or f"Phase {section.name.number}",
            line=section.heading.line,
            objective=_said(found.values, Label.OBJECTIVE) or description,
            duration=_said(found.values, Label.TIME) or duration,
            tasks=tuple(self._task(draft, kept) for draft in found.tasks),
            criteria=_criteria([*own, *gate], found.checks),
        )

    def _task(self, draft: TaskDraft, gate_is_kept: bool) -> ListedTask:
        named = self._named[id(draft)]
        name, duration = split_duration(tidy(draft.title.name))
        text = tidy(draft.value(Label.DEPENDENCIES, ", "))
        line = draft.dependency_line or draft.line
        ids, phases = self._names.resolve(references(text), named, line)
        own = draft.criteria if gate_is_kept else [*draft.criteria, *draft.gate]
        return ListedTask(
            task_id=named.task_id,
            number=named.number,
            name=_short(name) or f"Task {named.task_id}",
            line=draft.line,
            description=draft.value(Label.DESCRIPTION) or draft.value(Label.OBJECTIVE),
            estimated_time=tidy(draft.value(Label.TIME, ", ")) or duration,
            dependencies=ids,
            phase_dependencies=phases,
            dependency_text=text,
            dependency_line=draft.dependency_line,
            acceptance_criteria=texts(own),
            steps=texts(draft.steps),
            text=self._source(draft),
        )

    def _source(self, draft: TaskDraft) -> str:
        first = draft.line if draft.level else draft.line - 1
        return textwrap.dedent("\n".join(self._lines[first : draft.last])).strip()


def _names(phase: int, found: PhaseWalk) -> list[Named]:
    titles = [draft.title for draft in found.tasks]
    by_id = all(title.number is not None and not title.suffix and not title.code
                for title in titles)  # fmt: skip
    names = []
    for position, title in enumerate(titles, start=1):
        number = title.number if by_id and title.number is not None else position
        task_id = f"{phase}.{number}"
        if title.phase is not None and title.number is not None:
            task_id = f"{phase}.{title.number}{title.suffix}"
        elif title.number is not None and not title.code:
            task_id = f"{phase}.{title.number}"
        alias = title.code or (str(title.number) if title.phase is None else "")
        names.append(Named(title.code or task_id, phase, number, alias))
    return names


def _gate_of(found: PhaseWalk) -> tuple[list[Note], bool]:
    """Return the criteria of the phase's gate, and whether a gate in its last task is its own.

    "Validation Gate:" below the last task closes the phase. Where other tasks have one as well,
    each belongs to its task.
    """
    with_gate = [draft for draft in found.tasks if draft.gate]
    if with_gate and with_gate == found.tasks[-1:]:
        return [*found.gate, *with_gate[0].gate], True
    return found.gate, False


def _criteria(gate: list[Note], checks: list[Note]) -> tuple[Criterion, ...]:
    unique: dict[str, Criterion] = {}
    for one in criteria(gate) or criteria(checks):
        unique.setdefault(spoken(one.text) or one.text, one)
    return tuple(unique.values())


def _said(values: dict[Label, list[str]], label: Label) -> str:
    return tidy(" ".join(values.get(label, ())))


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
