"""A gate's no that a person waves through, where the gate allows it."""

import json

import pytest

from mcp_server.core.consent import MAX_REASON, Attempt
from mcp_server.core.file_store import FileStore
from mcp_server.core.models import Override
from mcp_server.errors import ConflictError, InvalidArgumentError, StateError
from tests.core.consent_builders import (
    OF_PHASE,
    PLAIN,
    WAIVABLE,
    actions,
    fail,
    override,
    pause,
    project_of,
    unverified,
)
from tests.core.gated_builders import CLAIM, Port


def test_a_refused_gate_that_allows_it_says_how_a_person_waves_it_through(tmp_path):
    project = project_of(tmp_path, WAIVABLE)
    refusal = fail(project)
    assert refusal.fields["override_allowed"] is True
    assert refusal.remediation.endswith(
        f"A person may wave it through: aos-workflow approve {project.id} --override"
    )
    strict = project_of(tmp_path / "strict", PLAIN)
    refusal = fail(strict)
    assert "override" not in refusal.remediation
    assert "override_allowed" not in refusal.fields


def test_an_override_is_recorded_with_who_how_when_and_why(tmp_path):
    project = project_of(tmp_path, WAIVABLE, PLAIN)
    fail(project)
    refused = project.state
    assert project.engine.consent.overridable(project.id) == Attempt(1, 1)
    after = override(project, reason="  it is an experiment\n")
    assert after == project.state
    assert after.overrides == (
        Override(
            phase=1,
            by="alex",
            via="the client",
            time=after.last_updated,
            reason="it is an experiment",
        ),
    )
    assert (after.status, after.current_phase, after.completed_phases) == ("active", 2, (1,))
    assert [attempt.status for attempt in after.history] == ["overridden", "in_progress"]
    assert after.history[0].completed_at == refused.history[0].completed_at
    assert (after.evidence, after.errors) == (refused.evidence, refused.errors)
    assert actions(project)[-2:] == [("complete_phase", "refused"), ("override", "passed")]
    assert json.loads(project.lines[-1])["phase"] == 1
    assert project.sessions.verify(project.id).holds


def test_an_override_of_the_last_phase_completes_the_session(tmp_path):
    store = FileStore(tmp_path / "project" / ".praxis-os" / "state" / "workflows")
    project = project_of(tmp_path, WAIVABLE, store=store)
    fail(project)
    after = override(project)
    assert (after.status, after.completed_phases) == ("completed", (1,))
    assert [attempt.status for attempt in after.history] == ["overridden"]
    assert actions(project)[-1] == ("override", "finished")
    assert list(store.summaries(live_only=True)) == []
    assert project.sessions.verify(project.id).holds


def test_what_was_waved_through_is_shown_so_ever_after(tmp_path):
    project = project_of(tmp_path, WAIVABLE, PLAIN)
    fail(project)
    override(project)
    project.complete(CLAIM, 2)
    history = project.sessions.get_session(project.id)["session"]["phase_history"]
    assert [attempt["status"] for attempt in history] == ["overridden", "passed"]


def test_after_an_override_the_session_goes_on_like_any_other(tmp_path):
    project = project_of(tmp_path, WAIVABLE, WAIVABLE)
    fail(project)
    override(project)
    with pytest.raises(StateError, match="phase 1 is already completed"):
        project.complete(CLAIM, 1)
    with pytest.raises(StateError, match="retry_phase is not legal while the session is active"):
        project.engine.retry_phase(project.id, 1)
    with pytest.raises(StateError, match="override is not legal while the session is active"):
        override(project)
    fail(project, 2)
    with pytest.raises(ConflictError, match="is not the last one: phase 2, attempt 1"):
        override(project)
    assert override(project, 2).status == "completed"
    with pytest.raises(StateError, match="override is not legal while the session is completed"):
        override(project, 2)
    project.engine.rollback(project.id, 2)
    assert [waved.phase for waved in project.state.overrides] == [1]


def submit_nothing_yet(project):
    """The session stays active."""


@pytest.mark.parametrize(
    ("happening", "status"), [(submit_nothing_yet, "active"), (pause, "paused")]
)
def test_only_a_gate_that_said_no_can_be_waved_through(tmp_path, happening, status):
    project = project_of(tmp_path, WAIVABLE)
    happening(project)
    before = project.lines
    assert project.engine.consent.overridable(project.id) is None
    with pytest.raises(StateError, match=f"override is not legal while the session is {status}"):
        override(project)
    assert project.lines == before


def test_a_gate_that_could_not_look_cannot_be_waved_through(tmp_path):
    project = project_of(tmp_path, {"checkpoint": {"allow_override": True}, **OF_PHASE})
    unverified(project)
    with pytest.raises(StateError, match="override is not legal while the session is active"):
        override(project)


def test_a_gate_that_does_not_allow_it_cannot_be_waved_through(tmp_path):
    project = project_of(tmp_path, PLAIN)
    fail(project)
    before = project.lines
    assert project.engine.consent.overridable(project.id) is None
    with pytest.raises(StateError) as refusal:
        override(project)
    assert refusal.value.message == "the gate of phase 1 does not allow an override"
    assert refusal.value.remediation == "Mend the work and retry the phase."
    assert project.lines == before


@pytest.mark.parametrize("reason", ["", " \n\t", "x" * (MAX_REASON + 1)])
def test_an_override_needs_a_reason(tmp_path, reason):
    project = project_of(tmp_path, WAIVABLE)
    fail(project)
    with pytest.raises(InvalidArgumentError, match="an override needs a reason of at most 1000"):
        override(project, reason=reason)
    assert project.state.status == "failed"


def test_a_yes_to_an_earlier_refusal_is_none(tmp_path):
    project = project_of(tmp_path, WAIVABLE)
    fail(project)
    project.engine.retry_phase(project.id, 1)
    fail(project)
    with pytest.raises(ConflictError) as refusal:
        override(project)
    assert refusal.value.message == (
        "the refusal that was shown is not the last one: phase 1, attempt 2"
    )
    assert override(project, attempt=2).overrides[0].phase == 1


def test_half_a_character_of_a_terminal_is_no_obstacle(tmp_path):
    project = project_of(tmp_path, WAIVABLE)
    fail(project)
    assert override(project, reason="it\udce9 holds").overrides[0].reason == "it? holds"


def test_a_reason_may_be_as_long_as_is_said(tmp_path):
    project = project_of(tmp_path, WAIVABLE)
    fail(project)
    assert override(project, reason="x" * MAX_REASON).overrides[0].reason == "x" * MAX_REASON


def test_the_commit_at_which_a_phase_begins_is_that_of_the_moment(tmp_path):
    asked_of = []

    class Committed(Port):
        """A looker whose repository has a new commit at each look."""

        def commit_for(self, *gates):
            asked_of.append(len(gates))
            return f"c{len(asked_of)}"

    project = project_of(tmp_path, WAIVABLE, PLAIN, PLAIN, looker=Committed)
    seen = [(project.state.first_commit, project.state.phase_commit)]
    fail(project)
    override(project)
    seen.append((project.state.first_commit, project.state.phase_commit))
    project.complete(CLAIM, 2)
    seen.append((project.state.first_commit, project.state.phase_commit))
    project.engine.rollback(project.id, 2)
    seen.append((project.state.first_commit, project.state.phase_commit))
    fail(project, 2)
    project.engine.retry_phase(project.id, 2)
    seen.append((project.state.first_commit, project.state.phase_commit))
    assert seen == [("c1", "c1"), ("c1", "c2"), ("c1", "c3"), ("c1", "c4"), ("c1", "c4")]
    project.complete(CLAIM, 2)
    project.complete(CLAIM, 3)
    assert asked_of == [3, 1, 1, 1, 1, 0]
