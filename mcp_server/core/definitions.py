"""A workflow definition as the server serves it: phases, tasks and gates, whole and frozen.

`Definition` is what is pinned when a session starts: a snapshot named by its digest, from which
alone the session is served and judged, so that editing or upgrading a workflow never changes a
session that runs. Reading definitions from disk is `library`'s business. Pure.
"""

import re
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mcp_server.core.encoding import digest, encode
from mcp_server.errors import NotFoundError
from mcp_server.gates.model import Gate

_RANGE = re.compile(r"\s*(?P<first>\d{1,6})\s*-\s*(?P<last>\d{1,6}|[A-Za-z]+)\s*\Z", re.ASCII)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", ignored_types=(cached_property,))


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class Checkpoint(_Frozen):
    """What the metadata of a phase without a gate file asks for."""

    required_evidence: tuple[str, ...] = ()


class PhaseMetadata(_Frozen):
    """One entry of `phases` in metadata.json; the number may be a range such as "1-N"."""

    phase_number: int | str
    phase_name: str | None = None
    purpose: str | None = None
    checkpoint: Checkpoint = Checkpoint()

    def covers(self, number: int) -> bool:
        """Tell whether a range such as "1-3" or "1-N" holds `number`."""
        found = _RANGE.match(str(self.phase_number))
        if not found:
            return False
        last = found["last"]
        return int(found["first"]) <= number and (not last.isdigit() or number <= int(last))

    @field_validator("phase_number", mode="after")
    @classmethod
    def _plain_number(cls, number: int | str) -> int | str:
        """Read "2" as 2: a phase whose number does not match would lose its required evidence."""
        return int(number) if isinstance(number, str) and number.isdecimal() else number


class DynamicTemplates(_Frozen):
    """The files, in the definition's folder, by which listed phases and tasks are told."""

    phase: str | None = None
    task: str | None = None


class DynamicConfig(_Frozen):
    """Where the phases of a dynamic workflow come from."""

    source_type: str = ""
    source_path_key: str = "spec_path"
    templates: DynamicTemplates = DynamicTemplates()
    parser: str = "spec_tasks_parser"


class Metadata(_Frozen):
    """metadata.json; unknown keys are kept."""

    workflow_type: str
    version: str = "0"
    name: str | None = None
    description: str = ""
    category: str = "general"
    tags: tuple[str, ...] = ()
    total_phases: int | str | None = None
    start_phase: int | None = None
    estimated_duration: str = ""
    phases: tuple[PhaseMetadata, ...] = ()
    dynamic_phases: bool = False
    dynamic_config: DynamicConfig = DynamicConfig()

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        """Read an explicit null as an absent key."""
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data

    _texts = field_validator("version", "estimated_duration", mode="before")(_as_text)

    @property
    def is_dynamic(self) -> bool:
        """Whether phases come from a task list given at start."""
        return self.dynamic_phases or self.total_phases == "dynamic"

    def phase(self, number: int) -> PhaseMetadata | None:
        """Return the entry for a phase, if there is one."""
        return next((entry for entry in self.phases if entry.phase_number == number), None)

    def required_evidence(self, number: int) -> tuple[str, ...]:
        """Return what a phase without a gate file asks for, from its entry or a range's."""
        entries = (entry for entry in self.phases if entry.covers(number))
        entry = self.phase(number) or next(entries, None)
        return entry.checkpoint.required_evidence if entry else ()


class Task(_Frozen):
    """One task of a phase."""

    task_number: int
    title: str
    file: str
    content: str
    execution_steps: tuple[str, ...] = ()
    estimated_duration: str | None = None


class Phase(_Frozen):
    """One phase: what it is about, its tasks, and the gate at its end."""

    phase_number: int
    title: str
    description: str = ""
    content: str = ""
    tasks: tuple[Task, ...] = ()
    gate: Gate

    def task(self, number: int) -> Task:
        """Return a task; raises NotFoundError naming those that exist."""
        for task in self.tasks:
            if task.task_number == number:
                return task
        numbers = [task.task_number for task in self.tasks]
        raise NotFoundError(
            f"phase {self.phase_number} has no task {number}",
            remediation=f"Its tasks are: {', '.join(map(str, numbers)) or 'none'}.",
            details={"phase": self.phase_number, "task_numbers": numbers},
        )


class Definition(_Frozen):
    """A workflow, ready to be served."""

    workflow_type: str
    version: str
    name: str
    description: str = ""
    category: str
    estimated_duration: str = ""
    phases: tuple[Phase, ...] = Field(min_length=1)

    @property
    def phase_numbers(self) -> tuple[int, ...]:
        """The numbers of the phases, in order."""
        return tuple(phase.phase_number for phase in self.phases)

    def phase(self, number: int) -> Phase:
        """Return a phase; raises NotFoundError naming those that exist."""
        for phase in self.phases:
            if phase.phase_number == number:
                return phase
        raise NotFoundError(
            f"{self.workflow_type} has no phase {number}",
            remediation=f"Its phases are: {', '.join(map(str, self.phase_numbers))}.",
            details={"phases": list(self.phase_numbers)},
        )

    def phase_after(self, number: int) -> Phase | None:
        """Return the phase that follows, or None after the last one."""
        return next((phase for phase in self.phases if phase.phase_number > number), None)

    @cached_property
    def snapshot(self) -> bytes:
        """The definition as it is pinned, its fields in the author's order."""
        return encode(self.model_dump(mode="json"), sort_keys=False)

    @cached_property
    def digest(self) -> str:
        """What names the snapshot."""
        return digest(self.snapshot)

    @classmethod
    def from_snapshot(cls, content: bytes) -> Self:
        """Return the definition that was pinned as `content`."""
        return cls.model_validate_json(content)
