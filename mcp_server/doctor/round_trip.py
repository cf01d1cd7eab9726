"""Whether the server answers: it is started as a client would start it, and called."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from typing import TextIO

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from mcp_server.config import Root
from mcp_server.doctor.findings import Finding, fine, problem
from mcp_server.doctor.subject import Subject
from mcp_server.errors import ConfigurationError

TOOL = "aos_workflow"
TIME_LIMIT = 30.0

_MEND = "Run `aos-workflow serve` in the project to see what it says."


def check_round_trip(subject: Subject) -> Iterator[Finding]:
    """Start the server on the project, list its tools and the workflows, and say how long it took.

    What keeps it from starting has been found by other checks, if there is no project or if the
    settings cannot be read.
    """
    if isinstance(subject.settings, ConfigurationError) or not isinstance(subject.root, Root):
        return
    line = [str(subject.machine.python), "-P", "-m", "mcp_server"]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            yield asyncio.run(_call(line, subject, said))
        except (MCPError, OSError, TimeoutError, ExceptionGroup) as error:
            said.seek(0)
            last = said.read().strip().rpartition("\n")[2]
            yield problem(f"the server does not answer: {last or _reason(error)}", _MEND)


async def _call(line: list[str], subject: Subject, said: TextIO) -> Finding:
    parameters = StdioServerParameters(
        command=line[0],
        args=line[1:],
        # Looking must not leave compiled files behind.
        env={**subject.machine.environment, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=subject.folder,
    )
    if isinstance(subject.root, Root):
        parameters.args += ["--project", str(subject.root.path)]
    begun = time.perf_counter()
    async with asyncio.timeout(TIME_LIMIT), Client(stdio_client(parameters, said)) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        started = time.perf_counter()
        result = await client.call_tool(TOOL, {"action": "list_workflows"})
        answered = time.perf_counter()
    answer = result.structured_content or {}
    if tools != [TOOL]:
        return problem(f"the server lists {tools} instead of {TOOL}", _MEND)
    if answer.get("status") != "success":
        return problem(f"list_workflows was refused: {answer.get('error')}", _MEND)
    return fine(
        f"started in {_milliseconds(started - begun)}, listed {answer['count']} workflows in"
        f" {_milliseconds(answered - started)}"
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _reason(error: BaseException) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return (
        f"it took longer than {TIME_LIMIT:g} s" if isinstance(error, TimeoutError) else str(error)
    )
