"""How much memory the server takes over a bare one, measured in the same run.

Both are started alike and weighed after they have answered calls. What cannot be weighed is said
to be not measured.
"""

import os
from pathlib import Path
from typing import TextIO

import anyio.to_thread

from mcp_server.validating.agent import UnsoundError
from mcp_server.validating.connecting import Command, Server, bare_server, connected
from mcp_server.validating.outcomes import Memory
from mcp_server.validating.processes import NotMeasuredError, children, resident, running

_CALLS = 20


class Scale:
    """Weighs the subprocesses that were started since it was made."""

    def __init__(self, before: set[int], reason: str = "") -> None:
        """Leave out the children `before`; `reason` says why nothing can be weighed, if so."""
        self._before = before
        self.reason = reason

    @classmethod
    async def balanced(cls, server: Server) -> "Scale":
        """Return a scale for a server that is about to be started."""
        if not isinstance(server, Command):
            return cls(set(), "the server is not started by this run")
        try:
            return cls(children(await anyio.to_thread.run_sync(running), os.getpid()))
        except NotMeasuredError as error:
            return cls(set(), str(error))

    async def weigh(self) -> int | None:
        """Return the bytes, or None with the reason set."""
        if self.reason:
            return None
        try:
            processes = await anyio.to_thread.run_sync(running)
        except NotMeasuredError as error:
            self.reason = str(error)
            return None
        roots = children(processes, os.getpid()) - self._before
        total = resident(processes, roots)
        if not total:
            self.reason = "the server's process is not there"
        return total or None


async def compare(
    server: int | None, reason: str, folder: Path, log: TextIO, *, patience: float, limit: int
) -> Memory:
    """Return how `server`, in bytes, compares to a bare server."""
    if server is None:
        return Memory(limit, reason=reason)
    scale = await Scale.balanced(bare_server())
    try:
        async with connected(bare_server(), folder, log, patience=patience) as connection:
            for _ in range(_CALLS):
                await connection.client.call_tool("nothing", {})
            bare = await scale.weigh()
    except UnsoundError as error:
        return Memory(limit, server, reason=f"the bare server: {error}")
    return Memory(limit, server, bare, scale.reason)
