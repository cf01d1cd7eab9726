"""Counts and prices the usage of a month (C-2)."""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

CALLS_PER_CENT = 5


class Month(NamedTuple):
    """A calendar month in UTC."""

    year: int
    number: int

    @property
    def begins(self) -> str:
        """The month's first second, as events are stored."""
        return f"{self.year:04}-{self.number:02}-01 00:00:00"

    @property
    def following(self) -> "Month":
        """The next month."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)


@dataclass(frozen=True)
class Usage:
    """What a customer used in a month."""

    calls: int

    @property
    def cents(self) -> int:
        """What it costs, begun cents left out."""
        return self.calls // CALLS_PER_CENT


class UsageReader:
    """Reads usage events; it writes none."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def monthly_usage(self, customer: str, month: Month) -> Usage:
        """Return the usage of a month (I-2); an unknown customer has none."""
        counted = self._database.execute(
            "SELECT count(*) FROM usage_events WHERE customer = ? AND at >= ? AND at < ?",
            (customer, month.begins, month.following.begins),
        )
        return Usage(counted.fetchone()[0])
