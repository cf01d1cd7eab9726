"""Commands that the server may run: what one is, and what `.praxis-os/commands.yaml` says. Pure.

A `Command` that exists can be started: texts that no system can pass on, time limits that make no
sense and things that only a shell would understand are refused by its constructor. Its digest
stands for all that a person agrees to; whether somebody did is `trust`'s business.
"""

import difflib
import hashlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from mcp_server.gates.yaml_source import Path, SourceError, YamlSource

COMMANDS_FILE = ".praxis-os/commands.yaml"
DEFAULT_TIMEOUT = 600.0
MAX_TIMEOUT = 86_400

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_JSON = TypeAdapter(dict[str, Any])

_ALIASES: Mapping[str, str] = {
    "argv": "argv",
    "timeout": "timeout",
    "timeout_seconds": "timeout",
    "time_limit": "timeout",
    "env": "env",
    "environment": "env",
}


class CommandError(ValueError):
    """A command that cannot be one; `part` is where, `line` counts from 1 in a file."""

    def __init__(self, reason: str, part: Path = (), line: int | None = None) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.reason = reason
        self.part = part
        self.line = line


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments, and what it is run with.

    `env` names variables to pass on (`NAME`) or to set (`NAME=value`). `source` is the file that
    people are shown, `program` the digest of the program's own content, where it has one.
    """

    name: str | None
    argv: tuple[str, ...]
    timeout: float = DEFAULT_TIMEOUT
    env: tuple[str, ...] = ()
    source: str = COMMANDS_FILE
    program: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be run; raises CommandError."""
        if self.name is not None and not _NAME.match(self.name):
            raise CommandError(
                f"{self.name[:40]!r} is no name of a command: begin with a letter, then at most 31"
                " of a-z, 0-9, _ and -"
            )
        _require_argv(self.argv)
        if not 0 < self.timeout <= MAX_TIMEOUT:
            raise CommandError(
                f"timeout is not over 0 and at most {MAX_TIMEOUT} seconds", ("timeout",)
            )
        for index, item in enumerate(self.env):
            _require_variable(item, ("env", index))

    @property
    def line(self) -> str:
        """The command as a person would type it."""
        return shlex.join(self.argv)

    @property
    def title(self) -> str:
        """The name, or for lack of one the whole line."""
        return self.name or self.line

    @property
    def settings_digest(self) -> str:
        """What stands for the command whatever its program's content is."""
        return self._digest(None)

    @property
    def digest(self) -> str:
        """What stands for all that a person agrees to."""
        return self._digest(self.program)

    def _digest(self, program: str | None) -> str:
        whole = {
            "argv": self.argv,
            "env": self.env,
            "program": program,
            "timeout": float(self.timeout),
        }
        return hashlib.sha256(_JSON.dump_json(whole)).hexdigest()


def parse_commands(text: str, source: str = COMMANDS_FILE) -> dict[str, Command]:
    """Return the commands that a `commands.yaml` defines; raises CommandError."""
    try:
        document = YamlSource(text)
    except SourceError as error:
        raise CommandError(str(error), line=error.line) from error
    try:
        return _parsed_all(document.data, source)
    except CommandError as error:
        raise CommandError(error.reason, error.part, document.line_of(error.part)) from error


def _parsed_all(data: Any, source: str) -> dict[str, Command]:
    top: Path = ()
    if isinstance(data, Mapping) and "commands" in data:
        _require_known(data, ("commands",), ())
        data, top = data["commands"], ("commands",)
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise CommandError(
            "commands is no mapping of names, such as test, to settings with an argv", top
        )
    return {name: _parsed(name, given, source, (*top, name)) for name, given in data.items()}


def _parsed(name: Any, given: Any, source: str, at: Path) -> Command:
    if not isinstance(name, str):
        raise CommandError(f"the name {name!r} is not text: write it in quotes", (str(name),))
    if not isinstance(given, Mapping):
        raise CommandError(f"{name} is not a mapping such as {{argv: [pytest, -q]}}", at)
    _require_known(given, tuple(_ALIASES), at)
    settings: dict[str, Any] = {}
    for key, value in given.items():
        if _ALIASES[key] in settings:
            raise CommandError(f"{key} says {_ALIASES[key]} a second time", (*at, key))
        settings[_ALIASES[key]] = _READ[_ALIASES[key]](key, value, (*at, key))
    if "argv" not in settings:
        raise CommandError(f"{name} has no argv, such as [pytest, -q]", at)
    try:
        return Command(name, source=source, **settings)
    except CommandError as error:
        keys = {_ALIASES[key]: key for key in given}
        inner = error.part and (keys[str(error.part[0])], *error.part[1:])
        where = f"{name}: " if inner else ""
        raise CommandError(where + error.reason, (*at, *inner)) from error


def _read_argv(key: str, value: Any, at: Path) -> tuple[str, ...]:
    if isinstance(value, str):
        raise CommandError(f"{key} is one text, and there is no shell: {_split_advice(value)}", at)
    return _read_texts(key, value, at)


def _read_texts(key: str, value: Any, at: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise CommandError(f"{key} is not a list of texts", at)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise CommandError(
                f"{str(item)[:40]!r} in {key} is not text: write it in quotes", (*at, index)
            )
    return tuple(value)


def _read_seconds(key: str, value: Any, at: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandError(f"{key} is {str(value)[:40]!r}, not a number of seconds", at)
    return value


_READ = {"argv": _read_argv, "timeout": _read_seconds, "env": _read_texts}


def _require_known(given: Mapping[Any, Any], known: tuple[str, ...], at: Path) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise CommandError(f"unknown key {str(key)[:40]!r}: {advice}", (*at, str(key)))


def _require_argv(argv: tuple[str, ...]) -> None:
    if not argv or not argv[0].strip():
        raise CommandError("argv is empty: it begins with the program", ("argv",))
    for index, item in enumerate(argv):
        _require_passable(item, ("argv", index))
    if len(argv) == 1 and len(argv[0].split()) > 1:
        raise CommandError(
            f"argv is one text, and there is no shell: {_split_advice(argv[0])}", ("argv", 0)
        )


def _require_variable(item: str, part: Path) -> None:
    _require_passable(item, part)
    if not _VARIABLE.match(item.partition("=")[0]):
        raise CommandError(f"{item[:40]!r} is neither NAME nor NAME=value", part)


def _require_passable(item: str, part: Path) -> None:
    if "\0" in item:
        raise CommandError("a NUL character cannot be passed to a program", part)
    try:
        item.encode()
    except UnicodeEncodeError as error:
        raise CommandError("a lone surrogate cannot be passed to a program", part) from error


def _split_advice(text: str) -> str:
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = text.split()
    return f"write {parts}"
