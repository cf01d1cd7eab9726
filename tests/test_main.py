"""`python -m mcp_server` before it serves."""

import sys

import pytest

from mcp_server import __main__ as entry


def test_the_project_is_taken_from_the_command_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["mcp_server", "--project", str(tmp_path / "none")])
    assert entry.main() == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"aos-workflow: --project is not a folder: '{tmp_path / 'none'}'.")


def test_an_unknown_flag_is_a_usage_error(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mcp_server", "--http"])
    with pytest.raises(SystemExit) as stopped:
        entry.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().out == ""


def test_a_bad_setting_is_told_before_serving_even_where_no_project_is(
    monkeypatch, capsys, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mcp_server"])
    monkeypatch.setenv("AOS_WORKFLOW_MAX_DEPTH", "deep")
    assert entry.main() == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("aos-workflow: AOS_WORKFLOW_MAX_DEPTH is not usable: ")
