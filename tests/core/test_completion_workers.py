"""Submissions that a worker verifies, and those that are sent again afterwards."""

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.errors import ConflictError, GateRefusedError, StateError
from tests.core.gated_builders import CLAIM, EXECUTED, LOOKING, REPORT, GatedProject, Port, junit

LARGE = {"summary": "x" * 500}


class Slow(Port):
    """A looker that says of every gate that looking takes long."""

    def takes_long(self, gate):
        return True


class Crew:
    """Workers that do what they are told, and note what they are asked."""

    def __init__(self):
        self.asked = []
        self.do = lambda *_asked: None
        self.said = {}

    def verify(self, session_id, phase, evidence):
        self.asked.append((session_id, phase, dict(evidence)))
        return self.do(session_id, phase, evidence)

    def standing(self, session_id):
        return self.said


class Verified:
    """A project whose gates are verified by a crew."""

    def __init__(self, folder, *gates, **options):
        self.crew = Crew()
        self.project = GatedProject(
            folder, *gates, workers=self.crew, **({"looker": Slow} | options)
        )
        self.project.start()

    def conclude(self, session_id, phase, evidence):
        """What a worker does."""
        completion = self.project.engine.completion
        return completion.conclude(session_id, phase, evidence, remember=True)


@pytest.fixture
def verified(tmp_path):
    made = Verified(tmp_path, LOOKING, LOOKING)
    made.project.do_the_work()
    return made


def refusal_of(project, evidence, phase=1):
    with pytest.raises(GateRefusedError) as refusal:
        project.complete(evidence, phase)
    return refusal.value


def test_a_verification_that_runs_on_answers_with_the_call_that_picks_it_up(verified):
    project = verified.project
    before = project.lines
    assert project.complete(CLAIM) == {
        "verification": "running",
        "phase": 1,
        "next": f'aos_workflow(action="complete_phase", session_id="{project.id}", phase=1,'
        ' evidence={"summary":"done"})',
    }
    assert verified.crew.asked == [(project.id, 1, CLAIM)]
    assert project.lines == before


def test_large_evidence_is_not_repeated(verified):
    project = verified.project
    assert project.complete(LARGE)["next"] == (
        f'aos_workflow(action="complete_phase", session_id="{project.id}", phase=1,'
        ' evidence={"...":"the same evidence"})'
    )


def test_what_a_worker_answers_is_the_answer(verified):
    verified.crew.do = verified.conclude
    answer = verified.project.complete(CLAIM)
    assert (answer["phase_completed"], answer["checkpoint_passed"]) == (1, True)
    assert verified.project.state.current_phase == 2
    verified.crew.do = lambda *_asked: {"phase_completed": 2}
    assert verified.project.complete(CLAIM, 2) == {"phase_completed": 2}


def test_what_a_worker_refuses_is_the_refusal(verified):
    verified.crew.do = verified.conclude
    refusal = refusal_of(verified.project, {**CLAIM, "passed": 5})
    assert refusal.message == "the gate of phase 1 refused the evidence: 1 not satisfied"
    assert verified.project.state.status == "failed"


def test_a_worker_that_is_busy_with_something_else_says_so(verified):
    def busy(*_asked):
        raise ConflictError("Session modified by another operation", remediation="Wait.")

    verified.crew.do = busy
    with pytest.raises(ConflictError):
        verified.project.complete(CLAIM)


def test_a_verification_that_another_server_ended_meanwhile_is_picked_up_at_once(verified):
    told = []

    def conclude_unasked(*asked):
        told.append(verified.conclude(*asked))

    verified.crew.do = conclude_unasked
    assert verified.project.complete(CLAIM) == told[0]
    assert verified.project.state.current_phase == 2


def test_what_another_submission_came_to_meanwhile_is_not_taken_for_the_answer(verified):
    def conclude_another(session_id, phase, _evidence):
        verified.conclude(session_id, phase, {**CLAIM, "passed": 2})

    verified.crew.do = conclude_another
    assert verified.project.complete(CLAIM)["verification"] == "running"


def test_what_takes_no_time_is_done_without_a_worker(tmp_path):
    verified = Verified(tmp_path, LOOKING, looker=Port)
    verified.project.do_the_work()
    assert verified.project.complete(CLAIM)["workflow_complete"] is True
    assert verified.crew.asked == []


def test_a_trusted_command_takes_long_and_one_that_would_not_run_does_not(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    verified = Verified(tmp_path, EXECUTED, looker=Port)
    project = verified.project
    project.define_test()
    refused = refusal_of(project, {})
    assert (refused.fields["missing_evidence"], verified.crew.asked) == (["summary"], [])
    project.engine.retry_phase(project.id, 1)
    project.trust_test()
    assert project.complete(CLAIM)["verification"] == "running"
    assert verified.crew.asked == [(project.id, 1, CLAIM)]


def test_get_state_says_what_the_workers_say(verified):
    assert "verification" not in verified.project.engine.get_state(verified.project.id)
    verified.crew.said = {"verification": "running"}
    assert verified.project.engine.get_state(verified.project.id)["verification"] == "running"


def test_get_state_says_nothing_of_verifications_without_workers(tmp_path):
    project = GatedProject(tmp_path, LOOKING)
    project.start()
    assert "verification" not in project.engine.get_state(project.id)


@pytest.mark.parametrize("phases", [1, 2])
def test_a_submission_that_passed_is_answered_alike_when_it_is_sent_again(tmp_path, phases):
    verified = Verified(tmp_path, *[LOOKING] * phases)
    project = verified.project
    project.do_the_work()
    answer = verified.conclude(project.id, 1, CLAIM)
    before = project.lines
    assert [project.complete(CLAIM) for _ in range(2)] == [answer, answer]
    assert project.lines == before
    assert verified.crew.asked == []


def test_a_submission_that_was_refused_is_answered_alike_when_it_is_sent_again(verified):
    project = verified.project
    evidence = {"passed": 5}
    with pytest.raises(GateRefusedError) as first:
        verified.conclude(project.id, 1, evidence)
    before = project.lines
    again = refusal_of(project, evidence)
    assert (again.error_type, again.message) == (first.value.error_type, first.value.message)
    told = dict(first.value.fields)
    del told["observed"]
    assert again.fields == told
    assert again.fields["missing_evidence"] == ["summary"]
    assert project.lines == before
    assert verified.crew.asked == []


def test_what_came_of_a_submission_is_known_to_every_server(tmp_path):
    store = FileStore(tmp_path / "project" / ".praxis-os" / "state" / "workflows")
    verified = Verified(tmp_path, LOOKING, LOOKING, store=store)
    project = verified.project
    project.do_the_work()
    answer = verified.conclude(project.id, 1, CLAIM)
    other = GatedProject(tmp_path, store=FileStore(store._folder))
    assert other.engine.complete_phase(project.id, 1, CLAIM) == answer


@pytest.mark.parametrize(
    "other", [{"summary": "other"}, {**CLAIM, "passed": 2}, {"summary": "done", "x": None}, {}]
)
def test_another_submission_is_not_answered_with_what_the_last_one_came_to(verified, other):
    project = verified.project
    verified.conclude(project.id, 1, CLAIM)
    with pytest.raises(StateError, match="phase 1 is already completed"):
        project.complete(other)


def test_the_same_evidence_for_another_phase_is_another_submission(verified):
    project = verified.project
    verified.conclude(project.id, 1, CLAIM)
    assert project.complete(CLAIM, 2)["verification"] == "running"
    with pytest.raises(GateRefusedError, match="phase 2 refused"):
        verified.conclude(project.id, 2, CLAIM)


def test_a_later_change_makes_a_submission_a_new_one(verified):
    project = verified.project
    verified.conclude(project.id, 1, CLAIM)
    project.sessions.pause(project.id)
    project.engine.resume(project.id)
    with pytest.raises(StateError, match="phase 1 is already completed"):
        project.complete(CLAIM)


def test_after_a_retry_a_refused_submission_is_judged_anew(verified):
    project = verified.project
    evidence = {**CLAIM, "passed": 5}
    with pytest.raises(GateRefusedError):
        verified.conclude(project.id, 1, evidence)
    project.engine.retry_phase(project.id, 1)
    assert project.complete(evidence)["verification"] == "running"
    project.write(REPORT, junit(5))
    assert verified.conclude(project.id, 1, evidence)["checkpoint_passed"] is True


def test_after_a_rollback_a_submission_that_passed_is_judged_anew(verified):
    project = verified.project
    verified.conclude(project.id, 1, CLAIM)
    project.engine.rollback(project.id, 1)
    assert project.complete(CLAIM)["verification"] == "running"


def test_what_was_judged_at_once_is_not_remembered(tmp_path):
    project = GatedProject(tmp_path, LOOKING, LOOKING)
    project.start()
    project.do_the_work()
    project.complete(CLAIM)
    assert project.state.concluded is None
    with pytest.raises(StateError, match="phase 1 is already completed"):
        project.complete(CLAIM)
