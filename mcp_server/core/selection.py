"""Which sessions a list or a limit is about, and how a store without indexes finds them. Pure.

Lists go from the newest session to the oldest, by the time of their start and then by id; a place
in a list is named by that pair, so that it stays where it is while sessions come and go.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from mcp_server.core.models import Damage, SessionSummary
from mcp_server.core.transitions import Status

Place = tuple[datetime, str]

UNFINISHED = frozenset(Status) - {Status.COMPLETED}


@dataclass(frozen=True, slots=True)
class Selection:
    """What sessions must be like; None asks for nothing."""

    statuses: frozenset[Status] | None = None
    project: str | None = None
    owner: str | None = None
    target_file: str | None = None

    @property
    def is_of_live_ones(self) -> bool:
        """Whether finished sessions are left out."""
        return self.statuses is not None and Status.COMPLETED not in self.statuses

    def takes(self, session: SessionSummary) -> bool:
        """Tell whether a session is one of those."""
        return (
            (self.statuses is None or session.status in self.statuses)
            and self.project in (None, session.project)
            and self.owner in (None, session.owner)
            and self.target_file in (None, session.target_file)
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """Sessions from one place of a list on, and how many the whole list has."""

    sessions: list[SessionSummary]
    count: int
    damaged: list[Damage] = field(default_factory=list)
    """What could not be read, and so may or may not be one of them."""


def listed(
    found: Iterable[SessionSummary | Damage], chosen: Selection, limit: int, after: Place | None
) -> Listed:
    """Return the first `limit` of the chosen sessions, newest first, that come after a place."""
    damaged: list[Damage] = []
    sessions: list[SessionSummary] = []
    for one in found:
        if isinstance(one, Damage):
            damaged.append(one)
        elif chosen.takes(one):
            sessions.append(one)
    sessions.sort(key=lambda session: session.order, reverse=True)
    start = 0
    if after is not None:
        start = bisect_left(sessions, x=True, key=lambda session: session.order < after)
    return Listed(sessions[start : start + limit], len(sessions), damaged)


def count_of(found: Iterable[SessionSummary | Damage], chosen: Selection) -> int:
    """Return how many of the sessions are chosen."""
    return sum(isinstance(one, SessionSummary) and chosen.takes(one) for one in found)
