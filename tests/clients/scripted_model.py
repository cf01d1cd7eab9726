"""A model on this machine that always makes the same calls, and keeps what it was shown.

It speaks the interfaces in `dialects`. How far a conversation is it tells from the results in the
request, so that a request that the client sends again gets the same reply.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.clients.dialects import Event, Reply, Tool, dialect_of
from tests.clients.steps import SESSION, calls

_TOOL = "aos_workflow"


class ScriptedModel(ThreadingHTTPServer):
    """The model; `requests` are the bodies of all that it was asked, `shown` the results."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on this machine only."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, Any]] = []
        self.shown: list[str] = []

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving() -> Iterator[ScriptedModel]:
    """Serve a model as long as the block runs."""
    with ScriptedModel() as model:
        Thread(target=model.serve_forever, daemon=True).start()
        try:
            yield model
        finally:
            model.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedModel

    def do_GET(self) -> None:
        self._send("application/json", b'{"data": [], "models": []}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        dialect = dialect_of(self.path)
        if dialect is None:
            self._send("application/json", b'{"input_tokens": 1}')
            return
        shown = dialect.results(body)
        tool = _tool(dialect.tools(body))
        if tool is not None:
            self.server.shown = shown
        events = dialect.reply(_reply(tool, shown))
        self._send("text/event-stream", b"".join(map(_event, events)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _send(self, content_type: str, payload: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def _tool(offered: list[Tool]) -> Tool | None:
    return next((tool for tool in offered if tool.name.endswith(_TOOL)), None)


def _reply(tool: Tool | None, shown: list[str]) -> Reply:
    found = SESSION.search("\n".join(shown))
    script = calls(found[0] if found else "")
    if tool is None or len(shown) >= len(script):
        return Reply(len(shown))
    return Reply(len(shown), tool, script[len(shown)])


def _event(event: Event) -> bytes:
    name, data = event
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
