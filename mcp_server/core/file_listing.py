"""Summaries of all sessions in a folder, cheap after the first time.

A journal only ever grows, so its size, inode and time of writing tell whether it is still the one
that was read: one `stat` each. Where journals are only moved in and away, the time of the folder
tells that for all of them at once; what is written into one there, which no store does, shows when
the folder changes next. What could not be read is tried again each time. Reads only; safe to share
between threads, which at worst read the same journal twice.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mcp_server.core.glances import has_settled
from mcp_server.core.models import Damage, SessionSummary

JOURNAL = ".jsonl"

Found = SessionSummary | Damage
Stamp = tuple[int, int, int]


class FolderListing:
    """What the journals of one folder say, kept until they change."""

    def __init__(
        self, folder: Path, read: Callable[[str], Found | None], *, only_moves: bool = False
    ) -> None:
        """List `folder`; `read` gives what a session id stands for, None if it is gone.

        `only_moves` says that journals are not written to where they stand.
        """
        self._folder = folder
        self._read = read
        self._only_moves = only_moves
        self._known: dict[str, tuple[Stamp, Found]] = {}
        self._still_since = 0

    def __iter__(self) -> Iterator[Found]:
        """Yield what each journal says, in no order."""
        known = self._known
        changed = self._changed() if self._only_moves else 0
        if not changed or changed != self._still_since:
            known = self._look()
            sound = not any(isinstance(found, Damage) for _, found in known.values())
            self._known, self._still_since = known, changed if sound else 0
        return iter([found for _, found in known.values()])

    @property
    def size(self) -> int:
        """How many journals there are, at the cost of their names."""
        return len(self._entries())

    def _changed(self) -> int:
        """Return the time of the folder, 0 if there is none that can be believed."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return 0
        return changed if has_settled(changed, time.time_ns()) else 0

    def _look(self) -> dict[str, tuple[Stamp, Found]]:
        known: dict[str, tuple[Stamp, Found]] = {}
        for name, stat in self._stats():
            cached = self._known.get(name)
            # Compared one by one, for a tuple each of thousands is half the cost of the list.
            if (
                cached
                and isinstance(cached[1], SessionSummary)
                and cached[0][0] == stat.st_size
                and cached[0][1] == stat.st_ino
                and cached[0][2] == stat.st_mtime_ns
            ):
                known[name] = cached
            elif (found := self._read(name.removesuffix(JOURNAL))) is not None:
                known[name] = ((stat.st_size, stat.st_ino, stat.st_mtime_ns), found)
        return known

    def _stats(self) -> Iterator[tuple[str, os.stat_result]]:
        for entry in self._entries():
            try:
                yield entry.name, entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                # It was moved or deleted while the folder was listed.
                continue

    def _entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder) as entries:
                return [entry for entry in entries if entry.name.endswith(JOURNAL)]
        except FileNotFoundError:
            return []
