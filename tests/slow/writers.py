"""What runs in the processes that are killed: loops that announce each step and acknowledge it.

A writer sends the `Step` that it is about to take, and after it an `Ack` of what is stored then;
so the one who kills it knows the last acknowledged state of each session and the step in flight.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from mcp_server.core.file_store import FileStore
from mcp_server.core.limits import Limits
from mcp_server.core.models import Change, SessionState
from mcp_server.core.state_manager import StateManager
from mcp_server.core.store import SessionStore
from mcp_server.core.transitions import Action, Outcome, Status
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.errors import GateRefusedError, StateError
from mcp_server.server.looking import ProjectLooker
from tests.builders import EVIDENCE, library
from tests.postgres_server import Database

WORKFLOW = "small_v1"
PHASES = 3
_FEW, _MANY = 4, 8
_REFUSALS = {Outcome.REFUSED: (GateRefusedError,), Outcome.SKIPPED: (StateError,)}


@dataclass(frozen=True)
class Step:
    """An action, and the session as it is after it; `token` is found in whatever it stores."""

    action: Action
    outcome: Outcome
    token: str
    session_id: str = ""
    status: Status | None = Status.ACTIVE
    phase: int = 1


@dataclass(frozen=True)
class Ack:
    """What is stored after a step; a session that was deleted has no hash."""

    session_id: str
    seq: int = 0
    hash: str = ""


@dataclass(frozen=True)
class Server:
    """What a server process holds of one project."""

    store: SessionStore
    sessions: StateManager
    engine: WorkflowEngine


def server(
    place: Path | Database, root: Path, *, max_active: int = 100, timeout: float = 10.0
) -> Server:
    """A server of the definitions under `root` with its state in a folder or a database."""
    store = (
        FileStore(place, lock_timeout=timeout)
        if isinstance(place, Path)
        else place.open(lock=timeout)
    )
    sessions = StateManager(store, max_active=max_active)
    engine = WorkflowEngine(
        library(root / "shelf"), sessions, root=root, limits=Limits(), looker=ProjectLooker(root)
    )
    return Server(store, sessions, engine)


def log(token: str) -> str:
    """Evidence that is too large to be carried along."""
    return token * 200


def noted(before: SessionState, note: str) -> Change:
    """A change that only sets the note, and so is legal in every status."""
    after = before.model_copy(update={"checkpoint_note": note})
    return Change(action=Action.PAUSE, outcome=Outcome.DONE, phase=after.current_phase, state=after)


def edit_for_ever(folder: Path, root: Path, seed: str, send: Any) -> None:
    """Edit the one session there is, as fast as it goes."""
    served = server(folder, root)
    [found] = served.store.summaries()
    for number in count():
        with served.sessions.edit(found.session_id) as draft:
            step = Step(
                Action.PAUSE, Outcome.DONE, f"{seed}.{number}.", found.session_id,
                draft.state.status, draft.state.current_phase,
            )  # fmt: skip
            send.send(step)
            draft.record(noted(draft.state, step.token))
        send.send(_ack(served.store, found.session_id))


def act_for_ever(folder: Path, root: Path, seed: str, send: Any) -> None:
    """Take all kinds of steps on a handful of sessions."""
    served, chance = server(folder, root), random.Random(seed)  # noqa: S311
    for number in count():
        states = [served.sessions.load(found.session_id) for found in served.store.summaries()]
        step, act = chance.choice(list(_steps(served, states, f"{seed}.{number}.", chance)))
        send.send(step)
        with suppress(*_REFUSALS.get(step.outcome, ())):
            answer = act()
        session_id = step.session_id or answer["session_id"]
        send.send(_ack(served.store, session_id) if step.status else Ack(session_id))


def _ack(store: SessionStore, session_id: str) -> Ack:
    record = store.read(session_id)
    return Ack(session_id, record.seq, record.hash)


Choice = tuple[Step, Callable[[], Any]]


def _steps(
    served: Server, states: list[SessionState], token: str, chance: random.Random
) -> Iterator[Choice]:
    if len(states) < _MANY:
        target = f"{token}py"
        yield (
            Step(Action.START, Outcome.DONE, token),
            lambda: served.engine.start(WORKFLOW, target),
        )
    if len(states) < _FEW:
        return
    state = chance.choice(states)
    session_id = state.session_id
    yield from steps_of(served, state, token, chance)
    if len(states) == _MANY:
        yield (
            Step(Action.DELETE_SESSION, Outcome.DONE, token, session_id, status=None),
            lambda: served.sessions.delete_session(session_id, token),
        )


def steps_of(
    served: Server, state: SessionState, token: str, chance: random.Random
) -> Iterator[Choice]:
    session_id, phase, engine = state.session_id, state.current_phase, served.engine
    evidence = {**EVIDENCE, "log": log(token)}

    def step(action: Action, outcome: Outcome, status: Status, after: int = phase) -> Step:
        return Step(action, outcome, token, session_id, status, after)

    if state.status is Status.ACTIVE:
        last = phase == PHASES
        yield (
            step(Action.COMPLETE_PHASE, Outcome.FINISHED, Status.COMPLETED)
            if last
            else step(Action.COMPLETE_PHASE, Outcome.PASSED, Status.ACTIVE, phase + 1),
            lambda: engine.complete_phase(session_id, phase, evidence),
        )
        yield (
            step(Action.COMPLETE_PHASE, Outcome.REFUSED, Status.FAILED),
            lambda: engine.complete_phase(session_id, phase, {**evidence, "tests": 0}),
        )
        yield (
            step(Action.PAUSE, Outcome.DONE, Status.PAUSED),
            lambda: served.sessions.pause(session_id, token),
        )
        if not last:
            yield (
                step(Action.COMPLETE_PHASE, Outcome.SKIPPED, Status.ACTIVE),
                lambda: engine.complete_phase(session_id, phase + 1, evidence),
            )
    elif state.status is Status.FAILED:
        yield (
            step(Action.RETRY_PHASE, Outcome.DONE, Status.ACTIVE),
            lambda: engine.retry_phase(session_id, phase, reset_evidence=chance.random() < 0.5),
        )
    elif state.status is Status.PAUSED:
        yield (
            step(Action.RESUME, Outcome.DONE, Status.ACTIVE),
            lambda: engine.resume(session_id),
        )
    if state.completed_phases and state.status is not Status.PAUSED:
        back = chance.choice(state.completed_phases)
        yield (
            step(Action.ROLLBACK, Outcome.DONE, Status.ACTIVE, back),
            lambda: engine.rollback(session_id, back),
        )
