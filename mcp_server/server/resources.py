"""The resources: workflows and sessions as Markdown pages, under `aos://`.

    aos://workflows                 all workflows that can be started
    aos://workflows/{type}          one of them
    aos://sessions/{id}             where a session stands
    aos://sessions/{id}/history     its journal

Each is read anew and bounded in size. What is asked for by another URI, or is not there, is the
protocol's "resource not found", whose code depends on the revision. Lists show what can be started
and the open sessions that changed last, and have no further pages: clients fetch all there are at
once. The other sessions are found by template and completion, as the template says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio.to_thread
from mcp import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Annotations,
    Resource,
    ResourceTemplate,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from mcp_server.core import views
from mcp_server.core.models import SessionSummary
from mcp_server.core.selection import UNFINISHED
from mcp_server.errors import DefinitionError, NotFoundError
from mcp_server.server import documents, services
from mcp_server.server.services import Services
from mcp_server.server.tools.workflow_tools import enveloped

MIME_TYPE = "text/markdown"
WORKFLOWS = "aos://workflows"
WORKFLOW = "aos://workflows/{type}"
SESSION = "aos://sessions/{id}"
HISTORY = "aos://sessions/{id}/history"

MAX_WORKFLOWS_LISTED = 100
MAX_SESSIONS_LISTED = 20
MAX_URI_SHOWN = 300

_NOT_FOUND_BEFORE_2026 = -32002
_NOT_FOUND_TYPES = frozenset({"NotFoundError", "ValueError"})

_URI = re.compile(
    r"aos://(?:(?P<all>workflows)|workflows/(?P<type>[^/?#]{1,128})"
    r"|sessions/(?P<id>[^/?#]{1,256})(?P<history>/history)?)\Z"
)

_FOR_BOTH = Annotations(audience=["user", "assistant"], priority=0.5)


@dataclass(frozen=True, slots=True)
class Target:
    """What a URI of ours names: a session, its history, a workflow, or all workflows."""

    workflow_type: str | None = None
    session_id: str | None = None
    is_history: bool = False


def target_of(uri: str) -> Target | None:
    """Return what a URI names, None if it is none of ours."""
    found = _URI.match(uri)
    return found and Target(found["type"], found["id"], is_history=bool(found["history"]))


def uris_of(session_id: str) -> tuple[str, str]:
    """Return the URIs of a session."""
    return SESSION.format(id=session_id), HISTORY.format(id=session_id)


def templates() -> list[ResourceTemplate]:
    """Return what can be read by filling in a name."""
    return [
        ResourceTemplate(
            uri_template=WORKFLOW,
            name="workflow",
            title="Workflow",
            description="One workflow as a page: its phases and tasks, and what each gate asks for",
            mime_type=MIME_TYPE,
            annotations=_FOR_BOTH,
        ),
        ResourceTemplate(
            uri_template=SESSION,
            name="session",
            title="Session",
            description="Where a session stands: phases, evidence and how it is known, refusals,"
            f" the next step. The list has the {MAX_SESSIONS_LISTED} open ones that changed last;"
            " completion finds all others",
            mime_type=MIME_TYPE,
            annotations=_FOR_BOTH,
        ),
        ResourceTemplate(
            uri_template=HISTORY,
            name="session_history",
            title="History of a session",
            description="The journal of a session as a table, newest change first",
            mime_type=MIME_TYPE,
            annotations=_FOR_BOTH,
        ),
    ]


async def listed() -> list[Resource]:
    """Return the resources that lists show; those that need a project only where there is one."""
    found: list[Resource] = []

    async def carried_out() -> dict[str, Any]:
        at_hand = services.current()
        found.extend(await anyio.to_thread.run_sync(partial(list_of, at_hand)))
        return {}

    # A client that lists at its start should not be met with an error about the project.
    await enveloped("", carried_out)
    return [_all_workflows(), *found]


def list_of(at_hand: Services) -> list[Resource]:
    """Return each workflow, and the open sessions that changed last."""
    sessions = at_hand.sessions.latest(MAX_SESSIONS_LISTED, UNFINISHED)
    return [*_workflows(at_hand), *map(_session, sessions)]


async def read(uri: str, protocol_version: str | None) -> str:
    """Return the page at a URI; raises MCPError, with a text that teaches, if there is none."""
    page = ""

    async def carried_out() -> dict[str, Any]:
        nonlocal page
        target = target_of(uri)
        if target is None:
            raise _unknown()
        page = await anyio.to_thread.run_sync(partial(page_of, services.current(), target))
        return {}

    answer = await enveloped("", carried_out)
    if answer["status"] == "error":
        code = INTERNAL_ERROR
        if answer["error_type"] in _NOT_FOUND_TYPES:
            is_older = protocol_version in HANDSHAKE_PROTOCOL_VERSIONS
            code = _NOT_FOUND_BEFORE_2026 if is_older else INVALID_PARAMS
        raise MCPError(code=code, message=taught(answer), data={"uri": uri[:MAX_URI_SHOWN]})
    return page


def taught(answer: dict[str, Any]) -> str:
    """Return what an error of the envelope says, as one text."""
    return f"{answer['error']}. {answer['remediation']}"


def page_of(at_hand: Services, target: Target) -> str:
    """Return the page of what a URI names; raises WorkflowError."""
    if target.workflow_type is not None:
        return documents.workflow(at_hand.library, target.workflow_type)
    if target.session_id is None:
        return documents.workflows(at_hand)
    if target.is_history:
        return documents.history(at_hand, target.session_id)
    return documents.session(at_hand, target.session_id)


def _unknown() -> NotFoundError:
    known = f"{WORKFLOWS}, {WORKFLOW}, {SESSION}, {HISTORY}"
    return NotFoundError(
        "there is no such resource",
        remediation=f"There are: {known}; completion tells the types and ids.",
    )


def _all_workflows() -> Resource:
    return Resource(
        uri=WORKFLOWS,
        name="workflows",
        title="Workflows",
        description="All workflows that can be started in this project",
        mime_type=MIME_TYPE,
        annotations=Annotations(audience=["user", "assistant"], priority=0.8),
    )


def _workflows(at_hand: Services) -> Iterator[Resource]:
    shown = (item for item in at_hand.library.listing() if not isinstance(item, DefinitionError))
    found = sorted(shown, key=lambda item: item.metadata.workflow_type)
    for item in found[:MAX_WORKFLOWS_LISTED]:
        metadata = item.metadata
        yield Resource(
            uri=WORKFLOW.format(type=metadata.workflow_type),
            name=metadata.workflow_type,
            title=views.clip(metadata.name or metadata.workflow_type),
            description=views.clip(metadata.description),
            mime_type=MIME_TYPE,
            annotations=_FOR_BOTH,
        )


def _session(summary: SessionSummary) -> Resource:
    return Resource(
        uri=SESSION.format(id=summary.session_id),
        name=summary.session_id,
        title=views.clip(f"{summary.workflow_type}: {summary.target_file}"),
        description=f"A session that is {summary.status}, in phase {summary.current_phase}",
        mime_type=MIME_TYPE,
        annotations=Annotations(
            audience=["user", "assistant"],
            priority=0.7,
            last_modified=views.timestamp(summary.last_updated),
        ),
    )
