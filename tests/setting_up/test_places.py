"""Where the files of clients are, on each platform."""

import sys
from pathlib import Path

import pytest

from mcp_server.errors import ConfigurationError
from mcp_server.setting_up.clients import CLIENTS, Scope
from mcp_server.setting_up.places import Machine, config_path, config_paths
from tests.setting_up.machines import machine

SUPPORT = "home/Library/Application Support"
CLINE = "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"


@pytest.mark.parametrize(
    ("client", "scope", "platform", "place"),
    [
        ("claude-code", "project", "linux", "project/.mcp.json"),
        ("claude-code", "user", "linux", "home/.claude.json"),
        ("claude-desktop", "user", "linux", "home/.config/Claude/claude_desktop_config.json"),
        ("claude-desktop", "user", "darwin", f"{SUPPORT}/Claude/claude_desktop_config.json"),
        ("claude-desktop", "user", "win32", "roaming/Claude/claude_desktop_config.json"),
        ("cursor", "project", "win32", "project/.cursor/mcp.json"),
        ("cursor", "user", "win32", "home/.cursor/mcp.json"),
        ("vscode", "project", "darwin", "project/.vscode/mcp.json"),
        ("vscode", "user", "darwin", f"{SUPPORT}/Code/User/mcp.json"),
        ("vscode", "user", "win32", "roaming/Code/User/mcp.json"),
        ("vscode", "user", "linux", "home/.config/Code/User/mcp.json"),
        ("codex", "project", "linux", "project/.codex/config.toml"),
        ("codex", "user", "win32", "home/.codex/config.toml"),
        ("gemini", "project", "linux", "project/.gemini/settings.json"),
        ("gemini", "user", "darwin", "home/.gemini/settings.json"),
        ("cline", "user", "linux", f"home/.config/{CLINE}"),
        ("cline", "user", "darwin", f"{SUPPORT}/{CLINE}"),
        ("cline", "user", "win32", f"roaming/{CLINE}"),
        ("windsurf", "user", "linux", "home/.codeium/windsurf/mcp_config.json"),
        ("opencode", "project", "linux", "project/opencode.json"),
        ("opencode", "user", "win32", "home/.config/opencode/opencode.json"),
    ],
)
def test_each_file_is_where_its_client_looks(tmp_path, client, scope, platform, place):
    there = machine(tmp_path, platform, APPDATA=str(tmp_path / "roaming"))
    config = CLIENTS[client].files[Scope(scope)]
    assert config_path(config, there, tmp_path / "project") == tmp_path / place


@pytest.mark.parametrize(
    ("client", "variable", "place"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "named/.claude.json"),
        ("codex", "CODEX_HOME", "named/config.toml"),
        ("opencode", "XDG_CONFIG_HOME", "named/opencode/opencode.json"),
        ("vscode", "XDG_CONFIG_HOME", "named/Code/User/mcp.json"),
    ],
)
def test_a_variable_of_the_client_names_another_folder(tmp_path, client, variable, place):
    there = machine(tmp_path, **{variable: str(tmp_path / "named")})
    assert config_path(CLIENTS[client].files[Scope.USER], there, None) == tmp_path / place


def test_without_its_variable_windows_has_its_usual_folder(tmp_path):
    path = config_path(CLIENTS["vscode"].files[Scope.USER], machine(tmp_path, "win32"), None)
    assert path == tmp_path / "home/AppData/Roaming/Code/User/mcp.json"


@pytest.mark.parametrize("client", ["cline", "opencode"])
def test_a_file_that_is_there_is_taken_before_one_that_is_not(tmp_path, client):
    there, config = machine(tmp_path), CLIENTS[client].files[Scope.USER]
    first, last = config_paths(config, there, None)
    assert config_path(config, there, None) == last
    first.parent.mkdir(parents=True)
    first.write_text("{}", encoding="utf-8")
    assert config_path(config, there, None) == first


def test_this_machine_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    here = Machine.here()
    assert (here.home, here.platform) == (tmp_path, sys.platform)
    assert here.python == Path(sys.executable)


def test_a_user_without_a_home_is_told(monkeypatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(ConfigurationError, match="this user has no home folder"):
        Machine.here()
