"""Starting a project's server, as its clients would, to see which tools it lists.

The server runs with the project as its working directory and writes no bytecode there; the client
that asks it is a process of its own (`listing`), which ends it whatever happens.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp_server
from mcp_server.cutover.findings import NEW_TOOL

TIME_LIMIT = 60.0
"""Seconds that a server may take to start and answer, unless it is told otherwise."""

_GRACE = 15.0
"""Seconds beyond the limit in which a hanging server is ended."""

_OURS = str(Path(mcp_server.__file__).resolve().parent.parent)

_leaving: "list[subprocess.Popen[bytes]]" = []

Tool = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How a server is started."""

    argv: tuple[str, ...]
    name: str = ""
    """What clients call it, where that is known."""
    source: str = "--server"
    """Which file says so."""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "."
    """Relative to the project, or absolute."""

    @property
    def shown(self) -> str:
        """The command as people write it."""
        return " ".join(self.argv)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server answered: its tools, or a problem."""

    tools: tuple[Tool, ...] = ()
    problem: str = ""
    called: Mapping[str, Any] | None = None

    @property
    def names(self) -> list[str]:
        """The names of the tools, as listed."""
        return [tool["name"] for tool in self.tools]

    @property
    def size(self) -> int:
        """Bytes of JSON that the list of tools takes."""
        return sum(size_of(tool) for tool in self.tools)


def size_of(tool: Tool) -> int:
    """Return how many bytes of JSON the definition of a tool takes."""
    return len(json.dumps(tool, ensure_ascii=False, separators=(",", ":")).encode())


def environment_of(command: ServerCommand) -> dict[str, str]:
    """Return the environment that the server gets."""
    return {**os.environ, **command.env, "PYTHONDONTWRITEBYTECODE": "1"}


def list_tools(
    root: Path, command: ServerCommand, timeout: float = TIME_LIMIT, *, call: bool = False
) -> Listing:
    """Start the server of the project `root` and return what it lists.

    With `call`, `aos_workflow` is called once as well where it is listed.
    """
    job = {
        "argv": command.argv,
        "cwd": str(root / command.cwd),
        "env": environment_of(command),
        "timeout": timeout,
        "call": {"action": "list_workflows", "limit": 1} if call else None,
    }
    answer = _asked(job, timeout + _GRACE)
    problem = answer.get("problem", "")
    if problem and (said := _last_lines(answer.get("output", ""))):
        problem = f"{problem}; it wrote: {said}"
    return Listing(tuple(answer.get("tools", ())), problem, answer.get("called"))


def _asked(job: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    # Without -P a module of the folder that this runs in could take the place of one of ours.
    child = subprocess.Popen(  # pylint: disable=consider-using-with
        [sys.executable, "-P", "-m", "mcp_server.cutover.listing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": _OURS},
        cwd=_OURS,
        start_new_session=True,
    )
    _leaving.append(child)
    answer = _answer_of(child, job, timeout)
    wait_for_servers()
    return answer


def _answer_of(
    child: "subprocess.Popen[bytes]", job: Mapping[str, Any], timeout: float
) -> dict[str, Any]:
    assert child.stdin is not None  # noqa: S101 - a pipe was asked for
    child.stdin.write(json.dumps(job).encode() + b"\n")
    child.stdin.flush()
    # The pipe stays open while the answer is awaited, and is closed however that ends: its end
    # tells the child, which has limits of its own, to end its server.
    kept, child.stdin = child.stdin, None
    try:
        said, output = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"problem": f"it did not answer within {timeout:g} seconds"}
    finally:
        with suppress(OSError):
            kept.close()
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError:
        return {"problem": "it could not be asked", "output": output.decode("utf-8", "replace")}
    return answer


def wait_for_servers() -> None:
    """Wait until every server that was started has ended, also after an interruption."""
    while _leaving:
        child = _leaving[-1]
        with suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=_GRACE)
        child.kill()
        child.communicate()
        _leaving.pop()


def _last_lines(text: str, count: int = 3) -> str:
    lines: Sequence[str] = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-count:])[:600]


def problems_after(before: Listing, after: Listing, old: Sequence[str]) -> list[str]:
    """Return what is wrong with the tools after the cutover; empty if all is well."""
    if after.problem:
        return [f"the server does not start any more: {after.problem}"]
    problems = []
    names = after.names
    if names.count(NEW_TOOL) != 1:
        problems.append(f"{NEW_TOOL} is listed {names.count(NEW_TOOL)} times")
    if still := sorted({name for name in names if name in old}):
        problems.append(f"still listed: {', '.join(still)}")
    kept = {tool["name"]: tool for tool in after.tools}
    for tool in before.tools:
        name = tool["name"]
        if name in old or name == NEW_TOOL:
            continue
        if name not in kept:
            problems.append(f"{name} is gone")
        elif _schemas(kept[name]) != _schemas(tool):
            problems.append(f"{name} has another schema than before")
    if unexpected := sorted(set(kept) - {tool["name"] for tool in before.tools} - {NEW_TOOL}):
        problems.append(f"new and not expected: {', '.join(unexpected)}")
    return problems + _problems_of_call(after.called)


def _schemas(tool: Tool) -> tuple[Any, Any]:
    return tool.get("inputSchema"), tool.get("outputSchema")


def _problems_of_call(called: Mapping[str, Any] | None) -> list[str]:
    if called is None:
        return []
    structured = called.get("structured") or {}
    answer = structured.get("result", structured)
    status = answer.get("status") if isinstance(answer, Mapping) else None
    if (
        not called.get("is_error")
        and status != "error"
        and '"status": "error"' not in called.get("text", "")
    ):
        return []
    said = answer.get("error") if isinstance(answer, Mapping) else None
    return [f'{NEW_TOOL}(action="list_workflows") fails: {said or called.get("text", "")[:300]}']
