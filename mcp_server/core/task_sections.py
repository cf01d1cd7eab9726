"""Finds the sections of a document that are phases, and those that are gates of phases. Pure.

A heading "Phase 2: ..." is a phase, unless it stands in a section about something else ("Time
Estimates", "Acceptance Criteria Summary"), where it is a mention. Which headings are meant is
settled by what stands below them: real phases are all at one level, the one with most tasks.
A section ends with the next heading of its level or above that is not about the same phase.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mcp_server.core.task_list import MAX_PHASES, TaskListError
from mcp_server.core.task_outline import Block, Kind
from mcp_server.core.task_wording import (
    Label,
    PhaseName,
    TaskName,
    label_of,
    labelled,
    phase_named,
    task_named,
    tidy,
    unnumbered_task,
)

_LEVEL_OF_BOLD = 2
MAX_SECTIONS = 10 * MAX_PHASES


@dataclass(slots=True)
class Section:
    """What a phase may be: its heading, and the blocks below it."""

    name: PhaseName
    heading: Block
    doubtful: bool
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class GateSection:
    """A gate that stands outside of its phase."""

    number: int
    heading: Block
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A heading whose section is not over; `owner` takes the blocks."""

    level: int
    owner: Section | GateSection | None
    is_mention: bool = False
    is_gates: bool = False


class Sections:
    """The sections of one document."""

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        """Sort `blocks` into sections; raises TaskListError."""
        self.phases: list[Section] = []
        self.gates: list[GateSection] = []
        self._open: list[_Open] = []
        self._title = _title_of(blocks)
        for block in _with_headings(blocks):
            if block.kind is Kind.HEADING:
                self._heading(block)
            elif (owner := self._owner) is not None:
                owner.blocks.append(block)

    @property
    def _owner(self) -> Section | GateSection | None:
        return self._open[-1].owner if self._open else None

    def _heading(self, block: Block) -> None:
        if block is self._title:
            return
        self._open = [one for one in self._open if one.level < block.level]
        named = _phase_of(block)
        task = task_named(block.text)
        if isinstance(named, PhaseName):
            self._phase(named, block)
        elif named is not None and self._inside is None:
            raise TaskListError(named, block.line)
        elif self._is_task(task, block):
            self._task(task, block)
        else:
            self._part(block)

    @property
    def _inside(self) -> Section | None:
        owners = (one.owner for one in reversed(self._open))
        return next((owner for owner in owners if isinstance(owner, Section)), None)

    @property
    def _in_mention(self) -> bool:
        return any(one.is_mention or one.is_gates for one in self._open)

    def _push(self, block: Block, owner: Section | GateSection | None, **flags: bool) -> None:
        self._open.append(_Open(block.level, owner, **flags))

    def _phase(self, named: PhaseName, block: Block) -> None:
        inside = self._inside
        in_gates = any(one.is_gates for one in self._open)
        if in_gates and named.part is not Label.TASKS:
            self._gate(named.number, block)
        elif inside is not None and inside.name.number == named.number:
            inside.blocks.append(block)
            self._push(block, inside)
        elif named.part is None:
            self._begin(named, block)
        else:
            self._part_of_phase(named, block)

    def _begin(self, named: PhaseName, block: Block) -> None:
        section = Section(named, block, doubtful=self._in_mention)
        self.phases.append(section)
        if len(self.phases) > MAX_SECTIONS:
            raise TaskListError(f"more than {MAX_PHASES} phases", block.line)
        self._push(block, section)

    def _part_of_phase(self, named: PhaseName, block: Block) -> None:
        known = self._last(named.number)
        if named.part in {Label.GATE, Label.CRITERIA, Label.CHECKS} and not self._in_mention:
            if named.part is Label.GATE or known is None:
                self._gate(named.number, block)
            else:
                known.blocks.append(block)
                self._push(block, known)
        elif named.part is Label.MENTION or self._in_mention:
            self._push(block, None, is_mention=True)
        elif known is None:
            self._begin(replace(named, name=named.name, part=None), block)
        else:
            known.blocks.append(block)
            self._push(block, known)

    def _gate(self, number: int, block: Block) -> None:
        gate = GateSection(number, block)
        self.gates.append(gate)
        self._push(block, gate)

    def _last(self, number: int | None) -> Section | None:
        sure = (one for one in reversed(self.phases) if not one.doubtful)
        return next((one for one in sure if number in {None, one.name.number}), None)

    def _is_task(self, task: TaskName | None, block: Block) -> bool:
        if task is None:
            return bool(unnumbered_task(block.text)) and not self._in_mention
        return (task.worded or task.phase is not None) and not self._in_mention

    def _task(self, task: TaskName | None, block: Block) -> None:
        section = self._inside
        if section is None:
            section = self._last(task.phase if task else None)
        if section is not None:
            section.blocks.append(block)
        self._push(block, section)

    def _part(self, block: Block) -> None:
        about = label_of(tidy(block.text))
        owner = self._owner
        if owner is None and about.label is Label.GATE:
            # One gate after the tasks of a phase, written at the level of the phase.
            is_one = "gates" not in block.text.lower() and not self._in_mention
            owner = self._last(None) if is_one else None
            if owner is None:
                self._push(block, None, is_gates=True)
                return
        if owner is not None:
            owner.blocks.append(block)
            self._push(block, owner)
            return
        mentioned = {Label.MENTION, Label.CRITERIA, Label.TIME, Label.DEPENDENCIES}
        self._push(block, None, is_mention=about.label in mentioned)


def _phase_of(block: Block) -> PhaseName | str | None:
    """Return the phase that a heading names, or what is wrong with it."""
    try:
        return phase_named(block.text)
    except ValueError as error:
        return str(error)


def _title_of(blocks: tuple[Block, ...]) -> Block | None:
    """Return the title of the document, which may speak of a phase of something larger."""
    headings = [block for block in blocks if block.kind is Kind.HEADING]
    tops = [block for block in headings if block.level == 1]
    others = (block for block in headings if block.level > 1)
    if len(tops) != 1 or tops[0] is not headings[0]:
        return None
    below = any(isinstance(named := _phase_of(block), PhaseName) and named.part is None
                for block in others)  # fmt: skip
    is_phase = isinstance(_phase_of(tops[0]), PhaseName)
    return tops[0] if below or not is_phase else None


def _with_headings(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Make headings of what is meant as one: a phase over a short rule, or in bold type."""
    headed = any(_is_phase(block) for block in blocks if block.kind is Kind.HEADING)
    return tuple(
        replace(block, kind=Kind.HEADING, level=block.level or _LEVEL_OF_BOLD)
        if _is_meant_as_heading(block, headed=headed)
        else block
        for block in blocks
    )


def _is_phase(block: Block) -> bool:
    named = _phase_of(block)
    return isinstance(named, PhaseName) and named.part is None


def _is_meant_as_heading(block: Block, *, headed: bool) -> bool:
    if block.kind is not Kind.TEXT or block.depth or len(block.lines) != 1:
        return False
    if block.level:
        return _is_phase(block) or task_named(block.text) is not None
    text = block.text
    is_bold = text.startswith("**") and (text.endswith("**") or text.count("**") == 2)  # noqa: PLR2004
    return not headed and is_bold and _is_phase(block) and labelled(text) is not None


def real_phases(sections: list[Section], count: Callable[[Section], int]) -> list[Section]:
    """Return the sections that are phases; `count` says how many tasks a section has."""
    sure = [section for section in sections if not section.doubtful] or sections
    tasks = Counter[int]()
    for section in sure:
        tasks[section.heading.level] += count(section)
    level = max(tasks, key=lambda one: (tasks[one], -one), default=0)
    numbers = {section.name.number for section in sure if section.heading.level == level}
    return [
        section
        for section in sure
        if section.heading.level == level or section.name.number not in numbers
    ]
