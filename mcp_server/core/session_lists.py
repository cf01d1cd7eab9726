"""The sessions of a store as lists show them: the caller's, of the project that is served.

A store of its own belongs to one project. One that is shared holds sessions of several, told apart
by their identity; then lists, and the limit of active sessions, are of one project. Holds no state
of its own: safe to share between threads.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from mcp_server.core import views
from mcp_server.core.callers import Caller
from mcp_server.core.identifiers import SESSION_ID_PATTERN
from mcp_server.core.models import Damage, SessionSummary
from mcp_server.core.paging import MAX_LIMIT, first_page, key_of, no_cursor, require_limit
from mcp_server.core.selection import UNFINISHED, Listed, Order, Place, Selection, listed
from mcp_server.core.store import SessionStore
from mcp_server.core.transitions import COUNTED, Action, Status
from mcp_server.errors import ConfigurationError, InvalidArgumentError

Answer = dict[str, Any]


class SessionLists:
    """What may be seen of many sessions at once."""

    def __init__(
        self,
        store: SessionStore,
        *,
        caller: Callable[[], Caller],
        project: Callable[[], str | None],
        shared: bool,
    ) -> None:
        """List what is in `store`, as `StateManager` is told by whom and of what."""
        self._store = store
        self._caller = caller
        self._project = project
        self._shared = shared

    @property
    def store(self) -> SessionStore:
        """Where the sessions are."""
        return self._store

    def open_for(self, target_file: str, limit: int = MAX_LIMIT) -> list[str]:
        """Return the ids of unfinished sessions on `target_file`, newest first."""
        chosen = replace(self._shown(UNFINISHED), target_file=target_file)
        found = self._store.page(chosen, limit, counted=False)
        return [summary.session_id for summary in found.sessions]

    def latest(
        self,
        limit: int,
        statuses: frozenset[Status] | None = None,
        *,
        beginning: str = "",
        containing: str = "",
    ) -> list[SessionSummary]:
        """Return the first `limit` sessions that lists show, the one that changed last first.

        `beginning` and `containing` narrow them to ids that begin with a text, or hold it.
        """
        if not all(SESSION_ID_PATTERN.match(text) for text in (beginning, containing) if text):
            return []
        chosen = replace(
            self._shown(statuses), beginning=beginning or None, containing=containing or None
        )
        return self._store.page(chosen, limit, by=Order.CHANGE, counted=False).sessions

    def summaries(self, status: Status | None = None, limit: int | None = None) -> Listed:
        """Return the sessions of `status`, at most `limit`, newest first, and their count."""
        chosen = self._shown(_only(status))
        if limit is None:
            return listed(self._stored(chosen), chosen)
        return self._store.page(chosen, limit)

    def beginning(self, text: str, limit: int) -> Listed:
        """Return the sessions whose ids begin with `text`, at most `limit`, and their count."""
        return self._store.page(replace(self._shown(None), beginning=text), limit)

    def unfinished(self) -> Iterator[SessionSummary]:
        """Yield the summaries of all sessions that are not completed, in no order."""
        return self._all(self._shown(UNFINISHED))

    def live_ids(self) -> frozenset[str]:
        """Return the ids of what is not completed here, whoever's it is."""
        return self._store.live_ids(self.scope())

    def prunable(self, before: datetime, status: Status | None = None) -> list[SessionSummary]:
        """Return the sessions that have not changed since `before`, oldest first."""
        found = self._all(self._shown(_only(status)))
        old = (summary for summary in found if summary.last_updated < before)
        return sorted(old, key=lambda summary: summary.order)

    def counted(self) -> int:
        """Return how many sessions count against the limit."""
        return self._store.count(self._counted())

    def counts_below(self, limit: int) -> bool:
        """Tell whether fewer than `limit` sessions count against the limit."""
        return self._store.are_fewer(self._counted(), limit)

    def _counted(self) -> Selection:
        return Selection(statuses=COUNTED, project=self.scope())

    def list_sessions(
        self,
        status: Status | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        *,
        all_projects: bool = False,
    ) -> Answer:
        """Return one page of session summaries, newest first.

        `all_projects` shows those of every repository, where the store holds several.
        """
        limit = require_limit(limit)
        after = None if cursor is None else _place(cursor)
        chosen = self._shown(_only(status), all_projects=all_projects)
        found = self._store.page(chosen, limit + 1, after)
        show = views.session_anywhere if self._shared and all_projects else views.session_summary
        page = first_page(found.sessions, key=_key, show=show, limit=limit)
        answer: Answer = {"sessions": page.shown, "count": found.count}
        if page.next_cursor:
            answer["next_cursor"] = page.next_cursor
        # Whose a damaged session is cannot be read.
        if found.damaged and not self._caller().confined:
            answer["warnings"] = views.bounded(map(_told, found.damaged), 1_000)
        if page.shown:
            newest = page.shown[0]["session_id"]
            answer["next"] = views.call(Action.GET_STATE, session_id=newest)
        return answer

    def _shown(
        self, statuses: frozenset[Status] | None, *, all_projects: bool = False
    ) -> Selection:
        """Return what lists show: the caller's, of the repository that is served."""
        caller = self._caller()
        return Selection(
            statuses=statuses,
            project=None if all_projects else self.scope(),
            owner=caller.name if caller.confined else None,
        )

    def _all(self, chosen: Selection) -> Iterator[SessionSummary]:
        for found in self._stored(chosen):
            if isinstance(found, SessionSummary) and chosen.takes(found):
                yield found

    def _stored(self, chosen: Selection) -> Iterator[SessionSummary | Damage]:
        return self._store.summaries(live_only=chosen.is_of_live_ones, project=chosen.project)

    def scope(self) -> str | None:
        """Return the repository whose sessions are told from others; None if all there are are.

        Raises ConfigurationError where they would have to be, and nobody knows which it is.
        """
        if not self._shared:
            return None
        project = self._project()
        if project is None:
            raise ConfigurationError(
                "nothing tells which project this is among those of the shared state: there is no"
                " git repository with its first commit (a shallow clone has not got it)",
                remediation="Set AOS_WORKFLOW_PROJECT_ID to the same name in every place that the"
                " project is worked on in, or fetch the whole history.",
            )
        return project


def _told(damage: Damage) -> str:
    is_named = damage.session_id in damage.reason
    return damage.reason if is_named else f"{damage.session_id}: {damage.reason}"


def _only(status: Status | None) -> frozenset[Status] | None:
    return None if status is None else frozenset({status})


def _key(session: SessionSummary) -> tuple[str, ...]:
    return session.created_at.isoformat(), session.session_id


def _place(cursor: str) -> Place:
    try:
        time, session_id = key_of(cursor)
        created_at = datetime.fromisoformat(time)
    except InvalidArgumentError:
        raise
    except ValueError:
        raise no_cursor(cursor) from None
    if created_at.tzinfo is None:
        raise no_cursor(cursor)
    return created_at, session_id
