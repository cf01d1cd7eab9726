"""Stores usage events (C-1)."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

STORED = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class UsageEvent:
    """One billable call (E-1); `at` is in UTC."""

    key: str
    customer: str
    endpoint: str
    at: datetime


class Recorder:
    """Collects events in memory; whoever runs it calls `flush` each second."""

    def __init__(self, database: sqlite3.Connection, size: int = 10_000) -> None:
        self._database = database
        self._size = size
        self._waiting: dict[str, UsageEvent] = {}
        self.usage_dropped = 0

    def record(self, event: UsageEvent) -> None:
        """Take an event; never raises. Full: the event is dropped and counted."""
        if event.key in self._waiting:
            return
        if len(self._waiting) < self._size:
            self._waiting[event.key] = event
        else:
            self.usage_dropped += 1

    def flush(self) -> None:
        """Store what waits; what cannot be stored now goes on waiting."""
        events = list(self._waiting.values())
        rows = [(e.key, e.customer, e.endpoint, e.at.strftime(STORED)) for e in events]
        try:
            with self._database:
                self._database.executemany(
                    "INSERT OR IGNORE INTO usage_events VALUES (?, ?, ?, ?)", rows
                )
        except sqlite3.Error:
            return
        for event in events:
            del self._waiting[event.key]

    def delete_old(self, now: datetime) -> None:
        """Delete events that are older than 13 months (NFR-002)."""
        with self._database:
            self._database.execute(
                "DELETE FROM usage_events WHERE at < datetime(?, '-13 months')",
                (now.strftime(STORED),),
            )
