"""A network between a store and its database that does what networks do, when it is told to."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict

_COMMIT = b"COMMIT\0"


class Proxy:
    """Listens on a port of this machine and passes everything on to the database."""

    def __init__(self, address: str) -> None:
        """Stand before the database at `address`."""
        self._target = conninfo_to_dict(address)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._passing = threading.Event()
        self._passing.set()
        self._guard = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._on_commit = ""
        self._deaf = False
        self.refuses = False
        self.accepted = 0
        self.commits = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Give the proxy."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening, and close what is open."""
        self._passing.set()
        self._listener.close()
        self.cut()

    @property
    def url(self) -> str:
        """Where a store finds the database behind the proxy."""
        port = self._listener.getsockname()[1]
        return f"postgresql://{self._target['user']}@127.0.0.1:{port}/{self._target['dbname']}"

    def cut(self) -> None:
        """Close every connection, without a word."""
        with self._guard:
            pairs, self._pairs = self._pairs, []
        for one in (end for pair in pairs for end in pair):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def stall(self) -> None:
        """Keep what is sent, in both directions, until `go_on`."""
        self._passing.clear()

    def go_on(self) -> None:
        """Pass on what was kept, and what comes."""
        self._passing.set()

    def lose_the_next_answer_to_commit(self) -> None:
        """Let the next COMMIT through, and cut the connection instead of answering."""
        self._on_commit = "deafen"

    def lose_the_next_commit(self) -> None:
        """Cut the connection instead of letting the next COMMIT through."""
        self._on_commit = "cut"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                if self.refuses:
                    client.close()
                    continue
                server = self._connect()
                with self._guard:
                    self._pairs.append((client, server))
                for source, sink, is_asking in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pass_on, args=(source, sink, is_asking), daemon=True
                    ).start()

    def _connect(self) -> socket.socket:
        host, port = str(self._target["host"]), self._target.get("port", 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, int(str(port))))
        found = socket.socket(socket.AF_UNIX)
        found.connect(f"{host}/.s.PGSQL.{port}")
        return found

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_asking: bool) -> None:
        with suppress(OSError):
            while sent := source.recv(65_536):
                self._passing.wait()
                if is_asking and _COMMIT in sent:
                    self.commits += 1
                    trick, self._on_commit = self._on_commit, ""
                    if trick == "cut":
                        break
                    self._deaf = trick == "deafen"
                elif self._deaf and not is_asking:
                    self._deaf = False
                    break
                sink.sendall(sent)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
