"""What people read of a project's workflows and sessions, as Markdown.

Reads through the engine's own parts and lets the pure `pages` write. Knows no protocol: the
resources of the server and the command line show the same. Raises WorkflowError.
"""

from mcp_server.core import views
from mcp_server.core.journal import LineError, decode_line
from mcp_server.core.library import WorkflowLibrary
from mcp_server.core.models import Record
from mcp_server.errors import DefinitionError
from mcp_server.pages.history_page import history_page
from mcp_server.pages.page import page
from mcp_server.pages.session_page import session_page
from mcp_server.pages.workflow_list import workflow_list
from mcp_server.server.services import Services

MAX_CHANGES = 200
"""Changes of a journal that are shown, the newest ones."""


def workflows(services: Services) -> str:
    """Return the page of all workflows that can be started."""
    shown: list[views.View] = []
    broken: list[str] = []
    for found in services.library.listing():
        if isinstance(found, DefinitionError):
            broken.append(found.message)
        else:
            shown.append(views.workflow(found.metadata, found.phases, found.source))
    return workflow_list(sorted(shown, key=lambda view: str(view["workflow_type"])), broken)


def workflow(library: WorkflowLibrary, workflow_type: str) -> str:
    """Return the page of one workflow."""
    place = library.find(workflow_type)
    metadata = library.metadata(place)
    if metadata.is_dynamic:
        return page(metadata, library.static_phases(place))
    return page(metadata, library.load(workflow_type).phases)


def session(services: Services, session_id: str) -> str:
    """Return the page of one session."""
    state = services.sessions.load(session_id)
    definition = services.engine.pinned(state.definition.digest)
    return session_page(state, definition, services.engine.completion.standing(session_id))


def history(services: Services, session_id: str) -> str:
    """Return the newest changes of a session as a page."""
    lines = services.sessions.lines(session_id)
    return history_page(session_id, [_read(line) for line in lines[-MAX_CHANGES:]], len(lines))


def _read(line: bytes) -> Record | str:
    try:
        return decode_line(line)
    except LineError as error:
        return str(error)
