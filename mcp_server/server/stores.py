"""Where the sessions of a project are: in its own folder, or in a database that many share."""

import sys
from pathlib import Path

from mcp_server.config import Settings
from mcp_server.core.file_store import FileStore
from mcp_server.core.store import SessionStore
from mcp_server.errors import ConfigurationError

_EXTRA = frozenset({"psycopg", "psycopg_pool"})


def open_store(settings: Settings) -> SessionStore:
    """Return the store that `settings` name; raises ConfigurationError."""
    if settings.state is None:
        return FileStore(settings.state_folder, lock_timeout=settings.lock_timeout)
    return open_database(settings, settings.state.get_secret_value())


def open_database(settings: Settings, url: str) -> SessionStore:
    """Return the store in the database at `url`, migrated; raises ConfigurationError."""
    try:
        # What it stands on is an extra, and takes a while to import.
        from mcp_server.core.postgres import opening  # noqa: PLC0415
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise ConfigurationError(
            "the state is in a database, and what talks to it is not installed",
            remediation=f"Run: {install_line(Path(sys.prefix))}",
        ) from error
    waits = opening.Waits(lock=settings.lock_timeout, state=settings.state_timeout)
    return opening.open_store(url, settings.state_schema, waits)


def install_line(prefix: Path) -> str:
    """Return what installs the extra into the environment at `prefix`, by whoever made that."""
    made_by = prefix.as_posix()
    if "/pipx/venvs/" in made_by:
        return "pipx inject aos-workflow 'psycopg[binary,pool]'"
    if "/uv/tools/" in made_by:
        return "uv tool install --force 'aos-workflow[postgres]'"
    if "/uv/" in made_by or "/pipx/" in made_by:
        # Made for one run: what is wanted is said where that run is.
        return "uvx --from 'aos-workflow[postgres]' aos-workflow, or pipx run --spec likewise"
    return "pip install 'aos-workflow[postgres]'"
