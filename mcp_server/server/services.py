"""Wires an engine for a project, and says which one a call is for.

A server binds the services of its project for the length of a request, or why there are none; a
plain call of `aos_workflow()` uses those of the process's own settings, looked up anew at each
call, because tests and scripts change folder and environment.
"""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mcp_server
from mcp_server.config import STATE_DIR, Settings, load_settings
from mcp_server.core.callers import LOCAL, Caller
from mcp_server.core.file_store import FileStore
from mcp_server.core.library import BUILT_IN, Shelf, WorkflowLibrary
from mcp_server.core.limits import Limits
from mcp_server.core.state_manager import StateManager
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.errors import ConfigurationError
from mcp_server.gates.plugins import load_probes
from mcp_server.server.looking import ProjectLooker
from mcp_server.server.repository import identity_of
from mcp_server.server.workers import VerificationWorkers


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers need."""

    settings: Settings
    engine: WorkflowEngine
    sessions: StateManager
    library: WorkflowLibrary


Bindable = Services | ConfigurationError
"""The services of a project, or why none is served."""

_acting: ContextVar[Caller | None] = ContextVar("caller", default=None)
_bound: ContextVar[Bindable | None] = ContextVar("services", default=None)


@lru_cache(maxsize=16)
def services_for(settings: Settings) -> Services:
    """Return the services of a project, built once; raises ConfigurationError."""
    if not settings.state_folder.resolve().is_relative_to(settings.project.resolve()):
        raise ConfigurationError(
            f"{STATE_DIR.as_posix()} leads out of the project through a link",
            remediation="Replace the link by a folder: nothing outside the project is written.",
        )
    store = FileStore(settings.state_folder, lock_timeout=settings.lock_timeout)
    sessions = StateManager(
        store,
        max_active=settings.max_active_sessions,
        caller=current_caller,
        project=project_of(settings),
    )
    looker = ProjectLooker(settings.project)
    library = library_for(settings.project)
    engine = WorkflowEngine(
        library,
        sessions,
        root=settings.project,
        looker=looker,
        workers=VerificationWorkers(settings, store, current_caller),
        limits=Limits(
            evidence=settings.max_evidence_size,
            options=settings.max_options_size,
            depth=settings.max_depth,
        ),
    )
    return Services(settings, engine, sessions, library)


def current() -> Services:
    """Return the services that the running call is for; raises ConfigurationError."""
    found = _bound.get()
    if isinstance(found, ConfigurationError):
        raise ConfigurationError(found.message, remediation=found.remediation)
    return found or services_for(load_settings())


def current_caller() -> Caller:
    """Return who makes the running call: whoever runs the server, if nobody else is known."""
    return _acting.get() or _local_caller()


@lru_cache(maxsize=1)
def _local_caller() -> Caller:
    try:
        return Caller(f"local:{getpass.getuser()}")
    except (KeyError, OSError):
        return LOCAL


@contextmanager
def acting(caller: Caller) -> Iterator[None]:
    """Carry out what is inside on behalf of `caller`."""
    token = _acting.set(caller)
    try:
        yield
    finally:
        _acting.reset(token)


def project_of(settings: Settings) -> Callable[[], str | None]:
    """Return what tells the project's identity, found out when it is first asked for."""
    found: list[str] = []

    def identity() -> str | None:
        if not found and (identified := settings.project_id or identity_of(settings.project)):
            # A repository that has no commit yet may get one.
            found.append(identified)
        return found[0] if found else None

    return identity


@contextmanager
def bound(services: Bindable | None) -> Iterator[None]:
    """Use `services` for the calls inside; None leaves the choice as it is."""
    if services is None:
        yield
        return
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
