"""Sessions of the older server of this kind, brought over: `aos-workflow import-state DIR`.

What a file means is `core/legacy`'s business; here files are read, what may be imported is decided,
and it is stored. Rules: nothing in DIR is written and no link in it is followed; a file that cannot
be imported is reported with its reason and stops nothing else; a dry run writes nothing at all, not
even a lock. A session is stored whole or not at all, and under the store-wide lock, so that the
limit of active sessions holds with any number of servers running. Its id comes from the old one,
so importing twice finds it there.
"""

import errno
import json
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from mcp_server.core.definitions import Definition
from mcp_server.core.legacy import Bounds, LegacyError, OldSession, history, read_old
from mcp_server.core.library import MAX_PHASES
from mcp_server.core.limits import MAX_FIELD_NAME, MAX_FIELDS
from mcp_server.core.paths import validate_target
from mcp_server.core.stand_in import remedy, stand_in
from mcp_server.core.transitions import COUNTED
from mcp_server.errors import (
    ConflictError,
    DefinitionError,
    InvalidArgumentError,
    LimitError,
    NotFoundError,
    WorkflowError,
)
from mcp_server.gates.evaluation import shorten
from mcp_server.server.services import Services, library_for

MAX_FILE = 32 * 1024 * 1024

_SUFFIX = ".json"
_READ_ONLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class ImportOutcome(StrEnum):
    """What became of a file."""

    IMPORTED = "imported"
    WOULD_IMPORT = "would be imported"
    ALREADY = "already imported"
    REFUSED = "not imported"


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """One file of DIR: the session that it became or would become, or the reason why not.

    `note` says why the session follows a stand-in rather than its workflow's definition.
    """

    name: str
    outcome: ImportOutcome
    session_id: str | None = None
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of all files, by name."""

    files: tuple[ImportedFile, ...]
    applied: bool

    def count(self, outcome: ImportOutcome) -> int:
        """Return how many files came to `outcome`."""
        return sum(file.outcome is outcome for file in self.files)

    @property
    def is_complete(self) -> bool:
        """Whether every file is, or would be, a session now."""
        return not self.count(ImportOutcome.REFUSED)


def import_state(folder: Path, services: Services, *, apply: bool) -> ImportReport:
    """Import the state files in `folder`, or only say what would be; raises InvalidArgumentError.

    The error is for a folder that cannot be listed or holds this server's own state; what is wrong
    with one file is in the report.
    """
    files = _files(folder)
    state = services.settings.state_folder
    # The folder of sessions gets new files by an import, and holds no state of the older server.
    if folder.resolve().is_relative_to(state.resolve()):
        raise InvalidArgumentError(
            f"{folder.name!r} is this server's own state",
            remediation="Name the folder that the older server kept its state files in.",
        )
    run = _Import(services, apply=apply)
    return ImportReport(tuple(map(run.file, files)), applied=apply)


@dataclass(frozen=True, slots=True)
class _Origin:
    """What tells a session that is there from another one whose id happens to be the same."""

    workflow_type: str
    target_file: str
    created_at: datetime


class _Import:
    """One run over the files of a folder."""

    def __init__(self, services: Services, *, apply: bool) -> None:
        self._apply = apply
        self._settings = services.settings
        self._sessions = services.sessions
        self._store = services.sessions.store
        self._library = library_for(services.settings.project)
        self._bounds = Bounds(
            phases=MAX_PHASES,
            fields=MAX_FIELDS,
            field_name=MAX_FIELD_NAME,
            evidence=services.settings.max_evidence_size,
            options=services.settings.max_options_size,
        )
        self._planned: dict[str, _Origin] = {}
        self._planned_counted = 0

    def file(self, path: Path) -> ImportedFile:
        """Import one file, or say what would become of it."""
        try:
            old = read_old(_document(_content(path)), self._bounds)
            validate_target(self._settings.project, old.target_file)
            return self._session(path.name, old)
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
        except (LegacyError, WorkflowError) as error:
            reason = str(error)
        return ImportedFile(path.name, ImportOutcome.REFUSED, reason=reason)

    def _session(self, name: str, old: OldSession) -> ImportedFile:
        if self._is_there(old):
            return ImportedFile(name, ImportOutcome.ALREADY, old.session_id)
        definition, note = self._definition(old)
        outcome = ImportOutcome.WOULD_IMPORT
        if not self._apply:
            self._plan(old)
        elif self._stored(old, definition, remedy(old.workflow_type) if note else None):
            outcome = ImportOutcome.IMPORTED
        else:
            outcome, note = ImportOutcome.ALREADY, None
        return ImportedFile(name, outcome, old.session_id, note=note)

    def _stored(self, old: OldSession, definition: Definition, advice: str | None) -> bool:
        """Store the session; False if somebody else did so in the meantime."""
        changes = history(old, definition, advice)
        self._require_room(old)
        try:
            self._sessions.adopt(definition, changes)
        except ConflictError:
            if self._is_there(old):
                return False
            raise
        return True

    def _plan(self, old: OldSession) -> None:
        self._require_room(old)
        self._planned[old.session_id] = _origin(old)
        self._planned_counted += old.status in COUNTED

    def _is_there(self, old: OldSession) -> bool:
        there = self._planned.get(old.session_id)
        if there is None:
            try:
                state = self._store.read(old.session_id).state
            except NotFoundError:
                return False
            there = _Origin(state.workflow_type, state.target_file, state.created_at)
        if there != _origin(old):
            raise LegacyError(f"session_id: another session is already {old.session_id}")
        return True

    def _require_room(self, old: OldSession) -> None:
        limit = self._settings.max_active_sessions
        if old.status not in COUNTED:
            return
        counted = self._planned_counted + self._sessions.counted()
        if counted >= limit:
            raise LimitError(
                f"the session is {old.status}, and the limit of {limit} active or failed sessions"
                " is reached; finish, pause or delete some, then import again",
                remediation="Finish, pause or delete some, then import again.",
            )

    def _definition(self, old: OldSession) -> tuple[Definition, str | None]:
        """Return what the session is to follow and, for a stand-in, why."""
        try:
            definition = self._library.load(old.workflow_type)
        except (DefinitionError, NotFoundError) as error:
            return stand_in(old.workflow_type, old.phases), error.message
        if definition.phase_numbers != old.phases:
            numbers = ", ".join(map(str, definition.phase_numbers))
            return stand_in(
                old.workflow_type, old.phases
            ), f"the workflow at hand has the phases {numbers}"
        return definition, None


def _origin(old: OldSession) -> _Origin:
    return _Origin(old.workflow_type, old.target_file, old.created_at)


def _files(folder: Path) -> list[Path]:
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(_SUFFIX)]
    except OSError as error:
        raise InvalidArgumentError(
            f"{folder.name!r} cannot be listed: {error.strerror}",
            remediation="Name the folder that the older server kept its state files in.",
        ) from error
    return [folder / name for name in sorted(names)]


def _content(path: Path) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise LegacyError("a link, which is not followed")
    if not stat.S_ISREG(mode):
        raise LegacyError("not an ordinary file")
    try:
        # A link or a pipe that takes the file's place now is neither followed nor waited for.
        with os.fdopen(os.open(path, _READ_ONLY), "rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise LegacyError("a link, which is not followed") from error
        raise
    if len(content) > MAX_FILE:
        raise LegacyError(f"too large: over {MAX_FILE} bytes")
    return content


def _document(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise LegacyError(f"not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise LegacyError(f"not JSON: {error.msg} in line {error.lineno}") from error
    except RecursionError as error:
        raise LegacyError("nested too deep") from error
    except ValueError as error:
        raise LegacyError("not JSON that can be read: a number has too many digits") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise LegacyError(f"{shorten(name)}: stands twice in one object")
        found[name] = value
    return found
