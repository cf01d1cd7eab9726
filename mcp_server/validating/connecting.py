"""Reaching the server that is validated: a command over stdio, or a URL over streamable HTTP.

A command is started in the throw-away project; the SDK's transport ends it, and everything that it
started, however the validation ends. What it prints to stderr goes into a file, from which its last
line is told when it does not come up.
"""

import asyncio
import os
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import ValidationError

import mcp_server
from mcp_server.config import PROJECT_VARIABLE
from mcp_server.errors import ConfigurationError
from mcp_server.validating.agent import GONE, UnsoundError
from mcp_server.validating.answers import shown

_PACKAGES = Path(mcp_server.__file__).resolve().parent.parent
_LAST_WORDS = 4_000
_HTTP_SECONDS = 300
"""Longer than any limit on a call: the agent has its own."""

FAILURES = (*GONE, MCPError, OSError, RuntimeError, ValidationError)
"""What connecting may raise."""


@dataclass(frozen=True, slots=True)
class Command:
    """A server that is started as a subprocess and spoken to over stdio."""

    argv: tuple[str, ...]
    described: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Command":
        """Return the command of a line as people type it; raises ConfigurationError.

        It will run in another folder: the program, and arguments that name files from here, are
        made absolute.
        """
        try:
            program, *arguments = split_command(text)
        except ValueError as error:
            raise ConfigurationError(
                f"the command {text!r} cannot be read: {error}",
                remediation='Pass one command line, such as --server "aos-workflow serve".',
            ) from error
        found = shutil.which(program)
        if found is None:
            raise ConfigurationError(
                f"there is no command {program!r}",
                remediation="Name a program on the PATH, or the path of one.",
            )
        # Not resolved: the python of a virtual environment is a link to one that is not.
        argv = [str(Path(found).absolute()), *map(_absolute_file, arguments)]
        return cls(tuple(argv), text)


@dataclass(frozen=True, slots=True)
class Url:
    """A server that is reached over streamable HTTP, perhaps with a bearer token."""

    url: str
    token: str | None = field(default=None, repr=False)

    @property
    def described(self) -> str:
        """The URL without credentials."""
        url = httpx2.URL(self.url)
        return str(url.copy_with(username=None, password=None, query=None))


Server = Command | Url


def our_server() -> Command:
    """Return the command of this package's own server.

    -P and our folder first on the path: neither the working directory nor another package of the
    same name there takes its place.
    """
    return _of_ours("mcp_server", "this package's server")


def bare_server() -> Command:
    """Return the command of a server of the SDK with one tool that does nothing."""
    return _of_ours("mcp_server.validating.bare", "a bare server")


def _of_ours(module: str, described: str) -> Command:
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(_PACKAGES), *filter(None, others)])
    return Command((sys.executable, "-P", "-m", module), described, {"PYTHONPATH": path})


@dataclass(slots=True)
class Connection:
    """A client that is connected, and the garbage that came between its messages."""

    client: Client
    garbage: list[str]


@asynccontextmanager
async def connected(
    server: Server, folder: Path, log: TextIO, *, patience: float
) -> AsyncIterator[Connection]:
    """Connect to `server`, started in `folder` if it is a command; its stderr goes to `log`.

    Raises ConfigurationError if it cannot be reached, UnsoundError if it is there and does not
    shake hands within `patience` seconds.
    """
    garbage: list[str] = []

    async def take(message: object) -> None:
        if isinstance(message, Exception):
            garbage.append(_told_by(message))

    client = Client(_transport(server, folder, log), message_handler=take)
    failure: BaseException | None = None
    async with AsyncExitStack() as stack:
        try:
            # A cancel scope of anyio would have to end before those that the client leaves open.
            async with asyncio.timeout(patience):
                await stack.enter_async_context(client)
        except* (TimeoutError, *FAILURES) as group:
            failure = first_of(group)
        if failure is not None:
            raise _refusal(server, failure, log) from failure
        yield Connection(client, garbage)


def _told_by(garbage: Exception) -> str:
    """Return the line that is no message, if the client says which it was."""
    if isinstance(garbage, ValidationError):
        return shown(garbage.errors(include_url=False)[0].get("input"))
    return shown(str(garbage))


def _transport(server: Server, folder: Path, log: TextIO) -> Any:
    if isinstance(server, Command):
        program, *arguments = server.argv
        parameters = StdioServerParameters(
            command=program,
            args=arguments,
            env={**os.environ, **server.environment, PROJECT_VARIABLE: str(folder)},
            cwd=folder,
            encoding_error_handler="replace",
        )
        return stdio_client(parameters, log)
    return _over_http(server)


@asynccontextmanager
async def _over_http(server: Url) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
    timeout = httpx2.Timeout(_HTTP_SECONDS)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout) as http,
        streamable_http_client(server.url, http_client=http) as streams,
    ):
        yield streams


def _refusal(server: Server, failure: BaseException, log: TextIO) -> Exception:
    why = shown(str(failure) or type(failure).__name__)
    if isinstance(failure, TimeoutError):
        return UnsoundError(f"no handshake within the time limit{last_words(log)}")
    if isinstance(server, Url):
        return ConfigurationError(
            f"{server.described} cannot be reached: {why}",
            remediation="Check the address, that the server runs, and the token that --token-env"
            " names.",
        )
    return UnsoundError(f"the command was started and shook no hands: {why}{last_words(log)}")


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in a group of groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def last_words(log: TextIO) -> str:
    """Return the last line that the server printed to stderr, as an addition to a message."""
    log.flush()
    log.seek(0, os.SEEK_END)
    log.seek(max(0, log.tell() - _LAST_WORDS))
    lines = [line for line in log.read().splitlines() if line.strip()]
    return f"; its last words: {shown(lines[-1])}" if lines else ""


def split_command(text: str, *, windows: bool = os.name == "nt") -> list[str]:
    """Return the words of a command line; raises ValueError if there are none.

    On Windows a backslash stands for itself, and quotes are dropped only around a whole word.
    """
    words: Sequence[str] = shlex.split(text, posix=not windows)
    if windows:
        words = [word[1:-1] if word[:1] == word[-1:] == '"' else word for word in words]
    if not words or not words[0]:
        raise ValueError("it is empty")
    return list(words)


def _absolute_file(argument: str) -> str:
    path = Path(argument)
    return str(path.absolute()) if not argument.startswith("-") and path.is_file() else argument
