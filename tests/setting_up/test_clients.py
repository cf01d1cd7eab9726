"""What the registry of clients promises to the code that reads it."""

import pytest

from mcp_server.setting_up.clients import CLIENTS, Base, Scope

EACH = pytest.mark.parametrize("name", CLIENTS)


@EACH
def test_a_file_of_a_project_lies_in_it_and_a_file_of_a_user_does_not(name):
    for scope, config in CLIENTS[name].files.items():
        assert config.places
        assert all(
            (place.base is Base.PROJECT) is (scope is Scope.PROJECT) for place in config.places
        )


@EACH
def test_the_project_is_meant_where_the_client_has_a_file_for_it(name):
    client = CLIENTS[name]
    assert client.default_scope is (Scope.PROJECT if Scope.PROJECT in client.files else Scope.USER)


@EACH
def test_each_client_says_what_to_start_again_and_where_to_look(name):
    client = CLIENTS[name]
    assert client.restart.endswith(".")
    assert client.check.endswith(".")


LINE = ["run", "serve", "--project", "p"]


@pytest.mark.parametrize(
    ("name", "key", "entry"),
    [
        ("claude-code", "mcpServers", {"command": "run", "args": LINE[1:]}),
        ("claude-desktop", "mcpServers", {"command": "run", "args": LINE[1:]}),
        ("cursor", "mcpServers", {"command": "run", "args": LINE[1:]}),
        ("vscode", "servers", {"type": "stdio", "command": "run", "args": LINE[1:]}),
        ("codex", "mcp_servers", {"command": "run", "args": LINE[1:], "required": True}),
        ("gemini", "mcpServers", {"command": "run", "args": LINE[1:]}),
        ("cline", "mcpServers", {"command": "run", "args": LINE[1:]}),
        ("windsurf", "mcpServers", {"command": "run", "args": LINE[1:]}),
        ("opencode", "mcp", {"type": "local", "command": LINE}),
    ],
)
def test_an_entry_is_what_its_client_reads(name, key, entry):
    assert (CLIENTS[name].key, CLIENTS[name].entry(LINE)) == (key, entry)


def test_every_client_is_in_the_table_above():
    assert list(CLIENTS) == [
        *("claude-code", "claude-desktop", "cursor", "vscode", "codex", "gemini", "cline"),
        *("windsurf", "opencode"),
    ]
