"""What a validation comes to: checks, times, memory, and the verdict over all of them. Pure.

A target that is missed fails, whether or not it is also over the alert: the alert only says how
badly. What could not be checked for want of files is named and fails nothing; what could have been
and was not, fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from mcp_server.core.transitions import Action
from mcp_server.validating.targets import Target

CONNECTION = "connection"
"""The subject of what concerns the connection."""

TOOL = "tool definition"
"""The subject of what concerns the tool as it is listed."""

SUBJECTS = (CONNECTION, TOOL, *(str(action) for action in Action))
"""What checks are about, in the order of the report."""


IN_PART = "holds in part"
"""The verdict on a subject of which some checks could not be made."""

NOT_CALLED = "not called: "
"""How the problem of a check begins that failed because nothing could be called any more."""


class Standing(StrEnum):
    """What became of a check."""

    HOLDS = "holds"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Pace(StrEnum):
    """How the time that an action takes compares to its target."""

    HOLDS = "holds"
    MISSED = "target missed"
    ALERT = "over the alert"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One check: what it is about, what it says, and why it does not hold or was not made."""

    subject: str
    name: str
    standing: Standing
    problem: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one action, as a client sees them."""

    action: Action
    target: Target
    seconds: tuple[float, ...] = ()
    excused: bool = False
    """Whether the action cannot be timed on this server, for want of files."""

    @property
    def median(self) -> float | None:
        """The median in seconds."""
        return median(self.seconds) if self.seconds else None

    @property
    def slowest(self) -> float | None:
        """The longest in seconds."""
        return max(self.seconds, default=None)

    @property
    def pace(self) -> Pace:
        """How the median compares to the target."""
        if self.median is None:
            return Pace.NOT_MEASURED
        if self.target.alert is not None and self.median > self.target.alert:
            return Pace.ALERT
        return Pace.HOLDS if self.median < self.target.limit else Pace.MISSED

    @property
    def holds(self) -> bool:
        """Whether the target is met, or cannot be asked for."""
        return self.pace is Pace.HOLDS or (self.pace is Pace.NOT_MEASURED and self.excused)


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the server and of a bare one, in bytes; or why it was not measured."""

    limit: int
    server: int | None = None
    bare: int | None = None
    reason: str = ""

    @property
    def over(self) -> int | None:
        """Bytes that the server takes over the bare one."""
        return None if self.server is None or self.bare is None else self.server - self.bare

    @property
    def holds(self) -> bool:
        """Whether it is below the limit, or could not be measured."""
        return self.over is None or self.over < self.limit

    @property
    def verdict(self) -> str:
        """The same in a word."""
        if self.over is None:
            return Pace.NOT_MEASURED
        return Pace.HOLDS if self.holds else Pace.MISSED


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one validation found."""

    server: str
    protocol: str
    checks: tuple[CheckOutcome, ...]
    timings: tuple[Timing, ...]
    memory: Memory
    left_behind: tuple[str, ...] = ()
    """Sessions of this run that could not be deleted."""

    @property
    def failed(self) -> tuple[CheckOutcome, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if check.standing is Standing.FAILED)

    @property
    def not_checked(self) -> tuple[CheckOutcome, ...]:
        """The checks that this server gives no ground for."""
        return tuple(check for check in self.checks if check.standing is Standing.NOT_CHECKED)

    @property
    def slow(self) -> tuple[Timing, ...]:
        """The timings that do not hold."""
        return tuple(timing for timing in self.timings if not timing.holds)

    @property
    def holds(self) -> bool:
        """Whether all of it holds."""
        sound = bool(self.checks) and not self.failed and not self.slow
        return sound and self.memory.holds and not self.left_behind

    def about(self, subject: str) -> Sequence[CheckOutcome]:
        """Return the checks of a subject."""
        return [check for check in self.checks if check.subject == subject]

    def timing(self, subject: str) -> Timing | None:
        """Return the timing of a subject, if it is an action that was timed."""
        return next((timing for timing in self.timings if timing.action == subject), None)

    def verdict(self, subject: str) -> str:
        """Return the verdict on a subject in a word or two."""
        checks, timing = self.about(subject), self.timing(subject)
        if any(check.standing is Standing.FAILED for check in checks):
            return Standing.FAILED
        if timing is not None and not timing.holds:
            return timing.pace
        if any(check.standing is Standing.NOT_CHECKED for check in checks):
            return IN_PART
        return Standing.HOLDS if checks else Standing.NOT_CHECKED
