"""The command line and the demo, as people run them."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mcp_server import __version__, demo
from mcp_server.cli import app

runner = CliRunner()


def test_help_names_the_commands():
    shown = runner.invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert all(command in shown.stdout for command in ("serve", "demo"))


def test_version_is_printed():
    assert runner.invoke(app, ["--version"]).stdout == f"aos-workflow {__version__}\n"


def test_serve_refuses_a_project_that_is_no_folder(tmp_path):
    refused = runner.invoke(app, ["serve", "--project", str(tmp_path / "none")])
    assert refused.exit_code == 2
    assert refused.stderr == (
        "aos-workflow: --project is not a folder: 'none'. Name an existing folder, or start the"
        " server inside the project.\n"
    )


def transcript(definitions: Path | None = None) -> tuple[int, str]:
    printed = io.StringIO()
    code = demo.run_demo(definitions, Console(file=printed, width=200, highlight=False))
    return code, printed.getvalue()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    return transcript()


def masked(line: str) -> str:
    """A line of the transcript without what differs from run to run."""
    return re.sub(r"\s+[\d.]+ kB\s+\d+ ms", "", line).rstrip()


def test_the_demo_walks_every_built_in_workflow_and_ends_well(told):
    code, text = told
    assert code == 0
    lines = [masked(line) for line in text.splitlines()]
    for name in ("production_code_v2", "spec_creation_v1", "test_generation_v3"):
        assert any(line.startswith(f"    {name}") and ": complete" in line for line in lines)
    assert "    Phase 6: Verification and Report   passed: complete" in text
    assert lines[-1] == "Everything was as expected."


def test_the_transcript_in_the_readme_is_what_the_demo_prints(told):
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```text\n(.*?)```", readme, re.DOTALL)
    printed = {masked(line) for line in told[1].splitlines()}
    shown = [masked(line) for line in block[1].splitlines()]
    assert len(shown) > 6
    assert [line for line in shown if line not in printed] == []


def test_the_demo_walks_further_definitions_too(compat):
    code, text = transcript(compat / "workflows")
    assert code == 0
    assert "6 phases, 27 tasks: complete" in text


def test_the_demo_fails_when_an_answer_is_not_as_expected(monkeypatch):
    monkeypatch.setattr(demo.Walk, "work", lambda _walk, _phase: {})
    code, text = transcript()
    assert code == 1
    assert "Not as expected: complete_phase gave" in text
