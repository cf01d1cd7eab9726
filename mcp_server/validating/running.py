"""One validation from the first handshake to the last deletion.

The checks are made one after the other on one connection, then the actions are timed, then the
process is weighed. Whatever ends it, a limit, a failure or a cancellation, the sessions are deleted
before the connection is closed.
"""

import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TextIO

import anyio
from mcp import MCPError
from mcp.types import Tool
from pydantic import ValidationError

from mcp_server.errors import ConfigurationError
from mcp_server.validating import publication
from mcp_server.validating.agent import GONE, Agent, UnsoundError
from mcp_server.validating.answers import TOOL_NAME, shown
from mcp_server.validating.checks.everything import CHECKS
from mcp_server.validating.checks.registry import OWN, Check, Ground, listed_workflows
from mcp_server.validating.connecting import Command, Connection, Server, connected
from mcp_server.validating.memory import Scale, compare
from mcp_server.validating.outcomes import (
    CONNECTION,
    NOT_CALLED,
    TOOL,
    CheckOutcome,
    Memory,
    Report,
    Standing,
    Timing,
)
from mcp_server.validating.project import WORKFLOW, Project
from mcp_server.validating.rounds import time_actions, timings
from mcp_server.validating.sweeping import sweep, tidy
from mcp_server.validating.targets import MEMORY_LIMIT

BUILT_IN = ("code_review_v1", "test_generation_v3", "production_code_v2", "spec_creation_v1")
"""Workflows to walk where the project is not ours, in the order of preference."""

_SWEEP_SECONDS = 30
_BROKEN = (LookupError, TypeError, ValueError, AttributeError)
"""What reading an answer raises that lacks what it must have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, and how often to measure."""

    call: float = 10.0
    connect: float = 30.0
    whole: float = 300.0
    rounds: int = 7
    slack: float = 1.0
    memory: bool = True


@dataclass(slots=True)
class Validation:
    """What has been found so far."""

    server: Server
    project: Project
    log: TextIO
    limits: Limits
    made: tuple[Check, ...] = CHECKS
    """The checks that are made."""
    protocol: str = ""
    checks: list[CheckOutcome] = field(default_factory=list)
    timings: tuple[Timing, ...] = ()
    weight: int | None = None
    weight_reason: str = "the server was not reached"
    left_behind: tuple[str, ...] = ()

    async def run(self) -> Report:
        """Validate the server; raises ConfigurationError if it cannot be reached at all."""
        scale = await Scale.balanced(self.server)
        try:
            async with self._connected() as connection:
                await self._within_limits(connection, scale)
        except UnsoundError as error:
            self.note(CONNECTION, "shakes hands", str(error))
        return Report(
            self.server.described,
            self.protocol,
            tuple(self.checks),
            self.timings or timings({}, self.limits.slack, has_files=True),
            await self._memory(),
            self.left_behind,
        )

    def note(self, subject: str, name: str, problem: str = "", seconds: float = 0.0) -> None:
        """Record a check: it holds unless there is a problem."""
        standing = Standing.FAILED if problem else Standing.HOLDS
        self.checks.append(CheckOutcome(subject, name, standing, problem, seconds))

    async def _within_limits(self, connection: Connection, scale: Scale) -> None:
        self.note(CONNECTION, "shakes hands")
        self.protocol = connection.client.protocol_version
        agent = Agent(connection.client, patience=self.limits.call, private=self.project.private)
        with anyio.move_on_after(self.limits.whole) as scope:
            await self._all(connection, agent, scale)
        if scope.cancelled_caught:
            self.note(CONNECTION, "ends in time",
                      f"the validation took over {self.limits.whole:g} s in all")  # fmt: skip
        elif agent.gone:
            self.note(CONNECTION, "stays there", agent.gone)
        garbage = connection.garbage
        self.note(
            CONNECTION,
            "carries nothing but protocol",
            f"{len(garbage)} lines that are no message: {garbage[0]}" if garbage else "",
        )

    async def _all(self, connection: Connection, agent: Agent, scale: Scale) -> None:
        tools = await self._tools(connection)
        if tools is None or not self._publication(tools):
            self._give_up(f"{NOT_CALLED}the tool is not listed")
            return
        ground = await self._ground(agent)
        if ground is None:
            self._give_up(f"{NOT_CALLED}there is no workflow to walk")
            return
        try:
            await self._make_checks(ground)
            self.timings = await time_actions(ground, self.limits.rounds, self.limits.slack)
            self.weight = await scale.weigh()
            self.weight_reason = scale.reason
        finally:
            # Under a shield: a cancelled run has sessions to delete as well.
            with anyio.move_on_after(_SWEEP_SECONDS, shield=True):
                await self._sweep(ground)

    async def _tools(self, connection: Connection) -> list[Tool] | None:
        try:
            with anyio.fail_after(self.limits.call):
                return list((await connection.client.list_tools()).tools)
        except (TimeoutError, *GONE, MCPError, RuntimeError, ValidationError) as error:
            late = f"no answer to tools/list within {self.limits.call:g} s"
            failed = f"tools/list fails: {shown(str(error) or type(error).__name__)}"
            self.note(TOOL, "is listed once", late if isinstance(error, TimeoutError) else failed)
            return None

    def _publication(self, tools: list[Tool]) -> bool:
        """Judge the list; tell whether the tool is in it."""
        for name, judge in publication.OF_THE_LIST.items():
            self.note(TOOL, name, "; ".join(judge(tools)))
        tool = next((tool for tool in tools if tool.name == TOOL_NAME), None)
        if tool is None:
            return False
        for name, judge_tool in publication.OF_THE_TOOL.items():
            self.note(TOOL, name, "; ".join(judge_tool(tool)))
        return True

    async def _ground(self, agent: Agent) -> Ground | None:
        """Return what to walk: our own workflow if the server serves it, else a built-in one."""
        try:
            names = {item["workflow_type"] for item in await listed_workflows(agent)}
        except (UnsoundError, *_BROKEN):
            # The checks will tell what is wrong with the list.
            names = {WORKFLOW, *BUILT_IN}
        if isinstance(self.server, Command):
            if WORKFLOW in names:
                self.note(CONNECTION, "serves the project that it is started in")
                return Ground(agent, WORKFLOW, self.project)
            self.note(CONNECTION, "serves the project that it is started in",
                      f"{WORKFLOW} of the throw-away project is not listed: the server serves"
                      " another folder; start it without naming one")  # fmt: skip
        built_in = next((name for name in BUILT_IN if name in names), None)
        return Ground(agent, built_in, None) if built_in else None

    async def _make_checks(self, ground: Ground) -> None:
        for check in self.made:
            if check.needs_files and ground.project is None:
                self.checks.append(
                    CheckOutcome(check.subject, check.name, Standing.NOT_CHECKED, OWN)
                )
                continue
            began = time.perf_counter()
            problem = await _problem_of(check.carry_out(ground))
            self.note(check.subject, check.name, problem, time.perf_counter() - began)
            await tidy(ground)

    def _give_up(self, why: str) -> None:
        for check in self.made:
            self.note(check.subject, check.name, why)

    async def _sweep(self, ground: Ground) -> None:
        if ground.project is not None:
            # The state stands in the throw-away project.
            return
        self.left_behind = tuple(await sweep(ground, ground.agent))
        if not self.left_behind and not ground.agent.gone:
            return
        # What was cancelled may have taken the connection with it.
        try:
            async with self._connected() as connection:
                agent = Agent(connection.client, patience=self.limits.call)
                self.left_behind = tuple(await sweep(ground, agent))
        except (UnsoundError, ConfigurationError):
            # It does not come back: what stays behind is told.
            return

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        async with connected(
            self.server, self.project.root, self.log, patience=self.limits.connect
        ) as connection:
            yield connection

    async def _memory(self) -> Memory:
        if not self.limits.memory:
            return Memory(MEMORY_LIMIT, reason="not asked for")
        return await compare(
            self.weight, self.weight_reason, self.project.root, self.log,
            patience=self.limits.connect, limit=MEMORY_LIMIT,
        )  # fmt: skip


async def _problem_of(carried_out: Awaitable[None]) -> str:
    """Return what is wrong, or nothing."""
    try:
        await carried_out
    except UnsoundError as error:
        return str(error)
    except _BROKEN as error:
        return f"the answer lacks what it must have: {type(error).__name__} {shown(str(error))}"
    return ""
