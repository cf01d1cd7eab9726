"""Engine and stores against a simple model: any order of actions, a disk that may fill up."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from mcp_server.core import durable
from mcp_server.core.file_store import FileStore
from mcp_server.core.limits import Limits
from mcp_server.core.postgres.store import PostgresStore
from mcp_server.core.state_manager import StateManager
from mcp_server.core.store import SessionStore
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.errors import (
    DiskRefusedError,
    GateRefusedError,
    LimitError,
    StateError,
    WorkflowError,
)
from mcp_server.server.looking import ProjectLooker
from tests.builders import EVIDENCE, Clock, library, write_workflow
from tests.postgres_server import address, new_schema, open_new

PHASES = 3
LIMIT = 3

large = st.sampled_from([{}, {"log": "x" * 1_500}, {"log": "y" * 9_000}])
room = st.none() | st.integers(0, 6_000)
"""How many bytes the disk still takes during an action; None: as many as it likes."""


@dataclass
class Model:
    """What a session should be."""

    status: str = "active"
    phase: int = 1
    errors: int = 0
    evidence: dict[int, set[str]] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        return self.status in {"active", "failed"}


@contextmanager
def disk_with(left: int | None) -> Iterator[None]:
    """Let the disk fill up after `left` bytes."""
    if left is None:
        yield
        return
    remaining = [left]

    def write(descriptor: int, content: bytes) -> None:
        part = content[: remaining[0]]
        remaining[0] -= len(part)
        os.write(descriptor, part)
        if len(part) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "_write_all", write)
        yield


class SessionMachine(RuleBasedStateMachine):
    """Sessions of a three-phase workflow, by several servers one after the other."""

    sessions = Bundle("sessions")

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        write_workflow(self.root / "workflows", phases=PHASES)
        self.clock = Clock()
        self.models: dict[str, Model] = {}
        self.prepare()
        self.restart()

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    def prepare(self) -> None:
        """Make ready what the stores stand on."""

    def open(self) -> SessionStore:
        """The store as a server that has just begun sees it."""
        return FileStore(self.root / ".praxis-os" / "state" / "workflows")

    def disk_with(self, left: int | None) -> AbstractContextManager[None]:
        """Let the disk fill up."""
        return disk_with(left)

    @rule()
    def restart(self) -> None:
        store = self.open()
        self.manager = StateManager(store, max_active=LIMIT, clock=self.clock)
        self.engine = WorkflowEngine(
            library(self.root / "workflows"),
            self.manager,
            root=self.root,
            limits=Limits(),
            looker=ProjectLooker(self.root),
        )

    def attempt(
        self, left: int | None, action: Callable[[], object], refusal: type[WorkflowError] | None
    ) -> bool:
        """Do an action; return whether it came out as it should; only the disk may prevent that."""
        outcome: type[WorkflowError] | None = None
        try:
            with self.disk_with(left):
                action()
        except WorkflowError as error:
            outcome = type(error)
        if outcome is DiskRefusedError and left is not None:
            return False
        assert outcome is refusal
        return True

    def full(self) -> bool:
        return sum(model.counts for model in self.models.values()) >= LIMIT

    @rule(target=sessions, left=room)
    def start(self, left: int | None) -> object:
        started: list[str] = []

        def action() -> None:
            started.append(self.engine.start("small_v1", "a.py")["session_id"])

        full = self.full()
        if not self.attempt(left, action, LimitError if full else None) or full:
            return multiple()
        self.models[started[0]] = Model()
        return started[0]

    @rule(session=sessions, ahead=st.integers(-2, 2), good=st.booleans(), more=large, left=room)
    def complete(
        self, session: str, ahead: int, good: bool, more: dict[str, str], left: int | None
    ) -> None:
        model = self.models[session]
        phase = min(max(model.phase + ahead, 1), PHASES)
        evidence = {**(EVIDENCE if good else {"tests": 0}), **more}
        refusal: type[WorkflowError] | None = None
        if model.status != "active" or phase != model.phase:
            refusal = StateError
        elif not good:
            refusal = GateRefusedError
        if not self.attempt(
            left, lambda: self.engine.complete_phase(session, phase, evidence), refusal
        ):
            return
        if refusal is StateError:
            # An attempt to skip ahead is recorded.
            model.errors += model.status == "active" and phase > model.phase
            return
        model.evidence.setdefault(phase, set()).update(evidence)
        if not good:
            model.status, model.errors = "failed", model.errors + 1
        elif phase == PHASES:
            model.status = "completed"
        else:
            model.phase += 1

    @rule(session=sessions, left=room)
    def pause(self, session: str, left: int | None) -> None:
        model = self.models[session]
        refusal = None if model.status == "active" else StateError
        done = self.attempt(left, lambda: self.manager.pause(session, "later"), refusal)
        if done and refusal is None:
            model.status = "paused"

    @rule(session=sessions, left=room)
    def resume(self, session: str, left: int | None) -> None:
        model = self.models[session]
        refusal: type[WorkflowError] | None = StateError
        if model.status == "paused":
            refusal = LimitError if self.full() else None
        done = self.attempt(left, lambda: self.engine.resume(session), refusal)
        if done and refusal is None:
            model.status = "active"

    @rule(session=sessions, reset=st.booleans(), left=room)
    def retry(self, session: str, reset: bool, left: int | None) -> None:
        model = self.models[session]
        refusal = None if model.status == "failed" else StateError
        retry = lambda: self.engine.retry_phase(session, model.phase, reset_evidence=reset)  # noqa: E731
        if self.attempt(left, retry, refusal) and refusal is None:
            model.status = "active"
            if reset:
                model.evidence.pop(model.phase, None)

    @rule(session=sessions, phase=st.integers(1, PHASES), left=room)
    def rollback(self, session: str, phase: int, left: int | None) -> None:
        model = self.models[session]
        last = model.phase + (model.status == "completed")
        refusal: type[WorkflowError] | None = None
        if model.status == "paused" or phase >= last:
            refusal = StateError
        elif model.status == "completed" and self.full():
            refusal = LimitError
        done = self.attempt(left, lambda: self.engine.rollback(session, phase), refusal)
        if done and refusal is None:
            model.status, model.phase = "active", phase
            model.evidence = {p: f for p, f in model.evidence.items() if p <= phase}

    @rule(session=consumes(sessions), left=room)
    def delete(self, session: str, left: int | None) -> None:
        if not self.attempt(left, lambda: self.manager.delete_session(session, "done"), None):
            # The bundle has let go of it: take it away for good.
            self.manager.delete_session(session)
        del self.models[session]

    @invariant()
    def every_session_is_what_the_model_says(self) -> None:
        if not hasattr(self, "models"):
            return
        assert self.manager.list_sessions(limit=100)["count"] == len(self.models)
        for session, model in self.models.items():
            state = self.manager.load(session)
            assert (str(state.status), state.current_phase) == (model.status, model.phase)
            assert state.error_count == model.errors
            assert {p: set(items) for p, items in state.evidence.items()} == model.evidence
            done = model.phase if model.status == "completed" else model.phase - 1
            assert state.completed_phases == tuple(range(1, done + 1))
            assert self.manager.verify(session).holds


SessionMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSessions = SessionMachine.TestCase


class DatabaseMachine(SessionMachine):
    """The same over PostgreSQL, on whose disk nothing larger than what is left finds room."""

    def prepare(self) -> None:
        self.schema = new_schema()
        self.opened: list[PostgresStore] = []
        self.open()
        self.admin = psycopg.connect(address(), autocommit=True)
        self.admin.execute(f"SET search_path = {self.schema}")
        self.admin.execute("CREATE TABLE room AS SELECT NULL::integer AS bytes")
        self.admin.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"  # noqa: S608
            f" IF octet_length(NEW::text) / 2 > (SELECT bytes FROM {self.schema}.room) THEN"
            " RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$"
        )
        for table in ("journal", "evidence", "definitions", "deletions"):
            self.admin.execute(
                f"CREATE TRIGGER refuse BEFORE INSERT ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "schema"):
            self.admin.close()
            for store in self.opened:
                store.close()

    def open(self) -> SessionStore:
        self.opened.append(open_new(self.schema, state=0.02))
        return self.opened[-1]

    @contextmanager
    def disk_with(self, left: int | None) -> Iterator[None]:
        self.admin.execute("UPDATE room SET bytes = %s", [left])
        try:
            yield
        finally:
            self.admin.execute("UPDATE room SET bytes = NULL")


DatabaseMachine.TestCase.settings = settings(SessionMachine.TestCase.settings, max_examples=8)
TestDatabaseSessions = DatabaseMachine.TestCase
