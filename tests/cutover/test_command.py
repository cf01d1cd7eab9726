"""The command line: what it takes, its exit codes, and refusals that need no server."""

import json
import sys

import pytest

from mcp_server.cutover.command import main
from tests.cutover import projects
from tests.cutover.projects import contents, lay, small


@pytest.mark.parametrize("argv", [
    [], ["no-such-folder"], ["."] * 2, [".", "--no-such-option"], [".", "--timeout", "0"],
    [".", "--timeout", "x"], [".", "--apply", "--restore", "x"],
])  # fmt: skip
def test_wrong_usage_is_2(argv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: ")


def test_a_server_command_that_cannot_be_read_is_wrong_usage(tmp_path, capsys):
    lay(tmp_path, projects.without_old_tools())
    assert main([str(tmp_path), "--server", "  "]) == 2
    assert "--server is empty" in capsys.readouterr().err


def test_nothing_to_do_is_told(tmp_path, capsys):
    lay(tmp_path, projects.without_old_tools())
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("Nothing to do.\n")


def test_source_is_not_changed_without_a_server_to_verify_with(tmp_path, capsys):
    files = small()
    del files[".mcp.json"]
    lay(tmp_path, files)
    for argv, code in (([], 0), (["--apply"], 1)):
        assert main([str(tmp_path), *argv, "--json"]) == code
        report = json.loads(capsys.readouterr().out)
        assert report["problems"] == ["no server is known to verify the cutover with"]
    assert set(contents(tmp_path)) == set(files)


def test_several_servers_are_asked_about(tmp_path, capsys):
    files = small(**{".cursor/mcp.json": projects.configured("server.py", "--other", name="b")})
    lay(tmp_path, files)
    assert main([str(tmp_path), "--apply", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["problems"][0].startswith("the client configuration names several servers")
    assert "--server NAME" in report["remedies"][0]


def test_pages_are_not_changed_unverified_where_source_may_register_old_tools(tmp_path, capsys):
    files = {"rules.md": "get_workflow_state(session_id)\n", "a.py": "NAMES = ['start_workflow']\n"}
    lay(tmp_path, files)
    assert main([str(tmp_path), "--apply", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["problems"] == ["no server is known to verify the cutover with"]


def test_pages_of_a_project_without_any_server_are_changed_unverified(tmp_path, capsys):
    lay(tmp_path, {"rules.md": "get_workflow_state(session_id)\n"})
    assert main([str(tmp_path), "--apply", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["notes"] == ["No server is known here, so nothing could be verified."]
    assert main(["--restore", str(tmp_path / report["backup"]), "--json"]) == 0
    assert contents(tmp_path) == {"rules.md": b"get_workflow_state(session_id)\n"}


@pytest.mark.parametrize("mode", [0o444, 0o750])
def test_a_file_keeps_its_mode_and_may_be_read_only(mode, tmp_path, capsys):
    lay(tmp_path, {"rules.md": "get_workflow_state(session_id)\n"})
    (tmp_path / "rules.md").chmod(mode)
    assert main([str(tmp_path), "--apply", "--json"]) == 0
    assert "aos_workflow" in (tmp_path / "rules.md").read_text(encoding="utf-8")
    report = json.loads(capsys.readouterr().out)
    if sys.platform != "win32":
        assert (tmp_path / "rules.md").stat().st_mode & 0o777 == mode
    assert main(["--restore", str(tmp_path / report["backup"]), "--json"]) == 0
    assert contents(tmp_path) == {"rules.md": b"get_workflow_state(session_id)\n"}


def test_a_backup_that_is_not_there_is_refused(tmp_path, capsys):
    assert main([str(tmp_path), "--restore", "x"]) == 1
    assert "there is no backup 'x'" in capsys.readouterr().out
