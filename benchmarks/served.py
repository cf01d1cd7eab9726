"""A server in a process of its own, driven over stdio by a client that costs next to nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.wire import Wire, line, request

BARE = [sys.executable, str(Path(__file__).with_name("bare.py"))]
OURS = [sys.executable, "-m", "mcp_server"]

NOOP = ("noop", {})
Call = tuple[str, dict[str, Any]]


def ours(action: str, **arguments: Any) -> Call:
    """A call of our tool."""
    return "aos_workflow", {"action": action, **arguments}


class Served(Wire):
    """A server that has been asked for its tools; `started` is how long that took."""

    def __init__(self, command: Sequence[str], project: Path) -> None:
        """Start `command` in a project and list its tools."""
        self._number = 0
        began = time.perf_counter()
        super().__init__(project, command=command)
        self.greet()
        self.ask(request("tools", "tools/list"))
        self.started = time.perf_counter() - began

    def timed(self, call: Call) -> tuple[float, dict[str, Any]]:
        """Call a tool; return the seconds that it took, and the result."""
        began = time.perf_counter()
        (result,) = self._calls([call])
        return time.perf_counter() - began, result

    def together(self, calls: Sequence[Call]) -> float:
        """Make all calls at once and return the seconds until all are answered."""
        began = time.perf_counter()
        self._calls(calls)
        return time.perf_counter() - began

    def _calls(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        sent = b""
        for name, arguments in calls:
            self._number += 1
            sent += line(request(self._number, "tools/call", name=name, arguments=arguments))
        self.send(sent)
        return [self.read()["result"] for _ in calls]

    def resident(self) -> int:
        """Return how many KiB of memory the process has."""
        told = subprocess.run(  # noqa: S603 - a number
            ["ps", "-o", "rss=", "-p", str(self.process.pid)],  # noqa: S607 - part of the system
            capture_output=True,
            check=True,
        )
        return int(told.stdout)

    def close(self) -> None:
        """End the process."""
        super().close()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def structured(result: dict[str, Any]) -> dict[str, Any]:
    """Return the structured half of a result that is no refusal."""
    answer: dict[str, Any] = result["structuredContent"]
    if answer["status"] != "success":
        raise RuntimeError(json.dumps(answer))
    return answer
