"""Which commands a person has trusted: one small file per decision, outside of every project.

A decision is for one project and one content of a command (`Command.digest`), and is named by the
hash of its own content, so that a torn or edited file counts for nothing. A newer decision on the
same command takes the place of the older one: going back to an older content asks again. A folder
that lies inside the project, is a link, or may be written by others is not believed at all.

Written aside and renamed, so safe to share between processes; two people who decide on the same
command at once may leave both decisions.
"""

import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

from mcp_server.errors import ConfigurationError
from mcp_server.gates.commands import Command

MAX_DECISION = 4 * 1024 * 1024

_SUFFIX = ".json"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)

_INTERPRETER = re.compile(
    r"(python|pypy|bash|sh|dash|zsh|ksh|fish|node|nodejs|deno|bun|ruby|perl|php|lua|pwsh"
    r"|powershell|cmd|tclsh|Rscript)[\d.]*w?(\.exe)?\Z",
    re.IGNORECASE,
)
_NO_SCRIPT = re.compile(r"-[A-Za-z]*m\Z")
"""Python's `-m`: what follows is a module and its arguments, not a script."""


class Trust(StrEnum):
    """What a person said about a command."""

    TRUSTED = "trusted"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class Decision(BaseModel):
    """A person's yes to one command of one project."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    name: str | None
    argv: tuple[str, ...]
    timeout: float
    env: tuple[str, ...]
    settings: str
    digest: str
    source: str
    who: str
    when: datetime

    @property
    def title(self) -> str:
        """The command's name, or for lack of one the whole line."""
        return self.name or shlex.join(self.argv)

    def is_on(self, command: Command) -> bool:
        """Tell whether this is about `command`, though perhaps about another content of it."""
        if self.name is None:
            return command.name is None and self.settings == command.settings_digest
        return self.name == command.name


class _DisbelievedError(Exception):
    """The store may have been written by somebody else."""


def default_trust_folder() -> Path:
    """Return where this user's decisions are kept."""
    return Path(platformdirs.user_config_dir("aos-workflow", appauthor=False)) / "trusted"


class TrustStore:
    """The decisions of one user."""

    def __init__(self, folder: Path) -> None:
        """Keep decisions in `folder`, which need not exist."""
        self.folder = folder

    def problem(self, project_root: Path) -> str | None:
        """Return why nothing in the store is believed for a project, None if it is."""
        try:
            self._all(project_root)
        except _DisbelievedError as error:
            return str(error)
        return None

    def standing(self, project_root: Path, command: Command) -> Trust:
        """Return what a person said about `command`; UNKNOWN too if the store has a problem."""
        decision = self.decision(project_root, command)
        if decision is None:
            return Trust.UNKNOWN
        return Trust.TRUSTED if decision.digest == command.digest else Trust.CHANGED

    def decision(self, project_root: Path, command: Command) -> Decision | None:
        """Return the newest decision on a command, whatever content it was about."""
        on_it = [made for made in self.decisions(project_root) if made.is_on(command)]
        return max(on_it, key=lambda made: made.when, default=None)

    def decisions(self, project_root: Path) -> tuple[Decision, ...]:
        """Return the decisions for a project, none if the store has a problem."""
        try:
            return tuple(made for _, made in self._of(project_root))
        except _DisbelievedError:
            return ()

    def trusted_names(self, project_root: Path) -> frozenset[str]:
        """Return the names of commands that were trusted for a project, with any content."""
        return frozenset(made.name for made in self.decisions(project_root) if made.name)

    def trust(self, project_root: Path, command: Command, *, who: str, when: datetime) -> None:
        """Keep a person's yes in place of an earlier one; raises ConfigurationError."""
        made = Decision(
            project=_key(project_root),
            name=command.name,
            argv=command.argv,
            timeout=command.timeout,
            env=command.env,
            settings=command.settings_digest,
            digest=command.digest,
            source=command.source,
            who=who,
            when=when,
        )
        content = made.model_dump_json().encode()
        target = self.folder / (hashlib.sha256(content).hexdigest() + _SUFFIX)
        try:
            # The folder may lie in the project only after it is made: look before and after.
            earlier = [path for path, old in self._of(project_root) if old.is_on(command)]
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._all(project_root)
            _write(target, content)
            for path in earlier:
                if path != target:
                    path.unlink(missing_ok=True)
        except (_DisbelievedError, OSError) as error:
            raise _refused(error) from error

    def revoke(self, project_root: Path, title: str) -> int:
        """Forget the decisions on the command of that title and return how many there were.

        Raises ConfigurationError.
        """
        try:
            made_on = [path for path, made in self._of(project_root) if made.title == title]
            for path in made_on:
                path.unlink(missing_ok=True)
        except (_DisbelievedError, OSError) as error:
            raise _refused(error) from error
        return len(made_on)

    def _of(self, project_root: Path) -> list[tuple[Path, Decision]]:
        project = _key(project_root)
        return [(path, made) for path, made in self._all(project_root) if made.project == project]

    def _all(self, project_root: Path) -> list[tuple[Path, Decision]]:
        """Return all that the folder holds; raises _DisbelievedError."""
        try:
            if self.folder.is_symlink():
                raise _DisbelievedError("it is a link")
            if self.folder.resolve().is_relative_to(project_root.resolve()):
                raise _DisbelievedError("it lies inside the project")
            _require_own("it", self.folder.lstat())
            return list(self._read())
        except FileNotFoundError:
            return []
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "links lead in a circle"
            raise _DisbelievedError(f"it cannot be read: {reason}") from error

    def _read(self) -> Iterator[tuple[Path, Decision]]:
        for path in sorted(self.folder.iterdir()):
            if path.suffix != _SUFFIX:
                continue
            if path.is_symlink():
                raise _DisbelievedError("a file in it is a link")
            content = _content(path)
            if hashlib.sha256(content).hexdigest() != path.stem:
                continue
            try:
                yield path, Decision.model_validate_json(content)
            except ValidationError:
                continue


def program_digest(root: Path, argv: tuple[str, ...]) -> str:
    """Return the SHA-256 of what `argv` runs of the project: its program, and a script of its own.

    Empty if it runs nothing that lies in the project by a path of its own.
    """
    root = root.resolve()
    parts = []
    if "/" in argv[0] or os.sep in argv[0]:
        parts.append(_project_file(root, argv[0]))
    if _INTERPRETER.match(re.split(r"[/\\]", argv[0])[-1]):
        parts.append(_script(root, argv[1:]))
    return "+".join(_sha256(path) for path in parts if path)


def _script(root: Path, arguments: tuple[str, ...]) -> Path | None:
    after_option = False
    for argument in arguments:
        found = _project_file(root, argument)
        if found:
            return found
        if _NO_SCRIPT.match(argument) or not (argument.startswith("-") or after_option):
            return None
        # What follows an option may be its value, as in `python -X dev run.py`.
        after_option = argument.startswith("-")
    return None


def _project_file(root: Path, argument: str) -> Path | None:
    path = Path(os.path.normpath(root / argument))
    try:
        # A link in the project that leads out of it is the project's to change.
        inside = path.is_relative_to(root) or path.resolve().is_relative_to(root)
        return path if inside and path.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _sha256(path: Path) -> str:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | _NO_WAIT | _FLAGS), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"


def _key(project_root: Path) -> str:
    return str(project_root.resolve())


def _require_own(what: str, status: os.stat_result) -> None:
    if os.name == "nt":
        return
    if status.st_uid != os.getuid():
        raise _DisbelievedError(f"{what} belongs to another user")
    if status.st_mode & _OTHERS_WRITE:
        raise _DisbelievedError(f"{what} may be written by others")


def _content(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT | _FLAGS), "rb") as file:
        status = os.fstat(file.fileno())
        _require_own("a file in it", status)
        return file.read(MAX_DECISION) if stat.S_ISREG(status.st_mode) else b""


def _write(target: Path, content: bytes) -> None:
    aside = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _FLAGS
        with os.fdopen(os.open(aside, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def _refused(error: Exception) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ConfigurationError(
        f"the folder of trusted commands cannot be used: {reason}",
        remediation="Give it to its owner alone (mode 0700, files 0600), outside of every project.",
    )
