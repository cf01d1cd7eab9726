"""Tables, lists and times as pages show them, none longer than it may be. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

Row = Sequence[str]

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def table(headings: Row, rows: Iterable[Row]) -> str:
    """Return a table of cells that are Markdown already."""
    return "\n".join(map(_line, [headings, ["---"] * len(headings), *rows]))


def bounded_table(headings: Row, rows: Iterable[Row], budget: int) -> list[str]:
    """Return a table of as many rows as fit into `budget` characters, and how many do not."""
    lines = [_line(row) for row in rows]
    kept = _fitting(lines, budget)
    shown = "\n".join([_line(headings), _line(["---"] * len(headings)), *lines[:kept]])
    return [shown, *_more(len(lines) - kept)]


def bounded_list(lines: Sequence[str], budget: int) -> list[str]:
    """Return a list of as many lines as fit into `budget` characters, and how many do not."""
    kept = _fitting(lines, budget)
    return ["\n".join(lines[:kept]), *_more(len(lines) - kept)]


def when(time: datetime) -> str:
    """Return a time, in UTC, as people read it."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def lasting(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    left = max(round(seconds), 0)
    said: list[str] = []
    for unit, size in _UNITS:
        if left >= size and len(said) < 2:  # noqa: PLR2004 - the two largest
            said.append(f"{left // size} {unit}")
            left %= size
    return " ".join(said) or "0 s"


def _line(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"


def _fitting(lines: Sequence[str], budget: int) -> int:
    """Return how many of `lines` fit, at least one if there is any."""
    kept = 0
    for line in lines:
        budget -= len(line) + 1
        if kept and budget < 0:
            break
        kept += 1
    return kept


def _more(count: int) -> list[str]:
    return [f"… and {count} more."] if count else []
