"""A process of its own that starts one server over stdio, and lists its tools.

Started as `python -P -m mcp_server.cutover.listing`, so that neither the project's packages reach
our imports nor ours its server's. Standard input holds the job, one line of JSON: `argv`, `cwd`,
`env`, `timeout`, and under `call` the arguments of a call of `aos_workflow` to make as well. Its
end means that nobody wants the answer any more: the server is ended, and so is this. The answer is
one line of JSON on standard output: `tools`, `called`, or the `problem`; `output` is the end of
what the server wrote to standard error.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from tempfile import TemporaryFile
from typing import Any, TextIO

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError

from mcp_server.cutover.findings import NEW_TOOL

_KEPT = 4_000
"""Characters of the server's standard error that are kept."""

_MAX_PAGES = 100
_INPUT = 0

Job = Mapping[str, Any]


async def list_tools(client: Client) -> list[dict[str, Any]]:
    """Return the definitions of all tools, page by page."""
    tools: list[dict[str, Any]] = []
    cursor = None
    for _ in range(_MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += [
            tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in page.tools
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


async def call_tool(client: Client, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Call `aos_workflow` and return its two halves."""
    result = await client.call_tool(NEW_TOOL, dict(arguments))
    texts = [part.text for part in result.content if part.type == "text"]
    return {
        "is_error": bool(result.is_error),
        "structured": result.structured_content,
        "text": "\n".join(texts)[:_KEPT],
    }


async def _ask(job: Job, log: TextIO) -> dict[str, Any]:
    # Each server that ever was answers the older handshake; old ones know no other.
    command, *arguments = job["argv"]
    server = StdioServerParameters(
        command=command,
        args=arguments,
        env=job["env"],
        cwd=job["cwd"],
        encoding_error_handler="replace",
    )
    async with Client(stdio_client(server, errlog=log), mode="legacy") as client:
        answer: dict[str, Any] = {"tools": await list_tools(client)}
        if job.get("call") and any(tool["name"] == NEW_TOOL for tool in answer["tools"]):
            answer["called"] = await call_tool(client, job["call"])
        return answer


async def _within_limits(job: Job, log: TextIO) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    problem = f"it did not answer within {job['timeout']:g} seconds"
    with anyio.move_on_after(job["timeout"]), anyio.CancelScope() as wanted:
        cancel = partial(loop.call_soon_threadsafe, wanted.cancel)
        threading.Thread(target=_watch_input, args=(cancel,), daemon=True).start()
        return await _told(job, log)
    if wanted.cancel_called:
        problem = "it was called off"
    return {"problem": problem}


async def _told(job: Job, log: TextIO) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    try:
        answer = await _ask(job, log)
    except* (MCPError, OSError, RuntimeError, ValueError) as group:
        answer = {"problem": _first(group)}
    return answer


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said or type(error).__name__


def _watch_input(cancel: Callable[[], Any]) -> None:
    with suppress(OSError):
        while os.read(_INPUT, 4_096):
            pass
    # The loop may be over by now.
    with suppress(RuntimeError):
        cancel()


def _read_job() -> Job:
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(_INPUT, 65_536)
        if not chunk:
            raise SystemExit(1)
        line += chunk
    job: Job = json.loads(line)
    return job


def main() -> None:
    """Read the job, carry it out and answer."""
    job = _read_job()
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        answer = anyio.run(_within_limits, job, log)
        log.seek(0)
        answer["output"] = log.read()[-_KEPT:]
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
