"""Serving over HTTP until a signal: what is wrong is told before, and running calls are finished.

SIGTERM or Ctrl-C closes the listening socket, ends idle connections and streams of news, and gives
running calls the time to end; a second one ends the process at once. A call that is cut off leaves
what is stored as it was before or after it.
"""

import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp

from mcp_server.config import load_settings
from mcp_server.errors import ConfigurationError
from mcp_server.http.app import Authentication, authentication_of, build_app
from mcp_server.http.connections import limited
from mcp_server.http.credentials import NOBODY
from mcp_server.http.health import Readiness
from mcp_server.http.options import (
    ENDPOINT,
    Address,
    HttpOptions,
    load_options,
    require_safe,
)
from mcp_server.server.services import acting

_BACKLOG = 512


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which tells the readiness that it ends, and ends with exit code 0."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        """Serve as `config` says."""
        super().__init__(config)
        self._readiness = readiness

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to drain; end when it is asked for again."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        # uvicorn would raise the signal anew at the end: a drained server has ended well.
        self._readiness.draining = True
        self.should_exit = True


def serve_http(
    text: str | None, project: Path | None, state: str | None, flags: Mapping[str, Any]
) -> int:
    """Serve `project` at the address that `text` names and return the exit code.

    `state` names the database of the sessions. Raises ConfigurationError for what keeps it from
    serving.
    """
    address = Address.parse(text) if text else Address()
    options = load_options(flags)
    settings = load_settings(project=project, state=state)
    authentication = authentication_of(options)
    require_safe(address, options, authenticated=authentication is not None)
    with listening(address) as sock:
        # Port 0 takes any that is free.
        bound = Address(address.host, sock.getsockname()[1])
        app, readiness = build_app(settings, options, bound, authentication)
        server = DrainingServer(uvicorn_config(app, options), readiness)
        # Answers are streams too, and are not to break off when the server is about to end.
        AppStatus.enable_automatic_graceful_drain = False
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        sys.stderr.write(_told(bound, settings.project.name, authentication))
        sys.stderr.flush()
        # What runs outside of a request is nobody's, where callers are asked who they are.
        with acting(NOBODY) if authentication else nullcontext():
            server.run(sockets=[sock])
    return 0


def listening(address: Address) -> socket.socket:
    """Return a socket that listens at `address`; raises ConfigurationError."""
    try:
        found = socket.getaddrinfo(
            address.host,
            address.port,
            type=socket.SOCK_STREAM,
            # Only a socket that is TCP by name sends small answers without waiting for more.
            proto=socket.IPPROTO_TCP,
            flags=socket.AI_PASSIVE,
        )
        family, kind, protocol, _, where = found[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise _not_listening(address, error) from error
    try:
        if os.name != "nt":
            # On Windows this would let another process take the port as well.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise _not_listening(address, error) from error
    return sock


def _not_listening(address: Address, error: Exception) -> ConfigurationError:
    reason = getattr(error, "strerror", None) or str(error)
    return ConfigurationError(
        f"{address.shown} cannot be listened on: {reason}",
        remediation="Choose another address or port: serve --http HOST:PORT.",
    )


def uvicorn_config(app: ASGIApp, options: HttpOptions) -> uvicorn.Config:
    """Return how uvicorn serves `app`: with our limits, and saying nothing of itself."""
    return uvicorn.Config(
        app,
        http=limited(read_timeout=options.read_timeout, write_timeout=options.write_timeout),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Addresses that a proxy adds are believed nowhere, so they need not be read.
        proxy_headers=False,
        limit_concurrency=options.max_connections,
        timeout_keep_alive=options.idle_timeout,
        timeout_graceful_shutdown=options.drain_timeout,
    )


def _told(address: Address, project: str, authentication: Authentication | None) -> str:
    who = "callers with a token" if authentication else "every program on this machine"
    url = f"http://{address.shown}{ENDPOINT}"
    return f"aos-workflow: serving {project} at {url} to {who}; health at /healthz and /readyz\n"
