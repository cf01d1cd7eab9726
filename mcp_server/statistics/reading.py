"""The sessions of a store, one at a time, as the figures take them.

Asks the store alone, and keeps nothing but the session at hand. Of each line only what happened is
read, and of the last one, as every list does, whether it is what its hash says.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime

from mcp_server.core.journal import LineError, Step, decode_step
from mcp_server.core.models import Damage, SessionSummary
from mcp_server.core.store import SessionStore
from mcp_server.errors import NotFoundError, WorkflowError

Told = Callable[[Damage], None]


def sessions_since(
    store: SessionStore,
    first: date,
    day_of: Callable[[datetime], date],
    workflow_type: str | None,
    damaged: Told,
    *,
    project: str | None = None,
) -> Iterator[tuple[SessionSummary, list[Step]]]:
    """Yield the sessions that were started on `first` or later, with all that happened in them.

    `project` leaves out those of others, where the store holds several.

    What cannot be read goes to `damaged`; a session that is deleted meanwhile is left out.
    """
    for found in store.summaries(project=project):
        if isinstance(found, Damage):
            damaged(found)
        elif workflow_type in (None, found.workflow_type):
            try:
                steps = _steps(store, found, first, day_of)
            except WorkflowError as error:
                damaged(Damage(session_id=found.session_id, reason=error.message))
            except LineError as error:
                damaged(Damage(session_id=found.session_id, reason=str(error)))
            else:
                if steps:
                    yield found, steps


def _steps(
    store: SessionStore, session: SessionSummary, first: date, day_of: Callable[[datetime], date]
) -> list[Step]:
    """Return what happened in the session; nothing if it began before `first`, or is gone."""
    try:
        is_earlier = day_of(session.created_at) < first
    except (OSError, OverflowError, ValueError) as error:
        raise LineError("its start is on no day of the calendar") from error
    if is_earlier:
        return []
    with suppress(NotFoundError):
        return [decode_step(line) for line in store.lines(session.session_id)]
    return []
