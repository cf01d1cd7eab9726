"""A client that speaks lines: what no proper client would send, it sends."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

GUARD = 30.0
"""Seconds after which a test gives a process up."""

SERVER = (sys.executable, "-m", "mcp_server")

Message = dict[str, Any]


def request(number: int | str, method: str, **params: Any) -> Message:
    """A request."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(number: int | str, action: str, **arguments: Any) -> Message:
    """A call of the tool."""
    arguments = {"action": action, **arguments}
    return request(number, "tools/call", name="aos_workflow", arguments=arguments)


def line(message: Message) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"


class Wire:
    """A server in a process of its own, and its two pipes."""

    def __init__(
        self, project: Path, *, command: Sequence[str] = SERVER, **environment: str
    ) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=project,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        assert self.greet()["serverInfo"]["name"] == "aos-workflow"
        return self

    def greet(self) -> Message:
        """Shake hands, and return what the server says of itself."""
        greeting = request(
            0,
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "wire", "version": "1"},
        )
        told: Message = self.ask(greeting)["result"]
        self.send(line({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        return told

    def __exit__(self, *_raised: object) -> None:
        self.process.kill()
        self.process.wait(GUARD)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()

    def send(self, sent: bytes) -> None:
        """Send bytes, whatever they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(sent)
        self.process.stdin.flush()

    def read(self) -> Message:
        """The next message."""
        assert self.process.stdout is not None
        told: Message = json.loads(self.process.stdout.readline())
        return told

    def ask(self, message: Message) -> Message:
        """Send a request and return what it is answered, which must be the next message."""
        self.send(line(message))
        told = self.read()
        assert told["id"] == message["id"]
        return told

    def answer(self, action: str, **arguments: Any) -> Message:
        """Call the tool and return its answer."""
        answer: Message = self.ask(call("call", action, **arguments))["result"]["structuredContent"]
        return answer

    def close(self) -> None:
        """Close the server's input, as a client does that leaves."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def exit_code(self) -> int:
        """Wait until the server is gone."""
        return self.process.wait(GUARD)


def read_all(wire: Wire, number: int) -> Iterable[Message]:
    """The next messages."""
    return [wire.read() for _ in range(number)]
