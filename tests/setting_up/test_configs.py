"""The text of a client's file with an entry and without."""

import json
import tomllib

import pytest

from mcp_server.setting_up.clients import CLIENTS
from mcp_server.setting_up.configs import ConfigText, ConfigTextError, covers, is_off, snippet

ENTRY = {"command": "run", "args": ["serve"]}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_snippet_is_a_configuration_with_one_entry(name):
    client = CLIENTS[name]
    text = snippet(client, "mine", client.entry(["run", "serve"]))
    data = json.loads(text) if client.dialect else tomllib.loads(text)
    assert data == {client.key: {"mine": client.entry(["run", "serve"])}}
    assert ConfigText(client, text).entries == data[client.key]


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "{}\n"])
def test_an_empty_file_is_one_without_entries(text):
    config = ConfigText(CLIENTS["cursor"], text)
    assert config.entries == {}
    assert json.loads(config.with_entry("mine", ENTRY)) == {"mcpServers": {"mine": ENTRY}}


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("cursor", '{"mcpServers": []}'),
        ("cursor", '{"mcpServers": null}'),
        ("cursor", "[]"),
        ("cursor", '{"mcpServers": {}, "mcpServers": {}}'),
        ("codex", "mcp_servers = 1"),
        ("codex", "mcp_servers = {}"),
    ],
)
def test_what_stands_in_the_place_of_the_entries_is_not_written_over(client, text):
    config = ConfigText(CLIENTS[client], text)
    assert config.entries == {}
    with pytest.raises(ConfigTextError):
        config.with_entry("mine", ENTRY)


@pytest.mark.parametrize(
    ("client", "text", "line"),
    [
        ("claude-code", '{\n// note\n"mcpServers": {}}', 2),
        ("gemini", '{\n"mcpServers": {},\n}', 3),
        ("vscode", '{\n"servers": {\n', 3),
        ("codex", "[mcp_servers.a]\ncommand = \n", 2),
    ],
)
def test_what_the_client_cannot_read_is_refused_with_its_line(client, text, line):
    with pytest.raises(ConfigTextError) as refused:
        ConfigText(CLIENTS[client], text)
    assert refused.value.line == line


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("gemini", '{\n  // note\n  "mcpServers": {\n    "a": {}\n  }\n}\n'),
        ("vscode", '{\n\t"servers": {\n\t\t"a": {}, // note\n\t},\n}\n'),
        ("opencode", '{"mcp": {"a": {}}, /* note */}\n'),
        ("codex", "# note\n[mcp_servers.a]\nb = 1\n"),
    ],
)
def test_an_entry_put_in_and_taken_out_leaves_every_byte(client, text):
    with_entry = ConfigText(CLIENTS[client], text).with_entry("mine", ENTRY)
    config = ConfigText(CLIENTS[client], with_entry)
    assert list(config.entries) == ["a", "mine"]
    assert config.without_entry("mine") == text


@pytest.mark.parametrize(
    ("found", "covered"),
    [
        (ENTRY, True),
        (ENTRY | {"env": {"A": "1"}, "disabled": False}, True),
        (ENTRY | {"args": ["serve", "--project", "p"]}, False),
        ({"command": "run"}, False),
        (None, False),
        ("run", False),
    ],
)
def test_an_entry_counts_whatever_the_client_added_to_it(found, covered):
    assert covers(found, ENTRY) is covered


@pytest.mark.parametrize(
    ("found", "off"),
    [({"disabled": True}, True), ({"enabled": False}, True), ({}, False), (None, False),
     ({"disabled": False, "enabled": True}, False)],
)  # fmt: skip
def test_an_entry_may_be_switched_off(found, off):
    assert is_off(found) is off
