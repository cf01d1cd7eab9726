"""Progress for clients that wait: while a call takes long, a sign of life every second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.mcpserver import Context

_EVERY_SECONDS = 1.0


@asynccontextmanager
async def reporting(ctx: Context[Any, Any], *, wanted: bool) -> AsyncIterator[None]:
    """Report the seconds that the call inside has taken, to a client that asked for it."""
    if not wanted:
        yield
        return
    tasks: list[asyncio.Task[None]] = []
    # A call that is over within a second pays for a timer, and for no task.
    timer = asyncio.get_running_loop().call_later(
        _EVERY_SECONDS, lambda: tasks.append(asyncio.create_task(_report(ctx)))
    )
    try:
        yield
    finally:
        timer.cancel()
        for task in tasks:
            task.cancel()


async def _report(ctx: Context[Any, Any]) -> None:
    seconds = 1
    while True:
        await ctx.report_progress(seconds, message=f"verifying for {seconds} s")
        await asyncio.sleep(_EVERY_SECONDS)
        seconds += 1
