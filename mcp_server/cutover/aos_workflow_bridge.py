"""The tool aos_workflow for a server that cannot import the package aos-workflow.

Written by the cutover to aos_workflow. It runs `aos-workflow serve` as a child and hands calls on
to it, so that this server and aos-workflow each keep their own packages. It needs the standard
library alone. The child is started by the first call, shared by all later ones, started anew if it
dies, and ended with this process. The environment variable AOS_WORKFLOW_COMMAND says how to start
it where `aos-workflow` is not on PATH; AOS_WORKFLOW_PROJECT says which project it serves.

Safe for threads and for coroutines: calls go out as they come, and answers find their caller.
"""

import asyncio
import atexit
import inspect
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTimeError
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Optional

TOOL: dict[str, Any] = json.loads(r"""{"description": "", "arguments": {}}""")
"""What clients are told of the tool, and the schema of each argument."""

FALLBACK: list[str] = json.loads(r"""[]""")
"""How aos-workflow was started where the cutover ran, for when nothing else says it."""

STARTING_SECONDS = 30.0
ANSWERING_SECONDS = 300.0
ENDING_SECONDS = 3.0

Answer = dict[str, Any]


class BridgeError(Exception):
    """The child could not be started, or did not answer."""


class Child:
    """One `aos-workflow serve`, spoken to in lines of JSON."""

    def __init__(self) -> None:
        """Start it and shake hands; raises BridgeError."""
        self.owner = os.getpid()
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[Answer]] = {}
        self._guard = threading.Lock()
        self._ended = False
        self._process = self._started()
        assert self._process.stdin is not None  # noqa: S101 - pipes were asked for
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin, self._process.stdout
        threading.Thread(target=self._read, daemon=True).start()
        client = {"name": "aos-workflow-bridge", "version": "1"}
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        try:
            self.ask("initialize", hello, STARTING_SECONDS)
            self._send({"method": "notifications/initialized"})
        except BridgeError:
            self.end()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked by this process."""
        return self.owner == os.getpid() and not self._ended and self._process.poll() is None

    def ask(self, method: str, params: dict[str, Any], seconds: float) -> Answer:
        """Return the result of a request; raises BridgeError."""
        answer: Future[Answer] = Future()
        number = next(self._ids)
        with self._guard:
            if self._ended:
                raise BridgeError("it ended")
            self._waiting[number] = answer
        try:
            self._send({"id": number, "method": method, "params": params})
            said = answer.result(seconds)
        except OutOfTimeError:
            raise BridgeError(f"it did not answer within {seconds:g} seconds") from None
        finally:
            with self._guard:
                self._waiting.pop(number, None)
        if "result" not in said:
            raise BridgeError(str(said.get("error", {}).get("message", "it refused")))
        result: Answer = said["result"]
        return result

    def end(self) -> None:
        """Let it end, by force if it does not."""
        if self.owner != os.getpid():
            return
        for stop in (self._to.close, self._process.terminate, self._process.kill):
            try:
                stop()
                self._process.wait(ENDING_SECONDS)
            except OSError:
                continue
            except subprocess.TimeoutExpired:
                continue
            break

    def _started(self) -> "subprocess.Popen[bytes]":
        # What this server is told to import from is not for the child: it has its own packages.
        dropped = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "__PYVENV_LAUNCHER__")
        environment = {key: text for key, text in os.environ.items() if key not in dropped}
        try:
            return subprocess.Popen(  # noqa: S603 - what the user of this server set; no shell
                child_command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise BridgeError(str(error)) from None

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}).encode("utf-8") + b"\n"
        try:
            with self._guard:
                view = memoryview(line)
                while view:
                    view = view[self._to.write(view) :]
        except (OSError, ValueError):
            raise BridgeError("it ended") from None

    def _read(self) -> None:
        pending = b""
        while True:
            try:
                chunk = self._from.read(65536)
            except (OSError, ValueError):
                chunk = b""
            if not chunk:
                break
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                self._take(line)
        self._from.close()
        with self._guard:
            self._ended = True
            waiting = list(self._waiting.values())
        for answer in waiting:
            if not answer.done():
                answer.set_result({"error": {"message": "it ended before it answered"}})

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line.decode("utf-8"))
        except ValueError:
            return
        number = message.get("id") if isinstance(message, dict) else None
        if number is None:
            return
        if "method" in message:
            error = {"code": -32601, "message": "the bridge answers no requests"}
            pong = {"result": {}} if message["method"] == "ping" else {"error": error}
            with suppress(BridgeError):
                self._send({"id": number, **pong})
            return
        with self._guard:
            answer = self._waiting.get(number)
        if answer is not None and not answer.done():
            answer.set_result(message)


class Bridge:
    """The one child of this process, started when it is first needed."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._child: Optional[Child] = None  # noqa: UP045 - Python 3.9 has no other word for it
        self._guard = threading.Lock()

    def call(self, arguments: dict[str, Any]) -> Answer:
        """Return the answer of aos_workflow to these arguments; never raises."""
        try:
            result = self._living_child().ask(
                "tools/call", {"name": "aos_workflow", "arguments": arguments}, ANSWERING_SECONDS
            )
        except BridgeError as error:
            return refusal(arguments, error)
        answer = result.get("structuredContent")
        if isinstance(answer, dict):
            return answer
        texts = [part.get("text", "") for part in result.get("content", [])]
        return refusal(arguments, BridgeError("\n".join(texts) or "its answer is empty"))

    def end(self) -> None:
        """End the child, if there is one."""
        child = self._child
        if child is not None:
            child.end()

    def _living_child(self) -> Child:
        with self._guard:
            if self._child is None or not self._child.is_alive:
                self.end()
                self._child = Child()
            return self._child


BRIDGE = Bridge()
atexit.register(BRIDGE.end)


def child_command() -> list[str]:
    """Return how aos-workflow is started for the project of this server."""
    named = os.environ.get("AOS_WORKFLOW_COMMAND")
    if named:
        command = shlex.split(named, posix=os.name != "nt")
    else:
        beside = str(Path(sys.executable or ".").parent)
        found = shutil.which("aos-workflow") or shutil.which("aos-workflow", path=beside)
        command = [found] if found else list(FALLBACK) or ["aos-workflow"]
    if os.environ.get("AOS_WORKFLOW_PROJECT"):
        return [*command, "serve"]
    return [*command, "serve", "--project", project_root()]


def project_root() -> str:
    """Return the project: the nearest folder with .praxis-os above where this runs, or stands."""
    here = Path.cwd()
    for start in (here, Path(__file__).resolve().parent):
        for folder in (start, *start.parents):
            if (folder / ".praxis-os").is_dir():
                return str(folder)
    return str(here)


def refusal(arguments: dict[str, Any], error: BridgeError) -> Answer:
    """Return the answer to a call that did not reach aos-workflow, or came to nothing there."""
    remedy = (
        "Send the same call again; get_state shows what a session came to. If it fails again, tell"
        " the user to install aos-workflow, or to set AOS_WORKFLOW_COMMAND for this server."
    )
    return {
        "status": "error",
        "action": str(arguments.get("action", "")),
        "error": f"aos-workflow cannot be reached: {error}",
        "error_type": "RuntimeError",
        "remediation": remedy,
    }


async def aos_workflow(**arguments: Any) -> Answer:
    """Hand a call on to aos-workflow and return its answer."""
    given = {name: value for name, value in arguments.items() if value is not None}
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, BRIDGE.call, given)


def register_aos_workflow(host: Any) -> int:
    """Register aos_workflow with a server whose `.tool(...)` decorates; return how many: 1."""
    published = signature()
    # Some hosts read the one, some the other.
    aos_workflow.__signature__ = published  # type: ignore[attr-defined]
    aos_workflow.__annotations__ = {
        **{name: one.annotation for name, one in published.parameters.items()},
        "return": published.return_annotation,
    }
    described = {"name": "aos_workflow", "description": TOOL["description"]}
    taken = inspect.signature(host.tool).parameters
    if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values()):
        described = {name: text for name, text in described.items() if name in taken}
    host.tool(**described)(aos_workflow)
    return 1


def signature() -> inspect.Signature:
    """Return the signature that hosts read the arguments from: any value, with its schema."""
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if name == "action" else None,
            annotation=annotation(schema),
        )
        for name, schema in TOOL["arguments"].items()
    ]
    return inspect.Signature(parameters, return_annotation=dict[str, Any])


def annotation(schema: dict[str, Any]) -> Any:
    """Return a type that takes any value and, where the host uses pydantic, publishes `schema`."""
    try:
        from pydantic import WithJsonSchema  # noqa: PLC0415 - not every host has it
    except ImportError:
        return Any
    return Annotated[Any, WithJsonSchema(schema)]
