"""Progress for clients that wait: while a call takes long, a sign of life every second."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.mcpserver import Context

_EVERY_SECONDS = 1.0


@asynccontextmanager
async def reporting(ctx: Context[Any, Any], *, wanted: bool) -> AsyncIterator[None]:
    """Report the seconds that the call inside has taken, to a client that asked for it."""
    if not wanted:
        yield
        return
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_report, ctx)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()


async def _report(ctx: Context[Any, Any]) -> None:
    seconds = 0
    while True:
        await anyio.sleep(_EVERY_SECONDS)
        seconds += 1
        await ctx.report_progress(seconds, message=f"verifying for {seconds} s")
