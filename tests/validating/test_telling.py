"""A report as people and programs get it: table, JSON, JUnit XML."""

import io
import json
from datetime import UTC, datetime

import pytest

from mcp_server.core.transitions import Action
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.probes.junit_report import Outcome, read_junit
from mcp_server.validating.as_json import to_json
from mcp_server.validating.as_junit import to_junit
from mcp_server.validating.outcomes import (
    CheckOutcome,
    Memory,
    Report,
    Standing,
    Timing,
)
from mcp_server.validating.table import print_report
from mcp_server.validating.targets import TARGETS
from tests.validating.validation_builders import failing, report

BEGAN = datetime(2026, 7, 28, 12, 0, tzinfo=UTC)

SLOW = (
    Timing(Action.LIST_WORKFLOWS, TARGETS[Action.LIST_WORKFLOWS], (0.25, 0.3, 0.35)),
    Timing(Action.PAUSE, TARGETS[Action.PAUSE]),
    Timing(Action.ROLLBACK, TARGETS[Action.ROLLBACK], excused=True),
)

EVERYTHING_WRONG = report(
    failing(problem="it says \x1b[31m"),
    failing(Action.RESUME, "not called: the server had gone at pause"),
    failing(Action.RETRY_PHASE, "not called: the server had gone at pause"),
    CheckOutcome(Action.ROLLBACK, "goes back", Standing.NOT_CHECKED, "needs files"),
    timings=SLOW,
    memory=Memory(100_000_000, server=250_000_000, bare=50_000_000),
    left_behind=("small_v1_a_20260101_000000_abcdef",),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(made: Report, stream: io.StringIO) -> list[str]:
    print_report(made, stream)
    return stream.getvalue().splitlines()


def test_a_report_that_holds_is_a_plain_table_and_a_line():
    lines = printed(report(), io.StringIO())
    assert lines[0].split() == ["action", "checks", "median", "slowest", "target", "verdict"]
    assert lines[3].split() == [
        "list_workflows", "0/0", "20.0", "ms", "40.0", "ms", "<", "100", "ms", "not", "checked"
    ]  # fmt: skip
    assert lines[12].split() == [
        "pause", "1/1", "20.0", "ms", "40.0", "ms", "<", "200", "ms", "holds"
    ]  # fmt: skip
    assert lines[17].split()[-7:] == ["server", "30.0", "MB", "<", "100", "MB", "holds"]
    assert lines[18:] == ["", "All holds: 1 checks of a server (2026-07-28)"]


def test_what_could_not_be_checked_is_in_the_last_line():
    left_out = CheckOutcome(Action.PAUSE, "x", Standing.NOT_CHECKED, "needs files")
    assert printed(report(left_out), io.StringIO())[-1] == (
        "All that could be checked holds: 1 of 2 checks of a server (2026-07-28)"
    )


def test_everything_that_does_not_hold_has_a_line():
    lines = printed(EVERYTHING_WRONG, io.StringIO())
    assert lines[lines.index("") + 1 :] == [
        "FAILED  pause: does what it must: it says \\x1b[31m",
        "FAILED  not called: the server had gone at pause: resume (1), retry_phase (1)",
        (
            "FAILED  list_workflows: over the alert: the median of 3 calls is 300.0 ms, to be below"
            " 100 ms, and the alert is at 200 ms"
        ),
        "FAILED  no call could be timed of pause",
        "FAILED  memory: the limit over a bare server is passed",
        "FAILED  left behind: session small_v1_a_20260101_000000_abcdef could not be deleted",
        "Not checked: needs files",
        "  rollback: goes back",
        "Not timed, for the same reason: rollback",
        (
            "Does not hold: 3 of 4 checks failed, 1 targets missed, too much memory, 1 sessions"
            " left behind: a server (2026-07-28)"
        ),
    ]


def test_a_terminal_gets_a_table_with_lines_and_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = "\n".join(printed(EVERYTHING_WRONG, Terminal()))
    assert "┃" in shown
    assert "\x1b[31m" in shown
    assert "left behind: session small_v1_a_20260101_000000_abcdef could not" in shown


def test_json_says_what_the_table_says():
    data = json.loads(to_json(EVERYTHING_WRONG))
    by_name = {item["name"]: item for item in data["actions"]}
    assert len(by_name) == 16
    assert by_name["list_workflows"]["time"] == {
        "calls": 3, "median_ms": 300.0, "max_ms": 350.0, "target_ms": 100.0, "alert_ms": 200.0,
        "verdict": "over the alert",
    }  # fmt: skip
    assert by_name["pause"] == {
        "name": "pause",
        "checks": {"holds": 1, "failed": 1, "not_checked": 0},
        "problems": [
            {"check": "does what it must", "standing": "failed", "problem": "it says \x1b[31m"}
        ],
        "time": {"calls": 0, "median_ms": None, "max_ms": None, "target_ms": 200.0,
                 "alert_ms": None, "verdict": "not measured"},
        "verdict": "failed",
    }  # fmt: skip
    assert data["memory"] == {
        "server_bytes": 250_000_000, "bare_bytes": 50_000_000, "over_bytes": 200_000_000,
        "limit_bytes": 100_000_000, "verdict": "target missed",
    }  # fmt: skip
    assert data["left_behind"] == ["small_v1_a_20260101_000000_abcdef"]
    assert data["holds"] is False
    assert json.loads(to_json(report()))["holds"] is True


@pytest.fixture
def read(tmp_path):
    def reading(made: Report):
        (tmp_path / "report.xml").write_bytes(to_junit(made, BEGAN))
        return read_junit(ProjectFiles(tmp_path).read("report.xml"))

    return reading


def test_our_own_probe_reads_the_junit_report(read):
    found = read(EVERYTHING_WRONG)
    outcomes = {case.full_name: case.outcome for case in found.cases}
    assert outcomes == {
        "aos_workflow.pause.pauses": Outcome.PASSED,
        "aos_workflow.pause.does what it must": Outcome.FAILED,
        "aos_workflow.resume.does what it must": Outcome.FAILED,
        "aos_workflow.retry_phase.does what it must": Outcome.FAILED,
        "aos_workflow.rollback.goes back": Outcome.SKIPPED,
        "aos_workflow.list_workflows.answers within 100 ms": Outcome.FAILED,
        "aos_workflow.pause.answers within 200 ms": Outcome.FAILED,
        "aos_workflow.rollback.answers within 200 ms": Outcome.SKIPPED,
        "aos_workflow.memory.takes less than 100,000,000 bytes over a bare server": Outcome.FAILED,
        "aos_workflow.sessions.leaves nothing behind": Outcome.FAILED,
    }
    assert found.stamps == ("2026-07-28T12:00:00.000+00:00",)


def test_a_junit_report_of_what_holds_has_no_failure(read):
    found = read(report(memory=Memory(1, reason="not here")))
    outcomes = [case.outcome for case in found.cases]
    assert outcomes == [Outcome.PASSED] * 15 + [Outcome.SKIPPED]
