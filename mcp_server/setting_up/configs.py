"""The text of a client's configuration file: the entry in it, with one, without it. Pure."""

from typing import Any

from mcp_server.editing.json_text import JsonText, JsonTextError
from mcp_server.editing.toml_text import TomlText, TomlTextError
from mcp_server.setting_up.clients import Client, Entry

_EMPTY_JSON = "{}\n"


class ConfigTextError(ValueError):
    """A text that cannot be read or changed; `line` counts from 1, where it is known."""

    def __init__(self, reason: str, line: int | None) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.reason = reason
        self.line = line


class ConfigText:
    """The configuration of a client, as it is written."""

    def __init__(self, client: Client, text: str) -> None:
        """Read `text`, which may be empty; raises ConfigTextError."""
        self._key = client.key
        try:
            self._document: JsonText | TomlText = (
                TomlText(text)
                if client.dialect is None
                else JsonText(text if text.strip("\ufeff \t\r\n") else _EMPTY_JSON, client.dialect)
            )
        except (JsonTextError, TomlTextError) as error:
            raise ConfigTextError(error.reason, error.line) from error

    @property
    def entries(self) -> dict[str, Any]:
        """The entries of all servers; none where something else stands in their place."""
        data = self._document.data
        found = data.get(self._key) if isinstance(data, dict) else None
        return found if isinstance(found, dict) else {}

    def with_entry(self, name: str, entry: Entry) -> str:
        """Return the text with an entry; raises ConfigTextError."""
        path = (self._key, name)
        try:
            if isinstance(self._document, TomlText):
                return self._document.with_table(path, entry)
            return self._document.with_value(path, entry)
        except (JsonTextError, TomlTextError) as error:
            raise ConfigTextError(error.reason, error.line) from error

    def without_entry(self, name: str) -> str:
        """Return the text without an entry that is there; raises ConfigTextError."""
        path = (self._key, name)
        try:
            if isinstance(self._document, TomlText):
                return self._document.without_table(path)
            return self._document.without(path)
        except (JsonTextError, TomlTextError) as error:
            raise ConfigTextError(error.reason, error.line) from error


def covers(found: Any, entry: Entry) -> bool:
    """Tell whether an entry does what `entry` would; what a client adds to it does not matter."""
    return isinstance(found, dict) and all(
        key in found and found[key] == value for key, value in entry.items()
    )


def is_off(found: Any) -> bool:
    """Tell whether a client was told not to start the server of an entry."""
    return isinstance(found, dict) and (
        found.get("disabled") is True or found.get("enabled") is False
    )


def snippet(client: Client, name: str, entry: Entry) -> str:
    """Return a whole configuration that holds nothing but an entry."""
    return ConfigText(client, "").with_entry(name, entry)
