"""How long each action takes: a life of a session, walked several times, and every call timed.

What is timed is what a client waits for, the way there and back included. The checks went before,
so nothing is timed that happens once in a server's life.
"""

from collections import defaultdict
from collections.abc import Mapping

from mcp_server.core.transitions import Action
from mcp_server.validating.agent import UnsoundError
from mcp_server.validating.answers import Answer
from mcp_server.validating.checks.registry import Ground, Session
from mcp_server.validating.outcomes import Timing
from mcp_server.validating.targets import TARGETS

NEED_FILES = frozenset({Action.ROLLBACK})
"""Actions that cannot be timed without work that lets a phase pass."""

Seconds = Mapping[Action, list[float]]


async def time_actions(ground: Ground, rounds: int, slack: float) -> tuple[Timing, ...]:
    """Return the timing of every action; an answer that is wrong ends it."""
    seconds: defaultdict[Action, list[float]] = defaultdict(list)
    try:
        for _ in range(rounds):
            await _one_round(ground, seconds)
    except UnsoundError:
        # The checks tell what is wrong; what was timed so far stands.
        pass
    return timings(seconds, slack, has_files=ground.project is not None)


def timings(seconds: Seconds, slack: float, *, has_files: bool) -> tuple[Timing, ...]:
    """Return the timing of every action from the seconds that its calls took."""
    return tuple(
        Timing(
            action,
            target.times(slack),
            tuple(seconds.get(action, ())),
            excused=action in NEED_FILES and not has_files,
        )
        for action, target in TARGETS.items()
    )


class _Stopwatch:
    """Notes how long the calls on one session take."""

    def __init__(self, session: Session, seconds: defaultdict[Action, list[float]]) -> None:
        self.session = session
        self._agent = session.ground.agent
        self._seconds = seconds

    async def time(self, action: Action, **arguments: object) -> Answer:
        answer = await self.session.succeed(action, **arguments)
        self.note(action)
        return answer

    def note(self, action: Action) -> None:
        self._seconds[action].append(self._agent.last_seconds)


async def _one_round(ground: Ground, seconds: defaultdict[Action, list[float]]) -> None:
    agent = ground.agent
    await agent.succeed(Action.LIST_WORKFLOWS)
    seconds[Action.LIST_WORKFLOWS].append(agent.last_seconds)
    await agent.succeed(Action.LIST_SESSIONS)
    seconds[Action.LIST_SESSIONS].append(agent.last_seconds)
    session, took = await ground.start_timed()
    seconds[Action.START].append(took)
    watch = _Stopwatch(session, seconds)
    shown = await watch.time(Action.GET_PHASE)
    task = shown["phase_content"]["tasks"][0]["task_number"]
    await watch.time(Action.GET_TASK, task_number=task)
    await session.refuse_gate()
    if ground.project is None:
        watch.note(Action.COMPLETE_PHASE)
    await watch.time(Action.GET_ERRORS)
    await watch.time(Action.RETRY_PHASE, phase=session.first, reset_evidence=True)
    if ground.project is not None:
        await session.pass_phase(1)
        watch.note(Action.COMPLETE_PHASE)
        await watch.time(Action.ROLLBACK, to_phase=1)
    await watch.time(Action.PAUSE)
    await watch.time(Action.RESUME)
    await watch.time(Action.GET_STATE)
    await watch.time(Action.GET_SESSION)
    await watch.time(Action.DELETE_SESSION)
