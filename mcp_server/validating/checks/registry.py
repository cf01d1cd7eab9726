"""What a check is, and the ground that it stands on.

Each check begins with a session of its own and leaves nothing behind that another one sees: any of
them can fail without taking others with it.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_server.validating.agent import Agent, UnsoundError, expect, expect_equal
from mcp_server.validating.answers import Answer
from mcp_server.validating.project import CLAIMS, Project

_PAGES = 100

OWN = "needs files of the server's project"
"""Why a check is not made where the project is not ours."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The agent, the workflow that it walks, and the project if it is ours to write in."""

    agent: Agent
    workflow: str
    project: Project | None
    run: str = field(default_factory=lambda: secrets.token_hex(6))
    begun: list[str] = field(default_factory=list)
    """Sessions of this run that the check at hand began."""
    kept: list[str] = field(default_factory=list)
    """Sessions of this run that could not be deleted after their check."""

    @property
    def target(self) -> str:
        """The target of every session of this run, and of no other."""
        return f"aos-workflow-validation/{self.run}/target.md"

    @property
    def own(self) -> Project:
        """The project, for checks that are made only where there is one."""
        if self.project is None:
            raise RuntimeError(OWN)
        return self.project

    async def start(self) -> "Session":
        """Begin a session, and make sure that its id is one of ours before anything is done."""
        return (await self.start_timed())[0]

    async def start_timed(self) -> tuple["Session", float]:
        """Begin a session and return with it the seconds that `start` took."""
        answer = await self.agent.succeed(
            "start", workflow_type=self.workflow, target_file=self.target
        )
        took = self.agent.last_seconds
        session_id = answer.get("session_id")
        expect(isinstance(session_id, str) and session_id, "start gives no session_id")
        state = await self.agent.succeed("get_state", session_id=session_id)
        expect_equal(state, session_id=session_id, target_file=self.target)
        self.begun.append(str(session_id))
        return Session(self, str(session_id), answer), took


@dataclass(frozen=True, slots=True)
class Session:
    """A session of this run."""

    ground: Ground
    session_id: str
    started: Answer

    @property
    def first(self) -> int:
        """The number of its first phase."""
        return int(self.started["current_phase"])

    async def succeed(self, action: str, **arguments: Any) -> Answer:
        """Return the answer to a call on this session that must succeed."""
        answer = await self.ground.agent.succeed(action, session_id=self.session_id, **arguments)
        return _of(self, answer)

    async def refused(self, error_type: str, action: str, **arguments: Any) -> Answer:
        """Return the answer to a call on this session that must be refused."""
        agent = self.ground.agent
        return await agent.refused(error_type, action, session_id=self.session_id, **arguments)

    async def expect_state(self, phase: int, status: str) -> Answer:
        """Check with get_state where the session stands."""
        state = await self.succeed("get_state")
        expect_equal(state, current_phase=phase, session_status=status)
        return state

    async def refuse_gate(self) -> Answer:
        """Submit what no gate lets pass: for each field a value of no type that it may have."""
        shown = await self.succeed("get_phase")
        fields = shown["phase_content"]["checkpoint"]["evidence"]
        nonsense = {name: _nonsense(asked) for name, asked in fields.items()}
        return await self.refused(
            "ValidationError", "complete_phase", phase=self.first, evidence=nonsense
        )

    async def pass_phase(self, phase: int) -> Answer:
        """Do the work of a phase of our own workflow, and have its gate let it pass."""
        if phase == 1:
            self.ground.own.note(self.session_id)
        return await self.succeed("complete_phase", phase=phase, evidence=CLAIMS[phase - 1])


def _of(session: Session, answer: Answer) -> Answer:
    expect(
        answer.get("session_id", session.session_id) == session.session_id,
        f"{answer['action']} answers about another session",
    )
    return answer


def _nonsense(asked: Mapping[str, Any]) -> Any:
    return ["nonsense"] if asked.get("type") in {"dict", "object"} else {"nonsense": True}


async def listed_workflows(agent: Agent) -> list[Answer]:
    """Return every workflow that is listed, on however many pages."""
    found: list[Answer] = []
    cursor: Answer = {}
    for _ in range(_PAGES):
        answer = await agent.succeed("list_workflows", limit=100, **cursor)
        found += answer["workflows"]
        if "next_cursor" not in answer:
            return found
        cursor = {"cursor": answer["next_cursor"]}
    raise UnsoundError(f"list_workflows has no last page among the first {_PAGES}")


CarryOut = Callable[[Ground], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold; `needs_files` says that it is made in our own project only."""

    subject: str
    name: str
    carry_out: CarryOut
    needs_files: bool = False


class Checks:
    """The checks of one module, in the order in which they stand there."""

    def __init__(self) -> None:
        """Begin without any."""
        self.all: list[Check] = []

    def add(
        self, subject: str, name: str, *, needs_files: bool = False
    ) -> Callable[[CarryOut], CarryOut]:
        """Return a decorator that adds a function as a check."""

        def added(carry_out: CarryOut) -> CarryOut:
            self.all.append(Check(subject, name, carry_out, needs_files))
            return carry_out

        return added
