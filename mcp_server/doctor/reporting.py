"""How findings are told: a table on a terminal, plain lines elsewhere, JSON for scripts."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mcp_server.core.visible import visible
from mcp_server.doctor.findings import Examination, Finding, Status, problems_of
from mcp_server.linting.problems import plural

_STYLES = {Status.OK: "green", Status.NOTE: "yellow", Status.PROBLEM: "bold red"}


def as_json(examinations: Sequence[Examination]) -> str:
    """Return the findings as one JSON object, ending in a line break."""
    report = {
        "ok": problems_of(examinations) == 0,
        "problems": problems_of(examinations),
        "checks": [
            {"check": one.check, "findings": [_as_data(found) for found in one.findings]}
            for one in examinations
        ],
    }
    return json.dumps(report, indent=2) + "\n"


def print_report(examinations: Sequence[Examination], console: Console) -> None:
    """Print the findings for a person, and how many problems there are."""
    if console.is_terminal:
        console.print(_table(examinations), soft_wrap=False)
    else:
        for one in examinations:
            for found in one.findings:
                console.print(f"{found.status:<8} {one.check:<12} {visible(found.what)}")
                if found.remedy:
                    console.print(f"{'':<22}-> {visible(found.remedy)}")
    count = problems_of(examinations)
    console.print(plural(count, "problem") + "." if count else "All is well.")


def _table(examinations: Sequence[Examination]) -> Table:
    table = Table("", "check", "found", box=None, pad_edge=False, show_header=False)
    for one in examinations:
        for index, found in enumerate(one.findings):
            told = Text(visible(found.what))
            if found.remedy:
                told.append(f"\n-> {visible(found.remedy)}", style="bold")
            status = Text(found.status, style=_STYLES[found.status])
            table.add_row(status, "" if index else one.check, told)
    return table


def _as_data(found: Finding) -> dict[str, str | None]:
    return {"status": str(found.status), "what": found.what, "remedy": found.remedy}
