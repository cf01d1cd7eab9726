"""Summaries of all sessions in a folder, at the price of one `stat` each after the first time.

A journal only ever grows and is never written in place, so its size and inode tell whether it is
still the one that was read. Reads only; safe to share between threads, which at worst read the
same journal twice.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from mcp_server.core.models import Damage, SessionSummary

JOURNAL = ".jsonl"

Found = SessionSummary | Damage
Stamp = tuple[int, int, int]


class FolderListing:
    """What the journals of one folder say, kept until they change."""

    def __init__(self, folder: Path, read: Callable[[str], Found | None]) -> None:
        """List `folder`; `read` gives what a session id stands for, None if it is gone."""
        self._folder = folder
        self._read = read
        self._known: dict[str, tuple[Stamp, Found]] = {}

    def __iter__(self) -> Iterator[Found]:
        """Yield what each journal says, in no order."""
        known: dict[str, tuple[Stamp, Found]] = {}
        for session_id, stamp in self._stamps():
            cached = self._known.get(session_id)
            found = cached[1] if cached and cached[0] == stamp else self._read(session_id)
            if found is not None:
                known[session_id] = (stamp, found)
                yield found
        self._known = known

    def _stamps(self) -> Iterator[tuple[str, Stamp]]:
        try:
            entries = list(os.scandir(self._folder))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.name.endswith(JOURNAL):
                # A session may move or be deleted while the folder is listed.
                with suppress(FileNotFoundError):
                    stat = entry.stat(follow_symlinks=False)
                    stamp = (stat.st_size, stat.st_ino, stat.st_mtime_ns)
                    yield entry.name[: -len(JOURNAL)], stamp
