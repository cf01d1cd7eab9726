"""The sessions of both folders of a file store as lists show them, live and finished.

A session may move either way while the folders are looked through: who was gone from one was there
in another, so the live ones are looked at before the finished ones and again after them, and each
session counts once. A list of few reads few: names tell which ids are not wanted, and the times of
writing which sessions cannot have changed last. Reads only, and raises OSError as the disk does;
safe to share between threads.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from mcp_server.core.file_listing import FolderListing, Found, Journal
from mcp_server.core.models import Damage
from mcp_server.core.selection import (
    Listed,
    Order,
    Place,
    Selection,
    changed_last,
    count_of,
    listed,
)


class FileSummaries:
    """What the journals of a file store say."""

    def __init__(self, folder: Path, finished: Path, read: Callable[[str], Found | None]) -> None:
        """List two folders; `read` gives what a session id stands for, None if it is gone."""
        self._live = FolderListing(folder, read)
        self._done = FolderListing(finished, read, only_moves=True)

    def all(self, *, live_only: bool = False, project: str | None = None) -> Iterator[Found]:
        """Yield the summary of each session, or what is wrong with it."""
        seen: set[str] = set()
        for listing in self._listings(live_only=live_only):
            for found in listing:
                if found.session_id not in seen:
                    seen.add(found.session_id)
                    if isinstance(found, Damage) or project in (None, found.project):
                        yield found

    def page(
        self, chosen: Selection, limit: int, after: Place | None, by: Order, *, counted: bool
    ) -> Listed:
        """Return chosen sessions after a place, newest first."""
        if by is Order.CHANGE and not counted:
            return Listed(changed_last(self._by_writing(chosen), chosen, limit, after))
        page = listed(self._chosen(chosen), chosen, limit, after, by)
        return page if counted else Listed(page.sessions)

    def count(self, chosen: Selection) -> int:
        """Return how many sessions are chosen."""
        return count_of(self._chosen(chosen), chosen)

    def are_fewer(self, chosen: Selection, limit: int) -> bool:
        """Tell whether fewer than `limit` sessions are chosen."""
        if chosen.is_of_live_ones and len(self.live_ids()) < limit:
            return True
        return self.count(chosen) < limit

    def live_ids(self) -> frozenset[str]:
        """Return the ids of what stands among the live sessions, at the cost of their names."""
        return frozenset(self._live.ids)

    def _chosen(self, chosen: Selection) -> Iterator[Found]:
        if not chosen.is_by_id:
            yield from self.all(live_only=chosen.is_of_live_ones)
            return
        for listing, journal in self._journals(chosen):
            if (found := listing.read(journal)) is not None:
                yield found

    def _by_writing(self, chosen: Selection) -> Iterator[tuple[datetime, Found]]:
        """Yield what may be chosen, what was written last first, each read when it is its turn."""
        journals = sorted(self._journals(chosen), key=lambda one: one[1].stamp[2], reverse=True)
        for listing, journal in journals:
            if (found := listing.read(journal)) is not None:
                yield journal.written, found

    def _journals(self, chosen: Selection) -> list[tuple[FolderListing, Journal]]:
        seen: dict[str, tuple[FolderListing, Journal]] = {}
        for listing in self._listings(live_only=chosen.is_of_live_ones):
            for journal in listing.journals(chosen.may_take):
                seen.setdefault(journal.session_id, (listing, journal))
        return list(seen.values())

    def _listings(self, *, live_only: bool) -> tuple[FolderListing, ...]:
        return (self._live,) if live_only else (self._live, self._done, self._live)
