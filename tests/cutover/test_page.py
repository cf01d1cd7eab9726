"""docs/cutover.md says what is so: its table, its example, its commands and its messages."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import PREFIX, Settings
from mcp_server.core import file_locks
from mcp_server.cutover import aos_workflow_bridge as bridge
from mcp_server.cutover.calls import EQUIVALENTS, SUCCESSORS, rewritten
from mcp_server.cutover.command import parser
from mcp_server.cutover.findings import OLD_TOOLS
from mcp_server.cutover.python_plan import plan_python
from mcp_server.cutover.servers import TIME_LIMIT
from mcp_server.errors import ConflictError
from mcp_server.server.tools.workflow_tools import aos_workflow
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "cutover.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)\(.*?\)` \| (.*) \|$", PAGE, re.MULTILINE))


def test_the_table_has_every_old_tool():
    assert tuple(ROWS) == OLD_TOOLS


@pytest.mark.parametrize("name", EQUIVALENTS)
def test_the_table_says_what_a_call_becomes(name):
    old = EQUIVALENTS[name]
    call = f"({', '.join(f'{parameter}=...' for parameter in old.parameters)})"
    assert ROWS[name] == f"`aos_workflow{rewritten(call, name, 0)[1]}`"
    assert f"`{name}({', '.join(old.parameters)})`" in PAGE


@pytest.mark.parametrize("name", SUCCESSORS)
def test_the_table_names_the_command_where_no_action_does_it(name):
    (command,) = re.findall(r"`(aos-workflow \w+)`", ROWS[name])
    assert command in SUCCESSORS[name]


def test_the_example_becomes_what_the_page_says():
    before, after = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    plan = plan_python({"server.py": before}, OLD_TOOLS, style="import")
    assert (dict(plan.files), plan.left) == ({"server.py": after}, ())


@pytest.mark.parametrize(
    "line", re.findall(r"^\$ (python scripts/.*?)(?: +#.*)?$", PAGE + README, re.MULTILINE)
)
def test_each_command_of_the_page_is_one(line):
    python, script, *argv = shlex.split(line)
    assert (python, (REPOSITORY / script).is_file()) == ("python", True)
    if "cutover" in script:
        assert parser().parse_args(argv).project.name == "PROJECT"


def test_each_option_is_on_the_page():
    shown = set(re.findall(r"^\| `(--[\w-]+)", PAGE, re.MULTILINE))
    known = {word for action in parser()._actions for word in action.option_strings}
    assert shown == {word for word in known if word.startswith("--")} - {"--help", "--apply"}
    assert f"default {TIME_LIMIT:g} " in PAGE


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"`aos-workflow ([\w-]+)(?: \w+)?`", PAGE)))
)
def test_each_command_line_of_the_page_exists(command):
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


async def test_an_old_name_as_an_action_is_answered_as_the_page_says(services):
    answer = await aos_workflow("start_workflow")
    assert answer["error"].startswith("Unknown action")
    assert "valid_actions" in answer


def test_a_bridge_without_its_command_says_what_the_page_says(monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_COMMAND", "no-such-command-anywhere")
    answer = bridge.Bridge().call({"action": "get_state"})
    (said,) = re.findall(r"`(aos-workflow cannot be reached)`", PAGE)
    assert answer["error"].startswith(said)
    assert "AOS_WORKFLOW_COMMAND" in answer["remediation"]


def test_the_conflict_is_worded_as_on_the_page(tmp_path):
    (said,) = re.findall(r"`ConflictError` with `(.*?)`", PAGE)
    lock = tmp_path / "lock"
    with (
        file_locks.hold(lock, "it", 0),
        pytest.raises(ConflictError, match=said),
        file_locks.hold(lock, "it", 0),
    ):
        pass


def test_the_settings_of_the_page_are_settings():
    named = set(re.findall(rf"`({PREFIX}[A-Z_]+)", PAGE)) - {"AOS_WORKFLOW_COMMAND"}
    assert named <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
