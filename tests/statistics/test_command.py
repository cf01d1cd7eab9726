"""`aos-workflow stats`, as people and scripts run it."""

import io
import json
import re
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import STATE_DIR, Settings
from mcp_server.server.services import services_for
from mcp_server.statistics.command import run_stats
from tests.builders import NOON, tree, write_workflow
from tests.calls import complete, refused, started

runner = CliRunner()
PAGE = Path(__file__).parents[2] / "docs" / "figures.md"


@contextmanager
def zone(name):
    """Live in a time zone, where the system lets a process choose."""
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone is the system's")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def small(project):
    """A project at noon of a day in UTC, whose clock stands still."""
    write_workflow(project / ".praxis-os" / "workflows")
    with zone("UTC"):
        yield at(project, NOON)


def at(project, now):
    """Set the clock of a project."""
    services_for(Settings(project=project)).sessions.clock = lambda: now
    return project


def run(*arguments, **env):
    return runner.invoke(app, ["stats", *arguments], env=env)


async def walked(project):
    """A session that is done with after half an hour, and one that was refused two days before."""
    at(project, NOON - timedelta(days=2))
    await refused(await started())
    at(project, NOON - timedelta(minutes=30))
    done = await started()
    at(project, NOON - timedelta(minutes=10))
    await complete(done, 1)
    at(project, NOON)
    await complete(done, 2)
    return done


async def test_in_a_pipe_it_is_plain_lines(small):
    await walked(small)
    result = run(NO_COLOR="", COLUMNS="20")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "Sessions started in the last 30 days, since 2026-02-13",
        "2 sessions: 1 failed, 1 completed",
        "Completed ones took 30m 0s on average.",
        "",
        "Started per day",
        f"2026-03-12  1  {'█' * 40}",
        "2026-03-13  0",
        f"2026-03-14  1  {'█' * 40}",
        "",
        "Most used workflows",
        f"small_v1  2  {'█' * 40}",
        "",
        "Where phases fail",
        "small_v1: 2 started, 1 completed, 30m 0s on average",
        "phase  attempts  refused  rate  median",
        "    1         2        1   50%  20m 0s",
        "    2         1        0    0%  10m 0s",
        "phase 1 refused for report (1), tests (1)",
    ]


async def test_days_and_workflow_narrow_it(small):
    await walked(small)
    lines = run("--days", "1", "--workflow", "small_v1").stdout.splitlines()
    assert lines[:2] == [
        "Sessions started in the last 1 day of small_v1, since 2026-03-14",
        "1 session: 1 completed",
    ]
    assert run("--workflow", "code_review_v1").stdout.splitlines() == [
        "Sessions started in the last 30 days of code_review_v1, since 2026-02-13",
        "There are none.",
    ]


def test_no_sessions_are_no_failure(small):
    result = run()
    assert (result.exit_code, result.stdout.splitlines()[1:]) == (0, ["There are none."])
    assert json.loads(run("--json").stdout)["sessions"] == 0
    assert not (small / STATE_DIR).exists()


async def test_as_json_it_is_what_the_page_says(small):
    await walked(small)
    result = run("--json", "--days", "3")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "schema_version": 1,
        "since": "2026-03-12",
        "until": "2026-03-14",
        "utc_offset": "+00:00",
        "workflow": None,
        "sessions": 2,
        "statuses": {"active": 0, "paused": 0, "failed": 1, "completed": 1},
        "average_seconds": 1_800.0,
        "started_per_day": [
            {"day": "2026-03-12", "started": 1},
            {"day": "2026-03-13", "started": 0},
            {"day": "2026-03-14", "started": 1},
        ],
        "workflows": [
            {
                "workflow_type": "small_v1",
                "started": 2,
                "completed": 1,
                "average_seconds": 1_800.0,
            }
        ],
        "phases": [
            {
                "workflow_type": "small_v1",
                "phase": 1,
                "attempts": 2,
                "refusals": 1,
                "refusal_rate": 0.5,
                "overrides": 0,
                "rollbacks": 0,
                "median_seconds": 1_200.0,
                "refused_fields": [
                    {"field": "report", "refusals": 1},
                    {"field": "tests", "refusals": 1},
                ],
            },
            {
                "workflow_type": "small_v1",
                "phase": 2,
                "attempts": 1,
                "refusals": 0,
                "refusal_rate": 0.0,
                "overrides": 0,
                "rollbacks": 0,
                "median_seconds": 600.0,
                "refused_fields": [],
            },
        ],
        "unreadable": [],
    }


@pytest.mark.parametrize(
    ("name", "day", "offset"),
    [("EAST-14", "2026-03-15", "+14:00"), ("WEST+12:30", "2026-03-13", "-12:30")],
)
async def test_a_day_is_one_of_the_time_zone(small, name, day, offset):
    await started()
    with zone(name):
        told = json.loads(run("--json", "--days", "1").stdout)
    assert (told["since"], told["until"], told["utc_offset"]) == (day, day, offset)
    assert told["started_per_day"] == [{"day": day, "started": 1}]


def keys(data, prefix=""):
    """The keys of JSON, those of nested objects after a dot."""
    if isinstance(data, list):
        return keys(data[0], prefix) if data and isinstance(data[0], dict) else set()
    found = set()
    for name, value in data.items():
        found.add(prefix + name)
        if isinstance(value, list):
            found |= keys(value, f"{prefix}{name}[].")
    return found


async def test_every_key_of_the_json_is_on_the_page(small):
    await walked(small)
    page = PAGE.read_text(encoding="utf-8").partition("## The JSON")[2]
    told = set(re.findall(r"^\| `([\w.\[\]]+)` \|", page, re.MULTILINE))
    assert keys(json.loads(run("--json").stdout)) == told


async def test_a_damaged_session_is_a_warning_and_stops_nothing(small):
    done = await walked(small)
    broken = await started()
    journal = small / STATE_DIR / f"{broken}.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"src/a.py", b"src/b.py"))
    before = tree(small)
    result = run("--json")
    assert result.exit_code == 0
    assert result.stderr == (
        f"aos-workflow: warning: session {broken} cannot be read: line 1 is not what its hash"
        " says\n"
    )
    told = json.loads(result.stdout)
    assert (told["sessions"], told["unreadable"]) == (2, [broken])
    assert tree(small) == before
    assert done not in result.stdout


async def test_a_session_that_is_deleted_is_not_in_it(small):
    done = await walked(small)
    services_for(Settings(project=small)).sessions.delete_session(done)
    assert json.loads(run("--json").stdout)["statuses"]["completed"] == 0
    assert "Deleted and pruned sessions are not in it" in " ".join(run("--help").stdout.split())


@pytest.mark.parametrize("days", ["0", "-1", "3651", "many"])
def test_days_that_are_none_are_wrong_usage(small, days):
    assert run("--days", days).exit_code == 2


def terminal(services, encoding, **settings):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(file=file, force_terminal=True, width=40, color_system=None, **settings)
    run_stats(services, 30, None, console, as_json=False)
    file.flush()
    return raw.getvalue().decode(encoding)


async def test_on_a_terminal_it_fits(small, services):
    await walked(small)
    lines = terminal(services, "utf-8", soft_wrap=True).splitlines()
    assert max(map(len, lines)) == 40
    assert lines[:2] == ["Sessions started in the last 30 days, ", "since 2026-02-13"]


async def test_a_terminal_without_the_signs_of_a_name_shows_what_they_are(project, services):
    gate = {"evidence_schema": {"größe": {"type": "integer", "required": True}}}
    write_workflow(project / ".praxis-os" / "workflows", gate=gate)
    await refused(await started())
    assert r"phase 1 refused for gr\xf6\xdfe (1)" in terminal(services, "ascii")
    assert "phase 1 refused for größe (1)" in terminal(services, "utf-8")
