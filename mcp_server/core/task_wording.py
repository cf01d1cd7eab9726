"""What one line of a task list says: a phase, a task, a label with its value, a duration. Pure.

Structure comes from the CommonMark parser; the patterns here only ever see the text of one
heading, list item or line. Each one is anchored and bounded, so that long lines cost little.
"""

import enum
import re
from dataclasses import dataclass


class Label(enum.Enum):
    """What a labelled line, or a heading that names a part, is about."""

    OBJECTIVE = enum.auto()
    DESCRIPTION = enum.auto()
    TIME = enum.auto()
    DEPENDENCIES = enum.auto()
    CRITERIA = enum.auto()
    STEPS = enum.auto()
    TASKS = enum.auto()
    GATE = enum.auto()
    CHECKS = enum.auto()
    MENTION = enum.auto()
    OTHER = enum.auto()


_LABELS = {
    Label.OBJECTIVE: "objective|objectives|goal|goals|purpose|focus|aim",
    Label.DESCRIPTION: "description|what|about",
    Label.TIME: (
        "time|duration|effort|estimate|estimated time|estimated duration|estimated effort|"
        "estimated hours|time estimate|duration estimate|effort estimate|estimation|estimates|"
        "timeline|timeframe|human baseline"
    ),
    Label.DEPENDENCIES: (
        "dependencies|dependency|depends on|depends|prerequisites|prerequisite|blocked by|requires|"
        "requires tasks|task dependencies"
    ),
    Label.CRITERIA: (
        "acceptance criteria|acceptance criterion|acceptance|acceptance tests|acceptance checks|"
        "success criteria|completion criteria|exit criteria|done when|definition of done|criteria|"
        "validation criteria|verification criteria"
    ),
    Label.STEPS: (
        "steps|implementation steps|execution steps|actions|action items|key actions|subtasks|"
        "sub tasks|to do|todo|todos|implementation|implementation details|work items|checklist|"
        "what to do|activities"
    ),
    Label.TASKS: (
        "tasks|task list|task breakdown|task details|implementation tasks|detailed tasks|"
        "development tasks|all tasks|additional tasks|breakdown|details"
    ),
    Label.CHECKS: "validation|verification|phase validation|phase verification|completion",
}
_BY_NAME = {name: label for label, names in _LABELS.items() for name in names.split("|")}

_GATE = re.compile(r"(?:\w+ ){0,4}(?:gates?|checkpoints?)(?: \w+){0,2}\Z")
_MENTION = re.compile(
    r"\b(?:summary|overview|estimates?|timelines?|schedule|dependenc(?:y|ies)|risks?|metrics|"
    r"testing strategy|test plan|testing plan|success criteria|acceptance criteria|checklist|"
    r"critical path|execution order|parallel|history|changelog|glossary|references|notes|"
    r"deliverables?|milestones?|traceability|matrix|prerequisites?|resources?|sign off|approval|"
    r"out of scope|assumptions|rollback plan|graph|map|progress|status|how to use|examples?)\b"
)

_BOLD = re.compile(r"\*\*|(?<![\w(])__(?P<text>[A-Z0-9][^_]{0,200})__(?![\w.])")
_LABELLED = (
    re.compile(
        r"[^\w*\[(`]{0,8}(?P<m>\*\*|__)(?P<name>[^*:\n]{1,80}?)\s*"
        r"(?::\s*(?P=m)|(?P=m)(?:\s*\([^()]{0,80}\))?\s*:)\s*(?P<value>.*)"
    ),
    re.compile(
        r"[^\w*\[(`]{0,8}(?P<m>\*\*|__)(?P<name>[^*\n]{1,80}?)\s*(?P=m)(?P<value>\W{0,8})\Z"
    ),
)
_LOOSELY_LABELLED = (
    re.compile(r"[*_](?P<name>[A-Za-z][\w /-]{1,40}?)\s*(?::\s*[*_]|[*_]\s*:)\s*(?P<value>.*)"),
    re.compile(r"(?P<name>[A-Za-z][A-Za-z /-]{1,40}?)\s*:(?:\s+(?P<value>.*)|\Z)"),
)
_SEVERAL_LABELS = re.compile(r"\s{1,8}[|·•]\s{1,8}(?=\*\*)")

_LONG = 400
"""Characters of a line in which a name is sought; patterns then cost little whatever comes."""

_OWN_PHASE = re.compile(r"(?:\w+ )?phase (?P<number>\d{1,9})\b\s*|\bphase (?P<last>\d{1,9})\Z")
_UNSAID = re.compile(r"\([^()]*\)|[^\w\s]+|_+")

_DURATION = re.compile(
    r"\s*[(\[](?P<duration>[^()\[\]]*(?:\b(?:days?|weeks?|hours?|hrs?|minutes?|mins?|months?|"
    r"sprints?)\b|\d\s*(?:h|d|w|m|min)\b)[^()\[\]]*)[)\]]\s*\Z",
    re.IGNORECASE,
)
_SIGNS = " \t\n✅❌⏳🚧✔✓☑🔄⬜\ufe0f"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line `**Name:** value`; `phase` is the phase that the name speaks of."""

    label: Label
    name: str
    value: str = ""
    phase: int | None = None
    says_phase: bool = False


@dataclass(frozen=True, slots=True)
class TaskName:
    """A line that names a task: its id as far as it has one, and how it is written."""

    name: str
    phase: int | None = None
    number: int | None = None
    suffix: str = ""
    code: str = ""
    worded: bool = False
    bold: bool = False
    separated: bool = False

    @property
    def form(self) -> tuple[bool, bool]:
        """What two tasks of one list have in common."""
        return self.worded, self.bold


def unmarked(text: str) -> str:
    """Return `text` without the signs of bold type."""
    return _BOLD.sub(lambda found: found["text"] or "", text).strip()


def tidy(text: str) -> str:
    """Return a name or a criterion without bold type and the signs that say how far it is."""
    return unmarked(text).rstrip(_SIGNS)


def spoken(text: str) -> str:
    """Return the words of `text` alone, in lower case, without what stands in parentheses."""
    return " ".join(_UNSAID.sub(" ", text.lower()).split())


def split_duration(text: str) -> tuple[str, str]:
    """Return `text` without the duration in parentheses at its end, and the duration."""
    found = _DURATION.search(text[-120:])
    if not found or found.start() + max(len(text) - 120, 0) == 0:
        return text, ""
    return text[: max(len(text) - 120, 0) + found.start()].strip(), found["duration"].strip()


def label_of(name: str) -> Labelled:
    """Say what a label or a heading is about."""
    words = spoken(name[:_LONG])
    found = _OWN_PHASE.search(words)
    phase = int(found["number"] or found["last"]) if found else None
    rest = _OWN_PHASE.sub("", words, count=1).strip() if found else words
    says_phase = "phase" in words
    if _GATE.match(rest) and not (found and not rest):
        label = Label.GATE
    else:
        label = _BY_NAME.get(rest) or _BY_NAME.get(rest.removeprefix("phase ")) or Label.OTHER
    if label is Label.OTHER and _MENTION.search(rest):
        label = Label.MENTION
    return Labelled(label, name.strip(), "", phase, says_phase)


def labelled(line: str) -> Labelled | None:
    """Read a line that begins with a label; plain type counts for the names that are known."""
    for pattern in (*_LABELLED, *_LOOSELY_LABELLED):
        found = pattern.match(line)
        if not found:
            continue
        label = label_of(found["name"])
        if pattern in _LABELLED or label.label not in {Label.OTHER, Label.MENTION, Label.TASKS}:
            value = (found["value"] or "").strip()
            return Labelled(label.label, label.name, value, label.phase, label.says_phase)
    return None


def split_labels(line: str) -> list[str]:
    """Return the parts of a line such as `**Time:** 2 hours | **Dependencies:** none`."""
    return _SEVERAL_LABELS.split(line) if "**" in line else [line]


_DIGITS = 9
_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_IN_WORDS = {
    word: number for words in (_NUMBER_WORDS, _ROMAN) for number, word in enumerate(words, start=1)
}

_DECORATION = re.compile(r"(?:\[[ xX✓✔✅-]?\]|[^\w\s`(\[\"']|\s){1,12}")
_PHASE = re.compile(
    r"(?:\d{1,3}[.)]\s+)?(?:implementation\s+|project\s+)?phase\s*[#:]?\s*"
    r"(?P<number>\d+|[a-z]+)\b(?P<rest>.*)",
    re.IGNORECASE,
)
_OF_ALL = re.compile(r"\s*(?:of|/)\s*\d+\b", re.IGNORECASE)
_PART_NUMBER = re.compile(r"\.\d+|[a-z]\b", re.IGNORECASE)
_SPAN = re.compile(
    r"\s*(?:→|➡|->|=>|-->|[-–—&,+]\s*(?:phase\s*)?\d+\s*(?:$|[:,(–—-])|"  # noqa: RUF001
    r"(?:to|and|through|vs)\s+(?:phase\s*)?\d|[-–—]\s*phase\b)",  # noqa: RUF001
    re.IGNORECASE,
)
_SEPARATED = re.compile(r"\s*(?:[::\-–—.|)]+\s*|(?=[(\[]))(?P<name>.*)")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class PhaseName:
    """A heading that begins with "Phase N": a phase, or (`part`) something about one."""

    number: int
    name: str
    part: Label | None = None


def phase_named(heading: str) -> PhaseName | None:
    """Read a heading that begins with "Phase N"; raises ValueError for "Phase 2.5"."""
    text = tidy(heading[:_LONG])
    text = text[found.end() :] if (found := _DECORATION.match(text)) else text
    found = _PHASE.match(text)
    number = _number(found["number"]) if found else None
    if found is None or number is None:
        return None
    rest = _OF_ALL.sub("", found["rest"], count=1)
    if _SPAN.match(rest):
        return PhaseName(number, text, Label.MENTION)
    if _PART_NUMBER.match(rest):
        raise ValueError(f"the phase number in {text[:60]!r} is not a whole number")
    separated = _SEPARATED.match(rest)
    name = (separated["name"] if separated else rest).strip()
    name = re.sub(r"^[::\-–—\s]+", "", name)  # noqa: RUF001
    return PhaseName(number, name, _part(name, separated=bool(separated)))


def _number(text: str) -> int | None:
    if text.isdecimal():
        return int(text) if len(text) <= _DIGITS else None
    return _IN_WORDS.get(text.lower())


def _part(name: str, *, separated: bool) -> Label | None:
    """Say which part of a phase a heading "Phase N <name>" is about, if it is not its title."""
    label = label_of(name).label
    words = spoken(name)
    if separated:
        # "Phase 4: Validation" is a phase; "Phase 4: Validation Gate" belongs to one.
        titled = label in {Label.GATE, Label.CRITERIA, Label.TASKS} or words in _PARTS
        return (Label.MENTION if words in _PARTS else label) if titled else None
    if label is Label.OTHER:
        return None
    return label if words else None


_PARTS = frozenset(
    [
        "summary",
        "overview",
        "deliverables",
        "dependencies",
        "risks",
        "timeline",
        "notes",
        "time estimates",
    ]
)

_TASK = re.compile(
    r"(?:(?P<word>task)\s*[#:-]?\s*(?:T-?)?|(?P<letter>T|TASK)-?(?=\d))?"
    r"(?:(?:P|Phase\s?)?(?P<phase>\d{1,9})(?:\.|-T|\.T)(?P<number>\d{1,9})(?P<suffix>[a-z]?)"
    r"|(?P<plain>\d{1,9}))\b(?!\.\d)(?P<rest>.*)",
    re.IGNORECASE,
)
_UNNUMBERED = re.compile(r"task\s*[:–—-]+\s+(?P<name>\S.*)", re.IGNORECASE)  # noqa: RUF001
_NO_NAME = re.compile(
    r"\s*(?:→|➡|<-|←|->|=>|[-–—]\s*\d|[,&+/]|(?:and|to|through|depends|requires|blocks|needs)\b)",  # noqa: RUF001
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"(?:hours?|hrs?|h|days?|weeks?|months?|minutes?|mins?|seconds?|secs?|ms|s|x|gb|mb|kb|"
    r"percent|points?|times)\b|%",
    re.IGNORECASE,
)
_AFTER_ID = re.compile(r"\s*(?P<separator>[::.)\]|–—-]*)\s*(?P<name>.*)")  # noqa: RUF001


def task_named(line: str, *, loose: bool = False) -> TaskName | None:
    """Read a line that names a task by its id.

    A number without a dot needs the word "Task" before it, unless the caller is `loose` about it.
    """
    text = tidy(line[:_LONG])
    text = text[found.end() :] if (found := _DECORATION.match(text)) else text
    found = _TASK.match(text)
    if not found:
        return None
    worded = bool(found["word"] or found["letter"])
    after = _AFTER_ID.match(found["rest"])
    if after is None or _NO_NAME.match(found["rest"]):
        return None
    name, separator = after["name"].strip(), bool(after["separator"])
    if found["plain"] and not (worded or (loose and separator)):
        return None
    if not worded and (_UNIT.match(name) or not name):
        return None
    return TaskName(
        name,
        phase=int(found["phase"]) if found["phase"] else None,
        number=int(found["number"] or found["plain"]),
        suffix=(found["suffix"] or "").lower(),
        code=_code(found),
        worded=worded,
        bold=bool(re.match(r"[^\w]{0,12}(?:\*\*|__)", line)),
        separated=separator or not found["rest"].strip(),
    )


def _code(found: re.Match[str]) -> str:
    """Return an id such as T001, which is kept as its author wrote it."""
    is_code = found["letter"] and found["plain"] and len(found["plain"]) > 1
    return f"{found['letter']}{found['plain']}".upper() if is_code else ""


def unnumbered_task(line: str) -> str | None:
    """Return the name in a line such as "Task: Create the parser"."""
    text = tidy(line[:_LONG])
    text = text[found.end() :] if (found := _DECORATION.match(text)) else text
    found = _UNNUMBERED.match(text)
    return found["name"].strip() if found else None


def without_number(line: str) -> str:
    """Return a line without the number that it may begin with."""
    found = task_named(line, loose=True)
    return found.name if found and found.name else unnumbered_task(line) or tidy(line)
