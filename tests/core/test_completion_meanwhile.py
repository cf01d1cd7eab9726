"""Sessions that move on while the server looks, and calls on which it must not look at all."""

import pytest

from mcp_server.errors import (
    ConflictError,
    GateRefusedError,
    NotFoundError,
    StateError,
    VerificationUnavailableError,
)
from tests.core.gated_builders import CLAIM, LOOKING, PLAN, REPORT, GatedProject, Port, junit

APPROVED = {
    "evidence_schema": {
        "agreed": {"type": "boolean", "verify": {"approval": "Is it good?"}},
        "summary": {"type": "string"},
    }
}


class Interrupted(Port):
    """A looker during whose next look something else happens."""

    def __init__(self, root):
        super().__init__(root)
        self.meanwhile = []
        self.looks = 0

    def observe(self, gate, claims, facts):
        self.looks += 1
        seen = super().observe(gate, claims, facts)
        if self.meanwhile:
            self.meanwhile.pop()()
        return seen


class Blind(Port):
    """A looker that must not be asked."""

    def observe(self, gate, claims, facts):
        raise AssertionError("the server looked")

    def takes_long(self, gate):
        raise AssertionError("the server asked what looking would take")


class Idle:
    """Workers that must not be asked."""

    def verify(self, session_id, phase, evidence):
        raise AssertionError("a worker was asked")

    def standing(self, session_id):
        return {}


class Interruption:
    """A project in which something happens while the server looks."""

    def __init__(self, folder, *gates):
        made = []

        def looker(root):
            made.append(Interrupted(root))
            return made[0]

        self.project = GatedProject(folder, *gates, looker=looker)
        self.looker = made[0]
        self.project.start()

    def during_the_look(self, happening):
        """Let `happening` take place while the server looks for phase 1."""
        told = {}

        def happen():
            happening()
            told["lines"] = self.project.lines

        self.looker.meanwhile.append(happen)
        return told


@pytest.fixture
def interruption(tmp_path):
    made = Interruption(tmp_path, LOOKING, LOOKING)
    made.project.do_the_work()
    return made


def refuse_and_retry(project):
    with pytest.raises(GateRefusedError):
        project.complete({"passed": 9})
    project.engine.retry_phase(project.id, 1)


def test_what_was_seen_of_an_earlier_attempt_counts_for_nothing(interruption):
    project = interruption.project
    told = interruption.during_the_look(lambda: refuse_and_retry(project))
    with pytest.raises(ConflictError) as refusal:
        project.complete(CLAIM)
    assert refusal.value.message == (
        "Session modified by another operation while the server was looking"
    )
    assert refusal.value.remediation == "Read the session again with get_state, then retry."
    assert refusal.value.fields == {
        "next": f'aos_workflow(action="get_state", session_id="{project.id}")'
    }
    assert project.lines == told["lines"]
    assert (project.state.status, project.state.current_phase) == ("active", 1)


def test_what_was_seen_before_a_rollback_counts_for_nothing(interruption):
    project = interruption.project

    def pass_and_roll_back():
        project.complete(CLAIM)
        project.engine.rollback(project.id, 1)

    told = interruption.during_the_look(pass_and_roll_back)
    with pytest.raises(ConflictError):
        project.complete(CLAIM)
    assert project.lines == told["lines"]


@pytest.mark.parametrize(
    ("happening", "message"),
    [
        (
            lambda project: project.complete(CLAIM),
            "phase 1 is already completed: the current phase is 2",
        ),
        (
            lambda project: project.sessions.pause(project.id),
            "complete_phase is not legal while the session is paused",
        ),
    ],
    ids=["completed", "paused"],
)
def test_a_session_that_may_not_be_completed_any_more_is_left_alone(
    interruption, happening, message
):
    project = interruption.project
    told = interruption.during_the_look(lambda: happening(project))
    with pytest.raises(StateError) as refusal:
        project.complete(CLAIM)
    assert refusal.value.message == message
    assert project.lines == told["lines"]


def test_a_session_that_is_deleted_during_the_look_is_gone(interruption):
    project = interruption.project
    interruption.looker.meanwhile.append(lambda: project.sessions.delete_session(project.id))
    with pytest.raises(NotFoundError, match=f"no session {project.id}"):
        project.complete(CLAIM)


def test_a_change_that_leaves_the_attempt_alone_is_no_conflict(interruption):
    project = interruption.project

    def skip_and_pause():
        with pytest.raises(StateError):
            project.complete(CLAIM, 2)
        project.sessions.pause(project.id)
        project.engine.resume(project.id)

    interruption.during_the_look(skip_and_pause)
    assert project.complete(CLAIM)["checkpoint_passed"] is True
    assert [error.error_type for error in project.state.errors] == ["StateError"]


def test_an_approval_that_comes_during_the_look_is_seen_by_the_next(tmp_path):
    interruption = Interruption(tmp_path, APPROVED)
    project = interruption.project
    consent = project.engine.consent
    interruption.during_the_look(
        lambda: consent.approve(consent.requests(project.id)[0], by="alex", via="a test")
    )
    with pytest.raises(VerificationUnavailableError):
        project.complete(CLAIM)
    assert project.complete(CLAIM)["workflow_complete"] is True


def test_a_session_that_becomes_active_after_the_look_was_left_out_does_not_pass(interruption):
    project = interruption.project
    project.sessions.pause(project.id)
    load = project.sessions.load

    def load_then_resume(session_id):
        state = load(session_id)
        project.sessions.load = load
        project.engine.resume(session_id)
        return state

    project.sessions.load = load_then_resume
    with pytest.raises(VerificationUnavailableError) as refusal:
        project.engine.completion.conclude(project.id, 1, {**CLAIM, "passed": 2})
    assert refusal.value.fields["unverified"] == [
        f"{name}: the server has not looked" for name in ("plan", "sections", "passed")
    ]
    assert interruption.looker.looks == 0


def paused(project):
    project.sessions.pause(project.id)


def failed(project):
    project.write(REPORT, junit(2))
    with pytest.raises(GateRefusedError):
        project.complete(CLAIM, 2)


def nothing(project):
    """The session is left as it is, in its second phase."""


@pytest.mark.parametrize(
    ("happening", "phase", "message"),
    [
        (nothing, 1, "phase 1 is already completed: the current phase is 2"),
        (
            nothing,
            3,
            "cannot complete phase 3: the current phase is 2, and phases are completed in order",
        ),
        (nothing, 9, "no phase 9"),
        (paused, 2, "complete_phase is not legal while the session is paused"),
        (failed, 2, "complete_phase is not legal while the session is failed"),
    ],
    ids=["earlier", "later", "unknown", "paused", "failed"],
)
def test_the_server_does_not_look_for_what_may_not_be_completed(
    tmp_path, happening, phase, message
):
    project = GatedProject(tmp_path, LOOKING, LOOKING, LOOKING)
    project.start()
    project.do_the_work()
    project.complete(CLAIM)
    (project.root / PLAN).unlink()
    happening(project)
    again = GatedProject(tmp_path, store=project.store, looker=Blind, workers=Idle())
    with pytest.raises((StateError, NotFoundError), match=message):
        again.engine.complete_phase(project.id, phase, CLAIM)


def test_the_server_does_not_look_where_nothing_is_to_be_verified(tmp_path):
    gate = {"evidence_schema": {"summary": {"type": "string"}}}
    project = GatedProject(tmp_path, gate, looker=Blind)
    project.start()
    assert project.complete(CLAIM)["workflow_complete"] is True


def test_the_server_does_not_look_for_a_completed_session(tmp_path):
    project = GatedProject(tmp_path, LOOKING)
    project.start()
    project.do_the_work()
    project.complete(CLAIM)
    again = GatedProject(tmp_path, store=project.store, looker=Blind, workers=Idle())
    with pytest.raises(StateError, match="not legal while the session is completed"):
        again.engine.complete_phase(project.id, 1, CLAIM)


def test_a_phase_ahead_is_recorded_as_a_skip(tmp_path):
    project = GatedProject(tmp_path, LOOKING, LOOKING, looker=Blind)
    project.start()
    with pytest.raises(StateError) as refusal:
        project.complete(CLAIM, 2)
    [error] = project.state.errors
    assert refusal.value.details == {"current_phase": 1}
    assert refusal.value.fields == {
        "next": f'aos_workflow(action="get_phase", session_id="{project.id}")'
    }
    assert (error.phase, error.message) == (2, refusal.value.message)
    assert (project.state.status, project.state.evidence) == ("active", {})
