"""A report as a table for people: rich on a terminal, plain text otherwise."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mcp_server.validating.outcomes import (
    IN_PART,
    NOT_CALLED,
    SUBJECTS,
    Pace,
    Report,
    Standing,
    Timing,
)

_HEAD = ("action", "checks", "median", "slowest", "target", "verdict")
_MEGABYTE = 1_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Row = tuple[str, ...]


def print_report(report: Report, stream: TextIO) -> None:
    """Write the table, everything that does not hold, and the verdict."""
    console = Console(file=stream, highlight=False)
    if console.is_terminal:
        console.print(_table(rows(report)))
        for line in map(_harmless, remarks(report)):
            console.print(Text(line), soft_wrap=True)
        style = "bold green" if report.holds else "bold red"
        console.print(Text(conclusion(report), style=style), soft_wrap=True)
        return
    lines = [*_plain(rows(report)), "", *map(_harmless, remarks(report)), conclusion(report)]
    stream.write("".join(f"{line}\n" for line in lines))


def _harmless(line: str) -> str:
    """Return a line in which nothing that a server sent is obeyed by a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line)


def rows(report: Report) -> list[Row]:
    """Return the cells of the table, a row for each subject and one for memory."""
    found = [_row(report, subject) for subject in SUBJECTS]
    memory = report.memory
    over = "" if memory.over is None else f"{memory.over / _MEGABYTE:.1f} MB"
    limit = f"< {memory.limit / _MEGABYTE:g} MB"
    return [*found, ("memory over a bare server", "", over, "", limit, memory.verdict)]


def _row(report: Report, subject: str) -> Row:
    checks = [c for c in report.about(subject) if c.standing is not Standing.NOT_CHECKED]
    held = sum(check.standing is Standing.HOLDS for check in checks)
    timing = report.timing(subject)
    return (
        subject,
        f"{held}/{len(checks)}",
        _milliseconds(timing.median if timing else None),
        _milliseconds(timing.slowest if timing else None),
        f"< {timing.target.limit * 1_000:g} ms" if timing else "",
        report.verdict(subject),
    )


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1_000:.1f} ms"


def remarks(report: Report) -> Iterator[str]:
    """Yield a line for everything that does not hold, was not checked, or was not measured."""
    for check in report.failed:
        if not check.problem.startswith(NOT_CALLED):
            yield f"FAILED  {check.subject}: {check.name}: {check.problem}"
    yield from _not_called(report)
    for timing in report.slow:
        if timing.median is not None:
            yield f"FAILED  {timing.action}: {_slowness(timing, timing.median)}"
    if untimed := [timing.action for timing in report.slow if timing.median is None]:
        yield f"FAILED  no call could be timed of {', '.join(untimed)}"
    if not report.memory.holds:
        yield "FAILED  memory: the limit over a bare server is passed"
    for session_id in report.left_behind:
        yield f"FAILED  left behind: session {session_id} could not be deleted"
    yield from _not_looked_at(report)


def _not_called(report: Report) -> Iterator[str]:
    """Yield one line for all checks that one reason kept from being made."""
    checks = [check for check in report.failed if check.problem.startswith(NOT_CALLED)]
    for reason in dict.fromkeys(check.problem for check in checks):
        subjects = Counter(check.subject for check in checks if check.problem == reason)
        counted = ", ".join(f"{subject} ({count})" for subject, count in subjects.items())
        yield f"FAILED  {reason}: {counted}"


def _not_looked_at(report: Report) -> Iterator[str]:
    for reason in dict.fromkeys(check.problem for check in report.not_checked):
        yield f"Not checked: {reason}"
        for check in report.not_checked:
            if check.problem == reason:
                yield f"  {check.subject}: {check.name}"
    if excused := [t.action for t in report.timings if t.holds and t.median is None]:
        yield f"Not timed, for the same reason: {', '.join(excused)}"
    if report.memory.over is None:
        yield f"Not measured: memory: {report.memory.reason}"


def _slowness(timing: Timing, median: float) -> str:
    alert = timing.target.alert
    over = f", and the alert is at {alert * 1_000:g} ms" if alert else ""
    return (
        f"{timing.pace}: the median of {len(timing.seconds)} calls is"
        f" {_milliseconds(median)}, to be below {timing.target.limit * 1_000:g} ms{over}"
    )


def conclusion(report: Report) -> str:
    """Return the verdict on everything in one line."""
    made = len(report.checks) - len(report.not_checked)
    about = f"{report.server} ({report.protocol or 'no protocol'})"
    if report.holds and report.not_checked:
        return f"All that could be checked holds: {made} of {len(report.checks)} checks of {about}"
    if report.holds:
        return f"All holds: {made} checks of {about}"
    parts = [f"{len(report.failed)} of {made} checks failed"]
    if slow := [timing for timing in report.slow if timing.pace is not Pace.NOT_MEASURED]:
        parts.append(f"{len(slow)} targets missed")
    if not report.memory.holds:
        parts.append("too much memory")
    if report.left_behind:
        parts.append(f"{len(report.left_behind)} sessions left behind")
    return f"Does not hold: {', '.join(parts)}: {about}"


def _table(cells: Iterable[Row]) -> Table:
    table = Table(*_HEAD[:1])
    for name in _HEAD[1:]:
        table.add_column(name, justify="left" if name == "verdict" else "right", no_wrap=True)
    for row in cells:
        good = row[-1] == Standing.HOLDS
        unknown = row[-1] in {IN_PART, Standing.NOT_CHECKED, Pace.NOT_MEASURED}
        style = "green" if good else "yellow" if unknown else "red"
        table.add_row(*map(Text, row[:-1]), Text(row[-1], style=style))
    return table


def _plain(cells: list[Row]) -> Iterator[str]:
    table = [_HEAD, *cells]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for row in table:
        first, *middle, last = row
        numbers = [cell.rjust(width) for cell, width in zip(middle, widths[1:-1], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *numbers, last]).rstrip()
