"""Figures as tables for people. Pure: figures in, what rich prints out.

Fits 40 columns and needs no more signs than ASCII has. Names come from files that anybody may have
written: nothing that a terminal would obey gets through, and long ones are folded, not cut.
"""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mcp_server.core.visible import visible
from mcp_server.statistics.charts import bars
from mcp_server.statistics.figures import Figures, PhaseFigures, WorkflowFigures

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_FIELDS_SHOWN = 3
_ALARMING = 0.5
"""The share of refusals from which on a phase stands out."""


def duration(seconds: float | None) -> str:
    """Return a time as people say it, in the two largest of its units."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    for unit, letter, lower, lower_letter in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "m"),
        (_MINUTE, "m", 1, "s"),
    ):
        if whole >= unit:
            return f"{whole // unit}{letter} {whole % unit // lower}{lower_letter}"
    raise AssertionError("every time from a minute on has a unit")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def told(figures: Figures) -> Iterator[RenderableType]:
    """Yield what is printed of the figures of at least one session, part by part."""
    yield _totals(figures)
    yield _heading("Started per day")
    yield _bar_table([(str(day.day), day.started) for day in figures.days])
    yield _heading("Most used workflows")
    yield _bar_table([(visible(w.workflow_type), w.started) for w in figures.workflows])
    yield _heading("Where phases fail")
    for number, workflow in enumerate(figures.workflows):
        yield from [Text("")] * bool(number)
        yield _summary(workflow)
        phases = [p for p in figures.phases if p.workflow_type == workflow.workflow_type]
        if phases:
            yield _phase_table(phases)
        yield from map(_refused, (phase for phase in phases if phase.refused_fields))


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _totals(figures: Figures) -> Text:
    statuses = ", ".join(f"{n} {status}" for status, n in figures.statuses.items() if n)
    lines = [f"{counted(figures.sessions, 'session')}: {statuses}"]
    if figures.average_seconds is not None:
        lines.append(f"Completed ones took {duration(figures.average_seconds)} on average.")
    return Text("\n".join(lines))


def _bar_table(rows: Sequence[tuple[str, int]]) -> Table:
    table = _table()
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for (label, value), drawn in zip(rows, bars([value for _, value in rows]), strict=True):
        table.add_row(label, str(value), drawn)
    return table


def _summary(workflow: WorkflowFigures) -> Text:
    text = Text(visible(workflow.workflow_type), style="cyan")
    text.append(f": {workflow.started} started, {workflow.completed} completed", style="default")
    if workflow.average_seconds is not None:
        text.append(f", {duration(workflow.average_seconds)} on average", style="default")
    return text


def _phase_table(phases: Sequence[PhaseFigures]) -> Table:
    table = _table(headings=True)
    for name in ("phase", "attempts", "refused", "rate", "median"):
        table.add_column(name, justify="right", overflow="fold")
    for phase in phases:
        rate = phase.refusal_rate
        shown = "-" if rate is None else f"{rate:.0%}"
        style = "red" if rate is not None and rate >= _ALARMING else ""
        table.add_row(
            str(phase.phase),
            str(phase.attempts),
            str(phase.refusals),
            Text(shown, style=style),
            duration(phase.median_seconds),
        )
    return table


def _refused(phase: PhaseFigures) -> Text:
    most = phase.refused_fields[:_FIELDS_SHOWN]
    named = ", ".join(f"{visible(name)} ({number})" for name, number in most)
    more = len(phase.refused_fields) - len(most)
    rest = f", and {more} more" if more else ""
    return Text(f"phase {phase.phase} refused for {named}{rest}", overflow="fold")


def _table(*, headings: bool = False) -> Table:
    return Table(
        box=None, show_header=headings, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0)
    )
