"""What a shell completes: names from the project that the command line is about.

A shell shows neither errors nor warnings while a line is being typed: where nothing can be read,
nothing is offered. Each word starts a process, which therefore reads no more than it offers.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from mcp_server.errors import WorkflowError

if TYPE_CHECKING:
    from mcp_server.server.services import Services
    from mcp_server.viewing.shapes import WorkflowRow

MAX_SESSIONS = 500
"""More than anybody reads; one more letter tells those apart that are left out."""

Offer = Iterator[tuple[str, str]]


def workflow_names(context: typer.Context, incomplete: str) -> Offer:
    """Offer the workflows of the project, each with what it is for."""
    return _offered(context, incomplete, _workflows)


def categories(context: typer.Context, incomplete: str) -> Offer:
    """Offer the categories of the project's workflows."""
    return _offered(context, incomplete, _categories)


def session_ids(context: typer.Context, incomplete: str) -> Offer:
    """Offer the sessions of the project, each with where it stands, the latest change first."""
    return _offered(context, incomplete, partial(_sessions, incomplete))


def _offered(
    context: typer.Context,
    incomplete: str,
    find: Callable[["Services"], Iterable[tuple[str, str]]],
) -> Offer:
    with suppress(WorkflowError):
        for name, said in find(_services(context.params)):
            if name.startswith(incomplete):
                yield name, said


def _services(given: dict[str, Any]) -> "Services":
    from mcp_server.config import load_settings  # noqa: PLC0415
    from mcp_server.server.services import services_for  # noqa: PLC0415

    return services_for(load_settings(project=given.get("project"), state=given.get("state")))


def _workflows(services: "Services") -> Iterable[tuple[str, str]]:
    return ((row["workflow_type"], row["name"]) for row in _listed(services))


def _categories(services: "Services") -> Iterable[tuple[str, str]]:
    return ((category, "") for category in sorted({row["category"] for row in _listed(services)}))


def _listed(services: "Services") -> list["WorkflowRow"]:
    from mcp_server.server.services import library_for  # noqa: PLC0415
    from mcp_server.viewing.workflows_view import workflow_list  # noqa: PLC0415

    return workflow_list(library_for(services.settings.project).listing())["workflows"]


def _sessions(incomplete: str, services: "Services") -> Iterable[tuple[str, str]]:
    return (
        (one.session_id, f"{one.status}, phase {one.current_phase} of {one.total_phases}")
        for one in services.sessions.latest(MAX_SESSIONS, beginning=incomplete)
    )
