"""The screen of `watch`: one row a session, as many as there is room for; pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mcp_server.core.visible import visible
from mcp_server.viewing.printing import Column as PlainColumn
from mcp_server.viewing.printing import Row, line
from mcp_server.viewing.session_text import STATUS_STYLES, ago
from mcp_server.viewing.shapes import Event, Frame
from mcp_server.viewing.signs import MAX_CELLS, Signs, phase_bar
from mcp_server.viewing.watcher import Watched

AROUND = 4
"""Lines of the screen that are not sessions: the counts, the headings, a gap and the keys."""

FRAME_COLUMNS = (
    PlainColumn("session"),
    PlainColumn("phase", is_number=True),
    PlainColumn("phases"),
    PlainColumn("status"),
    PlainColumn("changed"),
    PlainColumn("last"),
)
_ORDER = ("active", "failed", "paused", "completed")


def board(
    frame: Frame, watched: Sequence[Watched], now: datetime, signs: Signs, *, keys: str
) -> RenderableType:
    """Return the screen; `keys` says how to leave it."""
    parts: list[RenderableType] = [_counts(frame), _table(watched, now, signs)]
    hidden = frame["count"] - len(watched)
    more = f"and {hidden} more; " if hidden > 0 else ""
    problems = f"; not read: {len(frame['warnings'])}" if frame["warnings"] else ""
    parts += [Text(), _fitted(line((f"{more}{keys}{problems}", "dim")), signs)]
    return Group(*parts)


def frame_rows(watched: Sequence[Watched], signs: Signs) -> list[Row]:
    """Return the rows of one frame that is printed."""
    return [
        Row(
            (
                one.row["session_id"],
                f"{one.row['current_phase']}/{one.row['total_phases']}",
                "".join(cell for cell, _ in phase_bar(one.standings, signs)),
                one.row["status"],
                one.row["last_updated"],
                one.row["last"],
            ),
            styles={3: STATUS_STYLES[one.row["status"]]},
        )
        for one in watched
    ]


def event_line(event: Event) -> str:
    """Return the line that tells a change as it happens: cells that tabs part."""
    place = f"{event['current_phase']}/{event['total_phases']}"
    cells = (event["time"], event["session_id"], place, event["status"], event["last"])
    return "\t".join(map(visible, cells))


def _counts(frame: Frame) -> Text:
    made = line((f"{frame['count']} sessions", "bold"))
    for status in _ORDER:
        if count := frame["statuses"].get(status):
            made.append("  ").append_text(line((f"{count} {status}", STATUS_STYLES[status])))
    return made


def _table(watched: Sequence[Watched], now: datetime, signs: Signs) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    widest = max((min(len(one.standings), MAX_CELLS) for one in watched), default=1)
    for title, ratio, width in (
        ("session", 5, None), ("phases", None, widest), ("", None, 5), ("what happened", 4, None),
        ("ago", None, 6),
    ):  # fmt: skip
        table.add_column(
            title, ratio=ratio, min_width=width, no_wrap=True, overflow=_overflow(signs)
        )
    table.add_row(*(line((title, "dim")) for title in ("session", "phases", "", "last", "ago")))
    for one in watched:
        table.add_row(*_cells(one, now, signs))
    return table


def _cells(one: Watched, now: datetime, signs: Signs) -> list[Text]:
    row = one.row
    style = "bold cyan" if row["verifying"] else STATUS_STYLES[row["status"]]
    place = f"{row['current_phase']}/{row['total_phases']}"
    return [
        line(row["session_id"]),
        line(*phase_bar(one.standings, signs)),
        line(place),
        line((row["last"], style)),
        line((ago(row["last_updated"], now), "dim")),
    ]


def _fitted(text: Text, signs: Signs) -> Text:
    text.no_wrap = True
    text.overflow = _overflow(signs)
    return text


def _overflow(signs: Signs) -> Literal["crop", "ellipsis"]:
    return "crop" if signs.is_ascii else "ellipsis"
