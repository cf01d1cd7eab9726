"""What sessions add up to. Pure: steps in, figures out; the day of a time is told from outside.

What counts, and how:

- A session counts on the day of its start. One that is dated after today, by a clock that runs
  ahead, counts today.
- An attempt at a phase is a time that its gate said yes or no. A submission that was refused before
  the gate (a phase ahead of its turn, a malformed call) and a gate that could not look are none.
- A person's override is no attempt: the gate's no stands, and is counted.
- A rollback takes nothing back: what gates said before it happened, and what they say after it are
  further attempts. The phase that it leaves unfinished has no time.
- The time of a phase runs from entering it to its gate's yes (or an override), over all attempts.
  A phase that is done again after a rollback gives a further time. One that takes no time at all
  was imported from a server that did not write its times: it gives none.
- The duration of a session runs from its start to its last gate, and is known of completed ones.
- No time runs while a session is paused, or completed and not yet taken up again.

A tally keeps one number for each time of a phase, for the median, and otherwise counters: it does
not grow with the length of sessions.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from mcp_server.core.journal import Step
from mcp_server.core.models import AND_SOME, SessionSummary
from mcp_server.core.transitions import Action, Outcome, PersonAction, Status

RULES = "(cross-field rules)"
NOTHING = "(nothing submitted)"
"""What a gate refuses that is no field, as it is counted among them."""

_NO_FIELDS = {
    "rule not met": RULES,
    "rule could not be applied": RULES,
    "evidence is empty": NOTHING,
}


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The sessions that were started on a day."""

    day: date
    started: int


@dataclass(frozen=True, slots=True)
class WorkflowFigures:
    """The sessions of a workflow; `average_seconds` is of the completed ones."""

    workflow_type: str
    started: int
    completed: int
    average_seconds: float | None


@dataclass(frozen=True, slots=True)
class PhaseFigures:
    """What came of a phase; `refused_fields` are those refused most, with how often."""

    workflow_type: str
    phase: int
    attempts: int
    refusals: int
    overrides: int
    rollbacks: int
    median_seconds: float | None
    refused_fields: tuple[tuple[str, int], ...]

    @property
    def refusal_rate(self) -> float | None:
        """The share of attempts that the gate refused."""
        return self.refusals / self.attempts if self.attempts else None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the sessions add up to: days without gap, workflows by use, phases by workflow."""

    sessions: int
    statuses: dict[Status, int]
    average_seconds: float | None
    days: tuple[DayFigures, ...]
    workflows: tuple[WorkflowFigures, ...]
    phases: tuple[PhaseFigures, ...]


@dataclass(slots=True)
class _Phase:
    passes: int = 0
    refusals: int = 0
    overrides: int = 0
    rollbacks: int = 0
    times: "array[float]" = field(default_factory=lambda: array("d"))
    fields: Counter[str] = field(default_factory=Counter)

    @property
    def is_told(self) -> bool:
        return bool(self.passes or self.refusals or self.overrides or self.rollbacks)


@dataclass(slots=True)
class _Workflow:
    started: int = 0
    completed: int = 0
    seconds: float = 0.0
    phases: dict[int, _Phase] = field(default_factory=dict)


@dataclass(slots=True)
class _Stopwatch:
    """The time that a session was open: neither paused nor completed."""

    seconds: float = 0.0
    _read: datetime | None = None
    _runs: bool = True

    def read(self, now: datetime) -> float:
        if self._runs and self._read is not None:
            # A clock that was set back takes nothing away.
            self.seconds += max((now - self._read).total_seconds(), 0.0)
        self._read = now
        return self.seconds

    def follow(self, step: Step) -> None:
        stops = step.action == Action.PAUSE or step.outcome == Outcome.FINISHED
        self._runs = not stops and (self._runs or step.action in {Action.RESUME, Action.ROLLBACK})


class Tally:
    """Adds sessions up, one at a time."""

    def __init__(self, day_of: Callable[[datetime], date], today: date) -> None:
        """Let `day_of` say on which day a time is."""
        self._day_of = day_of
        self._today = today
        self._days: Counter[date] = Counter()
        self._statuses: Counter[Status] = Counter()
        self._workflows: dict[str, _Workflow] = {}

    def add(self, session: SessionSummary, steps: Iterable[Step]) -> None:
        """Add a session with all that happened in it."""
        self._days[min(self._day_of(session.created_at), self._today)] += 1
        self._statuses[session.status] += 1
        workflow = self._workflows.setdefault(session.workflow_type, _Workflow())
        workflow.started += 1
        lasted = _walk(workflow.phases, steps)
        if session.status is Status.COMPLETED:
            workflow.completed += 1
            workflow.seconds += lasted

    def figures(self) -> Figures:
        """Return what was added so far."""
        by_use = sorted(self._workflows.items(), key=lambda item: (-item[1].started, item[0]))
        workflows = tuple(
            WorkflowFigures(name, w.started, w.completed, _average(w.seconds, w.completed))
            for name, w in by_use
        )
        completed = sum(w.completed for w in self._workflows.values())
        seconds = sum(w.seconds for w in self._workflows.values())
        return Figures(
            sessions=self._statuses.total(),
            statuses={status: self._statuses[status] for status in Status},
            average_seconds=_average(seconds, completed),
            days=tuple(self._each_day()),
            workflows=workflows,
            phases=tuple(
                _phase_figures(name, number, phase)
                for name, w in by_use
                for number, phase in sorted(w.phases.items())
                if phase.is_told
            ),
        )

    def _each_day(self) -> Iterator[DayFigures]:
        day = min(self._days, default=None)
        while day is not None and day <= self._today:
            yield DayFigures(day, self._days[day])
            day += timedelta(days=1)


def _walk(phases: dict[int, _Phase], steps: Iterable[Step]) -> float:
    """Count what happened in a session; return how long it was open up to its last change."""
    watch, entered = _Stopwatch(), 0.0
    is_open = True
    for step in steps:
        now = watch.read(step.time)
        phase = phases.setdefault(step.phase, _Phase())
        _count(phase, step)
        if step.outcome in {Outcome.PASSED, Outcome.FINISHED}:
            if now > entered:
                phase.times.append(now - entered)
            entered, is_open = now, step.outcome == Outcome.PASSED
        elif step.action == Action.ROLLBACK:
            phase.rollbacks += is_open
            entered, is_open = now, True
        watch.follow(step)
    return watch.seconds


def _count(phase: _Phase, step: Step) -> None:
    passed = step.outcome in {Outcome.PASSED, Outcome.FINISHED}
    phase.passes += passed and step.action == Action.COMPLETE_PHASE
    phase.overrides += passed and step.action == PersonAction.OVERRIDE
    phase.refusals += step.outcome == Outcome.REFUSED
    if step.refusal is not None:
        phase.fields.update(_refused_fields(step))


def _refused_fields(step: Step) -> set[str]:
    """Return the fields that a gate's no names; each counts once a no."""
    details = step.refusal.details if step.refusal else {}
    # A problem begins with its field, as the gate words them.
    named = {text.partition(": ")[0] for text in _told(details, "validation_errors")}
    problems = {_NO_FIELDS.get(name, name) for name in named}
    return problems | set(_told(details, "missing_evidence"))


def _told(details: Mapping[str, Any], name: str) -> list[str]:
    """Return the texts of a refusal, without what says that there were more."""
    texts = map(str, details.get(name) or ())
    return [text for text in texts if not text.startswith(AND_SOME)]


def _phase_figures(workflow_type: str, number: int, phase: _Phase) -> PhaseFigures:
    by_count = sorted(phase.fields.items(), key=lambda item: (-item[1], item[0]))
    return PhaseFigures(
        workflow_type=workflow_type,
        phase=number,
        attempts=phase.passes + phase.refusals,
        refusals=phase.refusals,
        overrides=phase.overrides,
        rollbacks=phase.rollbacks,
        median_seconds=round(median(phase.times), 3) if phase.times else None,
        refused_fields=tuple(by_count),
    )


def _average(seconds: float, number: int) -> float | None:
    return round(seconds / number, 3) if number else None
