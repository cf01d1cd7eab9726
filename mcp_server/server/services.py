"""Wires an engine for a project, and says which one a call is for.

A server binds the services of its project for the length of a request, or why there are none; a
plain call of `aos_workflow()` uses those of the process's own settings, looked up anew at each
call, because tests and scripts change folder and environment. What is wired is imported when the
first call needs it: a client that lists the tool waits for none of it.
"""

import gc
import getpass
import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_server.config import STATE_DIR, Settings, load_settings
from mcp_server.core.callers import LOCAL, Caller
from mcp_server.core.waiting import wait_here
from mcp_server.errors import ConfigurationError

if TYPE_CHECKING:
    from mcp_server.core.library import WorkflowLibrary
    from mcp_server.core.state_manager import StateManager
    from mcp_server.core.store import SessionStore
    from mcp_server.core.workflow_engine import WorkflowEngine
    from mcp_server.server.wiring import Wired

_IN_STEPS = (
    "regex",
    "yaml",
    "markdown_it",
    "jsonschema",
    "mcp_server.gates.model",
    "mcp_server.server.looking",
    "mcp_server.server.wiring",
)
"""What takes long to import, each after what it needs itself."""


class Services:
    """What the handlers need. Safe to share between threads."""

    def __init__(self, settings: Settings, store: "SessionStore | None" = None) -> None:
        """Serve the project of `settings`, whose sessions are in `store` if it is open already."""
        self.settings = settings
        self._store = store
        self._guard = threading.Lock()

    @property
    def engine(self) -> "WorkflowEngine":
        """The use cases."""
        return self._wired.engine

    @property
    def sessions(self) -> "StateManager":
        """The stored sessions."""
        return self._wired.sessions

    @property
    def library(self) -> "WorkflowLibrary":
        """The definitions that can be started."""
        return self._wired.library

    @property
    def is_embedded(self) -> bool:
        """Whether calls wait for nothing but files of this machine, and locks on them."""
        return self._wired.is_embedded

    def warm(self) -> Iterator[None]:
        """Have what calls need at hand, in steps short enough to answer calls between them."""
        yield from get_at_hand()
        _ = self._wired
        # All this stays: looking through it for garbage is time for nothing.
        gc.freeze()

    @property
    def _wired(self) -> "Wired":
        # Two engines would each know half of the verifications that run.
        with self._guard:
            return self._once

    @cached_property
    def _once(self) -> "Wired":
        from mcp_server.server import wiring  # noqa: PLC0415 - half of the time of a start

        return wiring.wire(self.settings, self._store)


Bindable = Services | ConfigurationError
"""The services of a project, or why none is served."""

_acting: ContextVar[Caller | None] = ContextVar("caller", default=None)
_bound: ContextVar[Bindable | None] = ContextVar("services", default=None)


@lru_cache(maxsize=16)
def services_for(settings: Settings) -> Services:
    """Return the services of a project, made once; raises ConfigurationError."""
    if not settings.state_folder.resolve().is_relative_to(settings.project.resolve()):
        raise ConfigurationError(
            f"{STATE_DIR.as_posix()} leads out of the project through a link",
            remediation="Replace the link by a folder: nothing outside the project is written.",
        )
    if not settings.is_shared:
        return Services(settings)
    from mcp_server.server import stores  # noqa: PLC0415 - most servers have no need of it yet

    # That a database cannot be used is to be told before anybody is served.
    return Services(settings, stores.open_store(settings))


def get_at_hand() -> Iterator[None]:
    """Import what calls need, in steps short enough to answer calls between them."""
    for name in _IN_STEPS:
        importlib.import_module(name)
        yield


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
    from mcp_server.server.repository import identity_of  # noqa: PLC0415 - as above

    found: list[str] = []

    def identity() -> str | None:
        if not found:
            wait_here()
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


def library_for(project: Path) -> "WorkflowLibrary":
    """Return the definitions that a project can start: its own first, then the built-in ones."""
    from mcp_server.server import wiring  # noqa: PLC0415 - as above

    return wiring.library_for(project)
