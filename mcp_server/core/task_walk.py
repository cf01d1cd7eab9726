"""Walks the blocks of one phase's section and notes what belongs to the phase, and to which task.

The walk keeps two things in mind: the task that is open, and the label under which it stands
(`_Under`): below "Acceptance Criteria" an item is a criterion, below nothing it is a step of the
open task. A label in a paragraph or heading holds for the lists that follow, one in a list item for
the items nested in it. Which lines may begin a task depends on the `Mode`, because authors who
give their tasks no ids write them in several ways; the caller tries one after the other. Pure.
"""

import enum
from dataclasses import dataclass, field

from mcp_server.core.task_list import TaskListError
from mcp_server.core.task_notes import INLINE, Note
from mcp_server.core.task_outline import Block, Kind
from mcp_server.core.task_wording import (
    Label,
    Labelled,
    TaskName,
    label_of,
    labelled,
    phase_named,
    split_labels,
    task_named,
    tidy,
    unnumbered_task,
    without_number,
)

_HEADING = -1
_WHOLE = 0
_NO_HEADING = 7


class Mode(enum.Enum):
    """What begins a task: a line with an id, else in this order what there is in the section."""

    IDS = enum.auto()
    BOXES = enum.auto()
    HEADINGS = enum.auto()
    NUMBERED = enum.auto()
    BULLETS = enum.auto()


@dataclass(slots=True)
class TaskDraft:
    """A task as far as it was read; `depth` is that of its list item, `level` its heading's."""

    title: TaskName
    line: int
    depth: int
    level: int
    form: tuple[bool, bool, bool]
    last: int
    values: dict[Label, list[str]] = field(default_factory=dict)
    steps: list[Note] = field(default_factory=list)
    criteria: list[Note] = field(default_factory=list)
    gate: list[Note] = field(default_factory=list)
    dependency_line: int | None = None

    def value(self, label: Label, joiner: str = " ") -> str:
        """Return what was said under a label."""
        return joiner.join(self.values.get(label, ()))


@dataclass(slots=True)
class PhaseWalk:
    """What the walk found in a phase."""

    number: int
    tasks: list[TaskDraft] = field(default_factory=list)
    values: dict[Label, list[str]] = field(default_factory=dict)
    gate: list[Note] = field(default_factory=list)
    checks: list[Note] = field(default_factory=list)
    """Criteria of the phase that are not called a gate."""


@dataclass(slots=True)
class _Under:
    """The label that holds for what follows; `items` counts what has stood under it.

    `lead` is said of a label within a gate; `kept` is how deep the last condition under it stood.
    """

    label: Label
    depth: int
    said: bool = False
    items: int = 0
    lead: str = ""
    kept: int | None = None
    of_phase: bool = False


_LISTS = frozenset({Label.CRITERIA, Label.STEPS, Label.GATE, Label.CHECKS})
_ONE_LINE = frozenset(
    {Label.OBJECTIVE, Label.DESCRIPTION, Label.TIME, Label.DEPENDENCIES, Label.OTHER}
)
"""Labels that hold for what stands on their line only, if anything does."""

_NO_TASKS = frozenset({Label.DEPENDENCIES, Label.CRITERIA, Label.STEPS, Label.OTHER, Label.MENTION})
_INTRODUCING = ("before", "criteria", "checklist", "gate", "checkpoint", "must", "complete", "when")


def walk(number: int, blocks: list[Block], mode: Mode) -> PhaseWalk:
    """Return what the section of phase `number` holds."""
    walker = _Walker(number, mode, blocks)
    for block in blocks:
        walker.take(block)
    return walker.found


def walk_gate(number: int, blocks: list[Block]) -> list[Note]:
    """Return the criteria in a gate section that stands outside of its phase."""
    walker = _Walker(number, Mode.IDS, blocks)
    walker.open_gate()
    for block in blocks:
        walker.take(block)
    return walker.found.gate


class _Walker:
    def __init__(self, number: int, mode: Mode, blocks: list[Block]) -> None:
        self.found = PhaseWalk(number)
        self._mode = mode
        self._task: TaskDraft | None = None
        self._under: _Under | None = None
        self._gate_level: int | None = None
        headings = (b.text for b in blocks if b.kind is Kind.HEADING)
        titles = [title for text in headings if (title := task_named(text))]
        self._has_task_headings = any(self._is_mine(title) for title in titles)

    def open_gate(self) -> None:
        self._under = _Under(Label.GATE, 0, of_phase=True)
        self._gate_level = _WHOLE

    @property
    def _in_gate(self) -> bool:
        return self._gate_level is not None

    def take(self, block: Block) -> None:
        match block.kind:
            case Kind.HEADING:
                self._heading(block)
            case Kind.TEXT:
                self._text(block)
            case Kind.ITEM:
                self._item(block)
            case Kind.RULE if block.depth == 0 and not self._in_gate:
                self._under = None
            case _:
                pass
        if self._task is not None and not self._in_gate:
            self._task.last = max(self._task.last, block.end)

    def _is_mine(self, title: TaskName) -> bool:
        return title.phase is None or title.phase == self.found.number

    # Tasks

    def _begin(self, title: TaskName, block: Block, depth: int) -> None:
        task = TaskDraft(
            title, block.line, depth, block.level, (*title.form, block.boxed), block.end
        )
        self.found.tasks.append(task)
        self._task, self._under, self._gate_level = task, None, None

    def _task_of_heading(self, block: Block) -> TaskName | None:
        title = task_named(block.text, loose=self._mode is Mode.HEADINGS)
        if title is not None and (title.worded or title.phase is not None):
            if self._is_mine(title):
                return title
            if title.worded:
                raise TaskListError(
                    f"task {title.phase}.{title.number} stands in phase {self.found.number}",
                    block.line,
                )
        name = unnumbered_task(block.text)
        return TaskName(name) if name and self._mode is Mode.HEADINGS else None

    def _task_of_line(self, block: Block, line: str) -> TaskName | None:
        if self._in_gate or self._has_task_headings:
            return None
        if self._mode is not Mode.IDS:
            return self._task_without_id(block, line)
        title = task_named(line)
        if title is None or not self._is_mine(title) or not self._is_named_well(title, block):
            return None
        form = (*title.form, block.boxed)
        under = self._under.label if self._under else None
        if self._task is None:
            return None if under in _NO_TASKS else title
        if block.depth > self._task.depth:
            return None
        return title if form == self._task.form or under not in _NO_TASKS else None

    def _is_named_well(self, title: TaskName, block: Block) -> bool:
        """Tell a task from a sentence that begins with one."""
        if block.kind is Kind.TEXT:
            whole = block.lines[0].rstrip().endswith("**")
            return title.bold and (title.separated or whole)
        if block.boxed or title.separated:
            return True
        return (title.bold or not title.worded) and title.name[:1].isupper()

    def _task_without_id(self, block: Block, line: str) -> TaskName | None:
        fits = {
            Mode.BOXES: block.boxed,
            Mode.NUMBERED: block.ordered,
            Mode.BULLETS: True,
        }.get(self._mode, False)
        under = self._under.label if self._under else Label.TASKS
        is_top = block.kind is Kind.ITEM and block.depth == 1 and under is Label.TASKS
        if not (fits and is_top) or (self._task is not None and self._task.depth < 1):
            return None
        return TaskName(without_number(line))

    # Blocks

    def _heading(self, block: Block) -> None:
        title = self._task_of_heading(block)
        if title is not None:
            self._begin(title, block, _HEADING)
            return
        about = _about(block.text)
        task = self._task
        inside = task is not None and task.depth == _HEADING and block.level > task.level
        if self._gate_level is not None and block.level <= self._gate_level:
            self._gate_level = None
        if not inside or (about.says_phase and not self._in_gate):
            self._task = None
        if self._mode is Mode.HEADINGS and about.label is Label.OTHER and self._task is None:
            self._begin(TaskName(without_number(block.text)), block, _HEADING)
        elif self._task is None and about.label is Label.OTHER and not self._in_gate:
            self._under = None
        else:
            self._open(about, 0, level=block.level)

    def _text(self, block: Block) -> None:
        lines = list(block.lines)
        if lines and (title := self._task_of_line(block, lines[0])) is not None:
            self._begin(title, block, block.depth)
            lines = lines[1:]
        elif self._under and block.depth < self._under.depth:
            self._under = None
        self._lines(lines, block, new=True)

    def _lines(self, lines: list[str], block: Block, *, new: bool) -> None:
        for line in lines:
            for part in split_labels(line):
                about = labelled(part)
                if about is not None and self._is_label(about, block):
                    self._open(about, block.depth, block)
                else:
                    self._say(part, block, new=new)
                new = False

    def _is_label(self, about: Labelled, block: Block) -> bool:
        if about.label is not Label.OTHER or not self._under or self._under.label not in _LISTS:
            return True
        return block.kind is Kind.TEXT

    def _item(self, block: Block) -> None:
        lines = list(block.lines)
        if not lines:
            return
        if self._under and self._under.said and self._under.label in _ONE_LINE:
            self._under = None
        title = self._task_of_line(block, lines[0])
        if title is not None:
            self._begin(title, block, block.depth)
            self._lines(lines[1:], block, new=True)
            return
        if self._under and block.depth <= self._under.depth:
            self._under = None
        in_list = self._under and self._under.label in _LISTS | {Label.DEPENDENCIES}
        about = None if block.boxed or in_list else labelled(lines[0])
        if about is not None and about.label not in {Label.OTHER, Label.MENTION, Label.TASKS}:
            self._lines(lines, block, new=True)
        else:
            self._note(Note(block.text, block.line, block.depth, block.boxed))

    # Labels and what stands under them

    def _open(
        self, about: Labelled, depth: int, block: Block | None = None, level: int = _NO_HEADING
    ) -> None:
        label = self._meaning(about, depth)
        if self._in_gate and about.label not in {Label.GATE, Label.TASKS}:
            lead = _lead(about)
            self._under = _Under(Label.GATE, depth, lead=lead, said=bool(lead), of_phase=True)
            return
        self._gate_level = level if label is Label.GATE else None
        if self._gate_level is not None and about.says_phase:
            self._task = None
        self._under = _Under(label, depth, of_phase=about.says_phase)
        if label is Label.TASKS:
            self._under = None
        elif label is Label.DEPENDENCIES and self._task is not None and block is not None:
            self._task.dependency_line = self._task.dependency_line or block.line
        if about.value and block is not None:
            self._say(about.value, block, new=False)

    def _meaning(self, about: Labelled, depth: int) -> Label:
        """Return what a label is about where the walk stands."""
        label = about.label
        if label is Label.GATE:
            of_other = about.phase not in {None, self.found.number}
            return Label.OTHER if of_other else Label.CRITERIA if depth else label
        if self._task is None or (label is Label.CHECKS and about.says_phase):
            return Label.TASKS if label is Label.STEPS else label
        return {Label.TASKS: Label.STEPS, Label.CHECKS: Label.OTHER}.get(label, label)

    def _say(self, text: str, block: Block, *, new: bool) -> None:
        """Take a line of prose."""
        under = self._under
        if under is not None and under.label in _LISTS:
            self._say_in_list(under, text, block, new=new)
            return
        if under is not None and new and under.said:
            self._under = under = None
        if under is None:
            self._add(Label.DESCRIPTION, text)
        else:
            under.said = True
            if under.label not in {Label.OTHER, Label.MENTION}:
                self._add(under.label, text)

    def _say_in_list(self, under: _Under, text: str, block: Block, *, new: bool) -> None:
        notes = self._notes_of(under)
        if block.depth > under.depth and under.items and notes:
            notes[-1].text = f"{notes[-1].text} {text}"
        elif new and under.items and under.label is not Label.GATE:
            self._under = None
            self._add(Label.DESCRIPTION, text)
        elif not text.rstrip("*_ ").endswith((":", "：")) and not new:  # noqa: RUF001
            notes.append(Note(text, block.line, INLINE, boxed=False))

    def _note(self, note: Note) -> None:
        under = self._under
        if under is None:
            if self._task is not None:
                self._task.steps.append(note)
            return
        under.items += 1
        if under.label in _LISTS:
            # Under a label of its own within a gate, only check boxes are conditions.
            if not under.said or note.boxed or (under.kept and note.depth > under.kept):
                note.lead, under.kept = under.lead, under.kept or note.depth
                notes = self._notes_of(under)
                while notes and notes[-1].depth == INLINE and not note.lead:
                    notes.pop()
                notes.append(note)
        elif under.label not in {Label.OTHER, Label.MENTION}:
            self._add(under.label, note.text)

    def _notes_of(self, under: _Under) -> list[Note]:
        task = self._task
        if under.label is Label.GATE:
            return self.found.gate if task is None else task.gate
        if under.label is Label.STEPS:
            return [] if task is None else task.steps
        return self.found.checks if task is None or under.of_phase else task.criteria

    def _add(self, label: Label, text: str) -> None:
        values = self.found.values if self._task is None else self._task.values
        values.setdefault(label, []).append(text)


def _about(heading: str) -> Labelled:
    try:
        named = phase_named(heading)
    except ValueError:
        named = None
    if named is None:
        return label_of(tidy(heading))
    return Labelled(named.part or Label.OTHER, heading, "", named.number, says_phase=True)


def _lead(about: Labelled) -> str:
    is_intro = any(word in about.name.lower() for word in _INTRODUCING)
    return "" if is_intro else about.name
