"""Summaries of all sessions in a folder, cheap after the first time.

A journal only ever grows, so its size, inode and time of writing tell whether it is still the one
that was read: one `stat` each. Where journals are only moved in and away, the time of the folder
tells that for all of them at once; what is written into one there, which no store does, shows when
the folder changes next. Whoever wants a few picks them by name and by the time of writing, and only
those are read. What could not be read is tried again each time. Reads only; safe to share between
threads, which at worst read the same journal twice.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mcp_server.core.glances import has_settled
from mcp_server.core.models import Damage, SessionSummary

JOURNAL = ".jsonl"

Found = SessionSummary | Damage
Stamp = tuple[int, int, int]

_FAR_SECONDS = 1 << 35
"""A time in the year 3058; disks can hold times that calendars cannot."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal of a folder as it was when the folder was looked at."""

    session_id: str
    stamp: Stamp

    @property
    def written(self) -> datetime:
        """When it was written into last."""
        return datetime.fromtimestamp(min(max(self.stamp[2] / 1e9, 0), _FAR_SECONDS), UTC)


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
        # All that stood in the folder when it was last gone through; replaced, never changed.
        self._known: dict[str, tuple[Stamp, Found]] = {}
        self._still_since = 0
        # What was read by itself since then.
        self._picked: dict[str, tuple[Stamp, Found]] = {}

    def __iter__(self) -> Iterator[Found]:
        """Yield what each journal says, in no order."""
        known = self._known
        changed = self._changed() if self._only_moves else 0
        if not changed or changed != self._still_since:
            known = self._look()
            sound = not any(isinstance(found, Damage) for _, found in known.values())
            self._known, self._still_since = known, changed if sound else 0
            self._picked = {}
        return iter([found for _, found in known.values()])

    @property
    def ids(self) -> list[str]:
        """The session of each journal, at the cost of their names."""
        return [entry.name.removesuffix(JOURNAL) for entry in self._entries()]

    def journals(self, is_wanted: Callable[[str], bool]) -> list[Journal]:
        """Return the journals whose sessions are wanted by their ids, reading none of them."""
        still_since = self._still_since
        if self._only_moves and still_since and still_since == self._changed():
            stamps = ((name, stamp) for name, (stamp, _) in self._known.items())
        else:
            stamps = ((name, _stamp(stat)) for name, stat in self._stats(is_wanted))
        journals = (Journal(name.removesuffix(JOURNAL), stamp) for name, stamp in stamps)
        return [journal for journal in journals if is_wanted(journal.session_id)]

    def read(self, journal: Journal) -> Found | None:
        """Return what one journal says, None if it is gone."""
        name = journal.session_id + JOURNAL
        for kept in (self._known, self._picked):
            cached = kept.get(name)
            if cached and cached[0] == journal.stamp and isinstance(cached[1], SessionSummary):
                return cached[1]
        found = self._read(journal.session_id)
        if found is not None:
            self._picked[name] = (journal.stamp, found)
        return found

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
            cached = self._known.get(name) or self._picked.get(name)
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
                known[name] = (_stamp(stat), found)
        return known

    def _stats(
        self, is_wanted: Callable[[str], bool] | None = None
    ) -> Iterator[tuple[str, os.stat_result]]:
        for entry in self._entries():
            if is_wanted is not None and not is_wanted(entry.name.removesuffix(JOURNAL)):
                continue
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


def _stamp(stat: os.stat_result) -> Stamp:
    return stat.st_size, stat.st_ino, stat.st_mtime_ns
