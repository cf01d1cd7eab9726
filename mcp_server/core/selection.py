"""Which sessions a list or a limit is about, and how a store without indexes finds them. Pure.

Lists go from the newest session to the oldest, by the time of their start or of their last change,
and then by id. A place in a list is named by that pair, so that it stays where it is while sessions
come and go; a session that changes leaves its place in a list by change.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from mcp_server.core.models import Damage, SessionSummary
from mcp_server.core.transitions import Status

Place = tuple[datetime, str]

UNFINISHED = frozenset(Status) - {Status.COMPLETED}

_SKEW = timedelta(minutes=1)
"""How far the clock of whoever changed a session may be ahead of the one that dates its writing."""


class Order(Enum):
    """Which time a list goes by."""

    START = "created_at"
    CHANGE = "last_updated"

    def place(self, session: SessionSummary) -> Place:
        """Return where a session stands in a list."""
        return session.order if self is Order.START else (session.last_updated, session.session_id)


@dataclass(frozen=True, slots=True)
class Selection:
    """What sessions must be like; None asks for nothing."""

    statuses: frozenset[Status] | None = None
    project: str | None = None
    owner: str | None = None
    target_file: str | None = None
    beginning: str | None = None
    """What the id begins with."""
    containing: str | None = None
    """What stands in the id."""

    @property
    def is_of_live_ones(self) -> bool:
        """Whether finished sessions are left out."""
        return self.statuses is not None and Status.COMPLETED not in self.statuses

    @property
    def is_by_id(self) -> bool:
        """Whether ids tell of some sessions that they are left out."""
        return self.beginning is not None or self.containing is not None

    def may_take(self, session_id: str) -> bool:
        """Tell whether a session of that id can be one of those."""
        return session_id.startswith(self.beginning or "") and (self.containing or "") in session_id

    def takes(self, session: SessionSummary) -> bool:
        """Tell whether a session is one of those."""
        return (
            (self.statuses is None or session.status in self.statuses)
            and self.project in (None, session.project)
            and self.owner in (None, session.owner)
            and self.target_file in (None, session.target_file)
            and self.may_take(session.session_id)
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """Sessions from one place of a list on, and what was asked about the whole of it."""

    sessions: list[SessionSummary]
    count: int | None = None
    """How many there are; None if that was not asked."""
    damaged: list[Damage] = field(default_factory=list)
    """What could not be read, and so may or may not be one of them; empty if nobody counts."""


def listed(
    found: Iterable[SessionSummary | Damage],
    chosen: Selection,
    limit: int | None = None,
    after: Place | None = None,
    by: Order = Order.START,
) -> Listed:
    """Return the first `limit` of the chosen sessions, newest first, that come after a place."""
    damaged: list[Damage] = []
    sessions: list[SessionSummary] = []
    for one in found:
        if isinstance(one, SessionSummary):
            if chosen.takes(one):
                sessions.append(one)
        elif chosen.may_take(one.session_id):
            damaged.append(one)
    sessions.sort(key=by.place, reverse=True)
    start = 0
    if after is not None:
        start = bisect_left(sessions, x=True, key=lambda session: by.place(session) < after)
    return Listed(sessions[start:][:limit], len(sessions), damaged)


def changed_last(
    found: Iterable[tuple[datetime, SessionSummary | Damage]],
    chosen: Selection,
    limit: int,
    after: Place | None = None,
) -> list[SessionSummary]:
    """Return what a list by change shows of sessions that come in the order of their writing.

    A session was written no sooner than it changed: the first few say when there is nothing to be
    found in those that follow. Where one of them belies that, all are gone through.
    """
    best: list[SessionSummary] = []
    is_dated = True
    for written, one in found:
        if is_dated and best and len(best) == limit and best[0].last_updated > written + _SKEW:
            break
        if isinstance(one, Damage):
            continue
        is_dated = is_dated and one.last_updated <= written + _SKEW
        if chosen.takes(one) and (after is None or Order.CHANGE.place(one) < after):
            insort(best, one, key=Order.CHANGE.place)
            del best[: len(best) - limit if len(best) > limit else 0]
    return best[::-1]


def count_of(found: Iterable[SessionSummary | Damage], chosen: Selection) -> int:
    """Return how many of the sessions are chosen."""
    return sum(isinstance(one, SessionSummary) and chosen.takes(one) for one in found)
