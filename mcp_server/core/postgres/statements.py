"""What the store asks the database, with the name of the schema put in once.

Filters are put together from the fixed texts below; every value goes to the database beside the
text and never into it.
"""

from dataclasses import dataclass
from typing import Any

from psycopg import sql

from mcp_server.core.selection import Order, Place, Selection

_SUMMARY = sql.SQL(
    "session_id, workflow_type, target_file, status, current_phase, total_phases, created_at,"
    " last_updated, definition, owner, project"
)

_TEXTS = {
    # The row of the session is its lock: who waits for it sees the newest line afterwards.
    "lock": "SELECT 1 FROM {sessions} WHERE session_id = %s FOR UPDATE",
    "exists": "SELECT 1 FROM {sessions} WHERE session_id = %s",
    "last": "SELECT line FROM {journal} WHERE session_id = %s ORDER BY seq DESC LIMIT 1",
    "lines": "SELECT line FROM {journal} WHERE session_id = %s ORDER BY seq",
    "born": "INSERT INTO {sessions} ({summary})"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
    "first": "INSERT INTO {journal} (session_id, seq, previous, hash, line)"
    " VALUES (%s, %s, %s, %s, %s)",
    # Append if last: the line before must be there, and the next place must be free.
    "next": "INSERT INTO {journal} (session_id, seq, previous, hash, line)"
    " SELECT %(id)s::text, %(seq)s::integer, %(previous)s::text, %(hash)s::text, %(line)s::bytea"
    " FROM {journal} AS last WHERE last.session_id = %(id)s AND last.seq = %(seq)s::integer - 1"
    " AND last.hash = %(previous)s ON CONFLICT DO NOTHING",
    "moved": "UPDATE {sessions} SET status = %s, current_phase = %s, total_phases = %s,"
    " last_updated = %s, target_file = %s, owner = %s, project = %s WHERE session_id = %s",
    "stored": "SELECT 1 FROM {journal} WHERE session_id = %s AND seq = %s AND hash = %s",
    "keep": "INSERT INTO {evidence} (session_id, sha256, content) VALUES (%s, %s, %s)"
    " ON CONFLICT DO NOTHING",
    "blob": "SELECT content FROM {evidence} WHERE session_id = %s AND sha256 = %s",
    "delete": "DELETE FROM {sessions} WHERE session_id = %s",
    "note": "INSERT INTO {deletions} (session_id, last_hash, note) VALUES (%s, %s, %s)",
    "deleted": "SELECT 1 FROM {deletions} WHERE session_id = %s AND last_hash = %s",
    "pin": "INSERT INTO {definitions} (digest, content) VALUES (%s, %s) ON CONFLICT DO NOTHING",
    "pinned": "SELECT content FROM {definitions} WHERE digest = %s",
    "page": "SELECT {summary} FROM {sessions} WHERE",
    "count": "SELECT count(*) FROM {sessions} WHERE",
    "ids": "SELECT session_id FROM {sessions} WHERE",
}
_BEYOND = "~"
"""What comes after every letter of an id, byte by byte, which is how ids are compared."""

_TABLES = ("sessions", "journal", "evidence", "definitions", "deletions")


@dataclass(frozen=True, slots=True)
class Question:
    """A statement and the values that go with it."""

    text: sql.Composed
    values: dict[str, Any]


class Statements:
    """The statements of one schema."""

    def __init__(self, schema: str) -> None:
        """Put `schema` in."""
        parts: dict[str, sql.Composable] = {"summary": _SUMMARY}
        parts |= {table: sql.Identifier(schema, table) for table in _TABLES}
        self._texts = {name: sql.SQL(text).format(**parts) for name, text in _TEXTS.items()}

    def __getitem__(self, name: str) -> sql.Composed:
        """Return a statement by its name."""
        return self._texts[name]

    def page(
        self, chosen: Selection, limit: int, after: Place | None, by: Order = Order.START
    ) -> Question:
        """Return the question for one page of a list."""
        asked, values = _filters(chosen)
        if after is not None:
            asked.append(f"({by.value}, session_id) < (%(after)s::timestamptz, %(after_id)s)")
            values |= {"after": after[0], "after_id": after[1]}
        newest_first = f" ORDER BY {by.value} DESC, session_id DESC LIMIT %(limit)s"
        text = self["page"] + _all_of(asked) + sql.SQL(newest_first)
        return Question(text, {**values, "limit": limit})

    def count(self, chosen: Selection) -> Question:
        """Return the question how many there are."""
        asked, values = _filters(chosen)
        return Question(self["count"] + _all_of(asked), values)

    def ids(self, chosen: Selection) -> Question:
        """Return the question for the ids alone."""
        asked, values = _filters(chosen)
        return Question(self["ids"] + _all_of(asked), values)


def _filters(chosen: Selection) -> tuple[list[str], dict[str, Any]]:
    asked: list[str] = []
    values: dict[str, Any] = {}
    if chosen.statuses is not None:
        # An index gives the rows of one status in order, and those of several in none.
        is_one = len(chosen.statuses) == 1
        asked.append("status = %(status)s" if is_one else "status = ANY(%(status)s)")
        statuses = sorted(map(str, chosen.statuses))
        values["status"] = statuses[0] if is_one else statuses
        if chosen.is_of_live_ones:
            # Said in the words of the index of unfinished sessions, or it would not be used.
            asked.append("status <> 'completed'")
    for name in ("project", "owner", "target_file"):
        value = getattr(chosen, name)
        if value is not None:
            asked.append(f"{name} = %({name})s")
            values[name] = value
    if chosen.beginning is not None:
        # A range, which the primary key finds.
        asked.append("session_id >= %(beginning)s AND session_id < %(beyond)s")
        values |= {"beginning": chosen.beginning, "beyond": chosen.beginning + _BEYOND}
    if chosen.containing is not None:
        asked.append("position(%(containing)s in session_id) > 0")
        values["containing"] = chosen.containing
    return asked, values


def _all_of(asked: list[str]) -> sql.SQL:
    return sql.SQL(" " + (" AND ".join(asked) or "true"))
