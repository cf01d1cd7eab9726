"""The two places of a move: what is written for them, the stores that are meant, whose sessions.

A place is a folder (of a project, or of state) or the address of a database. What was written is
never repeated: it may hold a password.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from mcp_server.config import STATE_DIR, STATE_VARIABLE, load_settings, settings_in
from mcp_server.core.file_store import FileStore
from mcp_server.core.store import SessionStore
from mcp_server.errors import ConfigurationError, InvalidArgumentError
from mcp_server.server.services import project_of, services_for
from mcp_server.server.stores import open_database

FROM = "--from"
TO = "--to"

_DATABASE = re.compile(r"postgres(ql)?://")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FILE = "file:"
_VARIABLE = re.compile(rf"\b{STATE_VARIABLE}\b")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says of a move.

    `project` is the folder whose project's sessions leave a database, unless all do.
    """

    source: str = field(repr=False)
    target: str = field(repr=False)
    project: Path | None = None
    all_projects: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """A place of sessions; `is_shared` if it may hold those of several projects."""

    store: SessionStore
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """Where sessions come from and go to; `project` is whose, None for everybody's."""

    source: Side
    target: Side
    project: str | None


def open_sides(wish: Wish) -> Sides:
    """Return the two places of a move; raises InvalidArgumentError, ConfigurationError."""
    if _place(wish.source) == _place(wish.target):
        raise InvalidArgumentError(
            f"{FROM} and {TO} are the same place",
            remediation=f"Name where the sessions are with {FROM}, and where they go with {TO}.",
        )
    project = None
    if _is_database(wish.source) and not wish.all_projects:
        project = _identity(wish.project)
    source = _opened(wish.source, FROM)
    return Sides(source, _opened(wish.target, TO), project)


def _opened(written: str, flag: str) -> Side:
    try:
        if _is_database(written):
            return Side(open_database(settings_in(Path.cwd()), written), is_shared=True)
        if _SCHEME.match(written):
            raise InvalidArgumentError(
                f"{flag} is neither a folder nor the address of a database",
                remediation="Write file:FOLDER, or postgresql://USER@HOST:PORT/DATABASE.",
            )
        return Side(_files(_folder(written), flag), is_shared=False)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{flag}: {error.message}",
            remediation=_VARIABLE.sub(flag, error.remediation),
        ) from error


def _files(folder: Path, flag: str) -> SessionStore:
    if not folder.is_dir():
        raise InvalidArgumentError(
            f"{flag} is not a folder: {folder.name!r}",
            remediation="Name the folder of a project, or the folder of its state.",
        )
    if not _is_state_of_nobody(folder):
        settings = settings_in(folder)
        if flag == FROM and not settings.state_folder.is_dir():
            raise _no_sessions(folder)
        # A database that the environment names is not what was asked for.
        return services_for(settings.model_copy(update={"state": None})).sessions.store
    if flag == TO:
        raise InvalidArgumentError(
            f"{flag} holds state and is no project: {folder.name!r}",
            remediation="Name the folder of a project: that is where servers look for its state.",
        )
    return FileStore(folder, lock_timeout=settings_in(Path.cwd()).lock_timeout)


def _is_state_of_nobody(folder: Path) -> bool:
    """Tell whether a folder is one of state that was put aside, such as a backup."""
    if (folder / STATE_DIR.parts[0]).exists():
        return False
    return (folder / "definitions").is_dir() or any(folder.glob("*.jsonl"))


def _folder(written: str) -> Path:
    """Return the folder that is meant: the project's, for the folder of its state."""
    folder = Path(written.removeprefix(_FILE)).expanduser().resolve()
    depth = len(STATE_DIR.parts)
    return folder.parents[depth - 1] if folder.parts[-depth:] == STATE_DIR.parts else folder


def _no_sessions(folder: Path) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{FROM} holds no sessions: {folder.name!r}",
        remediation="Name the folder of a project that has sessions, or the folder of its state.",
    )


def _identity(folder: Path | None) -> str:
    identity = project_of(load_settings(project=folder))()
    if identity is None:
        raise ConfigurationError(
            "nothing tells whose sessions of the database are meant",
            remediation="Call this in a clone of the project, set AOS_WORKFLOW_PROJECT_ID to what"
            " its servers have, or take those of all projects with --all-projects.",
        )
    return identity


def _is_database(written: str) -> bool:
    return _DATABASE.match(written) is not None


def _place(written: str) -> str | Path:
    return written if _SCHEME.match(written) else _folder(written)
