"""Servers over HTTP as people start them: processes of their own, killed or ended."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.http.http_builders import PATIENCE

_MAIN = "from mcp_server.cli import main; main()"


@contextmanager
def started(project: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `serve --http` on a free port; yield the process and its endpoint."""
    command = [sys.executable, "-c", _MAIN, "serve", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "--project", str(project), *arguments],
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert process.stderr is not None
        told = process.stderr.readline()
        found = re.search(r"http://\S+", told)
        assert found, told
        yield process, found[0]
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


class RoundRobin:
    """A balancer: each connection goes to the next server, or the one after if that is gone."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._servers = [urlsplit(url) for url in urls]
        self.served = [0] * len(urls)
        self._next = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._balance)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/mcp"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake who waits in accept.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(PATIENCE)

    def _balance(self) -> None:
        pumps: list[threading.Thread] = []
        with ExitStack() as connections:
            with suppress(OSError):
                while True:
                    client = connections.enter_context(self._listening.accept()[0])
                    server = connections.enter_context(self._connected())
                    for ends in ((client, server), (server, client)):
                        pumps.append(threading.Thread(target=_pump, args=ends))
                        pumps[-1].start()
            for pump in pumps:
                pump.join(PATIENCE)

    def _connected(self) -> socket.socket:
        for _ in self._servers:
            index = self._next % len(self._servers)
            self._next += 1
            server = self._servers[index]
            with suppress(ConnectionRefusedError):
                connection = socket.create_connection((server.hostname, server.port), PATIENCE)
                self.served[index] += 1
                return connection
        raise AssertionError("no server is left")


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    # One side is done: end both, so that the other direction's thread ends too. Closing them here
    # would let a new connection take the number that the other thread reads from.
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
