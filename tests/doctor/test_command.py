"""`aos-workflow doctor` as a whole: what it says, how it ends, and that it changes nothing."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import STATE_DIR
from mcp_server.core.file_store import FileStore
from mcp_server.core.state_manager import StateManager
from tests.builders import definition, write_workflow

runner = CliRunner()


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a definition, a session, a command and a client, in which doctor is run."""
    project = tmp_path / "project"
    write_workflow(project / ".praxis-os" / "workflows")
    text = "test: {argv: [pytest]}\n"
    (project / ".praxis-os" / "commands.yaml").write_text(text, encoding="utf-8")
    sessions = StateManager(FileStore(project / STATE_DIR), max_active=5)
    sessions.create(definition(), "src/a.py", {})
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    for variable in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(project)
    return project


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


def test_doctor_says_what_it_found_and_changes_nothing(used):
    runner.invoke(app, ["setup", "codex"])
    before = snapshot(used.parent)
    done = runner.invoke(app, ["doctor", "--json"])
    assert snapshot(used.parent) == before
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    found = {one["check"]: [f["what"] for f in one["findings"]] for one in report["checks"]}
    assert report["ok"] is True
    assert found["project"] == [f"{used} (nearest folder with .praxis-os)"]
    assert found["state"] == ["1 session: 1 active"]
    assert found["clients"] == [f"Codex: aos-workflow in {used / '.codex/config.toml'}"]
    assert found["commands"] == ["not trusted: test", "trusted: none"]
    assert found["round trip"][0].startswith("started in ")


def test_doctor_finds_its_way_where_everything_is_broken(used, monkeypatch):
    (used / ".praxis-os/workflows/small_v1/metadata.json").write_text("{", encoding="utf-8")
    (used / ".praxis-os/commands.yaml").write_text("test: pytest\n", encoding="utf-8")
    (journal,) = (used / STATE_DIR).glob("*.jsonl")
    journal.write_bytes(b"garbage\n")
    (used / ".mcp.json").write_text('{"aos-workflow": ', encoding="utf-8")
    monkeypatch.setenv("AOS_WORKFLOW_MAX_DEPTH", "deep")
    before = snapshot(used.parent)
    done = runner.invoke(app, ["doctor"])
    assert snapshot(used.parent) == before
    assert done.exit_code == 1
    wrong = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("problem")]
    assert set(wrong) == {"settings", "definitions", "state", "clients", "commands"}
    assert done.stdout.count("-> ") >= len(wrong)
    assert done.stdout.endswith(f"{len(wrong)} problems.\n")


def test_doctor_without_a_project_says_so(used, monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_PROJECT", str(used / "none"))
    done = runner.invoke(app, ["doctor"])
    assert done.exit_code == 1
    told = f"problem  project      AOS_WORKFLOW_PROJECT is not a folder: '{used / 'none'}'"
    assert told in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_doctor_looks_at_the_rest_when_the_state_leads_out_of_the_project(used):
    (used / STATE_DIR).rename(used.parent / "elsewhere")
    (used / STATE_DIR).symlink_to(used.parent / "elsewhere")
    report = json.loads(runner.invoke(app, ["doctor", "--json"]).stdout)
    problems = {one["check"]: [f["what"] for f in one["findings"] if f["status"] == "problem"]
                for one in report["checks"]}  # fmt: skip
    assert problems["state"] == [f"{STATE_DIR.as_posix()} leads out of the project through a link"]
    assert problems["definitions"] == []


@pytest.mark.parametrize("words", [["--project", "none"], ["--unknown"]])
def test_wrong_usage_is_told_apart(used, words):
    assert runner.invoke(app, ["doctor", *words]).exit_code == 2
