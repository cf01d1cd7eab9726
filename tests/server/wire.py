"""A client made of nothing but lines: the server as a process, spoken to on either era."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from tests.revisions import HANDSHAKE

PATIENCE = 60.0
CLIENT = {"name": "wire", "version": "1"}

Message = dict[str, Any]


class Wire:
    """Speaks one revision of the protocol with a server process."""

    def __init__(
        self,
        revision: str,
        folder: Path,
        *arguments: str,
        capabilities: Message | None = None,
        **environment: str,
    ) -> None:
        """Start a server in `folder`."""
        self.revision = revision
        self.others: list[Message] = []
        self._capabilities = capabilities or {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mcp_server", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=os.environ | environment,
        )
        # A server that never answers fails the test instead of stopping it.
        self._guard = threading.Timer(PATIENCE, self.process.kill)
        self._guard.start()

    def __enter__(self) -> Self:
        """Open the connection, by a handshake where there is one."""
        if self.revision in HANDSHAKE:
            self.opened = self.ask(
                "initialize",
                {
                    "protocolVersion": self.revision,
                    "capabilities": self._capabilities,
                    "clientInfo": CLIENT,
                },
                number=0,
            )
            self.tell("notifications/initialized")
        else:
            self.opened = self.ask("server/discover", number=0)
        return self

    def __exit__(self, *_: object) -> None:
        """End the server."""
        self.close()
        self._guard.cancel()

    def close(self) -> int:
        """Close the server's input and wait for its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code

    def send(self, method: str, params: Message | None = None, *, number: int) -> None:
        """Send a request and wait for nothing."""
        params = dict(params or {})
        if self.revision not in HANDSHAKE:
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": self.revision,
                "io.modelcontextprotocol/clientInfo": CLIENT,
                "io.modelcontextprotocol/clientCapabilities": self._capabilities,
                **params.get("_meta", {}),
            }
        self.put({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def tell(self, method: str, params: Message | None = None) -> None:
        """Send a notification."""
        self.put({"jsonrpc": "2.0", "method": method, "params": params or {}})

    def ask(self, method: str, params: Message | None = None, *, number: int) -> Message:
        """Send a request and return its result, or its error."""
        self.send(method, params, number=number)
        return self.answer_to(number)

    def call(self, number: int, action: str, **arguments: Any) -> Message:
        """Call the tool and return its answer."""
        result = self.ask("tools/call", tool_call(action, **arguments), number=number)
        answer: Message = result["structuredContent"]
        return answer

    def answer_to(self, number: int) -> Message:
        """Read up to the answer to a request; what comes before it is kept in `others`."""
        while True:
            message = self.get()
            if message.get("id") == number and "method" not in message:
                found: Message = message.get("result") or message["error"]
                return found
            self.others.append(message)

    def put(self, message: Message) -> None:
        """Write one message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def get(self) -> Message:
        """Read one message."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server has ended"
        found: Message = json.loads(line)
        return found


def tool_call(action: str, **arguments: Any) -> Message:
    """The parameters of a call of the tool."""
    return {"name": "aos_workflow", "arguments": {"action": action, **arguments}}
