"""The demo: a scripted agent drives the real server over stdio, and every answer is checked.

It makes a throw-away project for each workflow, starts `python -m mcp_server` there as a
subprocess, and calls the tool with the SDK's client. First the whole story on one workflow: a claim
without the work, the retry, a pause, a rollback; then every other workflow straight to its end. The
agent does the work of the workflow's example project; what the gates do not find out for themselves
it claims as the examples in the gates say.
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
from typing import Any, Self

from mcp import Client, MCPError, StdioServerParameters
from rich.console import Console
from rich.text import Text

from mcp_server.errors import InvalidArgumentError, WorkflowError
from mcp_server.example import Example, claims, require_examples
from mcp_server.gates.model import Gate
from mcp_server.server.services import library_for

STORY = "code_review_v1"
TARGET = "src/orders.py"

_GIST = 50

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
        expect(answer.get("error_type") == refused, f"{action}: {_gist(action, answer)}")
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


@dataclass(frozen=True, slots=True)
class Walk:
    """A workflow that is walked in a project of its own."""

    name: str
    project: Path
    example: Example | None

    @classmethod
    def prepare(cls, name: str, folder: Path, definitions: Path | None) -> Self:
        """Make the project, as it stands before the work."""
        project = folder / name
        project.mkdir()
        if definitions is not None:
            shutil.copytree(definitions, project / ".praxis-os" / "workflows")
        example = Example.of(library_for(project).find(name).folder)
        if example is not None:
            example.begin(project)
        return cls(name, project, example)

    @property
    def is_dynamic(self) -> bool:
        """Whether the phases come from a list of tasks, which the example names."""
        library = library_for(self.project)
        return library.metadata(library.find(self.name)).is_dynamic

    @property
    def target(self) -> dict[str, Any]:
        """What `start` takes besides the workflow."""
        if self.example is None:
            return {"target_file": TARGET}
        return {"target_file": self.example.target_file, "options": self.example.options}

    def gate(self, phase: int) -> Gate:
        """Return the gate of a phase."""
        options = self.target.get("options")
        return library_for(self.project).load(self.name, options).phase(phase).gate

    def work(self, phase: int) -> dict[str, Any]:
        """Do the work of a phase and return what is to be claimed of it."""
        gate = self.gate(phase)
        if self.example is not None:
            self.example.work(phase, self.project)
            return claims(gate)
        return claims(gate) | {
            name: _PLAIN[field.type or "any"]
            for name, field in gate.evidence_schema.items()
            if "examples" not in field.json_schema and not field.probes
        } or {"summary": "done"}


def run_demo(definitions: Path | None = None, console: Console | None = None) -> int:
    """Run the demo and return the exit code: 0 if everything was as expected.

    Further definitions that cannot be walked are refused before anything is.
    """
    console = console or Console(highlight=False)
    problem = ""
    if definitions is not None:
        _require_definitions(definitions)
    with tempfile.TemporaryDirectory(prefix="aos-workflow-demo-") as folder:
        walk = Walk.prepare(STORY, Path(folder), definitions)
        require_examples(library_for(walk.project))
        try:
            asyncio.run(_demo(walk, definitions, console))
        # The client runs in task groups, which wrap what is raised inside them.
        except* (UnexpectedAnswerError, MCPError, WorkflowError) as group:
            problem = str(_first(group))
    if problem:
        console.print(f"\nNot as expected: {problem}", style="bold red", markup=False)
        return 1
    console.print("\nEverything was as expected.", style="bold green")
    return 0


def _require_definitions(folder: Path) -> None:
    remediation = "Name a folder that holds a folder for each workflow, with its metadata.json."
    try:
        has_any = any((path / "metadata.json").is_file() for path in folder.iterdir())
    except OSError as error:
        raise InvalidArgumentError(
            f"--definitions {folder} cannot be read: {error.strerror}", remediation=remediation
        ) from error
    if not has_any:
        raise InvalidArgumentError(
            f"--definitions {folder} holds no workflow", remediation=remediation
        )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _demo(walk: Walk, definitions: Path | None, console: Console) -> None:
    async with _client(walk.project) as client:
        tools = (await client.list_tools()).tools
        expect([tool.name for tool in tools] == ["aos_workflow"], "one tool: aos_workflow")
        agent = Agent(client, console)
        names = await _tell_story(agent, walk)
        agent.say("The other workflows, each to its end")
    for name in names:
        if name != STORY:
            other = Walk.prepare(name, walk.project.parent, definitions)
            if other.is_dynamic and other.example is None:
                continue
            async with _client(other.project) as client:
                await _walk_quietly(client, console, other)


def _client(project: Path) -> Client:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_server", "--project", str(project)],
        env=dict(os.environ),
        cwd=project,
    )
    return Client(server, read_timeout_seconds=60)


async def _tell_story(agent: Agent, walk: Walk) -> list[str]:
    agent.say("Find a workflow and begin")
    found = await agent.call("list_workflows")
    names = [item["workflow_type"] for item in found["workflows"]]
    started = await agent.call("start", workflow_type=walk.name, **walk.target)
    session = {"session_id": started["session_id"]}
    phase = await agent.call("get_phase", **session)
    for task in phase["phase_content"]["tasks"]:
        await agent.call("get_task", **session, task_number=task["task_number"])

    agent.say("Claim to be done without the work: the gate looks for itself, and refuses")
    said = {name: field.json_schema["examples"][0]
            for name, field in walk.gate(1).evidence_schema.items()}  # fmt: skip
    refused = await agent.call(
        "complete_phase", refused="ValidationError", **session, phase=1, evidence=said
    )
    expect("is not there" in refused["validation_errors"][0], "the missing file is named")
    await agent.call("complete_phase", refused="StateError", **session, phase=1, evidence=said)
    errors = await agent.call("get_errors", **session)
    expect(errors["error_count"] == 1, "the refusal is recorded once")

    agent.say("Do the work, and try again")
    await agent.call("retry_phase", **session, phase=1, reset_evidence=True)
    passed = await agent.call("complete_phase", **session, phase=1, evidence=walk.work(1))
    known = {field["known"] for field in passed["evidence"].values()}
    expect("observed" in known, "the server has seen it for itself")

    agent.say("Skipping ahead is refused too")
    await agent.call("complete_phase", refused="StateError", **session, phase=4, evidence=said)

    agent.say("Set it aside, take it up again, go back one phase")
    await agent.call("pause", **session, checkpoint_note="waiting for the reviewer")
    await agent.call("get_session", **session)
    await agent.call("resume", **session)
    back = await agent.call("rollback", **session, to_phase=1)
    expect(back["current_phase"] == 1, "phase 1 is current again")
    await agent.call("complete_phase", refused="ValidationError", **session, phase=1, evidence={})
    await agent.call("retry_phase", **session, phase=1)

    agent.say("And to the end, task by task")
    await _finish(agent, walk, session["session_id"])
    state = await agent.call("get_state", **session)
    expect(state["session_status"] == "completed", "the session is completed")
    listed = await agent.call("list_sessions", status="completed")
    expect(listed["count"] == 1, "the session is listed")
    await agent.call("delete_session", **session, reason="the demo is over")
    return names


async def _walk_quietly(client: Client, console: Console, walk: Walk) -> None:
    agent = Agent(client, console, quiet=True)
    try:
        started = await agent.call("start", workflow_type=walk.name, **walk.target)
        tasks = await _finish(agent, walk, started["session_id"])
    except UnexpectedAnswerError as error:
        without = "" if walk.example else ", which has no example/ with claims that hold"
        raise UnexpectedAnswerError(f"{walk.name}{without}: {error}") from error
    gist = f"{started['total_phases']} phases, {tasks} tasks: complete"
    agent.summarise(walk.name, gist, Costs())


async def _finish(agent: Agent, walk: Walk, session_id: str) -> int:
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
        passed = await agent.call(
            "complete_phase", session_id=session_id, phase=number, evidence=walk.work(number)
        )
        if not quiet:
            agent.summarise(content["title"], _gist("complete_phase", passed), before)
        if passed.get("workflow_complete"):
            agent.quiet = quiet
            return tasks


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
    "retry_phase": lambda a: (
        f"attempt {a['attempt']}, {_errors(len(a['previous_errors']))} to read"
    ),
    "rollback": lambda a: f"from phase {a['from_phase']} to phase {a['to_phase']}",
    "get_errors": lambda a: f"{a['error_count']} recorded: {a['errors'][-1]['error_type']}",
}


def _errors(count: int) -> str:
    return "1 error" if count == 1 else f"{count} errors"


def _gist(action: str, answer: Answer) -> str:
    if answer["status"] == "success":
        return _GISTS[action](answer)
    why = answer.get("validation_errors") or answer.get("missing_evidence") or [answer["error"]]
    return f"refused: {why[0]}"
