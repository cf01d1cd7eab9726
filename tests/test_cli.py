"""The command line and the demo, as people run them."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mcp_server import __version__, demo
from mcp_server.cli import app
from tests.builders import write_workflow

runner = CliRunner()

STRICT = {
    "evidence_schema": {"count": {"type": "integer", "minimum": 100, "description": "How many"}}
}


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
        f"aos-workflow: --project is not a folder: '{tmp_path / 'none'}'. Name an existing folder,"
        " or start the server inside the project.\n"
    )


def transcript(definitions: Path | None = None) -> tuple[int, str]:
    printed = io.StringIO()
    code = demo.run_demo(definitions, Console(file=printed, width=200, highlight=False))
    return code, printed.getvalue()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    return transcript()


def masked(line: str) -> str:
    """A line of the transcript without what differs from run to run: times."""
    return re.sub(r"\s+\d+ ms", "", line).rstrip()


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


NAME_ONE = "Name a folder that holds a folder for each workflow, with its metadata.json."


@pytest.mark.parametrize(
    ("folder", "told"),
    [("none", "cannot be read: No such file or directory"), (".", "holds no workflow")],
)
def test_the_demo_refuses_a_folder_without_definitions_in_one_line(tmp_path, folder, told):
    place = tmp_path / folder
    refused = runner.invoke(app, ["demo", "--definitions", str(place)])
    line = f"aos-workflow: --definitions {place} {told}. {NAME_ONE}\n"
    assert (refused.exit_code, refused.stdout, refused.stderr) == (2, "", line)


def test_the_demo_says_before_it_walks_which_definitions_need_an_example(tmp_path):
    looking = {"evidence_schema": {"noted": {"type": "boolean", "description": "There is a note",
                                             "verify": {"file": "notes/ready.md"}}}}  # fmt: skip
    write_workflow(tmp_path, "plain_v1")
    write_workflow(tmp_path, "looking_v1", gate=looking)
    write_workflow(tmp_path, "shown_v1", phases=1, gate=looking)
    example = tmp_path / "shown_v1" / "example"
    (example / "phase-1" / "notes").mkdir(parents=True)
    (example / "phase-1" / "notes" / "ready.md").write_text("Ready.\n", encoding="utf-8")
    (example / "example.json").write_text('{"target_file": "src"}', encoding="utf-8")
    refused = runner.invoke(app, ["demo", "--definitions", str(tmp_path)])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == (
        "aos-workflow: these workflows have gates that look for themselves, and no example of the"
        " work that they look for: looking_v1 (phase 1). Give each a folder example/ with"
        " example.json (the target_file), before/ (the project's files before the work) and"
        ' phase-1/, phase-2/ and so on (the files that each phase writes): "An example to walk" in'
        " docs/workflows.md tells it.\n"
    )


def test_the_demo_counts_the_errors_to_read(told):
    read = [line.split("attempt ")[1].split("  ")[0] for line in told[1].splitlines()
            if " retry_phase " in line]  # fmt: skip
    assert read == ["2, 1 error to read", "4, 2 errors to read"]


def test_the_demo_walks_what_an_example_shows_and_tells_a_refusal_in_words(tmp_path):
    write_workflow(tmp_path, "strict_v1", phases=1, gate=STRICT)
    code, text = transcript(tmp_path)
    assert code == 1
    assert text.splitlines()[-1] == (
        "Not as expected: strict_v1, which has no example/ with claims that hold: complete_phase:"
        " refused: count: expected minimum 100, got 1; submit: How many"
    )


def test_the_demo_fails_when_an_answer_is_not_as_expected(monkeypatch):
    monkeypatch.setattr(demo.Walk, "work", lambda _walk, _phase: {})
    code, text = transcript()
    assert code == 1
    assert text.splitlines()[-1].startswith("Not as expected: complete_phase: refused: ")
