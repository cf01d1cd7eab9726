"""`aos-workflow setup` on the command line: where it writes, and how it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app

runner = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of somebody who works in a project."""
    (tmp_path / "work" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "home"


def test_setup_writes_the_file_of_the_project(home):
    done = runner.invoke(app, ["setup", "claude-code"])
    assert done.exit_code == 0
    assert list(json.loads(Path(".mcp.json").read_bytes())["mcpServers"]) == ["aos-workflow"]


def test_setup_writes_the_file_of_the_user_and_keeps_the_previous_one_in_the_state_folder(home):
    home.mkdir()
    (home / ".claude.json").write_text('{"a": 1}', encoding="utf-8")
    done = runner.invoke(app, ["setup", "claude-code", "--scope", "user", "--name", "mine"])
    assert done.exit_code == 0
    assert list(json.loads((home / ".claude.json").read_bytes())["mcpServers"]) == ["mine"]
    (backup,) = home.rglob("claude.json.*")
    assert backup.read_text(encoding="utf-8") == '{"a": 1}'
    assert str(backup) in done.stdout


def test_setup_prints_on_standard_output_only_what_belongs_into_the_file(home):
    done = runner.invoke(app, ["setup", "vscode", "--print"])
    assert done.exit_code == 0
    assert list(json.loads(done.stdout)) == ["servers"]
    assert not Path(".vscode").exists()


def test_setup_exits_with_1_where_the_file_cannot_be_changed(home):
    Path(".mcp.json").write_text('{\n"a"\n}', encoding="utf-8")
    done = runner.invoke(app, ["setup", "claude-code"])
    assert done.exit_code == 1
    assert f"{Path.cwd() / '.mcp.json'}:3 was left as it is: ':' is missing." in done.stderr


@pytest.mark.parametrize(
    "words", [["emacs"], ["cline", "--scope", "project"], ["codex", "--name", "a b"]]
)
def test_setup_exits_with_2_for_wrong_usage(home, words):
    done = runner.invoke(app, ["setup", *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("aos-workflow: ")
    assert not home.exists()
