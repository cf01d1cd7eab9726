"""Help: every command in a panel, with examples that are right and exit codes that are said."""

import re

import pytest
import typer
from typer.testing import CliRunner

from mcp_server.cli import app
from tests.cli.command_tree import commands, examples

runner = CliRunner()
PANELS = {
    "Set up",
    "Run the server",
    "Look at workflows and sessions",
    "Decide what only a person may",
    "Keep sessions",
    "Write workflows",
}
WIDE = {"COLUMNS": "200"}


def plain(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_help_groups_all_commands_in_panels_and_says_the_exit_codes():
    shown = runner.invoke(app, ["--help"], env=WIDE)
    assert shown.exit_code == 0
    text = plain(shown.stdout)
    assert set(re.findall(r"─ ([A-Z][^─]+) ─", text)) >= PANELS
    assert "─ Commands ─" not in text
    assert all(re.search(rf"│ {name.split()[0]} ", text) for name in commands())
    for code in (
        "0 done",
        "1 something is not as it should be",
        "2 wrong usage",
        "74 ",
        "130",
        "141",
    ):
        assert code in text


def test_without_a_command_help_is_shown_and_it_is_wrong_usage():
    shown = runner.invoke(app, [])
    assert shown.exit_code == 2
    assert "Usage: aos-workflow" in plain(shown.output)


@pytest.mark.parametrize("name", commands())
def test_each_command_has_a_panel_examples_and_says_how_it_may_end(name):
    command = commands()[name]
    assert command.rich_help_panel
    assert examples(command)
    assert re.search(r"\bExits with [012]\b", command.help)
    shown = runner.invoke(app, [*name.split(), "--help"], env=WIDE)
    assert shown.exit_code == 0
    for example in examples(command):
        assert f"$ aos-workflow {' '.join(example)}" in plain(shown.stdout)


@pytest.mark.parametrize("name", commands())
def test_each_example_is_a_call_of_its_command(name):
    words = name.split()
    for example in examples(commands()[name]):
        assert example[: len(words)] == words
        # Only read: an argument or option that is not known raises.
        commands()[name].make_context(name, list(example[len(words) :]))


@pytest.mark.parametrize("name", commands())
def test_each_option_that_takes_a_value_says_which(name):
    for param in commands()[name].params:
        assert param.help
        assert param.param_type_name == "argument" or param.is_flag or param.metavar


@pytest.mark.parametrize(
    "line",
    ["nonsense", "show", "show a b", "sessions --limit 0", "sessions --status done",
     "watch --interval 0", "lint --json --format github", "trust --json", "schema nothing",
     "prune --older-than soon", "workflows --category nonsense", "verify ../x",
     "gates test none_v1", "sessions --project none"],
)  # fmt: skip
def test_wrong_usage_ends_in_two_and_prints_no_result(project, line):
    done = runner.invoke(app, line.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr


@pytest.mark.parametrize(
    "line",
    ["show none_v1", "render none_v1", "show-session none_v1", "verify none_v1", "approve none_v1",
     "new code_review_v1 --folder ."],
)  # fmt: skip
def test_what_is_not_as_it_should_be_ends_in_one(project, monkeypatch, line):
    monkeypatch.chdir(project)
    done = runner.invoke(app, line.split())
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("aos-workflow: ")


@pytest.mark.parametrize(
    "line",
    ["workflows", "show code_review_v1", "sessions", "watch --once", "prune --older-than 30d",
     "trust --list", "lint", "schema gate", "render code_review_v1", "new fresh_v1"],
)  # fmt: skip
def test_what_is_done_ends_in_zero(project, line):
    done = runner.invoke(app, [*line.split()])
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_command_is_added_by_its_name_with_its_paragraphs_as_lines():
    group = typer.main.get_command(app)
    assert "show-session" in group.commands
    assert "\n\n" in group.commands["watch"].help
    assert "\n" not in group.commands["watch"].help.replace("\n\n", "")
