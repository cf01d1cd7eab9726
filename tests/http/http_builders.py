"""Servers over HTTP in threads of the test, and calls on them as they are on the wire."""

import json
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from mcp.client.streamable_http import streamable_http_client
from starlette.types import ASGIApp

from mcp_server.config import Settings
from mcp_server.http.app import authentication_of, build_app
from mcp_server.http.options import ENDPOINT, Address, load_options
from mcp_server.http.serving import listening, uvicorn_config
from mcp_server.http.tokens import TokenFile

HANDSHAKE = "2025-06-18"
STATELESS = "2026-07-28"
PATIENCE = 60.0
"""Seconds after which a test that waits has failed."""

_CERTIFICATES = ssl.create_default_context()


def tokens_for(folder: Path, *names: str, admin: str = "") -> tuple[Path, dict[str, str]]:
    """Make a token file with a token for each of `names`; return it and the secrets."""
    path = folder / "tokens.json"
    file = TokenFile(path)
    return path, {name: file.new(name, admin=name == admin) for name in names}


@contextmanager
def serving(app: ASGIApp, sock: Any, options: Any) -> Iterator[uvicorn.Server]:
    """Serve `app` on a socket that listens already."""
    server = uvicorn.Server(uvicorn_config(app, options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def served(
    project: Path, *, settings: Mapping[str, Any] | None = None, **flags: Any
) -> Iterator[str]:
    """Serve a project with the options of `flags`; yield its endpoint."""
    options = load_options(flags, {})
    with listening(Address(port=0)) as sock:
        address = Address(port=sock.getsockname()[1])
        app, _ = build_app(
            Settings(project=project, **(settings or {})),
            options,
            address,
            authentication_of(options),
        )
        with serving(app, sock, options):
            yield f"http://{address.shown}{ENDPOINT}"


def headers_for(token: str | None = None, revision: str = HANDSHAKE) -> dict[str, str]:
    """The headers of a valid request."""
    headers = {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": revision,
    }
    return headers | ({"Authorization": f"Bearer {token}"} if token is not None else {})


def message(method: str = "tools/call", **arguments: Any) -> dict[str, Any]:
    """A request as it is on the wire; by default a call of the tool."""
    params = (
        {"name": "aos_workflow", "arguments": arguments} if method == "tools/call" else arguments
    )
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def post(url: str, token: str | None = None, **arguments: Any) -> httpx2.Response:
    """Post a call of the tool."""
    with client() as asking:
        return asking.post(url, headers=headers_for(token), json=message(**arguments))


def client() -> httpx2.Client:
    """An HTTP client; reading the certificates of the machine once is enough."""
    return httpx2.Client(verify=_CERTIFICATES, timeout=PATIENCE)


def call(url: str, token: str | None = None, **arguments: Any) -> dict[str, Any]:
    """Call the tool and return its answer."""
    response = post(url, token, **arguments)
    assert response.status_code == 200, response.text
    return answer_of(response.text)


def answer_of(text: str) -> dict[str, Any]:
    """The answer of the tool in a response, which is a stream of events or plain JSON."""
    data = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
    return dict(json.loads(data[-1] if data else text)["result"]["structuredContent"])


@asynccontextmanager
async def transport(url: str, token: str | None = None) -> AsyncIterator[Any]:
    """The SDK's own transport to a server, with a bearer token and a connection a request."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with (
        httpx2.AsyncClient(
            headers=headers, timeout=PATIENCE, verify=_CERTIFICATES, limits=limits
        ) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams
