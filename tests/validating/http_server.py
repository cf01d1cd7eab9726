"""Our own server over HTTP, in a thread of the test, behind a bearer token."""

import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import uvicorn

from mcp_server.config import Settings
from mcp_server.server.app import build_server

TOKEN = "let-me-in"  # noqa: S105 - lets in nowhere but here

MAX_ACTIVE = 5
"""Fewer than a validation begins in all."""

App = Callable[..., Awaitable[None]]


@dataclass
class Served:
    """A server, at which messages it breaks, and whether it has."""

    url: str = ""
    hangs_at: bytes = b""
    hanging: threading.Event = field(default_factory=threading.Event)
    down_at: bytes = b""
    down: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve(
    project: Path, *, hangs_at: bytes = b"", down_at: bytes = b"", stateless: bool = False
) -> Iterator[Served]:
    """Serve `project`; what holds `hangs_at` is never answered, nothing is after `down_at`."""
    served = Served(hangs_at=hangs_at, down_at=down_at)
    app = build_server(
        Settings(project=project, max_active_sessions=MAX_ACTIVE)
    ).streamable_http_app(stateless_http=stateless)
    # Listening before the thread runs: a client that is early waits in the queue.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served.url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        config = uvicorn.Config(
            _guarded(app, served), log_config=None, ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join()


def _guarded(app: App, served: Served) -> App:
    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
        elif served.down.is_set():
            await _refuse(send, 503)
        elif dict(scope["headers"]).get(b"authorization") != f"Bearer {TOKEN}".encode():
            await _refuse(send, 401)
        else:
            await app(scope, _watched(receive, served), send)

    return guarded


async def _refuse(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"not now"})


def _watched(receive: Any, served: Served) -> Any:
    async def watched() -> Any:
        message = await receive()
        body = message.get("body", b"")
        if served.down_at and served.down_at in body:
            served.down.set()
        if served.hangs_at and served.hangs_at in body:
            served.hanging.set()
            await anyio.sleep_forever()
        return message

    return watched
