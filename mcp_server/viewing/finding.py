"""Gathers what views are made of from a project's services: reads only, and holds no lock."""

from collections.abc import Iterator

from mcp_server.core.identifiers import SESSION_ID_PATTERN
from mcp_server.core.library import Listed, Place, WorkflowLibrary
from mcp_server.core.models import Damage
from mcp_server.core.pinning import Pinned
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Status
from mcp_server.errors import (
    DamagedStateError,
    DefinitionError,
    InvalidArgumentError,
    NotFoundError,
    quoted,
)
from mcp_server.server.services import Services, library_for
from mcp_server.viewing.session_view import change_rows, session_row, session_view
from mcp_server.viewing.shapes import SessionList, SessionView, WorkflowList, WorkflowView
from mcp_server.viewing.workflows_view import workflow_list, workflow_view

_SHOWN = 8


def find_workflows(services: Services, category: str | None) -> WorkflowList:
    """Return the workflows that can be started; raises InvalidArgumentError for no category."""
    found = list(_startable(library_for(services.settings.project)))
    listed = workflow_list(found, category)
    if category is not None and not listed["workflows"]:
        known = sorted({row["category"] for row in workflow_list(found)["workflows"]})
        raise InvalidArgumentError(
            f"no workflow of category {quoted(category)}",
            remediation=f"There are: {', '.join(known) or 'none'}.",
        )
    return listed


def _startable(library: WorkflowLibrary) -> Iterator[Listed | DefinitionError]:
    """Yield what can be started, or why it cannot: `start` would read it whole, and so is done."""
    for place, listed in zip(library.places(), library.listing(), strict=False):
        try:
            if isinstance(listed, Listed):
                library.static_phases(place)
            yield listed
        except DefinitionError as error:
            yield error


def find_place(library: WorkflowLibrary, name: str) -> Place:
    """Return where a definition is; raises NotFoundError with words for people."""
    try:
        return library.find(name)
    except NotFoundError as error:
        known = ", ".join(error.details["workflow_types"])
        raise NotFoundError(
            error.message, remediation=f"`aos-workflow workflows` shows what there is: {known}."
        ) from error


def find_workflow(services: Services, name: str) -> WorkflowView:
    """Return one workflow; raises NotFoundError or DefinitionError."""
    library = library_for(services.settings.project)
    place = find_place(library, name)
    metadata = library.metadata(place)
    phases = library.static_phases(place) if metadata.is_dynamic else library.load(name).phases
    return workflow_view(metadata, phases, place.shelf.label)


def find_sessions(sessions: StateManager, status: Status | None, limit: int | None) -> SessionList:
    """Return the sessions of `status`, at most `limit` of them."""
    found = sessions.summaries(status, limit)
    return {
        "sessions": [session_row(summary) for summary in found.sessions],
        "count": found.count or 0,
        "warnings": told_damage(found.damaged),
    }


def find_session_id(sessions: StateManager, given: str) -> str:
    """Return the id of the one session that `given` is the id of, or the beginning of.

    Raises InvalidArgumentError where several begin so, NotFoundError where none does.
    """
    if not SESSION_ID_PATTERN.match(given):
        raise InvalidArgumentError(
            f"Invalid session_id format: {quoted(given)}",
            remediation="aos-workflow sessions lists the ids; the beginning of one is enough.",
        )
    if _is_session(sessions, given):
        return given
    found = sessions.beginning(given, _SHOWN)
    known = [one.session_id for one in found.sessions]
    known += [one.session_id for one in found.damaged]
    count = (found.count or 0) + len(found.damaged)
    if count == 1:
        return known[0]
    if count:
        more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
        raise InvalidArgumentError(
            f"{count} sessions begin with {given!r}",
            remediation=f"Write more of the id: {', '.join(known[:_SHOWN])}{more}.",
        )
    raise NotFoundError(
        f"no session {given}",
        remediation="aos-workflow sessions lists those that exist.",
    )


def _is_session(sessions: StateManager, session_id: str) -> bool:
    try:
        sessions.load(session_id)
    except NotFoundError:
        return False
    except DamagedStateError:
        pass
    return True


def find_session(services: Services, session_id: str, *, history: bool = False) -> SessionView:
    """Return all that is known of a session; raises NotFoundError or DamagedStateError."""
    sessions, consent = services.sessions, services.engine.consent
    state = sessions.load(session_id)
    answer = services.engine.get_state(session_id)
    try:
        view = session_view(
            state,
            answer,
            Pinned(sessions.store)(state.definition.digest),
            consent.requests(session_id) if state.status is Status.ACTIVE else (),
            can_override=consent.overridable(session_id) is not None,
        )
    except DamagedStateError as error:
        view = session_view(state, answer, None, (), can_override=False)
        view["warnings"].append(error.message)
    if history:
        view["history"] = change_rows(sessions.store.lines(session_id))
    return view


def told_damage(damaged: list[Damage]) -> list[str]:
    """Return why each session cannot be read."""
    return [
        one.reason if one.session_id in one.reason else f"{one.session_id}: {one.reason}"
        for one in damaged
    ]
