"""The backup that a cutover makes first, and the way back.

A backup is a folder `.praxis-os/backups/cutover-<time>/` with `manifest.json` (what will change:
path, SHA-256 before and after, mode; and the tools of the running server), the files as they were
under `files/`, and `status`, one word: `applying`, `done` or `restored`. Only `status` is written
again. A cutover that a `kill -9` ends leaves `applying`, and that is how the next one knows.

Restoring checks every copy before it writes the first file. What somebody edited in the meantime is
kept aside under `later-edits-<time>/`.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.core.durable import sync_folder
from mcp_server.cutover import files
from mcp_server.cutover.changes import Change, diff_of
from mcp_server.errors import CutoverError

FOLDER = ".praxis-os/backups"
APPLYING, DONE, RESTORED = "applying", "done", "restored"

_PREFIX = "cutover-"
_PRIVATE = 0o600


class _Entry(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True)

    path: str
    sha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    sha256_after: str = Field(pattern=r"^[0-9a-f]{64}$")
    mode: int = Field(ge=0, le=0o7777)


class _Manifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = Field(ge=1, le=1)
    created: str
    server: list[str]
    tools_before: list[dict[str, Any]]
    files: list[_Entry]


@dataclass(frozen=True, slots=True)
class Edited:
    """A file that somebody changed after the cutover: kept aside, and told as a diff."""

    path: str
    kept: str
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What bringing a project back came to."""

    files: tuple[str, ...]
    edited: tuple[Edited, ...]


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup of one project."""

    root: Path
    folder: Path

    @property
    def name(self) -> str:
        """Its path, relative to the project."""
        return f"{FOLDER}/{self.folder.name}"

    @property
    def status(self) -> str:
        """How far its cutover got; empty for one that never began to write."""
        return (files.read(self.folder / "status") or b"").decode("ascii", "replace").strip()

    def mark(self, status: str) -> None:
        """Note how far the cutover got."""
        files.write(self.folder / "status", f"{status}\n".encode(), _PRIVATE)

    def restore(self, now: datetime, only: Collection[str] | None = None) -> Restored:
        """Bring every file back, or `only` these, byte for byte.

        Raises CutoverError before anything changes.
        """
        entries = [entry for entry in self._entries() if only is None or entry.path in only]
        before = {entry.path: self._copy_of(entry) for entry in entries}
        places = {entry.path: files.inside(self.root, entry.path) for entry in entries}
        aside = self.folder / f"later-edits-{_stamp(now)}"
        looked = (self._kept_aside(entry, places[entry.path], before, aside) for entry in entries)
        edited = tuple(found for found in looked if found)
        brought = []
        for entry in entries:
            place, data = places[entry.path], before[entry.path]
            if _is_as(place, data, entry.mode):
                continue
            if data is None:
                files.remove(place)
            else:
                files.write(place, data, entry.mode)
            brought.append(entry.path)
        self.mark(RESTORED)
        return Restored(tuple(brought), edited)

    def _kept_aside(
        self, entry: _Entry, place: Path, before: Mapping[str, bytes | None], aside: Path
    ) -> Edited | None:
        found = files.read(place)
        known = {entry.sha256, entry.sha256_after}
        if found is None or (files.digest(found) in known and not place.is_symlink()):
            return None
        kept = aside / entry.path
        files.write(kept, found, _PRIVATE)
        shown = diff_of(entry.path, found, before[entry.path])
        return Edited(entry.path, kept.relative_to(self.root).as_posix(), tuple(shown))

    def _copy_of(self, entry: _Entry) -> bytes | None:
        if entry.sha256 is None:
            return None
        data = files.read(files.inside(self.folder / "files", entry.path))
        if data is None or files.digest(data) != entry.sha256:
            raise CutoverError(
                f"the backup of {entry.path} is {'missing' if data is None else 'damaged'}",
                remediation="Nothing was changed. Bring the file back from version control.",
            )
        return data

    def _entries(self) -> Sequence[_Entry]:
        try:
            text = (self.folder / "manifest.json").read_bytes()
            return _Manifest.model_validate_json(text).files
        except (OSError, ValidationError) as error:
            raise CutoverError(
                f"{self.folder.name} is not a backup that the cutover made, or is damaged",
                remediation=f"Name a folder under {FOLDER} of the project. Nothing was changed.",
            ) from error


def make(
    root: Path,
    changes: Sequence[Change],
    server: Sequence[str],
    tools: Sequence[Any],
    now: datetime,
) -> Backup:
    """Copy every file that will change, durably, and return the backup."""
    parent = root / FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    # A backup may hold what a configuration holds, keys too: it stays out of commits.
    if not (parent / ".gitignore").exists():
        files.write(parent / ".gitignore", b"*\n", 0o644)
    backup = Backup(root, _new_folder(parent, now))
    for change in changes:
        if change.before is not None:
            files.write(files.inside(backup.folder / "files", change.path), change.before, _PRIVATE)
    manifest = _Manifest(
        schema_version=1,
        created=now.isoformat(timespec="seconds"),
        server=list(server),
        tools_before=[dict(tool) for tool in tools],
        files=[_entry(change) for change in changes],
    )
    text = json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n"
    files.write(backup.folder / "manifest.json", text.encode(), _PRIVATE)
    sync_folder(parent)
    return backup


def find(root: Path, named: str) -> Backup:
    """Return the backup of the project `root` that is named by a path, or by its folder's name."""
    for folder in (Path(named), root / named, root / FOLDER / named):
        if (folder / "manifest.json").is_file():
            found = folder.resolve()
            if found.parent != (root / FOLDER).resolve():
                raise CutoverError(
                    f"{found.name} is the backup of another project",
                    remediation=f"Name that project, or a backup under {FOLDER} of this one.",
                )
            return Backup(root, found)
    raise CutoverError(
        f"there is no backup {named!r}",
        remediation=f"Name one of: {', '.join(sorted(_names(root))) or 'there are none'}.",
    )


def unfinished(root: Path) -> Iterator[Backup]:
    """Yield the backups whose cutover began to write and came to no end, the newest first."""
    for name in sorted(_names(root), reverse=True):
        backup = Backup(root, root / FOLDER / name)
        if backup.status == APPLYING:
            yield backup


def _names(root: Path) -> list[str]:
    with suppress(OSError):
        return [path.name for path in (root / FOLDER).iterdir() if path.name.startswith(_PREFIX)]
    return []


def _new_folder(parent: Path, now: datetime) -> Path:
    for number in range(1, 100):
        suffix = f"-{number}" if number > 1 else ""
        folder = parent / f"{_PREFIX}{_stamp(now)}{suffix}"
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise CutoverError("there are 99 backups of this second", remediation="Wait a second.")


def _entry(change: Change) -> _Entry:
    before = None if change.before is None else files.digest(change.before)
    return _Entry(
        path=change.path, sha256=before, sha256_after=files.digest(change.after), mode=change.mode
    )


def _is_as(place: Path, data: bytes | None, mode: int) -> bool:
    if place.is_symlink() or files.read(place) != data:
        return False
    return data is None or files.mode_of(place) == mode


def _stamp(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")
