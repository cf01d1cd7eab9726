"""Wires what a project's calls need: store, sessions, definitions, probes, engine.

All that takes long to import hangs on this module; `services` imports it for the first call.
"""

from dataclasses import dataclass
from pathlib import Path

import mcp_server
from mcp_server.config import Settings
from mcp_server.core.library import BUILT_IN, Shelf, WorkflowLibrary
from mcp_server.core.limits import Limits
from mcp_server.core.state_manager import StateManager
from mcp_server.core.store import SessionStore
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.gates.plugins import load_probes
from mcp_server.server.looking import ProjectLooker
from mcp_server.server.services import current_caller, project_of
from mcp_server.server.stores import open_store
from mcp_server.server.workers import VerificationWorkers


@dataclass(frozen=True, slots=True)
class Wired:
    """What serves a project."""

    engine: WorkflowEngine
    sessions: StateManager
    library: WorkflowLibrary
    is_embedded: bool
    """Whether calls wait for nothing but files of this machine, and locks on them."""


def wire(settings: Settings, store: SessionStore | None = None) -> Wired:
    """Return what serves the project of `settings`, with its sessions in `store` if it is open."""
    store = store or open_store(settings)
    sessions = StateManager(
        store,
        max_active=settings.max_active_sessions,
        caller=current_caller,
        project=project_of(settings),
        shared=settings.is_shared,
    )
    library = library_for(settings.project)
    engine = WorkflowEngine(
        library,
        sessions,
        root=settings.project,
        looker=ProjectLooker(settings.project),
        workers=VerificationWorkers(settings, store, current_caller),
        limits=Limits(
            evidence=settings.max_evidence_size,
            options=settings.max_options_size,
            depth=settings.max_depth,
        ),
    )
    return Wired(engine, sessions, library, is_embedded=not settings.is_shared)


def library_for(project: Path) -> WorkflowLibrary:
    """Return the definitions that a project can start: its own first, then the built-in ones."""
    # A gate may name a probe of another package.
    load_probes()
    built_in = Path(mcp_server.__file__).parent / "workflows"
    local = (Shelf(label, project / label, project)
             for label in (".praxis-os/workflows", "universal/workflows"))  # fmt: skip
    return WorkflowLibrary((*local, Shelf(BUILT_IN, built_in, built_in)), project)
