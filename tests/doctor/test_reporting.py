"""Findings as people and scripts read them."""

import io
import json

import pytest
from rich.console import Console

from mcp_server.doctor.findings import Examination, fine, note, problem
from mcp_server.doctor.reporting import as_json, print_report

FOUND = (
    Examination("project", (fine("here"),)),
    Examination("state", (fine("2 sessions"), problem("it broke\x1b[2J", "mend it"), note("old"))),
)

PLAIN = """\
ok       project      here
ok       state        2 sessions
problem  state        it broke\\x1b[2J
                      -> mend it
note     state        old
1 problem.
"""


def printed(found: tuple[Examination, ...], *, terminal: bool = False) -> str:
    out = io.StringIO()
    print_report(
        found, Console(file=out, force_terminal=terminal, width=60, markup=False, highlight=False)
    )
    return out.getvalue()


def test_elsewhere_than_on_a_terminal_lines_are_plain():
    assert printed(FOUND) == PLAIN


def test_a_terminal_shows_a_table_and_obeys_nothing_that_was_found():
    shown = printed(FOUND, terminal=True)
    assert "\x1b[2J" not in shown
    assert [word for word in ("here", "-> mend it", "1 problem.") if word not in shown] == []


@pytest.mark.parametrize("terminal", [True, False])
def test_all_is_well_without_a_problem(terminal):
    assert "All is well." in printed(FOUND[:1], terminal=terminal)


def test_scripts_read_json():
    assert json.loads(as_json(FOUND)) == {
        "ok": False,
        "problems": 1,
        "checks": [
            {
                "check": "project",
                "findings": [{"status": "ok", "what": "here", "remedy": None}],
            },
            {
                "check": "state",
                "findings": [
                    {"status": "ok", "what": "2 sessions", "remedy": None},
                    {"status": "problem", "what": "it broke\x1b[2J", "remedy": "mend it"},
                    {"status": "note", "what": "old", "remedy": None},
                ],
            },
        ],
    }
    assert json.loads(as_json(FOUND[:1]))["ok"] is True
