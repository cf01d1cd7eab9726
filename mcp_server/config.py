"""Settings and the project root: from flags, then `AOS_WORKFLOW_*`, then defaults.

The root is `--project`, else AOS_WORKFLOW_PROJECT, else the nearest folder upwards that holds
`.praxis-os/`, else one that holds `.git`: these settle it. Else a client may say (`server.roots`),
and what is left is the working directory. A home folder or the root of the file system is taken
only when it was named: state and path confinement there would cover everything the user owns.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from mcp_server.core.encoding import DEEPEST, MAX_DEPTH
from mcp_server.errors import ConfigurationError

PREFIX = "AOS_WORKFLOW_"
PROJECT_VARIABLE = f"{PREFIX}PROJECT"

MAX_EVIDENCE_SIZE = 10 * 1024 * 1024
MAX_ACTIVE_SESSIONS = 100
MAX_OPTIONS_SIZE = 64 * 1024
MAX_NOTE_SIZE = 4 * 1024
LOCK_TIMEOUT = 10.0
VERIFY_WAIT = 45.0
STATE_TIMEOUT = 30.0
STATE_SCHEMA = "aos_workflow"
STATE_VARIABLE = f"{PREFIX}STATE"

MARKERS = (".praxis-os", ".git")
"""What marks a folder as a project, the strongest first."""

STATE_DIR = Path(".praxis-os") / "state" / "workflows"
"""Where sessions are kept, relative to the project root."""


_DATABASES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class Root:
    """The project root, and why it is this folder."""

    path: Path
    reason: str


class Settings(BaseModel):
    """Everything that can be set; each field is also the variable AOS_WORKFLOW_<NAME>."""

    # What is refused may be an address with a password in it.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    project: Path = Field(description="The project folder")
    max_evidence_size: int = Field(
        MAX_EVIDENCE_SIZE, gt=0, description="Bytes of JSON that one submission may have"
    )
    max_active_sessions: int = Field(
        MAX_ACTIVE_SESSIONS, gt=0, description="Sessions that may be active or failed at once"
    )
    max_options_size: int = Field(
        MAX_OPTIONS_SIZE, gt=0, description="Bytes of JSON that the options of a session may have"
    )
    max_note_size: int = Field(
        MAX_NOTE_SIZE, gt=0, description="Bytes that a note or a reason may have"
    )
    max_depth: int = Field(
        MAX_DEPTH, gt=0, le=DEEPEST, description="Levels that evidence and options may nest"
    )
    lock_timeout: float = Field(
        LOCK_TIMEOUT, gt=0, allow_inf_nan=False, description="Seconds to wait for a lock"
    )
    project_id: str | None = Field(
        None,
        max_length=200,
        description="What tells the project from others; default: its repository's first commit",
    )
    verify_wait: float = Field(
        VERIFY_WAIT,
        ge=0,
        allow_inf_nan=False,
        description="Seconds that complete_phase waits for a trusted command; then it runs on",
    )

    state: SecretStr | None = Field(
        None,
        description="Database of the sessions, postgresql://USER@HOST/DATABASE; default: files in"
        " the project",
    )
    state_schema: str = Field(
        STATE_SCHEMA,
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="Schema of that database that holds the sessions",
    )
    state_timeout: float = Field(
        STATE_TIMEOUT,
        gt=0,
        allow_inf_nan=False,
        description="Seconds to go on trying while the database cannot be reached",
    )

    @field_validator("state")
    @classmethod
    def _is_a_database(cls, state: SecretStr | None) -> SecretStr | None:
        if state and not state.get_secret_value().startswith(_DATABASES):
            raise ValueError("it must begin with postgresql://")
        return state

    @property
    def is_shared(self) -> bool:
        """Whether the sessions of other projects may be kept where this one's are."""
        return self.state is not None

    def as_job(self) -> dict[str, Any]:
        """Return the settings as plain data for a process of this server, secrets included."""
        state = self.state.get_secret_value() if self.state else None
        return {**self.model_dump(mode="json"), "state": state}

    @property
    def state_folder(self) -> Path:
        """Where sessions are kept."""
        return self.project / STATE_DIR


def load_settings(
    environment: Mapping[str, str] | None = None,
    project: Path | None = None,
    state: str | None = None,
) -> Settings:
    """Return the settings of this process; raises ConfigurationError.

    `project` and `state` are what flags say, and go before the environment.
    """
    environment = os.environ if environment is None else environment
    return settings_in(discover_root(environment, project).path, environment, state)


def settings_in(
    root: Path, environment: Mapping[str, str] | None = None, state: str | None = None
) -> Settings:
    """Return the settings for the project at `root`; raises ConfigurationError."""
    environment = os.environ if environment is None else environment
    values: dict[str, str | Path] = {
        name: environment[f"{PREFIX}{name.upper()}"]
        for name in Settings.model_fields
        if environment.get(f"{PREFIX}{name.upper()}")
    }
    if state:
        values["state"] = state
    values["project"] = root
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = f"{PREFIX}{'_'.join(map(str, first['loc'])).upper()}"
        raise ConfigurationError(
            f"{name} is not usable: {first['msg'].removeprefix('Value error, ')}",
            remediation=f"Correct or unset {name}, then start the server again.",
        ) from error


def discover_root(environment: Mapping[str, str], project: Path | None = None) -> Root:
    """Return the project root; raises ConfigurationError where it would be an accident."""
    return settled_root(environment, project) or working_directory()


def settled_root(environment: Mapping[str, str], project: Path | None = None) -> Root | None:
    """Return the root that is named or marked, if any.

    Raises ConfigurationError where what is named is not a folder.
    """
    named = project or (environment.get(PROJECT_VARIABLE) and Path(environment[PROJECT_VARIABLE]))
    if named:
        reason = "--project" if project else PROJECT_VARIABLE
        folder = _resolved(named)
        if not folder.is_dir():
            raise ConfigurationError(
                f"{reason} is not a folder: {named.name!r}",
                remediation="Name an existing folder, or start the server inside the project.",
                at_terminal=f"{reason} is not a folder: {str(named)!r}",
            )
        return Root(folder, reason)
    return _marked_root(Path.cwd().resolve(), _home())


def working_directory() -> Root:
    """Return the working directory as the root; raises ConfigurationError if it is too wide."""
    start = Path.cwd().resolve()
    if is_too_wide(start):
        raise ConfigurationError(
            "the working directory is a home folder or the root of the file system, and nothing"
            " says which project to serve",
            remediation=f"Pass --project FOLDER, or set {PROJECT_VARIABLE}, or start the server in"
            " a project folder.",
        )
    return Root(start, "working directory")


def is_too_wide(folder: Path) -> bool:
    """Tell whether a folder is a home folder or the root of the file system."""
    return _too_wide(folder, _home())


def _marked_root(start: Path, home: Path | None) -> Root | None:
    for marker in MARKERS:
        for folder in (start, *start.parents):
            if (folder / marker).exists() and not _too_wide(folder, home):
                return Root(folder, f"nearest folder with {marker}")
    return None


def _resolved(named: Path) -> Path:
    try:
        return named.expanduser().resolve()
    except (RuntimeError, OSError):
        # The home of nobody, or links in a circle: no folder, as the caller then says.
        return named


def _too_wide(folder: Path, home: Path | None) -> bool:
    return folder in {home, folder.parent}


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (RuntimeError, OSError):
        return None
