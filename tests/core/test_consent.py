"""A person's yes to what a gate asks a person for, void when things change."""

from dataclasses import replace

import pytest

from mcp_server.core.consent import Request
from mcp_server.core.encoding import digest
from mcp_server.core.models import Approval
from mcp_server.core.views import timestamp
from mcp_server.errors import ConflictError, StateError
from tests.core.consent_builders import (
    OF_PHASE,
    OF_PLAN,
    PLAIN,
    actions,
    approve,
    asked,
    fail,
    pause,
    project_of,
    unverified,
)
from tests.core.gated_builders import CLAIM, PLAN, TWO_SECTIONS


def test_a_person_is_asked_the_question_and_shown_the_digests_of_the_files(tmp_path):
    project = project_of(tmp_path, OF_PLAN)
    files = {PLAN: digest(TWO_SECTIONS.encode())}
    question = "Is src/a.py planned well?"
    assert project.engine.consent.requests(project.id) == [
        Request(project.id, 1, 1, "agreed", question, files, given=False)
    ]
    approve(project)
    assert asked(project) == Request(project.id, 1, 1, "agreed", question, files, given=True)


def test_a_person_is_asked_for_each_field_that_wants_an_approval_and_for_no_other(tmp_path):
    approval = {"approval": "Go on?"}
    gate = {
        "evidence_schema": {
            "plan": {"type": "boolean", "verify": {"file": PLAN}},
            "first": {"type": "boolean", "verify": approval},
            "second": {"type": "boolean", "verify": [{"command": "test"}, approval]},
        }
    }
    project = project_of(tmp_path, gate)
    approve(project, "first")
    requests = project.engine.consent.requests(project.id)
    assert [(request.field, request.given) for request in requests] == [
        ("first", True),
        ("second", False),
    ]


def test_a_gate_without_approvals_asks_nobody(tmp_path):
    project = project_of(tmp_path, PLAIN)
    assert project.engine.consent.requests(project.id) == []


@pytest.mark.parametrize("claims", [{}, {"agreed": True}])
def test_nothing_that_is_submitted_is_an_approval(tmp_path, claims):
    project = project_of(tmp_path, OF_PLAN)
    before = project.lines
    refusal = unverified(project, {**CLAIM, **claims})
    assert refusal.fields["unverified"] == ["agreed: no person has approved it yet"]
    assert refusal.remediation == f"A person approves it with `aos-workflow approve {project.id}`."
    assert refusal.details == {
        "current_phase": 1,
        "waiting_for": [
            {"approval_of": "agreed", "question": "Is src/a.py planned well?", "files": [PLAN]}
        ],
    }
    assert project.lines == before


def test_an_approval_is_recorded_with_who_how_when_and_of_what(tmp_path):
    project = project_of(tmp_path, OF_PLAN)
    after = approve(project)
    assert after == project.state
    assert after.approvals == (
        Approval(
            phase=1,
            field="agreed",
            by="alex",
            via="a terminal",
            time=after.last_updated,
            files={PLAN: digest(TWO_SECTIONS.encode())},
        ),
    )
    assert (after.status, after.current_phase, after.evidence) == ("active", 1, {})
    assert actions(project) == [("start", "done"), ("approve", "done")]
    assert project.sessions.verify(project.id).holds


def test_what_was_approved_passes_as_approved(tmp_path):
    project = project_of(tmp_path, OF_PLAN)
    approve(project)
    answer = project.complete(CLAIM)
    observed = answer["evidence"]["agreed"]
    assert answer["workflow_complete"] is True
    assert observed == {
        "known": "approved",
        "observed": {
            "by": "approval: Is src/a.py planned well?",
            "at": timestamp(project.state.evidence[1]["agreed"].observation.time),
            "value": True,
            "files": [project.shown(PLAN)],
        },
    }


def test_an_approval_is_void_when_a_file_changes(tmp_path):
    project = project_of(tmp_path, OF_PLAN)
    approve(project)
    project.write(PLAN, TWO_SECTIONS + "\n## Third\n")
    assert unverified(project).fields["unverified"] == [
        f"agreed: the approval by alex is void: {PLAN} changed since"
    ]
    assert asked(project).given is False
    approve(project)
    assert len(project.state.approvals) == 1
    assert project.complete(CLAIM)["workflow_complete"] is True


def test_an_approval_of_a_file_is_refused_when_it_is_not_what_was_shown(tmp_path):
    project = project_of(tmp_path, OF_PLAN)
    shown = asked(project).files
    project.write(PLAN, "other")
    for files in (shown, {}, {**asked(project).files, "more.md": "0" * 64}):
        with pytest.raises(ConflictError) as refusal:
            approve(project, files=files)
        assert refusal.value.message == (
            "what is to be approved changed while it was being looked at"
        )
    assert actions(project) == [("start", "done")]


@pytest.mark.parametrize(
    "changed", [{"phase": 2}, {"attempt": 2}, {"question": "Is it bad?"}], ids=str
)
def test_a_yes_to_another_question_is_none(tmp_path, changed):
    project = project_of(tmp_path, OF_PHASE)
    with pytest.raises(ConflictError):
        approve(project, **changed)
    assert project.state.approvals == ()


def test_a_yes_that_comes_after_the_session_moved_on_is_none(tmp_path):
    project = project_of(tmp_path, OF_PHASE, OF_PHASE)
    shown = asked(project)
    finish(project)
    with pytest.raises(ConflictError):
        project.engine.consent.approve(shown, by="alex", via="a terminal")
    assert [given.phase for given in project.state.approvals] == [1]


def test_what_cannot_be_approved_yet_is_in_nobodys_way(tmp_path):
    schema = OF_PLAN["evidence_schema"]
    whole = {"type": "boolean", "verify": {"approval": "Go on?"}}
    project = project_of(tmp_path, {"evidence_schema": {**schema, "whole": whole}})
    (project.root / PLAN).unlink()
    approve(project, "whole")
    assert [given.field for given in project.state.approvals] == ["whole"]


def test_what_is_not_there_cannot_be_approved(tmp_path):
    project = project_of(tmp_path, OF_PLAN)
    (project.root / PLAN).unlink()
    with pytest.raises(StateError, match=f"agreed cannot be approved yet: {PLAN} is not there"):
        approve(project)


@pytest.mark.parametrize("field", ["summary", "nothing", ""])
def test_only_what_the_gate_asks_a_person_for_can_be_approved(tmp_path, field):
    project = project_of(tmp_path, OF_PHASE)
    with pytest.raises(StateError) as refusal:
        project.engine.consent.approve(replace(asked(project), field=field), by="alex", via="x")
    assert refusal.value.message == f"phase 1: nobody is asked to approve {field!r}"
    assert project.state.approvals == ()


def finish(project):
    approve(project)
    project.complete(CLAIM)


@pytest.mark.parametrize(
    ("happening", "status"), [(pause, "paused"), (fail, "failed"), (finish, "completed")]
)
def test_only_an_active_session_takes_approvals(tmp_path, happening, status):
    project = project_of(tmp_path, OF_PHASE)
    shown = asked(project)
    happening(project)
    before = project.lines
    for files in ({}, {PLAN: "0" * 64}):
        with pytest.raises(StateError, match=f"approve is not legal while the session is {status}"):
            project.engine.consent.approve(replace(shown, files=files), by="alex", via="x")
    assert project.lines == before


def test_an_approval_of_files_outlives_a_retry_and_one_of_the_phase_does_not(tmp_path):
    schema = OF_PLAN["evidence_schema"]
    whole = {"type": "boolean", "verify": {"approval": "Go on?"}}
    project = project_of(tmp_path, {"evidence_schema": {**schema, "whole": whole}})
    approve(project)
    approve(project, "whole")
    assert [given.field for given in project.state.approvals] == ["agreed", "whole"]
    fail(project)
    project.engine.retry_phase(project.id, 1)
    assert [given.field for given in project.state.approvals] == ["agreed"]
    assert unverified(project).fields["unverified"] == ["whole: no person has approved it yet"]
    approve(project, "whole")
    assert project.complete(CLAIM)["workflow_complete"] is True


@pytest.mark.parametrize("gate", [OF_PLAN, OF_PHASE])
def test_a_rollback_makes_approvals_of_the_phase_and_later_ones_void(tmp_path, gate):
    project = project_of(tmp_path, gate, gate, gate)
    for phase in (1, 2):
        approve(project)
        project.complete(CLAIM, phase)
    approve(project)
    assert [given.phase for given in project.state.approvals] == [1, 2, 3]
    project.engine.rollback(project.id, 2)
    assert [given.phase for given in project.state.approvals] == [1]
    assert unverified(project, phase=2).fields["unverified"] == [
        "agreed: no person has approved it yet"
    ]


def test_an_approval_counts_for_its_phase_only(tmp_path):
    project = project_of(tmp_path, OF_PLAN, OF_PLAN)
    approve(project)
    project.complete(CLAIM)
    assert asked(project).given is False
    unverified(project, phase=2)
