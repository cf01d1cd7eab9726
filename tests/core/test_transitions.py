"""The table of transitions against the rules as they are written, alone and in the real engine."""

import itertools

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.limits import Limits
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import (
    ALWAYS_LEGAL,
    CHANGES,
    COUNTED,
    TABLE,
    Action,
    Outcome,
    Status,
    legal_actions,
    next_status,
    require_legal,
)
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.errors import GateRefusedError, NotFoundError, StateError
from mcp_server.server.looking import ProjectLooker
from tests.builders import EVIDENCE, Clock, library, tree, write_workflow

RULES = {
    ("active", "pause", "done"): "paused",
    ("paused", "resume", "done"): "active",
    ("active", "complete_phase", "passed"): "active",
    ("active", "complete_phase", "skipped"): "active",
    ("active", "complete_phase", "refused"): "failed",
    ("active", "complete_phase", "finished"): "completed",
    ("failed", "retry_phase", "done"): "active",
    ("active", "rollback", "done"): "active",
    ("failed", "rollback", "done"): "active",
    ("completed", "rollback", "done"): "active",
}
"""The life of a session, as the documentation tells it."""

LEGAL = {
    "active": ["complete_phase", "pause", "rollback"],
    "paused": ["resume"],
    "failed": ["retry_phase", "rollback"],
    "completed": ["rollback"],
}

READING = ["get_phase", "get_task", "get_state", "get_session", "get_errors"]

PRODUCT = list(itertools.product(Status, Action))
ILLEGAL = [
    (status, action)
    for status, action in PRODUCT
    if action not in LEGAL[status] and action not in (*READING, "delete_session")
]


def names(pair):
    return str(pair)


PERSONS = {
    ("active", "approve", "done"): "active",
    ("failed", "override", "passed"): "active",
    ("failed", "override", "finished"): "completed",
}
"""What only a person can do."""


def test_the_table_says_what_the_rules_say():
    told = {
        (str(status), str(action), str(outcome)): str(after)
        for (status, action), outcomes in TABLE.items()
        for outcome, after in outcomes.items()
    }
    assert told == RULES | PERSONS


@pytest.mark.parametrize(("status", "action"), PRODUCT, ids=names)
def test_an_action_is_legal_where_the_rules_allow_it_and_refused_elsewhere(status, action):
    if (status, action) not in ILLEGAL:
        assert require_legal(status, action) is None
        return
    with pytest.raises(StateError) as refusal:
        require_legal(status, action)
    legal = LEGAL[status]
    assert refusal.value.message == f"{action} is not legal while the session is {status}"
    assert refusal.value.details == {"session_status": str(status), "legal_actions": legal}
    assert refusal.value.remediation == (
        f"Legal now: {', '.join(legal)}; and always: get_phase, get_task, get_state, get_session,"
        " get_errors, delete_session."
    )


@pytest.mark.parametrize(
    ("status", "action", "outcome", "after"), [(*k, v) for k, v in RULES.items()]
)
def test_a_legal_action_ends_in_the_status_of_the_rules(status, action, outcome, after):
    assert next_status(Status(status), Action(action), Outcome(outcome)) is Status(after)


@pytest.mark.parametrize(("status", "action"), ILLEGAL, ids=names)
@pytest.mark.parametrize("outcome", Outcome)
def test_nothing_follows_what_is_not_legal(status, action, outcome):
    with pytest.raises(StateError):
        next_status(status, action, outcome)


def test_an_outcome_that_an_action_cannot_have_leads_nowhere():
    impossible = [
        (status, action, outcome)
        for (status, action), outcome in itertools.product(TABLE, Outcome)
        if (status, action, outcome) not in RULES | PERSONS
    ]
    assert len(impossible) == 5 * len(TABLE) - len(RULES | PERSONS)
    for status, action, outcome in impossible:
        with pytest.raises(KeyError):
            next_status(status, action, outcome)


@pytest.mark.parametrize("status", Status)
def test_the_legal_actions_are_listed_in_the_order_of_the_tool(status):
    assert legal_actions(status) == tuple(LEGAL[status])


def test_the_sets_follow_the_rules():
    assert sorted(ALWAYS_LEGAL) == sorted([*READING, "delete_session"])
    assert sorted(CHANGES) == ["complete_phase", "pause", "resume", "retry_phase", "rollback"]
    assert set(COUNTED) == {"active", "failed"}


def test_every_status_can_be_reached_and_left():
    assert set(RULES.values()) == set(Status)
    assert {status for status, _, _ in RULES} == set(Status)


class World:
    """The real engine over files, with a session that can be put in every status."""

    def __init__(self, folder):
        write_workflow(folder / "workflows")
        self.state_folder = folder / "state"
        self.sessions = StateManager(FileStore(self.state_folder), max_active=10, clock=Clock())
        self.engine = WorkflowEngine(
            library(folder / "workflows"),
            self.sessions,
            root=folder,
            limits=Limits(),
            looker=ProjectLooker(folder),
        )
        self.id = self.engine.start("small_v1", "src/a.py")["session_id"]
        self.engine.complete_phase(self.id, 1, EVIDENCE)

    @property
    def status(self):
        return self.sessions.load(self.id).status

    def put(self, status):
        """Bring the session, which is active in phase 2 of 2, to `status`."""
        match status:
            case Status.PAUSED:
                self.do(Action.PAUSE)
            case Status.FAILED:
                self.do(Action.COMPLETE_PHASE, Outcome.REFUSED)
            case Status.COMPLETED:
                self.do(Action.COMPLETE_PHASE, Outcome.FINISHED)
        assert self.status is status

    def do(self, action, outcome=Outcome.DONE):
        """Call the action so that it comes to `outcome`, if it is legal."""
        match action:
            case Action.PAUSE:
                self.sessions.pause(self.id)
            case Action.RESUME:
                self.engine.resume(self.id)
            case Action.RETRY_PHASE:
                self.engine.retry_phase(self.id, 2)
            case Action.ROLLBACK:
                self.engine.rollback(self.id, 1)
            case Action.COMPLETE_PHASE:
                self.complete(outcome)
            case Action.DELETE_SESSION:
                self.sessions.delete_session(self.id)
            case _:
                self.read(action)

    def complete(self, outcome):
        match outcome:
            case Outcome.PASSED:
                self.engine.rollback(self.id, 1)
                self.engine.complete_phase(self.id, 1, EVIDENCE)
            case Outcome.SKIPPED:
                self.engine.rollback(self.id, 1)
                with pytest.raises(StateError, match="cannot complete phase 2"):
                    self.engine.complete_phase(self.id, 2, EVIDENCE)
            case Outcome.REFUSED:
                with pytest.raises(GateRefusedError):
                    self.engine.complete_phase(self.id, 2, {"tests": 0})
            case _:
                self.engine.complete_phase(self.id, 2, EVIDENCE)

    def read(self, action):
        match action:
            case Action.GET_PHASE:
                self.engine.get_phase(self.id)
            case Action.GET_TASK:
                self.engine.get_task(self.id, 1)
            case Action.GET_STATE:
                self.engine.get_state(self.id)
            case Action.GET_SESSION:
                self.sessions.get_session(self.id)
            case Action.GET_ERRORS:
                self.engine.get_errors(self.id)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.mark.parametrize(
    ("status", "action"), [pair for pair in ILLEGAL if pair[1] in CHANGES], ids=names
)
def test_the_engine_refuses_what_is_not_legal_and_changes_no_byte(world, status, action):
    world.put(status)
    before = tree(world.state_folder)
    with pytest.raises(StateError) as refusal:
        world.do(action)
    assert refusal.value.message == f"{action} is not legal while the session is {status}"
    assert refusal.value.details == {
        "session_status": str(status),
        "legal_actions": LEGAL[status],
        "current_phase": 2,
    }
    assert tree(world.state_folder) == before


@pytest.mark.parametrize(
    ("status", "action", "outcome", "after"),
    [(Status(s), Action(a), Outcome(o), Status(after)) for (s, a, o), after in RULES.items()],
)
def test_the_engine_leaves_a_session_in_the_status_of_the_rules(
    world, status, action, outcome, after
):
    world.put(status)
    world.do(action, outcome)
    assert world.status is after


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", READING)
def test_reading_is_legal_in_every_status_and_changes_no_byte(world, status, action):
    world.put(status)
    before = tree(world.state_folder)
    world.do(Action(action))
    assert tree(world.state_folder) == before


@pytest.mark.parametrize("status", Status)
def test_a_session_can_be_deleted_from_every_status(world, status):
    world.put(status)
    world.do(Action.DELETE_SESSION)
    with pytest.raises(NotFoundError):
        world.sessions.load(world.id)
