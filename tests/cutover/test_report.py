"""What is told of a run: to people, and as JSON."""

import json

import pytest

from mcp_server.cutover.backup import Edited, Restored
from mcp_server.cutover.changes import Change, Plan
from mcp_server.cutover.findings import Place
from mcp_server.cutover.report import Report, Result, as_json, as_text
from mcp_server.cutover.servers import Listing, ServerCommand

PLAN = Plan(
    changes=(
        Change("a.py", b"one\ntwo\n", b"one\n", 0o644),
        Change("b.py", None, b"x\ny\n", 0o644),
    ),
    registrations=(Place("a.py", 2, "get_task", "@mcp.tool()"),),
    left=(Place("c.md", 7, "get_task", "why"),),
    style="bridge",
)
TOOLS = ({"name": "get_task"}, {"name": "current_date"})


def told(**fields: object) -> list[str]:
    return as_text(Report("p", **fields)).splitlines()


def test_a_dry_run_shows_all_that_would_be():
    lines = told(
        result=Result.WOULD_CHANGE, plan=PLAN, server=ServerCommand(("python", "s.py")),
        before=Listing(TOOLS), expected=TOOLS[1:],
    )  # fmt: skip
    assert lines == [
        "Registered old tools (1):",
        "  a.py:2: get_task - @mcp.tool()",
        "",
        "  --- a/a.py",
        "  +++ b/a.py",
        "  @@ -1,2 +1 @@",
        "   one",
        "  -two",
        "",
        "New: b.py, 2 lines",
        "",
        "Left to you: not certain, so not changed (1):",
        "  c.md:7: get_task - why",
        "",
        "Server: python s.py (--server)",
        "aos_workflow is registered by a bridge: the server's Python cannot import ours.",
        "Tools before: 2, 42 bytes: get_task, current_date",
        "Tools after, as expected: 1, 23 bytes: current_date",
        "",
        "Dry run: 2 files would change.",
        "Add --apply to do it.",
    ]


@pytest.mark.parametrize(("result", "last", "code"), [
    (Result.NOTHING_TO_DO, "Nothing to do.", 0),
    (Result.DONE, "Done: 0 files changed.", 0),
    (Result.REFUSED, "Refused; nothing was changed:", 1),
    (Result.RESTORED, "Failed; everything is as it was before:", 1),
    (Result.BROUGHT_BACK, "Restored: 0 files brought back.", 0),
    (Result.WOULD_CHANGE, "Dry run: 0 files would change.", 0),
])  # fmt: skip
def test_each_result_has_its_ending_and_its_exit_code(result, last, code):
    assert last in told(result=result)
    assert Report("p", result=result).exit_code == code


def test_what_would_refuse_is_told_with_its_remedy():
    lines = told(result=Result.WOULD_CHANGE, problems=["it is dirty"], remedies=["Commit."])
    assert lines[-2:] == ["--apply would be refused: it is dirty.", "Commit."]


def test_later_edits_are_shown_and_where_they_are():
    edited = Edited("a.py", "kept/a.py", ("-mine", "+old"))
    lines = told(result=Result.BROUGHT_BACK, restored=Restored(("a.py",), (edited,)))
    assert lines[1:4] == [
        "a.py was edited after the cutover; the edits are kept in kept/a.py:", "  -mine", "  +old",
    ]  # fmt: skip
    assert lines[-1] == "Restored: 1 file brought back."


def test_long_lists_and_long_diffs_are_cut_for_people_only():
    places = tuple(Place("a.md", line, "get_task") for line in range(1, 100))
    change = Change("a.md", b"", b"x\n" * 500, 0o644)
    report = Report("p", Result.WOULD_CHANGE, Plan((change,), left=places))
    text = as_text(report)
    assert "  ... and 59 more; --json lists all" in text
    assert "  ... and 303 more lines; --json shows all" in text
    data = json.loads(as_json(report))
    assert (len(data["left"]), len(data["changes"][0]["diff"])) == (99, 503)


def test_nothing_that_a_terminal_would_obey_gets_through():
    report = Report("p", Result.WOULD_CHANGE, Plan((), left=(Place("\x1b[2J", 1, "a\u202eb"),)))
    assert "\x1b" not in as_text(report)
    assert r"\x1b[2J:1: a\u202eb" in as_text(report)
    assert as_json(report).isascii()
