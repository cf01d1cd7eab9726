"""What a shell completes: commands, and names from the project."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app, completing
from tests.builders import BUILT_IN_NAMES, DYNAMIC_NAME, write_workflow
from tests.calls import refused, started

REPOSITORY = Path(__file__).resolve().parents[2]
CLI = "import sys; sys.argv[0] = 'aos-workflow'; from mcp_server.cli import main; main()"
ALL = sorted([*BUILT_IN_NAMES, DYNAMIC_NAME])


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


def completed(line):
    """What bash is offered for the last word of `line`."""
    words = f"aos-workflow {line}"
    environment = {
        "_AOS_WORKFLOW_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = CliRunner().invoke(app, prog_name="aos-workflow", env=environment)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize("line", ["show ", "render ", "gates test ", "lint "])
def test_names_of_workflows_are_completed(small, line):
    assert completed(line) == sorted([*ALL, "small_v1"])
    assert completed(f"{line}sm") == ["small_v1"]


def test_further_names_are_completed_too(small):
    assert completed("gates test small_v1 code") == ["code_review_v1"]


def test_categories_are_completed(small):
    assert completed("workflows --category t") == ["test"]


def test_statuses_are_completed():
    assert completed("sessions --status ") == ["active", "paused", "failed", "completed"]
    assert completed("prune --status c") == ["completed"]


@pytest.mark.parametrize("line", ["show-session ", "verify ", "approve "])
async def test_ids_of_sessions_are_completed_the_one_that_changed_last_first(small, line):
    first, second = await started(), await started()
    await refused(first)
    assert completed(line) == [first, second]
    assert completed(f"{line}{second[:-1]}") == [second]
    assert completed(f"{line}{first[1:]}") == []


async def test_of_many_sessions_the_latest_are_completed(small, monkeypatch):
    monkeypatch.setattr(completing, "MAX_SESSIONS", 2)
    first, second, third = await started("src/b.py"), await started(), await started()
    assert completed("show-session ") == [third, second]
    assert completed("show-session small_v1_b") == [first]


@pytest.mark.parametrize("typed", ["small%", "SMALL", "../"])
async def test_no_session_is_completed_to_what_is_no_id(small, typed):
    await started()
    assert completed(f"show-session {typed}") == []


async def test_the_project_of_the_command_line_is_the_one_that_is_looked_at(
    small, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    write_workflow(other / ".praxis-os" / "workflows", "other_v1")
    assert completed(f"show --project {other} other") == ["other_v1"]
    assert completed("show other") == []


def test_where_nothing_can_be_read_nothing_is_offered(small):
    assert completed("show --project none ") == []
    (small / ".praxis-os" / "workflows" / "small_v1" / "metadata.json").write_text(
        "{", encoding="utf-8"
    )
    assert completed("show ") == ALL


def test_commands_are_completed():
    assert completed("sess") == ["sessions"]
    assert completed("show-") == ["show-session"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(shell):
    done = subprocess.run(
        [sys.executable, "-c", CLI],
        env={"PYTHONPATH": str(REPOSITORY), "_AOS_WORKFLOW_COMPLETE": f"source_{shell}"},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "_AOS_WORKFLOW_COMPLETE" in done.stdout
