"""Wires an engine for a project, and says which one a call is for.

A server binds the services that it was built with for the length of a call; a plain call of
`aos_workflow()` uses those of the process's own settings, looked up anew at each call, because
tests and scripts change folder and environment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mcp_server
from mcp_server.config import STATE_DIR, Settings, load_settings
from mcp_server.core.file_store import FileStore
from mcp_server.core.library import BUILT_IN, Shelf, WorkflowLibrary
from mcp_server.core.limits import Limits
from mcp_server.core.state_manager import StateManager
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.errors import ConfigurationError
from mcp_server.gates.plugins import load_probes
from mcp_server.server.looking import ProjectLooker
from mcp_server.server.workers import VerificationWorkers


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers need."""

    settings: Settings
    engine: WorkflowEngine
    sessions: StateManager


_bound: ContextVar[Services | None] = ContextVar("services", default=None)


@lru_cache(maxsize=16)
def services_for(settings: Settings) -> Services:
    """Return the services of a project, built once; raises ConfigurationError."""
    if not settings.state_folder.resolve().is_relative_to(settings.project.resolve()):
        raise ConfigurationError(
            f"{STATE_DIR.as_posix()} leads out of the project through a link",
            remediation="Replace the link by a folder: nothing outside the project is written.",
        )
    store = FileStore(settings.state_folder, lock_timeout=settings.lock_timeout)
    sessions = StateManager(store, max_active=settings.max_active_sessions)
    looker = ProjectLooker(settings.project)
    engine = WorkflowEngine(
        library_for(settings.project),
        sessions,
        root=settings.project,
        looker=looker,
        workers=VerificationWorkers(settings, store),
        limits=Limits(
            evidence=settings.max_evidence_size,
            options=settings.max_options_size,
            depth=settings.max_depth,
        ),
    )
    return Services(settings, engine, sessions)


def current() -> Services:
    """Return the services that the running call is for."""
    return _bound.get() or services_for(load_settings())


@contextmanager
def bound(services: Services | None) -> Iterator[None]:
    """Use `services` for the calls inside; None leaves the choice to the environment."""
    token = _bound.set(services)
    try:
        yield
    finally:
        _bound.reset(token)


def library_for(project: Path) -> WorkflowLibrary:
    """Return the definitions that a project can start: its own first, then the built-in ones."""
    # A gate may name a probe of another package.
    load_probes()
    built_in = Path(mcp_server.__file__).parent / "workflows"
    local = (Shelf(label, project / label, project)
             for label in (".praxis-os/workflows", "universal/workflows"))  # fmt: skip
    return WorkflowLibrary((*local, Shelf(BUILT_IN, built_in, built_in)), project)
