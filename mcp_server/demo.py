"""The demo: a scripted agent drives the real server over stdio, and every answer is checked.

It makes a throw-away project, starts `python -m mcp_server` there as a subprocess, and calls the
tool with the SDK's client. First the whole story on one workflow: a refusal, the retry, a pause, a
rollback; then every other workflow straight to its end. What the agent submits are the examples
that stand in the gates.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mcp import Client, MCPError, StdioServerParameters
from rich.console import Console
from rich.text import Text

from mcp_server.server.services import library_for

STORY = "code_review_v1"
TARGET = "src/orders.py"

_GIST = 50

_SOURCE = '''"""Orders of a small shop."""


def total(prices: list[float], discount: float = 0.0) -> float:
    """Return what an order costs."""
    return sum(prices) * (1 - discount)
'''

_PLAIN: Mapping[str, Any] = {
    "boolean": True,
    "integer": 1,
    "number": 1,
    "string": "text",
    "list": ["item"],
    "dict": {"key": "value"},
    "object": {"key": "value"},
    "any": "text",
}

Answer = dict[str, Any]


class UnexpectedAnswerError(Exception):
    """The server did not answer as it should."""


@dataclass(slots=True)
class Costs:
    """What the calls so far have cost."""

    calls: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Agent:
    """Calls the tool, checks the status of each answer and prints a line for it."""

    def __init__(self, client: Client, console: Console, *, quiet: bool = False) -> None:
        """Call through `client`, print to `console` unless `quiet`."""
        self._client = client
        self._console = console
        self.quiet = quiet
        self.costs = Costs()

    def summarise(self, what: str, gist: str, since: Costs) -> None:
        """Print one line for all calls since `since`."""
        costs = self.costs
        line = Text(f"    {what:<34}", style="bold")
        line.append(f" {_clip(gist)}", style="green")
        line.append(_cost(costs.bytes - since.bytes, costs.seconds - since.seconds), style="dim")
        line.append(f" {costs.calls - since.calls:>3} calls", style="dim")
        self._console.print(line, soft_wrap=True)

    async def call(self, action: str, *, refused: str | None = None, **arguments: Any) -> Answer:
        """Return the answer; `refused` is the error type that it must have, if any."""
        started = time.perf_counter()
        result = await self._client.call_tool("aos_workflow", {"action": action, **arguments})
        seconds = time.perf_counter() - started
        answer: Answer = result.structured_content
        size = sum(len(getattr(part, "text", "").encode("utf-8")) for part in result.content)
        self.costs.calls += 1
        self.costs.bytes += size
        self.costs.seconds += seconds
        if not self.quiet:
            self._print(action, arguments, answer, size, seconds)
        expect(answer.get("error_type") == refused, f"{action} gave {answer}")
        return answer

    def _print(
        self,
        action: str,
        arguments: Mapping[str, Any],
        answer: Answer,
        size: int,
        seconds: float,
    ) -> None:
        refused = answer["status"] == "error"
        line = Text(f"{self.costs.calls:>3} ", style="dim")
        line.append(f"{_shown_call(action, arguments):<34}", style="bold")
        line.append(f" {_clip(_gist(action, answer))}", style="red" if refused else "green")
        line.append(_cost(size, seconds), style="dim")
        self._console.print(line, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a remark."""
        if not self.quiet:
            self._console.print(f"\n[bold]{text}[/bold]")


def expect(condition: bool, otherwise: str) -> None:
    """Raise UnexpectedAnswerError unless `condition` holds."""
    if not condition:
        raise UnexpectedAnswerError(otherwise)


def evidence_for(phase_content: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence for a phase: what `examples` hold, else the plainest value of the type."""
    fields = phase_content["checkpoint"]["evidence"]
    found = {name: examples.get(name, _PLAIN[field["type"]]) for name, field in fields.items()}
    return found or {"summary": "done"}


def run_demo(definitions: Path | None = None, console: Console | None = None) -> int:
    """Run the demo and return the exit code: 0 if everything was as expected."""
    console = console or Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="aos-workflow-demo-") as folder:
        project = Path(folder)
        _prepare(project, definitions)
        problem = ""
        try:
            asyncio.run(_demo(project, console))
        # The client runs in task groups, which wrap what is raised inside them.
        except* (UnexpectedAnswerError, MCPError) as group:
            problem = str(_first(group))
    if problem:
        console.print(f"\nNot as expected: {problem}", style="bold red", markup=False)
        return 1
    console.print("\nEverything was as expected.", style="bold green")
    return 0


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _prepare(project: Path, definitions: Path | None) -> None:
    (project / "src").mkdir()
    (project / TARGET).write_text(_SOURCE, encoding="utf-8")
    if definitions is not None:
        shutil.copytree(definitions, project / ".praxis-os" / "workflows")


async def _demo(project: Path, console: Console) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_server", "--project", str(project)],
        env=dict(os.environ),
        cwd=project,
    )
    async with Client(server, read_timeout_seconds=60) as client:
        tools = (await client.list_tools()).tools
        expect([tool.name for tool in tools] == ["aos_workflow"], "one tool: aos_workflow")
        agent = Agent(client, console)
        names = await _tell_story(agent, project)
        agent.say("The other workflows, each to its end")
        for name in names:
            if name != STORY:
                await _walk_quietly(client, console, project, name)


async def _tell_story(agent: Agent, project: Path) -> list[str]:
    agent.say("Find a workflow and begin")
    found = await agent.call("list_workflows")
    names = [item["workflow_type"] for item in found["workflows"] if item["phases"] != "dynamic"]
    started = await agent.call("start", workflow_type=STORY, target_file=TARGET)
    session = {"session_id": started["session_id"]}
    phase = await agent.call("get_phase", **session)
    for task in phase["phase_content"]["tasks"]:
        await agent.call("get_task", **session, task_number=task["task_number"])

    agent.say("Claim to be done without the proof: the gate refuses")
    evidence = evidence_for(phase["phase_content"], _examples(project, STORY, 1))
    first = next(iter(evidence))
    some = {name: value for name, value in evidence.items() if name != first}
    refused = await agent.call(
        "complete_phase", refused="ValidationError", **session, phase=1, evidence=some
    )
    expect(refused["missing_evidence"] == [first], f"{first} is named as missing")
    await agent.call("complete_phase", refused="StateError", **session, phase=1, evidence=evidence)
    errors = await agent.call("get_errors", **session)
    expect(errors["error_count"] == 1, "the refusal is recorded once")
    await agent.call("retry_phase", **session, phase=1)
    await agent.call("complete_phase", **session, phase=1, evidence={first: evidence[first]})

    agent.say("Skipping ahead is refused too")
    await agent.call("complete_phase", refused="StateError", **session, phase=4, evidence=evidence)

    agent.say("Set it aside, take it up again, go back one phase")
    await agent.call("pause", **session, checkpoint_note="waiting for the reviewer")
    await agent.call("get_session", **session)
    await agent.call("resume", **session)
    back = await agent.call("rollback", **session, to_phase=1)
    expect(back["current_phase"] == 1, "phase 1 is current again")

    agent.say("And to the end, task by task")
    await _finish(agent, project, STORY, session["session_id"])
    state = await agent.call("get_state", **session)
    expect(state["session_status"] == "completed", "the session is completed")
    listed = await agent.call("list_sessions", status="completed")
    expect(listed["count"] == 1, "the session is listed")
    await agent.call("delete_session", **session, reason="the demo is over")
    return names


async def _walk_quietly(client: Client, console: Console, project: Path, name: str) -> None:
    agent = Agent(client, console, quiet=True)
    started = await agent.call("start", workflow_type=name, target_file=TARGET)
    tasks = await _finish(agent, project, name, started["session_id"])
    gist = f"{started['total_phases']} phases, {tasks} tasks: complete"
    agent.summarise(name, gist, Costs())


async def _finish(agent: Agent, project: Path, name: str, session_id: str) -> int:
    """Walk a session from its current phase to its end; return how many tasks were read."""
    tasks = 0
    quiet, agent.quiet = agent.quiet, True
    while True:
        before = replace(agent.costs)
        content = (await agent.call("get_phase", session_id=session_id))["phase_content"]
        number = content["phase_number"]
        for task in content["tasks"]:
            wanted = {"phase": number, "task_number": task["task_number"]}
            read = await agent.call("get_task", session_id=session_id, **wanted)
            expect(bool(read["task_content"]["content"]), "a task has content")
            tasks += 1
        evidence = evidence_for(content, _examples(project, name, number))
        passed = await agent.call(
            "complete_phase", session_id=session_id, phase=number, evidence=evidence
        )
        if not quiet:
            agent.summarise(content["title"], _gist("complete_phase", passed), before)
        if passed.get("workflow_complete"):
            agent.quiet = quiet
            return tasks


def _examples(project: Path, name: str, phase: int) -> dict[str, Any]:
    gate = library_for(project).load(name).phase(phase).gate
    return {
        field_name: field.json_schema["examples"][0]
        for field_name, field in gate.evidence_schema.items()
        if field.json_schema.get("examples")
    }


def _clip(gist: str) -> str:
    return f"{gist if len(gist) <= _GIST else gist[: _GIST - 1] + '…':<{_GIST}}"


def _cost(size: int, seconds: float) -> str:
    return f" {size / 1000:>6.1f} kB {seconds * 1000:>5.0f} ms"


def _shown_call(action: str, arguments: Mapping[str, Any]) -> str:
    hidden = {"session_id", "evidence", "checkpoint_note", "reason"}
    shown = [str(value) for name, value in arguments.items() if name not in hidden]
    return f"{action} {' '.join(shown)}"


_GISTS: Mapping[str, Callable[[Answer], str]] = {
    "list_workflows": lambda a: f"{a['count']} found",
    "start": lambda a: f"phase {a['current_phase']} of {a['total_phases']}",
    "get_phase": lambda a: str(a["phase_content"]["title"]),
    "get_task": lambda a: str(a["task_content"]["title"]),
    "complete_phase": lambda a: "passed: " + (a.get("next_phase", {}).get("title") or "complete"),
    "get_state": lambda a: f"{a['session_status']}, phases {a['completed_phases']} completed",
    "list_sessions": lambda a: f"{a['count']} found",
    "get_session": lambda a: f"{len(a['session']['phase_history'])} attempts so far",
    "delete_session": lambda a: f"deleted: {a['deleted']}".lower(),
    "pause": lambda a: f"paused in phase {a['checkpoint']['phase']}",
    "resume": lambda a: f"phase {a['current_phase']} goes on: {a['checkpoint_note']}",
    "retry_phase": lambda a: f"attempt {a['attempt']}, {len(a['previous_errors'])} error to read",
    "rollback": lambda a: f"from phase {a['from_phase']} to phase {a['to_phase']}",
    "get_errors": lambda a: f"{a['error_count']} recorded: {a['errors'][-1]['error_type']}",
}


def _gist(action: str, answer: Answer) -> str:
    if answer["status"] == "success":
        return _GISTS[action](answer)
    missing = answer.get("missing_evidence")
    return f"refused: {'missing ' + ', '.join(missing) if missing else answer['error']}"
