"""A look at a state folder from outside: what others may read, who holds locks, what is missing.

For whoever is asked whether all is well. Nothing is changed, no lock is held for longer than the
look takes, and evidence is looked for, not read: whether it is what its digest says is the audit's
business (`verification`). Where there are no modes (Windows) none is wrong.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_server.core.durable import ASIDE
from mcp_server.core.file_listing import JOURNAL
from mcp_server.core.file_locks import Holder, holder_of
from mcp_server.core.file_places import LOCK, FilePlaces
from mcp_server.core.models import SessionState

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_EVIDENCE = ".evidence"


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock that somebody holds; `is_lease` if it is that of a running verification."""

    subject: str
    is_lease: bool
    holder: Holder


class StateFolder:
    """The folder of a file store, which need not exist."""

    def __init__(self, folder: Path) -> None:
        """Look at `folder`."""
        self._places = FilePlaces(folder)
        self._homes = (folder, self._places.finished)

    def open_to_others(self) -> list[Path]:
        """Return what others than its owner may read or write, folders first."""
        if os.name == "nt":
            return []
        folders = [path for path in (*self._homes, self._places.definitions) if path.is_dir()]
        exposed = [path for path in folders if path.lstat().st_mode & _OTHERS]
        for folder in self._homes:
            exposed += [
                Path(entry.path)
                for entry in _entries(folder)
                if entry.name.endswith((JOURNAL, _EVIDENCE))
                and entry.stat(follow_symlinks=False).st_mode & _OTHERS
            ]
        return exposed

    def held_locks(self) -> list[HeldLock]:
        """Return the locks and leases that are held just now."""
        found = []
        for folder in (self._places.folder, self._places.leases):
            for entry in _entries(folder):
                if entry.name.endswith(LOCK) and (holder := holder_of(Path(entry.path))):
                    subject = entry.name.removesuffix(LOCK)
                    found.append(HeldLock(subject, folder is self._places.leases, holder))
        return found

    def leftovers(self) -> list[Path]:
        """Return what crashes left: half-written files, and locks and evidence of no session."""
        homes = [list(_entries(home)) for home in self._homes]
        sessions = {entry.name.removesuffix(JOURNAL) for entries in homes for entry in entries
                    if entry.name.endswith(JOURNAL)}  # fmt: skip
        of_all = {"sessions"}
        return [
            Path(entry.path)
            for entry in (*homes[0], *_entries(self._places.leases))
            if entry.name.endswith(ASIDE)
            or (
                entry.name.endswith((LOCK, _EVIDENCE))
                and entry.name.rpartition(".")[0] not in sessions | of_all
            )
        ]

    def missing_evidence(self, state: SessionState) -> list[str]:
        """Return the fields of a session whose evidence is not where it should be."""
        folders = [home / f"{state.session_id}{_EVIDENCE}" for home in self._homes]
        return [
            f"phase {phase}, {name}"
            for phase, items in state.evidence.items()
            for name, item in items.items()
            if not item.inline and not any((folder / item.sha256).is_file() for folder in folders)
        ]


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        entries: Sequence[os.DirEntry[str]] = sorted(os.scandir(folder), key=lambda one: one.name)
    except FileNotFoundError:
        return
    yield from entries
