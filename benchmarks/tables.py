"""A section of the report, and its tables."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.places import Row


@dataclass(frozen=True)
class Section:
    """What was measured, as Markdown, and whether all limits held."""

    text: str
    holds: bool


def figures_table(rows: Iterable[Row]) -> str:
    """Return figures with their limits."""
    lines = ["| | measured | limit | | |", "|---|---|---|---|---|"]
    for row in rows:
        digits = 2 if row.unit == "times" else 1
        measured, limit = f"{row.value:,.{digits}f} {row.unit}", f"{row.limit:,g} {row.unit}"
        side = "at least" if row.at_least else "at most"
        lines.append(f"| {row.name} | {measured} | {side} {limit} | {row.verdict} | {row.detail} |")
    return "\n".join(lines)


def counts(numbers: Counter[str]) -> str:
    """Return what was counted."""
    rows = (f"| {name} | {number:,} |" for name, number in numbers.items())
    return "\n".join(["| | |", "|---|---|", *rows])
