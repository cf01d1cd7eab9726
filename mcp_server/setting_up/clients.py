"""The MCP clients that can be set up: one typed registry, data only. Pure.

To add a client, add it to `CLIENTS`: its files, what its entries look like, and what to tell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mcp_server.editing.json_text import RELAXED, STRICT, WITH_COMMENTS, Dialect

SERVER_NAME = "aos-workflow"
"""What an entry is called unless it is told otherwise."""

Entry = dict[str, Any]


class Scope(StrEnum):
    """Whom an entry is for: everybody on the project, or this user in every project."""

    PROJECT = "project"
    USER = "user"


class Base(StrEnum):
    """The folder that a file's place begins with; `places` finds it."""

    PROJECT = "the project"
    HOME = "the home folder"
    CONFIG = "the user's configuration folder, ~/.config everywhere"
    APP_DATA = "where the system's applications keep theirs"


class Named(StrEnum):
    """How the server that a client starts learns which project is meant."""

    BY_FOLDER = "the client starts it there"
    BY_VARIABLE = "${workspaceFolder}"
    BY_PATH = "the entry names it"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file may be; a `variable` of the environment that is set stands for the folder."""

    base: Base
    folder: str
    file: str
    variable: str | None = None

    @property
    def shown(self) -> str:
        """The place as documents write it; what differs between systems is left out."""
        path = "/".join(part for part in (self.folder, self.file) if part)
        before = {Base.PROJECT: "", Base.HOME: "~/", Base.CONFIG: "~/.config/"}
        return before.get(self.base, ".../") + path


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The file of one scope: at the first place where there is one, else at the last.

    `needs_path` says that the client does not search the PATH of the user's shell.
    """

    places: tuple[Place, ...]
    project: Named
    needs_path: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of a client; `dialect` is None for one whose files are TOML."""

    title: str
    key: str
    dialect: Dialect | None
    entry: Callable[[Sequence[str]], Entry]
    files: Mapping[Scope, ConfigFile]
    restart: str
    check: str

    @property
    def default_scope(self) -> Scope:
        """The scope that is meant when none is named."""
        return next(iter(self.files))


def _plain(line: Sequence[str]) -> Entry:
    return {"command": line[0], "args": list(line[1:])}


def _typed(line: Sequence[str]) -> Entry:
    return {"type": "stdio"} | _plain(line)


def _required(line: Sequence[str]) -> Entry:
    return _plain(line) | {"required": True}


def _local(line: Sequence[str]) -> Entry:
    return {"type": "local", "command": list(line)}


def _in_project(folder: str, *files: str, project: Named = Named.BY_FOLDER) -> ConfigFile:
    return ConfigFile(tuple(Place(Base.PROJECT, folder, file) for file in files), project)


CLIENTS: Mapping[str, Client] = {
    "claude-code": Client(
        title="Claude Code",
        key="mcpServers",
        dialect=STRICT,
        entry=_plain,
        files={
            Scope.PROJECT: _in_project("", ".mcp.json"),
            Scope.USER: ConfigFile(
                (Place(Base.HOME, "", ".claude.json", "CLAUDE_CONFIG_DIR"),), Named.BY_FOLDER
            ),
        },
        restart="Start Claude Code again in the project, and approve the server when it asks.",
        check="`claude mcp list` shows it.",
    ),
    "claude-desktop": Client(
        title="Claude Desktop",
        key="mcpServers",
        dialect=STRICT,
        entry=_plain,
        files={
            Scope.USER: ConfigFile(
                (Place(Base.APP_DATA, "Claude", "claude_desktop_config.json"),),
                Named.BY_PATH,
                needs_path=True,
            ),
        },
        restart="Quit Claude Desktop, closing its window is not enough, and open it again.",
        check="Settings > Developer lists the server as running.",
    ),
    "cursor": Client(
        title="Cursor",
        key="mcpServers",
        dialect=RELAXED,
        entry=_plain,
        files={
            Scope.PROJECT: _in_project(".cursor", "mcp.json", project=Named.BY_VARIABLE),
            # In this file ${workspaceFolder} is not the folder that is open.
            Scope.USER: ConfigFile(
                (Place(Base.HOME, ".cursor", "mcp.json"),), Named.BY_PATH, needs_path=True
            ),
        },
        restart="Open the project in Cursor again, and switch the server on in its settings.",
        check="Cursor Settings > MCP shows the server with one tool.",
    ),
    "vscode": Client(
        title="VS Code",
        key="servers",
        dialect=RELAXED,
        entry=_typed,
        files={
            Scope.PROJECT: _in_project(".vscode", "mcp.json", project=Named.BY_VARIABLE),
            Scope.USER: ConfigFile(
                (Place(Base.APP_DATA, "Code/User", "mcp.json"),),
                Named.BY_VARIABLE,
                needs_path=True,
            ),
        },
        restart="Choose Start above the entry in the file, and trust the server when asked.",
        check='The command "MCP: List Servers" shows it as running.',
    ),
    "codex": Client(
        title="Codex",
        key="mcp_servers",
        dialect=None,
        entry=_required,
        files={
            Scope.PROJECT: _in_project(".codex", "config.toml"),
            Scope.USER: ConfigFile(
                (Place(Base.HOME, ".codex", "config.toml", "CODEX_HOME"),), Named.BY_FOLDER
            ),
        },
        restart="Start Codex again; it reads the file of a project once that is trusted.",
        check="`codex mcp list` shows it.",
    ),
    "gemini": Client(
        title="Gemini CLI",
        key="mcpServers",
        dialect=WITH_COMMENTS,
        entry=_plain,
        files={
            Scope.PROJECT: _in_project(".gemini", "settings.json"),
            Scope.USER: ConfigFile(
                (Place(Base.HOME, ".gemini", "settings.json"),), Named.BY_FOLDER
            ),
        },
        restart="Start Gemini CLI again; it reads the file of a project once that is trusted.",
        check="`gemini mcp list` shows it.",
    ),
    "cline": Client(
        title="Cline",
        key="mcpServers",
        dialect=STRICT,
        entry=_plain,
        files={
            Scope.USER: ConfigFile(
                (
                    Place(
                        Base.HOME,
                        ".cline/data",
                        "settings/cline_mcp_settings.json",
                        "CLINE_DATA_DIR",
                    ),
                    Place(
                        Base.APP_DATA,
                        "Code/User/globalStorage/saoudrizwan.claude-dev",
                        "settings/cline_mcp_settings.json",
                    ),
                ),
                Named.BY_PATH,
                needs_path=True,
            ),
        },
        restart="Cline starts the server by itself; else restart it in its panel MCP Servers.",
        check="The panel MCP Servers shows it with a green dot.",
    ),
    "windsurf": Client(
        title="Windsurf",
        key="mcpServers",
        dialect=STRICT,
        entry=_plain,
        files={
            Scope.USER: ConfigFile(
                (Place(Base.HOME, ".codeium/windsurf", "mcp_config.json"),),
                Named.BY_PATH,
                needs_path=True,
            ),
        },
        restart="Refresh the list of MCP servers in Cascade, or start Windsurf again.",
        check="The MCP servers of Cascade show it with one tool.",
    ),
    "opencode": Client(
        title="opencode",
        key="mcp",
        dialect=RELAXED,
        entry=_local,
        files={
            Scope.PROJECT: _in_project("", "opencode.jsonc", "opencode.json"),
            Scope.USER: ConfigFile(
                (
                    Place(Base.CONFIG, "opencode", "opencode.jsonc"),
                    Place(Base.CONFIG, "opencode", "opencode.json"),
                ),
                Named.BY_FOLDER,
            ),
        },
        restart="Start opencode again in the project.",
        check="`opencode mcp list` shows it.",
    ),
}
"""Every client that can be set up, by the name that the command line takes."""
