"""Which project the requests of a server are for, where nothing but the client can say.

A root that was named, or is marked, is settled before a client is there. Else a client of the
handshake revisions may offer roots, which newer ones have not any more; and what is left is the
working directory, if that is no home folder and not the root of the file system. A client is asked
at its first request that needs a project, never during the handshake, and only through a pipe:
over a network its folders are not this machine's. All that is deprecated stands in this module.
"""

import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.types import ListRootsRequest, ListRootsResult
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from mcp_server.config import MARKERS, Settings, is_too_wide, working_directory
from mcp_server.errors import ConfigurationError
from mcp_server.server.services import Bindable, Services, services_for

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a client has to name its roots."""

MAX_ROOTS = 32

RequestContext = ServerRequestContext[Any, Any]
Find = Callable[[RequestContext], Awaitable[Bindable]]


def settled(services: Services) -> Find:
    """Return what finds the same project for every request."""

    async def find(_ctx: RequestContext) -> Bindable:
        return services

    return find


class ClientsProject:
    """Finds the project of a client once, and keeps to it.

    While there is none, each request looks again: the user may open a folder meanwhile.
    """

    def __init__(self, settings: Settings) -> None:
        """Use `settings` with the root that is found."""
        self._settings = settings
        self._found: Services | None = None
        self._is_silent = False
        self._lock = anyio.Lock()

    async def __call__(self, ctx: RequestContext) -> Bindable:
        """Return the services of the project, or why there are none."""
        async with self._lock:
            if self._found is None:
                try:
                    root = await self._offered(ctx) or working_directory().path
                    settings = self._settings.model_copy(update={"project": root})
                    self._found = services_for(settings)
                except ConfigurationError as error:
                    return error
            return self._found

    async def _offered(self, ctx: RequestContext) -> Path | None:
        if self._is_silent or not _may_ask(ctx):
            return None
        with anyio.move_on_after(PATIENCE):
            try:
                listed = await ctx.session.send_request(ListRootsRequest(), ListRootsResult)
            except (MCPError, ValidationError) as error:
                logger.warning("the client did not name its roots: %s", type(error).__name__)
                return None
            return root_among(str(root.uri) for root in listed.roots)
        # It says that it has roots and does not name them: no further request waits for that.
        self._is_silent = True
        return None


def root_among(uris: Iterable[str]) -> Path | None:
    """Return the root to serve: a marked folder before an unmarked one, else the first.

    Folders that are not there, home folders and the root of the file system do not count.
    """
    named = (folder_of(uri, windows=os.name == "nt") for uri in islice(uris, MAX_ROOTS))
    folders = [found for folder in named if folder and (found := _usable(Path(folder)))]
    for marker in MARKERS:
        for folder in folders:
            if (folder / marker).exists():
                return folder
    return next(iter(folders), None)


def folder_of(uri: str, *, windows: bool) -> str | None:
    """Return the absolute path that a file URI names, None if it names none here."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path)
    host = "" if parts.netloc.lower() == "localhost" else unquote(parts.netloc)
    if parts.scheme != "file" or not path.startswith("/") or "\0" in path + host:
        return None
    if not windows:
        return None if host else path
    if host[1:2] == ":":
        # Two slashes where three belong: the drive stands where a host would.
        return host + path
    if host:
        return f"//{host}{path}"
    return path[1:] if path[2:3] == ":" and path[1].isalpha() else None


def _usable(folder: Path) -> Path | None:
    try:
        resolved = folder.resolve()
        return resolved if resolved.is_dir() and not is_too_wide(resolved) else None
    except (OSError, RuntimeError, ValueError):
        return None


def _may_ask(ctx: RequestContext) -> bool:
    capabilities = ctx.session.client_capabilities
    return (
        ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS
        and ctx.request is None
        and ctx.session.can_send_request
        and capabilities is not None
        and capabilities.roots is not None
    )
