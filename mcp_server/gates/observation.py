"""What the server found out for itself about one field, and how anything is known at all. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Judgement(StrEnum):
    """What a gate, a field or a look at the disk came to."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    COULD_NOT_VERIFY = "could_not_verify"


class Known(StrEnum):
    """How a piece of evidence is known, weakest first."""

    CLAIMED = "claimed"
    OBSERVED = "observed"
    EXECUTED = "executed"
    APPROVED = "approved"

    @property
    def strength(self) -> int:
        """The place in the order, 0 for the weakest."""
        return list(Known).index(self)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was looked at: its path in the project, and what it was at that moment."""

    path: str
    size: int
    sha256: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Observation:
    """What a look came to: a value, or why there is none.

    PASS carries the `value` that was found. FAIL says in `reason` what the look showed instead.
    COULD_NOT_VERIFY says in `reason` why the server could not look, and in `remedy` who can mend
    that and how. `probe` says in a few words what was looked at.
    """

    known: Known
    value: Any = None
    judgement: Judgement = Judgement.PASS
    reason: str = ""
    remedy: str = ""
    probe: str = ""
    sources: tuple[Source, ...] = ()
    details: Mapping[str, Any] | None = None


class LookFailedError(Exception):
    """The server looked, and what it saw is not as the gate wants it."""

    def __init__(self, reason: str, *sources: Source) -> None:
        """Say what was seen, in words for the agent; `sources` are the files that showed it."""
        super().__init__(reason)
        self.reason = reason
        self.sources = sources


class LookUnavailableError(Exception):
    """The server could not look; `remedy` says who can mend that and how.

    `final` keeps a list of probes from going on to a weaker one.
    """

    def __init__(
        self,
        reason: str,
        remedy: str,
        *,
        final: bool = False,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Say why the server could not look, and what would let it."""
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.final = final
        self.details = details
