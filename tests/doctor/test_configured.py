"""Which clients start the server, and what keeps one from it."""

import json
from pathlib import Path

import pytest

from mcp_server.doctor.configured import check_clients
from mcp_server.setting_up.command import Wish, run_setup
from tests.doctor.subjects import notes, problems, sound, subject


@pytest.fixture
def there(project, tmp_path):
    return subject(project, tmp_path)


def servers(project: Path, **entries: object) -> Path:
    path = project / ".mcp.json"
    path.write_text(json.dumps({"mcpServers": entries}), encoding="utf-8")
    return path


@pytest.mark.parametrize("client", ["claude-code", "claude-desktop", "vscode", "codex", "opencode"])
def test_what_setup_writes_is_well(there, project, tmp_path, client, capsys):
    run_setup(Wish(client, project=project), there.machine, tmp_path / "backups")
    (told,) = sound(list(check_clients(there)))
    assert ": aos-workflow in " in told


def test_no_client_is_worth_knowing(there):
    ((what, remedy),) = notes(check_clients(there))
    assert what == "no client has an entry for this server"
    assert remedy.startswith("aos-workflow setup claude-code (or one of claude-desktop, cursor, ")


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "/opt/none/aos-workflow", "args": ["serve"]},
        {"command": "none", "args": ["-m", "mcp_server"]},
        {"command": "uvx-none", "args": ["aos-workflow", "serve"]},
    ],
)
def test_a_command_that_is_not_there_is_told_with_what_mends_it(there, project, entry):
    path = servers(project, mine=entry)
    assert problems(check_clients(there)) == [
        (
            f"Claude Code: mine in {path}: there is no command {entry['command']}",
            "aos-workflow setup claude-code --scope project --name mine --force",
        )
    ]


@pytest.mark.parametrize(
    "named",
    [
        {"args": ["serve", "--project", "/opt/none"]},
        {"args": ["serve"], "env": {"AOS_WORKFLOW_PROJECT": "/opt/none"}},
    ],
)
def test_a_project_that_is_not_there_is_told(there, project, named):
    path = servers(project, **{"aos-workflow": {"command": "aos-workflow"} | named})
    assert problems(check_clients(there)) == [
        (
            f"Claude Code: aos-workflow in {path}: there is no folder /opt/none",
            "aos-workflow setup claude-code --scope project --force --project FOLDER",
        )
    ]


@pytest.mark.parametrize("entry", [{}, {"url": "https://example.org"}, {"command": 1}])
def test_an_entry_without_a_command_is_told(there, project, entry):
    path = servers(project, **{"aos-workflow": entry})
    ((what, _),) = problems(check_clients(there))
    assert what == f"Claude Code: aos-workflow in {path} has no command"


def test_an_entry_that_is_switched_off_is_worth_knowing(there, project):
    path = servers(
        project, **{"aos-workflow": {"command": "aos-workflow", "args": [], "disabled": True}}
    )
    assert notes(check_clients(there)) == [
        (f"Claude Code: aos-workflow in {path} is switched off", "Switch it on in Claude Code.")
    ]


def test_entries_of_other_servers_do_not_matter(there, project):
    servers(project, other={"command": "/opt/none/other"}, odd=1)
    assert problems(check_clients(there)) == []


def test_a_file_with_comments_is_read_whatever_its_client_allows(there, project):
    text = '// ours\n{"mcpServers": {"aos-workflow": {"command": "aos-workflow"},},}'
    (project / ".mcp.json").write_text(text, encoding="utf-8")
    assert len(sound(list(check_clients(there)))) == 1


UNREADABLE = "{\n,}"
OURS = '{\n"aos-workflow": }'


@pytest.mark.parametrize(
    ("folder", "file", "text", "counted"),
    [
        ("project", ".mcp.json", UNREADABLE, problems),
        ("home", ".claude.json", OURS, problems),
        ("home", ".claude.json", UNREADABLE, notes),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_where_it_is_ours(
    there, project, folder, file, text, counted
):
    path = (project if folder == "project" else there.machine.home) / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    (what, remedy), *_ = counted(check_clients(there))
    assert what.startswith(f"Claude Code: {path}:2 cannot be read: ")
    assert remedy == f"Mend {path}."


def test_without_a_project_the_files_of_the_user_are_looked_at(tmp_path, capsys):
    nowhere = subject(None, tmp_path, AOS_WORKFLOW_PROJECT=str(tmp_path / "none"))
    run_setup(Wish("codex", "user"), nowhere.machine, tmp_path / "backups")
    assert len(sound(list(check_clients(nowhere)))) == 1
