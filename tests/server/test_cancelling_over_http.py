"""Over HTTP of the newest revision, closing the stream is how a client takes a call back."""

import json
import os
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from mcp_server.config import Settings
from mcp_server.server.app import build_server
from mcp_server.server.services import services_for
from tests.server.test_cancelling import await_end_of_reader, changes
from tests.server.verifying_builders import CommandProject
from tests.server.wire import CLIENT, PATIENCE, tool_call

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")

REVISION = "2026-07-28"


class Stream:
    """One request to the application, whose client can hang up."""

    def __init__(self, method: str, params: dict[str, Any]) -> None:
        about = {
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientInfo": CLIENT,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params | {"_meta": about}}
        self._body = [json.dumps(message).encode()]
        self.hung_up = anyio.Event()
        headers = {
            "host": "127.0.0.1:80",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": REVISION,
            "mcp-method": method,
            "mcp-name": params["name"],
        }
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/mcp",
            "raw_path": b"/mcp",
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": False}
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


async def test_a_closed_stream_ends_the_command_and_records_nothing(project: Path):
    command = CommandProject(project)
    command.trust()
    settings = Settings(project=project, verify_wait=PATIENCE)
    session_id = services_for(settings).engine.start("run_v1", "src/a.py")["session_id"]
    server = build_server(settings)
    app = server.streamable_http_app()
    call = tool_call("complete_phase", session_id=session_id, phase=1, evidence={})
    stream = Stream("tools/call", call)
    async with server.session_manager.run(), anyio.create_task_group() as tasks:
        tasks.start_soon(app, stream.scope, stream.receive, stream.send)
        waiting = await anyio.to_thread.run_sync(command.waiting)
        stream.hung_up.set()
        await anyio.to_thread.run_sync(await_end_of_reader, waiting)
        waiting.close()
    assert changes(project, session_id) == 1
