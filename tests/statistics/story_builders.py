"""Sessions told step by step, as the figures take them and as stores keep them."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from mcp_server.core import lifecycle
from mcp_server.core.journal import Step
from mcp_server.core.models import Change, ErrorEntry, SessionState
from mcp_server.core.store import SessionStore
from mcp_server.core.transitions import Status
from mcp_server.statistics.figures import Figures, Tally
from tests.builders import NOON
from tests.core.lifecycle_builders import WAVED
from tests.core.session_builders import ERROR, ID, birth, follow

TODAY = NOON.date()
EVIDENCE = lifecycle.prepare({"tests": 1})


def at(minutes: float) -> datetime:
    """The time so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def refusal(*problems: str, missing: Iterable[str] = ()) -> ErrorEntry:
    """What is recorded of a gate's no."""
    details = {"validation_errors": list(problems), "missing_evidence": list(missing)}
    return ERROR.model_copy(update={"details": details})


class Story:
    """A session that goes on by one step a call, each at a minute after noon."""

    def __init__(self, *, phases: tuple[int, ...] = (1, 2), **changes: Any) -> None:
        self.changes = [birth(phases=phases, **changes)]

    @property
    def state(self) -> SessionState:
        """The state after the last step."""
        return self.changes[-1].state

    def passed(self, minutes: float) -> "Story":
        """The gate says yes."""
        return self._on(lifecycle.pass_phase(self.state, EVIDENCE, at(minutes)))

    def refused(self, minutes: float, *problems: str, missing: Iterable[str] = ()) -> "Story":
        """The gate says no."""
        error = refusal(*problems, missing=missing)
        return self._on(lifecycle.refuse_phase(self.state, EVIDENCE, error, at(minutes)))

    def skipped(self, minutes: float) -> "Story":
        """The agent names a phase ahead of its turn."""
        return self._on(lifecycle.refuse_skip(self.state, ERROR, at(minutes)))

    def retried(self, minutes: float) -> "Story":
        """The phase is opened again."""
        again = lifecycle.retry_phase(self.state, reset_evidence=False, now=at(minutes))
        return self._on(again)

    def rolled_back(self, minutes: float, to_phase: int = 1) -> "Story":
        """The session goes back."""
        return self._on(lifecycle.roll_back(self.state, to_phase, at(minutes)))

    def paused(self, minutes: float) -> "Story":
        """The session is set aside."""
        return self._on(lifecycle.pause(self.state, None, at(minutes)))

    def resumed(self, minutes: float) -> "Story":
        """The session is taken up again."""
        return self._on(lifecycle.resume(self.state, at(minutes)))

    def overridden(self, minutes: float) -> "Story":
        """A person waves the phase through."""
        word = WAVED.model_copy(update={"time": at(minutes), "phase": self.state.current_phase})
        return self._on(lifecycle.override_phase(self.state, word))

    def _on(self, change: Change) -> "Story":
        self.changes.append(change)
        return self

    @property
    def steps(self) -> list[Step]:
        """What happened, as it is read."""
        return [
            Step(
                c.time,
                str(c.action),
                str(c.outcome),
                c.phase,
                c.state.errors[-1] if c.outcome == "refused" else None,
            )
            for c in self.changes
        ]

    def keep(self, store: SessionStore, session_id: str = ID) -> str:
        """Store the session under an id; return it."""
        first, *later = (
            change.model_copy(
                update={"state": change.state.model_copy(update={"session_id": session_id})}
            )
            for change in self.changes
        )
        with store.exclusive():
            last = store.create([first])
        for change in later:
            last = follow(store, change, last)
        return session_id


def figures(*stories: Story, today: date = TODAY) -> Figures:
    """What sessions add up to, with days in UTC."""
    tally = Tally(datetime.date, today)
    for story in stories:
        tally.add(story.state.summary, story.steps)
    return tally.figures()


ACTIVE_ONLY = {Status.ACTIVE: 1, Status.PAUSED: 0, Status.FAILED: 0, Status.COMPLETED: 0}
