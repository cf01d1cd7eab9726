"""Parses a workflow definition in YAML: phases, tasks and gates in one file. Pure.

    phases:
      - number: 1
        name: Draft
        purpose: Write the text
        tasks:
          - {number: 1, name: outline, purpose: Order the points, steps_outline: [Read, Sort]}
        validation_gate:
          evidence_required:
            headings: {type: array, description: The headings, validator: min_length_3}
          human_approval_required: true

Validators are named without being defined; `named_validators` says what they mean. The gates are
strict. `human_approval_required` adds a field that a person alone can fill. A phase without a gate
asks whether it is completed. Keys that decide are known, and near misses of them are errors; all
other keys are left to their authors.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from mcp_server.core.criteria_gate import criteria_gate, first_problem
from mcp_server.core.named_validators import EXAMPLES, expression
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
from mcp_server.core.task_references import Named, TaskNames, references
from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.gates.yaml_source import Path, SourceError, YamlSource

APPROVAL = "human_approval"
MAX_NUMBER = 1_000_000

_PHASE_KEYS = ("number", "name", "purpose", "deliverable", "tasks", "validation_gate", "duration")
_GATE_KEYS = ("evidence_required", "human_approval_required")
_TASK_KEYS = (
    "number", "name", "purpose", "steps_outline", "validation_criteria", "commands_needed",
    "examples_needed", "task_context", "domain_focus", "dependencies", "estimated_time",
)  # fmt: skip
_CLOSE = 0.85


@dataclass(frozen=True, slots=True)
class ListedWorkflow:
    """The tasks of a workflow definition, and the gates of its phases by number."""

    tasks: TaskList
    gates: Mapping[int, Gate]


def parse_workflow_definition(text: str) -> ListedWorkflow:
    """Read a definition; raises TaskListError with the line at fault."""
    require_size(text)
    try:
        source = YamlSource(text.removeprefix("\ufeff"))
    except SourceError as error:
        raise TaskListError(str(error), error.line) from error
    reader = _Reader(source)
    data = reader.mapping(source.data, (), ("phases",))
    items = reader.items(data, "phases", ())
    if not items:
        raise reader.refusal("there is no phase; write a list under 'phases:'", ())
    phases = [reader.phase(value, path) for value, path in items]
    return ListedWorkflow(
        TaskList(tuple(reader.resolved(phases))),
        {
            phase.number: reader.gate(phase, *item)
            for phase, item in zip(phases, items, strict=True)
        },
    )


class _Reader:
    """Reads the parts of one source; every refusal has the line of the part."""

    def __init__(self, source: YamlSource) -> None:
        self._source = source
        self._tasks = 0

    def refusal(self, reason: str, path: Path) -> TaskListError:
        return TaskListError(reason, self._source.line_of(path))

    def line(self, path: Path) -> int:
        return self._source.line_of(path) or 1

    # Values

    def mapping(self, value: Any, path: Path, keys: tuple[str, ...] = ()) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            what = path[-1] if path and isinstance(path[-1], str) else "each entry"
            raise self.refusal(f"{what if path else 'the file'} must be a mapping of names", path)
        for key in value:
            close = difflib.get_close_matches(key, keys, n=1, cutoff=_CLOSE)
            if close and key not in keys:
                raise self.refusal(f"unknown key {key!r}: did you mean {close[0]}?", (*path, key))
        return value

    def items(self, data: Mapping[str, Any], key: str, path: Path) -> list[tuple[Any, Path]]:
        listed = data.get(key)
        if listed is None:
            return []
        if not isinstance(listed, list):
            raise self.refusal(f"{key} must be a list", (*path, key))
        return [(item, (*path, key, index)) for index, item in enumerate(listed)]

    def text(self, data: Mapping[str, Any], key: str, path: Path) -> str:
        value = data.get(key, "")
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is not None and not isinstance(value, str):
            raise self.refusal(f"{key} must be text", (*path, key))
        return (value or "").strip()

    def texts(self, data: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
        if isinstance(data.get(key), str):
            return (data[key].strip(),)
        found = self.items(data, key, path)
        for item, where in found:
            if not isinstance(item, str):
                raise self.refusal(f"each of {key} must be text; put it in quotes", where)
        return tuple(item.strip() for item, _ in found)

    def number(self, data: Mapping[str, Any], path: Path) -> int:
        number = data.get("number")
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < MAX_NUMBER:
            return number
        where = (*path, "number") if "number" in data else path
        raise self.refusal("number must be a whole number, 0 or more", where)

    def name(self, data: Mapping[str, Any], path: Path) -> str:
        name = self.text(data, "name", path)
        if not name or len(name) > MAX_NAME:
            where = (*path, "name") if "name" in data else path
            raise self.refusal(f"name must be text of 1 to {MAX_NAME} characters", where)
        return name

    # Phases and tasks

    def phase(self, value: Any, path: Path) -> ListedPhase:
        data = self.mapping(value, path, _PHASE_KEYS)
        number = self.number(data, path)
        tasks = [self._task(number, *item) for item in self.items(data, "tasks", path)]
        return ListedPhase(
            number=number,
            name=self.name(data, path),
            line=self.line(path),
            objective=self.text(data, "purpose", path),
            duration=self.text(data, "duration", path),
            deliverable=self.text(data, "deliverable", path),
            tasks=tuple(tasks),
            criteria=tuple(self._criteria(data, path)),
        )

    def _task(self, phase: int, value: Any, path: Path) -> ListedTask:
        data = self.mapping(value, path, _TASK_KEYS)
        self._tasks += 1
        require_count(0, self._tasks, self.line(path))
        number = self.number(data, path)
        dependencies = self.texts(data, "dependencies", path)
        return ListedTask(
            task_id=f"{phase}.{number}",
            number=number,
            name=self.name(data, path),
            line=self.line(path),
            description=self.text(data, "purpose", path),
            estimated_time=self.text(data, "estimated_time", path),
            dependency_text=", ".join(dependencies),
            dependency_line=self.line((*path, "dependencies")),
            acceptance_criteria=self.texts(data, "validation_criteria", path),
            steps=self.texts(data, "steps_outline", path),
            text="\n\n".join(self._details(data, path)),
        )

    def _details(self, data: Mapping[str, Any], path: Path) -> Iterator[str]:
        """Yield, as Markdown, what no field of a task holds."""
        if context := self.text(data, "task_context", path):
            yield context
        if focus := self.text(data, "domain_focus", path):
            yield f"**Focus:** {focus}"
        for title, key in (("Commands", "commands_needed"), ("Examples", "examples_needed")):
            if listed := self.texts(data, key, path):
                yield "\n".join((f"**{title}:**", "", *(f"- {item}" for item in listed)))

    @staticmethod
    def resolved(phases: list[ListedPhase]) -> Iterator[ListedPhase]:
        named = {id(task): Named(task.task_id, phase.number, task.number, str(task.number))
                 for phase in phases for task in phase.tasks}  # fmt: skip
        names = TaskNames(named.values())
        for phase in phases:
            tasks = tuple(_resolved(task, names, named[id(task)]) for task in phase.tasks)
            yield replace(phase, tasks=tasks)

    # Gates

    def _evidence(self, data: Mapping[str, Any], path: Path) -> tuple[Mapping[str, Any], Path]:
        """Return the fields of a phase's gate, and where they stand."""
        where = (*path, "validation_gate")
        gate = self.mapping(data.get("validation_gate") or {}, where, _GATE_KEYS)
        for key in gate:
            if key not in _GATE_KEYS:
                raise self.refusal(f"unknown key {key!r} in validation_gate", (*where, key))
        where = (*where, "evidence_required")
        return self.mapping(gate.get("evidence_required") or {}, where), where

    def _criteria(self, data: Mapping[str, Any], path: Path) -> Iterator[Criterion]:
        fields, where = self._evidence(data, path)
        for name, value in fields.items():
            field = self.mapping(value, (*where, name))
            text = self.text(field, "description", (*where, name))
            yield Criterion(text or name, self.line((*where, name)))

    def gate(self, phase: ListedPhase, value: Any, path: Path) -> Gate:
        data = self.mapping(value, path)
        fields, where = self._evidence(data, path)
        read = {name: self._field(field, (*where, name)) for name, field in fields.items()}
        if self._needs_approval(data, path):
            if APPROVAL in read:
                raise self.refusal(f"{APPROVAL} is there twice", (*where, APPROVAL))
            read[APPROVAL] = _approval_of(phase)
        if not read:
            return criteria_gate(())
        names = {field.validator for field in read.values() if field.validator}
        return Gate(
            evidence_schema=read,
            validators={name: expression(name) or "" for name in sorted(names)},
        )

    def _needs_approval(self, data: Mapping[str, Any], path: Path) -> bool:
        needs = (data.get("validation_gate") or {}).get("human_approval_required")
        if not isinstance(needs, bool | None):
            where = (*path, "validation_gate", "human_approval_required")
            raise self.refusal("human_approval_required must be true or false", where)
        return bool(needs)

    def _field(self, value: Any, path: Path) -> EvidenceField:
        name = value.get("validator")
        if name is not None and (not isinstance(name, str) or expression(name) is None):
            close = difflib.get_close_matches(str(name), EXAMPLES, n=3, cutoff=0.4)
            known = ", ".join(close or EXAMPLES)
            raise self.refusal(
                f"unknown validator {name!r}; there are {known}", (*path, "validator")
            )
        try:
            return EvidenceField.model_validate(value)
        except ValidationError as error:
            keys = error.errors()[0]["loc"]
            raise self.refusal(first_problem(error), (*path, *map(str, keys))) from error


def _resolved(task: ListedTask, names: TaskNames, named: Named) -> ListedTask:
    line = task.dependency_line or task.line
    ids, phases = names.resolve(references(task.dependency_text), named, line)
    return replace(task, dependencies=ids, phase_dependencies=phases)


def _approval_of(phase: ListedPhase) -> EvidenceField:
    question = f"Phase {phase.number} ({phase.name}) is finished: may the work go on?"
    return EvidenceField.model_validate(
        {
            "type": "boolean",
            "description": "A person has approved the result of this phase",
            "verify": {"approval": question},
        }
    )
