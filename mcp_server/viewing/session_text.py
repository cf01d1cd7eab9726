"""Sessions as lines and tables of the console."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from mcp_server.core.encoding import encode
from mcp_server.pages.words import numbered
from mcp_server.viewing.printing import Column, Row, line, print_lines, print_table
from mcp_server.viewing.shapes import (
    ChangeRow,
    ErrorRow,
    EvidenceRow,
    PhaseStanding,
    SessionRow,
    SessionView,
)
from mcp_server.viewing.signs import STYLES, Signs, signs_for

STATUS_STYLES = {"active": "cyan", "paused": "yellow", "failed": "red", "completed": "green"}
KNOWN_STYLES = {"claimed": "yellow", "observed": "cyan", "executed": "green", "approved": "green"}

_COLUMNS = (
    Column("session"),
    Column("phase", is_number=True),
    Column("status"),
    Column("changed", only_on_terminal=True),
    Column("changed at", from_width=None),
    Column("target", from_width=110),
)
_HISTORY = (
    Column("line", is_number=True),
    Column("time"),
    Column("action"),
    Column("phase", is_number=True),
    Column("outcome"),
    Column("session"),
    Column("by"),
    Column("hash"),
)
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SHOWN_ERRORS = 5
_MINUTE = 60


def print_sessions(console: Console, rows: list[SessionRow], now: datetime) -> None:
    """Print a row for each session."""
    print_table(console, _COLUMNS, (
        Row(
            (row["session_id"], f"{row['current_phase']}/{row['total_phases']}", row["status"],
             f"{ago(row['last_updated'], now)} ago", row["last_updated"], row["target_file"]),
            styles={2: STATUS_STYLES[row["status"]], 3: "dim"},
        )
        for row in rows
    ))  # fmt: skip


def print_session(console: Console, view: SessionView) -> None:
    """Print one session: its phases, evidence, errors, and what comes next."""
    print_lines(console, _lines(view, signs_for(console.encoding)))


def print_history(console: Console, history: list[ChangeRow]) -> None:
    """Print the lines of a journal."""
    rows = [
        Row(
            (str(row["line"]), row["time"] or "", row["action"] or row["problem"] or "",
             _said(row["phase"]), row["outcome"] or "", row["status"] or "",
                row["by"] or "",
             (row["hash"] or "")[:12]),
            style="red" if row["problem"] else "",
        )
        for row in history
    ]  # fmt: skip
    print_table(console, _HISTORY, rows)


def ago(time: str, now: datetime) -> str:
    """Return how long ago a time was, in its largest unit."""
    seconds = max(int((now - datetime.fromisoformat(time)).total_seconds()), 0)
    for step, unit in _STEPS:
        if seconds >= step:
            return f"{seconds // step} {unit}"
    return "0 s"


def _lines(view: SessionView, signs: Signs) -> Iterator[Text]:
    yield line((view["session_id"], "bold"))
    about = f"{view['workflow_type']} {view['definition'].get('version', '')} on "
    status = view["status"]
    yield line(about, (view["target_file"], "bold"), ": ", (status, STATUS_STYLES[status]))
    yield line((f"started {view['created_at']}, changed {view['last_updated']}", "dim"))
    if "moved_on" in view["definition"]:
        yield line((view["definition"]["moved_on"], "yellow"))
    if view["checkpoint_note"]:
        yield line("note: ", view["checkpoint_note"])
    if view["options"]:
        yield line("options: ", _json(view["options"]))
    yield Text()
    for phase in view["phases"]:
        yield from _phase(phase, signs)
    yield from _errors(view)
    yield from _waiting(view)
    yield from _next(view)


def _phase(phase: PhaseStanding, signs: Signs) -> Iterator[Text]:
    standing = phase["standing"]
    title = numbered(phase["phase_number"], phase["title"])
    yield line((f"{signs.of(standing)} {title}", STYLES[standing]), (_tries(phase), "dim"))
    for item in phase["evidence"]:
        yield from _evidence(item)


def _tries(phase: PhaseStanding) -> str:
    attempts = phase["attempts"]
    if not attempts:
        return ""
    said = [phase["standing"]] if phase["standing"] in {"overridden", "paused", "refused"} else []
    if attempts[-1]["attempt"] > 1:
        said.append(f"attempt {attempts[-1]['attempt']}")
    spent = attempts[-1]["duration_seconds"]
    if spent is not None:
        said.append(_span(spent))
    return f"  ({', '.join(said)})" if said else ""


def _span(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes = round(seconds / _MINUTE)
    return (
        f"{minutes} min" if minutes < _MINUTE else f"{minutes // _MINUTE} h {minutes % _MINUTE} min"
    )


def _evidence(item: EvidenceRow) -> Iterator[Text]:
    value = _json(item["value"]) if "value" in item else f"{item['size']} bytes"
    yield line(
        "    ", (f"{item['known']:<8}", KNOWN_STYLES[item["known"]]), f"  {item['field']}: {value}"
    )
    looked = ", ".join(item["files"])
    if item["seen_by"]:
        yield line(
            (f"              by {item['seen_by']}{f' in {looked}' if looked else ''}", "dim")
        )


def _errors(view: SessionView) -> Iterator[Text]:
    shown = view["errors"][-_SHOWN_ERRORS:]
    if not shown:
        return
    yield Text()
    earlier = view["error_count"] - len(shown)
    yield line(("Refusals", "bold"), f" (the last {len(shown)} of {view['error_count']})"
               if earlier else "")  # fmt: skip
    for error in shown:
        yield from _error(error)


def _error(error: ErrorRow) -> Iterator[Text]:
    at = f"  {error['timestamp']}  phase {error['phase']}  "
    yield line(at, (error["message"], "red"))
    for problem in error["problems"]:
        yield line("    - ", problem)


def _waiting(view: SessionView) -> Iterator[Text]:
    if not view["waiting_for"]:
        return
    yield Text()
    yield line(("Waits for a person's approval", "bold"))
    for wanted in view["waiting_for"]:
        yield line(f"  {wanted['field']}: ", wanted["question"])
        for path, digest in wanted["files"].items():
            yield line((f"    {digest[:12]}  {path}", "dim"))
        if wanted["problem"]:
            yield line("    ", (wanted["problem"], "yellow"))


def _next(view: SessionView) -> Iterator[Text]:
    yield Text()
    if view["verification"] == "running":
        yield line(("A verification is running.", "cyan"))
    elif view["verification"]:
        yield line(("The gate could not look.", "yellow"))
    yield line(("Next", "bold"), f"  the agent: {view['next']}")
    if view["next_command"]:
        yield line(f"      a person: {view['next_command']}")


def _json(value: Any) -> str:
    return encode(value).decode()


def _said(number: int | None) -> str:
    return "" if number is None else str(number)
