"""migrate-state, as people run it."""

import json

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import STATE_DIR, Settings
from mcp_server.server.services import services_for
from tests.builders import definition, tree
from tests.postgres_server import address, new_schema

runner = CliRunner()


@pytest.fixture(autouse=True)
def schema(monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_STATE_SCHEMA", new_schema())
    monkeypatch.setenv("AOS_WORKFLOW_PROJECT_ID", "shop")


@pytest.fixture
def clone(tmp_path):
    """Another clone of the project."""
    (tmp_path / "clone").mkdir()
    return tmp_path / "clone"


@pytest.fixture
def started(project):
    """The ids of two sessions of the project, the older one first."""
    sessions = services_for(Settings(project=project, project_id="shop")).sessions
    return [sessions.create(definition(), f"{name}.py", {}).session_id for name in "ab"]


def run(*words):
    return runner.invoke(app, ["migrate-state", *map(str, words)])


def test_a_dry_run_says_what_would_be_copied(project, started, clone):
    before = tree(project.parent)
    done = run("--from", project, "--to", clone)
    assert done.exit_code == 0
    *rows, total = done.stdout.splitlines()
    assert rows == [f"{session_id}: would be copied" for session_id in started]
    assert total.startswith("2 sessions would be copied, 0 are already there, 0 would be left;")
    assert tree(project.parent) == before


def test_sessions_go_into_a_database_and_out_of_it_into_another_clone(project, started, clone):
    into = run("--from", project, "--to", address(), "--apply")
    assert (into.exit_code, into.stdout.splitlines()[0]) == (
        0, "2 copied and checked, 0 already there and checked, 0 left."
    )  # fmt: skip
    assert "The source is as it was." in into.stdout
    out = run("--from", address(), "--to", clone, "--project", clone, "--apply")
    assert out.stdout.startswith("2 copied and checked")
    for session_id in started:
        name = f"{session_id}.jsonl"
        assert (clone / STATE_DIR / name).read_bytes() == (project / STATE_DIR / name).read_bytes()
    assert run("--from", project, "--to", address(), "--apply").stdout.startswith("0 copied")


def test_a_damaged_session_is_told_of_and_the_rest_is_copied(project, started, clone):
    journal = project / STATE_DIR / f"{started[0]}.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"a.py", b"b.py"))
    done = run("--from", project, "--to", clone, "--apply")
    first, second = done.stdout.splitlines()[:2]
    assert done.exit_code == 1
    assert first.startswith(f"{started[0]}: damaged: session {started[0]} cannot be read")
    assert second == "1 copied and checked, 0 already there and checked, 1 left."


def test_json_names_every_session(project, started, clone):
    done = run("--from", project, "--to", clone, "--apply", "--json")
    rows = [{"session_id": session_id, "outcome": "copied", "reason": None, "note": None}
            for session_id in started]  # fmt: skip
    assert json.loads(done.stdout) == {
        "applied": True, "sessions": rows, "count": 2, "already": 0, "left": 0
    }  # fmt: skip


def test_a_session_without_a_project_is_told_of(project, clone):
    services_for(Settings(project=project)).sessions.create(definition(), "a.py", {})
    done = run("--from", project, "--to", address())
    assert done.exit_code == 0
    assert "Of 1: it names no project: " in done.stdout


def test_an_address_that_cannot_be_used_is_one_line_without_its_password(project, started):
    done = run("--from", project, "--to", "postgresql://me:hunter2@127.0.0.1:1/x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "aos-workflow: --to: the database of the sessions cannot be used: nobody listens at its"
        " address."
    )
    assert "hunter2" not in done.output


@pytest.mark.parametrize("missing", ["--from", "--to"])
def test_both_places_must_be_named(project, missing):
    places = {"--from": project, "--to": project}
    del places[missing]
    assert run(*(word for pair in places.items() for word in pair)).exit_code == 2
