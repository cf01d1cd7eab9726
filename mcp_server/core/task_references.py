"""What a task waits for, read out of the words of its dependencies line. Pure.

Ids of tasks count ("Task 1.1, 1.3", "Tasks 2.1-2.4", "T012"), and so do phases ("Phase 1
complete"). All else is prose and is kept as text only: "None", versions, remarks in parentheses.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mcp_server.core.task_list import MAX_PHASES, MAX_TASKS, TaskListError

MAX_DEPENDENCIES = 10 * MAX_TASKS
"""Dependencies of all tasks together."""

_ID = r"(?:\d{1,9}\.\d{1,9}[a-z]?|T-?\d{2,9}|\d{1,9})"
_REMARK = re.compile(r"\([^()]{0,1000}\)")
_MARKUP = re.compile(r"[*`_\[\]]")
_BETWEEN = re.compile(r"[,;&+|]|\band\b|\bor\b|\n", re.IGNORECASE)
_ENTRY = re.compile(
    rf"[^\w]{{0,8}}(?:(?:all|both|only|completion of|after)\s+)?"
    rf"(?:(?P<word>tasks?|phases?)\s*[#:]?\s*)?(?P<first>{_ID})(?![\w]|\.\d)"
    rf"(?:\s*(?:[-–—]|\.\.\.?|to\b|through\b|thru\b)\s*(?:(?:task|phase)\s+)?"  # noqa: RUF001
    rf"(?P<last>{_ID})(?![\w]|\.\d))?(?P<tail>.*)",
    re.IGNORECASE,
)
_BARE_TAIL = re.compile(
    r"\W{0,8}(?:$|[:–—-]\s|"  # noqa: RUF001
    r"(?:is\s+|must be\s+)?(?:complete|completed|done|finished)\b)",
    re.IGNORECASE,
)
_IN_PROSE = re.compile(
    r"\b(?P<word>task|phase)s?\s+(?P<first>\d{1,9}(?:\.\d{1,9}[a-z]?)?)(?![\w]|\.\d)", re.IGNORECASE
)


@dataclass(slots=True)
class References:
    """What a text names: tasks as (first, last) of a range or (id, id), and phases."""

    tasks: list[tuple[str, str]] = field(default_factory=list)
    phases: list[int] = field(default_factory=list)


def references(text: str) -> References:
    """Return the tasks and phases that the words of a dependencies line name."""
    plain = " ".join(_MARKUP.sub("", text).split())
    outside = _REMARK.sub(" ", plain)
    found = References()
    word = ""
    for entry in _BETWEEN.split(outside if outside.strip() else plain.strip("() ")):
        word = _read_entry(found, entry.strip(), word)
    return found


def _read_entry(found: References, entry: str, carried: str) -> str:
    """Add what one entry names; return the word that a number after it may leave out."""
    match = _ENTRY.match(entry)
    word = (match["word"] or "").lower().rstrip("s") if match else ""
    if match and not word and _BARE_TAIL.match(match["tail"]):
        is_id = "." in match["first"] or match["first"][0] in "Tt"
        word = "task" if is_id and carried != "phase" else carried
    if not match or not word:
        for mention in _IN_PROSE.finditer(entry):
            _add(found, mention["word"].lower(), mention["first"], mention["first"])
        return ""
    _add(found, word, match["first"], match["last"] or match["first"])
    for mention in _IN_PROSE.finditer(match["tail"]):
        _add(found, mention["word"].lower(), mention["first"], mention["first"])
    return word


def _add(found: References, word: str, first: str, last: str) -> None:
    if word == "phase" and first.isdecimal() and last.isdecimal():
        numbers = range(int(first), min(int(last), int(first) + MAX_PHASES) + 1)
        found.phases.extend(number for number in numbers if number not in found.phases)
    else:
        found.tasks.append((first.lower(), last.lower()))


@dataclass(frozen=True, slots=True)
class Named:
    """A task as its author may refer to it."""

    task_id: str
    phase: int
    number: int
    alias: str = ""


class TaskNames:
    """All tasks of a list by the names that dependencies use."""

    def __init__(self, tasks: Iterable[Named]) -> None:
        """Index `tasks`, which stand in the order of the list."""
        self._order = tuple(tasks)
        self._ids = {task.task_id.lower(): task for task in self._order}
        self._positions = {task.task_id: place for place, task in enumerate(self._order)}
        self._resolved = 0
        self._by_alias: dict[str, list[Named]] = {}
        for task in self._ids.values():
            for alias in {task.alias.lower(), f"{task.phase}.{task.number}"} - {""}:
                self._by_alias.setdefault(alias, []).append(task)

    def resolve(
        self, found: References, of: Named, line: int
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Return the ids and phases that task `of` waits for; raises TaskListError."""
        ids: dict[str, None] = {}
        for first, last in found.tasks:
            for name in self._between(first, last, of, line):
                ids[name] = None
                self._count(line)
        return tuple(ids), tuple(dict.fromkeys(found.phases))

    def _count(self, line: int) -> None:
        self._resolved += 1
        if self._resolved > MAX_DEPENDENCIES:
            raise TaskListError(f"more than {MAX_DEPENDENCIES} dependencies", line)

    def _between(self, first: str, last: str, of: Named, line: int) -> Iterator[str]:
        start = self._one(first, of, line)
        if first == last:
            yield start.task_id
            return
        if "." in first and "." not in last:
            last = f"{first.partition('.')[0]}.{last}"
        end = self._one(last, of, line)
        begins, ends = self._positions[start.task_id], self._positions[end.task_id]
        if begins > ends:
            raise TaskListError(f"the range {first}-{last} of task {of.task_id} is backwards", line)
        yield from (task.task_id for task in self._order[begins : ends + 1])

    def _one(self, name: str, of: Named, line: int) -> Named:
        if name in self._ids:
            return self._ids[name]
        known = self._by_alias.get(name.replace("t-", "t"), [])
        mine = [task for task in known if task.phase == of.phase]
        if len(mine or known) == 1:
            return (mine or known)[0]
        reason = "could be several" if known else "is not in the list"
        raise TaskListError(f"task {of.task_id} depends on task {name}, which {reason}", line)
