"""Help: every command in a panel, with examples that are right and exit codes that are said."""

import re
import shutil

import pytest
import typer
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import PROJECT_VARIABLE, load_settings
from mcp_server.server.services import services_for
from tests.builders import write_workflow
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
BOXES = set("─│╭╮╰╯")
NO_SESSION = (
    'no session was started here yet: an agent starts one by aos_workflow(action="start", ...),'
    " and `aos-workflow workflows` shows on what"
)

NAMES_OF_NOTHING = {
    "setup": "setup none",
    "doctor": "doctor --project none",
    "serve": "serve --project none",
    "demo": "demo --definitions none",
    "token new": "token new taken --token-file tokens.json",
    "token list": None,
    "token revoke": "token revoke none --token-file tokens.json",
    "trust": "trust --revoke none",
    "approve": "approve none_v1",
    "workflows": "workflows --category none",
    "show": "show none_v1",
    "sessions": "sessions --status none",
    "show-session": "show-session none_v1",
    "watch": "watch --project none",
    "stats": "stats --workflow none_v1",
    "verify": "verify none_v1",
    "prune": "prune --older-than 1d --status none",
    "import-state": "import-state none",
    "migrate-state": "migrate-state --from files --to none",
    "lint": "lint none_v1",
    "schema": "schema none",
    "new": "new code_review_v1",
    "render": "render none_v1",
    "gates test": "gates test none_v1",
}
"""A name of what is not there, or one that is taken, for each command that takes a name."""


def plain(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_on_a_terminal_help_groups_all_commands_in_panels_and_says_the_exit_codes():
    shown = runner.invoke(app, ["--help"], env=WIDE | {"FORCE_COLOR": "1"})
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


def test_elsewhere_help_is_plain_text_under_the_same_headings():
    shown = runner.invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert not set(shown.stdout) & BOXES
    assert set(re.findall(r"^([A-Z][^:\n]+):$", shown.stdout, re.MULTILINE)) == {
        "Options",
        *PANELS,
    }
    assert all(
        re.search(rf"^  {name.split()[0]} ", shown.stdout, re.MULTILINE) for name in commands()
    )
    assert "2 wrong usage" in shown.stdout
    assert "..." not in shown.stdout.replace("[ARGS]...", "")


@pytest.mark.parametrize("group", ["gates", "token"])
def test_help_of_a_group_cuts_nothing_off_either(group):
    shown = runner.invoke(app, [group, "--help"])
    assert shown.exit_code == 0
    assert not set(shown.stdout) & BOXES
    assert "..." not in shown.stdout.replace("[ARGS]...", "")


def test_wrong_usage_is_told_in_plain_lines_where_no_terminal_is():
    done = runner.invoke(app, ["sessions", "--status", "bogus"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "Usage: aos-workflow sessions [OPTIONS]\n"
        "Try 'aos-workflow sessions --help' for help.\n\n"
        "Error: Invalid value for '--status': 'bogus' is not one of 'active', 'paused', 'failed',"
        " 'completed'.\n"
    )


def test_wrong_usage_is_told_in_a_box_on_a_terminal():
    done = runner.invoke(app, ["sessions", "--status", "bogus"], env={"FORCE_COLOR": "1"})
    text = plain(done.stderr)
    assert done.exit_code == 2
    assert set(text) & BOXES
    assert "Invalid value for '--status': 'bogus' is not one of" in text


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


def test_the_names_below_are_of_all_commands():
    assert NAMES_OF_NOTHING.keys() == commands().keys()


@pytest.mark.parametrize("line", [line for line in NAMES_OF_NOTHING.values() if line])
def test_a_name_of_nothing_or_one_that_is_taken_ends_in_two_whatever_the_command(
    project, monkeypatch, line
):
    monkeypatch.chdir(project)
    runner.invoke(app, ["token", "new", "taken", "--token-file", "tokens.json"])
    before = sorted(project.rglob("*"))
    done = runner.invoke(app, line.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(("aos-workflow: ", "Usage: "))
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("line", ["show", "render", "stats --workflow", "gates test"])
def test_a_workflow_that_is_not_there_is_answered_with_the_command_that_lists_them(project, line):
    write_workflow(project / ".praxis-os" / "workflows")
    done = runner.invoke(app, [*line.split(), "none_v1"])
    assert done.stderr == (
        "aos-workflow: no workflow 'none_v1'. `aos-workflow workflows` shows what there is:"
        " small_v1, code_review_v1, production_code_v2, spec_creation_v1, spec_execution_v1,"
        " test_generation_v3.\n"
    )


def test_figures_of_a_workflow_whose_definition_is_gone_are_shown(project):
    folder = write_workflow(project / ".praxis-os" / "workflows")
    services_for(load_settings()).engine.start("small_v1", "src")
    shutil.rmtree(folder)
    done = runner.invoke(app, ["stats", "--workflow", "small_v1"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "small_v1" in done.stdout


@pytest.mark.parametrize("line", ["workflows", "serve", "doctor"])
def test_a_project_that_is_not_there_is_told_by_the_path_that_was_given(
    tmp_path, monkeypatch, line
):
    none = tmp_path / "some" / "none"
    for named, by, environment in (
        (["--project", str(none)], "--project", {}),
        ([], PROJECT_VARIABLE, {PROJECT_VARIABLE: str(none)}),
    ):
        done = runner.invoke(app, [line, *named], env=environment)
        assert f"{by} is not a folder: '{none}'" in done.output


@pytest.mark.parametrize(
    "line", ["show broken_v1", "render broken_v1", "lint broken_v1", "gates test broken_v1"]
)
def test_what_is_not_as_it_should_be_ends_in_one(project, line):
    folder = write_workflow(project / ".praxis-os" / "workflows", "broken_v1")
    (folder / "metadata.json").write_text("{", encoding="utf-8")
    assert runner.invoke(app, line.split()).exit_code == 1


@pytest.mark.parametrize(
    "line",
    ["workflows", "show code_review_v1", "sessions", "watch --once", "prune --older-than 30d",
     "trust --list", "lint", "schema gate", "render code_review_v1", "new fresh_v1"],
)  # fmt: skip
def test_what_is_done_ends_in_zero(project, line):
    done = runner.invoke(app, [*line.split()])
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sessions", NO_SESSION),
        ("sessions --status failed", "no session is failed; without --status all are listed"),
    ],
)
def test_a_list_of_no_sessions_says_so_on_a_terminal_only(project, line, told):
    shown = runner.invoke(app, line.split(), env={"FORCE_COLOR": "1"})
    assert (shown.exit_code, shown.stderr) == (0, f"aos-workflow: {told}\n")
    piped = runner.invoke(app, line.split())
    assert (piped.exit_code, piped.stdout, piped.stderr) == (0, "", "")


def test_a_command_is_added_by_its_name_with_its_paragraphs_as_lines():
    group = typer.main.get_command(app)
    assert "show-session" in group.commands
    assert "\n\n" in group.commands["watch"].help
    assert "\n" not in group.commands["watch"].help.replace("\n\n", "")
