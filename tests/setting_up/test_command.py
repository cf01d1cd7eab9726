"""`aos-workflow setup` as a person runs it."""

import json
import os
import re
from pathlib import Path

import pytest

from mcp_server.errors import ConfigurationError, InvalidArgumentError, UneditableError
from mcp_server.setting_up.clients import CLIENTS, Scope
from mcp_server.setting_up.command import Wish, make_plan, run_setup
from mcp_server.setting_up.places import Machine, config_path
from tests.setting_up.machines import COMMANDS, machine

OURS = {"command": "aos-workflow", "args": ["serve"]}
TEAM = '{\n    "mcpServers": {\n        "team": {"url": "https://example.org"}\n    }\n}\n'


@pytest.fixture
def there(tmp_path, monkeypatch) -> Machine:
    """A machine with a project on it, in which the command is run."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    return machine(tmp_path)


def run(there: Machine, *args: object, **wish: object) -> int:
    return run_setup(Wish(*args, **wish), there, there.home.parent / "backups")


def files(there: Machine) -> dict[str, bytes]:
    folder = there.home.parent
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in folder.rglob("*") if p.is_file() and p.parent.name != "bin"}  # fmt: skip


EVERY = [(name, scope) for name, client in CLIENTS.items() for scope in client.files]


@pytest.mark.parametrize(("name", "scope"), EVERY)
def test_each_client_is_set_up_in_each_scope_and_a_second_time_changes_nothing(
    there, tmp_path, name, scope, capsys
):
    assert run(there, name, scope) == 0
    path = config_path(CLIENTS[name].files[scope], there, tmp_path / "project")
    assert capsys.readouterr().out.startswith(f"Put aos-workflow into {path}\n")
    written = files(there)
    assert list(written) == [path.relative_to(tmp_path).as_posix()]
    assert run(there, name, scope) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"Already set up: {path} has the entry aos-workflow.\n")
    assert CLIENTS[name].restart in told
    assert CLIENTS[name].check in told
    assert files(there) == written


@pytest.mark.parametrize(("name", "scope"), EVERY)
def test_the_entry_can_be_taken_out_again(there, name, scope, capsys):
    run(there, name, scope)
    capsys.readouterr()
    assert run(there, name, scope, remove=True) == 0
    assert capsys.readouterr().out.startswith("Took aos-workflow out of ")
    assert run(there, name, scope, remove=True) == 0
    assert capsys.readouterr().out.startswith("Nothing to do: ")


def test_what_else_is_in_the_file_stays_and_the_file_is_kept(there, capsys):
    Path(".mcp.json").write_text(TEAM, encoding="utf-8")
    assert run(there, "claude-code") == 0
    assert Path(".mcp.json").read_text(encoding="utf-8") == TEAM.replace(
        '"}\n    }',
        '"},\n        "aos-workflow": {\n            "command": "aos-workflow",\n'
        '            "args": ["serve"]\n        }\n    }',
    )
    backup = re.search(r"kept as (.*)\n", capsys.readouterr().out)
    assert Path(backup[1]).read_text(encoding="utf-8") == TEAM
    assert run(there, "claude-code", remove=True) == 0
    assert Path(".mcp.json").read_text(encoding="utf-8") == TEAM


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_new_file_of_a_user_is_for_its_owner_alone_and_one_of_a_project_is_not(there):
    before = os.umask(0o022)
    try:
        run(there, "codex", "user")
        run(there, "codex", "project")
    finally:
        os.umask(before)
    folders = (there.home, Path())
    modes = [(folder / ".codex/config.toml").stat().st_mode & 0o777 for folder in folders]
    assert modes == [0o600, 0o644]


def test_print_shows_what_belongs_there_and_writes_nothing(there, capsys):
    assert run(there, "claude-code", only_print=True) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"mcpServers": {"aos-workflow": OURS}}
    assert told.err == f"For {Path.cwd() / '.mcp.json'}:\n"
    assert files(there) == {}


def test_another_entry_of_the_name_is_shown_without_its_secrets_and_left(there, capsys):
    other = {"command": "other", "env": {"TOKEN": "hunter2"}}
    text = json.dumps({"mcpServers": {"aos-workflow": other}})
    Path(".mcp.json").write_text(text, encoding="utf-8")
    assert run(there, "claude-code") == 2
    told = capsys.readouterr().err
    assert '"command": "other"' in told
    assert '"TOKEN": "..."' in told
    assert "hunter2" not in told
    assert Path(".mcp.json").read_text(encoding="utf-8") == text
    assert run(there, "claude-code", force=True) == 0
    assert json.loads(Path(".mcp.json").read_bytes()) == {"mcpServers": {"aos-workflow": OURS}}


def test_another_entry_of_a_client_with_toml_is_shown_as_toml(there, capsys):
    path = there.home / ".codex" / "config.toml"
    path.parent.mkdir(parents=True)
    text = (
        '[mcp_servers.aos-workflow]\ncommand = "other"\nsince = 2026-01-02\n'
        '[mcp_servers.aos-workflow.env]\nTOKEN = "hunter2"\n'
    )
    path.write_text(text, encoding="utf-8")
    assert run(there, "codex", "user") == 2
    assert capsys.readouterr().err == (
        f"aos-workflow: {path} has another entry aos-workflow already:\n"
        "[mcp_servers.aos-workflow]\n"
        'command = "other"\n'
        "since = 2026-01-02\n"
        'env = {TOKEN = "..."}\n'
        "It was left as it is. It would become:\n"
        "[mcp_servers.aos-workflow]\n"
        'command = "aos-workflow"\n'
        'args = ["serve"]\n'
        "required = true\n"
        "Add --force to replace it, or --name NAME to add one beside it.\n"
    )
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("content", "line"), [('a = [\n"b",\n', 3), ('a = 1\nb = "', 2), ("a = 1\n[mcp_ser", 2)]
)
def test_a_file_that_was_cut_off_is_refused_with_its_last_line(there, content, line):
    path = there.home / ".codex" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UneditableError) as refused:
        run(there, "codex", "user")
    assert refused.value.message.startswith(f"{path}:{line} was left as it is: ")
    assert path.read_text(encoding="utf-8") == content


def test_an_entry_can_have_another_name(there):
    text = '{"mcpServers": {"aos-workflow": {"command": "other"}}}'
    Path(".mcp.json").write_text(text, encoding="utf-8")
    assert run(there, "claude-code", name="second") == 0
    servers = json.loads(Path(".mcp.json").read_bytes())["mcpServers"]
    assert servers == {"aos-workflow": {"command": "other"}, "second": OURS}


def test_an_entry_that_is_switched_off_is_said_to_be(there, capsys):
    text = json.dumps({"mcpServers": {"aos-workflow": OURS | {"disabled": True}}})
    Path(".mcp.json").write_text(text, encoding="utf-8")
    assert run(there, "claude-code") == 0
    assert "has the entry aos-workflow. It is switched off there." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b'{\n"mcpServers": {,}\n}', 2, "a key in double quotes is missing"),
        (b'{\n\n"a": "\xff"}', 3, "it is not UTF-8"),
        (
            b'{\n"mcpServers": []}',
            2,
            "there should be an object here, to hold 'aos-workflow', and it is an array",
        ),
    ],
)
@pytest.mark.parametrize("wish", [{}, {"force": True}])
def test_what_cannot_be_read_is_left_as_it_is(there, content, line, reason, wish):
    Path(".mcp.json").write_bytes(content)
    with pytest.raises(UneditableError) as refused:
        run(there, "claude-code", **wish)
    path = Path.cwd() / ".mcp.json"
    assert refused.value.message == f"{path}:{line} was left as it is: {reason}"
    assert files(there) == {"project/.mcp.json": content}


def test_a_user_of_codex_keeps_comments_and_order(there):
    path = there.home / ".codex" / "config.toml"
    path.parent.mkdir(parents=True)
    text = '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "o"\n'
    path.write_text(text, encoding="utf-8")
    assert run(there, "codex", "user") == 0
    assert path.read_text(encoding="utf-8") == (
        f'{text}\n[mcp_servers.aos-workflow]\ncommand = "aos-workflow"\nargs = ["serve"]\n'
        "required = true\n"
    )


def test_a_client_without_a_folder_of_its_own_is_told_the_project_and_the_whole_command(there):
    plan = make_plan(Wish("claude-desktop"), there)
    command = str(there.home.parent / "bin" / COMMANDS)
    assert plan.entry == {"command": command, "args": ["serve", "--project", str(Path.cwd())]}


def test_a_project_that_is_named_is_written_into_the_file_of_a_user_only(there, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    mine = make_plan(Wish("claude-code", "user", project=other), there)
    assert mine.entry["args"] == ["serve", "--project", str(other)]
    ours = make_plan(Wish("claude-code", "project", project=other), there)
    assert (ours.path, ours.entry["args"]) == (other / ".mcp.json", ["serve"])


def test_a_whole_path_in_a_file_that_others_share_is_pointed_out(there, capsys):
    off_the_path = machine(there.home.parent, PATH="")
    assert run(off_the_path, "claude-code") == 0
    assert "which others on the project do not have" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wish", "message", "remedy"),
    [
        (Wish("curser"), "unknown client 'curser'", "Did you mean cursor? There are claude-code,"),
        (Wish("zzz"), "unknown client 'zzz'", "There are claude-code, claude-desktop,"),
        (
            Wish("cline", "project"),
            "Cline has no configuration of scope 'project'",
            "Use --scope user.",
        ),
        (
            Wish("codex", "local"),
            "Codex has no configuration of scope 'local'",
            "Use --scope project or --scope user.",
        ),
        (Wish("codex", name="a b"), "'a b' is no name of a server", "Use at most 64 letters"),
        (
            Wish("codex", only_print=True, remove=True),
            "--print and --remove do not go together",
            "Take the entry out with --remove alone;",
        ),
    ],
)
def test_wrong_usage_is_told_what_is_right(there, wish, message, remedy):
    with pytest.raises(InvalidArgumentError) as refused:
        make_plan(wish, there)
    assert refused.value.message == message
    assert refused.value.remediation.startswith(remedy)


def test_a_project_that_is_no_folder_is_wrong_usage(there):
    with pytest.raises(ConfigurationError, match="--project is not a folder"):
        make_plan(Wish("claude-code", project=Path("none")), there)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_the_file_of_a_project_is_not_written_through_a_link_out_of_it(there):
    there.home.mkdir()
    private = there.home / ".claude.json"
    private.write_text("{}", encoding="utf-8")
    Path(".mcp.json").symlink_to(private)
    with pytest.raises(UneditableError, match="a link leads out of the project"):
        run(there, "claude-code")
    assert private.read_text(encoding="utf-8") == "{}"


def test_every_scope_of_every_client_is_tried_above():
    assert (("cline", Scope.USER) in EVERY, len(EVERY)) == (True, 15)
