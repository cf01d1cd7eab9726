"""Completing a phase whose gate looks for itself, over a real project folder."""

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.limits import Limits
from mcp_server.core.models import SourceRecord
from mcp_server.core.views import timestamp
from mcp_server.errors import (
    GateRefusedError,
    InvalidArgumentError,
    StateError,
    VerificationUnavailableError,
)
from tests.builders import tree
from tests.core.gated_builders import (
    CLAIM,
    EXECUTED,
    LOOKING,
    PLAN,
    REPORT,
    TWO_SECTIONS,
    GatedProject,
    junit,
    later,
)


@pytest.fixture
def project(tmp_path):
    made = GatedProject(tmp_path, LOOKING, LOOKING)
    made.start()
    return made


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """A project whose gate wants the server to run its tests, which it may not yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    store = FileStore(tmp_path / "project" / ".praxis-os" / "state" / "workflows")
    made = GatedProject(tmp_path, EXECUTED, store=store)
    made.start()
    made.define_test()
    return made


def refused(project, evidence, phase=1):
    with pytest.raises(GateRefusedError) as refusal:
        project.complete(evidence, phase)
    return refusal.value


def test_work_that_was_done_passes_with_what_the_server_found(project):
    project.do_the_work()
    answer = project.complete(CLAIM)
    record = project.state.evidence[1]["plan"].observation
    at = timestamp(record.time)
    plan = project.shown(PLAN)
    assert answer == {
        "phase_completed": 1,
        "checkpoint_passed": True,
        "evidence_accepted": ["summary", "plan", "sections", "passed"],
        "evidence": {
            "summary": {"known": "claimed"},
            "plan": {
                "known": "observed",
                "observed": {"by": f"file {PLAN}", "at": at, "value": True, "files": [plan]},
            },
            "sections": {
                "known": "observed",
                "observed": {
                    "by": f"count {PLAN}, matches of ^## ",
                    "at": at,
                    "value": 2,
                    "files": [plan],
                },
            },
            # There is not room for all that was looked at, but for what was found.
            "passed": {"known": "observed", "observed": {"value": 2}},
        },
        "warnings": [],
        "next_phase": {
            "phase_number": 2,
            "title": "Phase 2: Work",
            "description": "Do it.",
        },
        "next": f'aos_workflow(action="get_phase", session_id="{project.id}")',
    }


def test_what_was_found_is_stored_with_the_files_that_showed_it(project):
    project.do_the_work()
    project.complete(CLAIM)
    items = project.state.evidence[1]
    told = {name: (item.value, str(item.known)) for name, item in items.items()}
    assert told == {
        "summary": ("done", "claimed"),
        "plan": (True, "observed"),
        "sections": (2, "observed"),
        "passed": (2, "observed"),
    }
    assert items["summary"].observation is None
    content = (project.root / REPORT).read_bytes()
    [source] = items["passed"].observation.sources
    assert (source.path, source.size) == (REPORT, len(content))
    assert isinstance(source, SourceRecord)
    assert project.sessions.verify(project.id).holds


def test_a_claim_that_agrees_with_what_was_found_passes(project):
    project.do_the_work()
    answer = project.complete({**CLAIM, "passed": 2, "plan": True})
    assert answer["evidence"]["passed"]["known"] == "observed"


def test_a_field_that_the_gate_does_not_know_is_kept_with_a_warning(project):
    project.do_the_work()
    answer = project.complete({**CLAIM, "mood": "good"})
    assert answer["warnings"] == ["mood: not a field of this gate; kept"]
    assert project.state.evidence[1]["mood"].value == "good"


def test_work_that_was_not_done_is_refused_whatever_is_claimed(project):
    project.write(REPORT, junit(2))
    claims = {**CLAIM, "plan": True, "sections": 7}
    refusal = refused(project, claims)
    state = project.state
    problems = [f"plan: {PLAN} is not there", f"sections: {PLAN} is not there"]
    assert refusal.message == "the gate of phase 1 refused the evidence: 2 not satisfied"
    report = project.shown(REPORT)
    del report["modified"]
    assert refusal.fields == {
        "checkpoint_passed": False,
        "missing_evidence": [],
        "validation_errors": problems,
        "observed": {"passed": {"known": "observed", "value": 2, "files": [report]}},
        "next": f'aos_workflow(action="retry_phase", session_id="{project.id}", phase=1)',
    }
    [error] = state.errors
    assert (state.status, state.current_phase, state.error_count) == ("failed", 1, 1)
    assert (error.phase, error.error_type, error.message) == (1, "ValidationError", refusal.message)
    assert error.details == {"missing_evidence": [], "validation_errors": problems}
    kept = {name: (item.value, str(item.known)) for name, item in state.evidence[1].items()}
    assert kept == {
        "summary": ("done", "claimed"),
        "plan": (True, "claimed"),
        "sections": (7, "claimed"),
        "passed": (2, "observed"),
    }


def test_what_a_failed_look_saw_is_not_recorded_as_found(project):
    project.write(PLAN, TWO_SECTIONS)
    project.write(REPORT, junit(2), at=later(project.state.phase_started, -60))
    refused(project, {**CLAIM, "passed": 2})
    item = project.state.evidence[1]["passed"]
    assert (str(item.known), item.observation) == ("claimed", None)


def test_a_claim_that_differs_from_what_was_found_is_refused(project):
    project.do_the_work()
    refusal = refused(project, {**CLAIM, "passed": 5})
    [problem] = refusal.fields["validation_errors"]
    assert problem == (
        f"passed: claimed 5, but junit {REPORT} (passed) shows 2; leave the field out, or submit"
        " what is true"
    )


def test_what_was_found_must_satisfy_the_gate_too(project):
    project.do_the_work()
    project.write(PLAN, "# Plan\n\n## First\n")
    refusal = refused(project, CLAIM)
    assert refusal.fields["validation_errors"] == ["sections: expected minimum 2, got 1"]


def test_a_gate_that_could_not_look_records_nothing(executed):
    executed.write(REPORT, junit(2))
    before = tree(executed.root / ".praxis-os" / "state")
    with pytest.raises(VerificationUnavailableError) as refusal:
        executed.complete({**CLAIM, "passed": 2})
    assert tree(executed.root / ".praxis-os" / "state") == before
    assert executed.state.status == "active"
    assert refusal.value.message == "the gate of phase 1 could not verify 1 of its fields"
    assert refusal.value.remediation == (
        "a person runs `aos-workflow trust` in the project, on a terminal"
    )
    assert refusal.value.details == {"current_phase": 1}
    assert refusal.value.fields == {
        "checkpoint_passed": False,
        "unverified": ["passed: nobody has trusted command test in this project"],
        "next": f'aos_workflow(action="get_state", session_id="{executed.id}")',
    }


def test_a_gate_that_could_not_look_at_one_field_and_saw_another_wanting_refuses(executed):
    refusal = refused(executed, {"passed": 2})
    assert refusal.fields["missing_evidence"] == ["summary"]
    assert executed.state.status == "failed"


def test_a_command_that_is_trusted_is_run_and_its_report_believed(executed):
    executed.trust_test()
    answer = executed.complete(CLAIM)
    assert answer["workflow_complete"] is True
    passed = answer["evidence"]["passed"]
    assert (passed["known"], passed["observed"]["value"]) == ("executed", 2)
    assert passed["observed"]["by"] == f"command test, then junit {REPORT} (passed)"


def test_evidence_is_measured_before_anything_is_read(tmp_path):
    project = GatedProject(tmp_path, LOOKING, limits=Limits(evidence=50))
    with pytest.raises(InvalidArgumentError, match="evidence is too large: 73 bytes"):
        project.engine.complete_phase("no session", 1, {"summary": "x" * 59})


def test_what_earlier_attempts_submitted_counts_towards_the_limit(tmp_path):
    project = GatedProject(tmp_path, LOOKING, limits=Limits(evidence=100))
    project.start()
    refused(project, {"log": "x" * 60})
    project.engine.retry_phase(project.id, 1)
    before = project.lines
    with pytest.raises(InvalidArgumentError, match="evidence is too large"):
        project.complete({"summary": "x" * 60})
    assert project.lines == before


def test_a_report_from_before_the_phase_is_stale(project):
    project.do_the_work()
    project.write(REPORT, junit(2), at=later(project.state.phase_started, -1))
    [problem] = refused(project, {**CLAIM, "passed": 2}).fields["validation_errors"]
    assert problem.startswith(f"passed: {REPORT} is stale: it was written at 2026-03-14 12:00:")
    assert project.state.current_phase == 1


def test_the_report_of_one_phase_is_stale_in_the_next(project):
    project.do_the_work()
    project.complete(CLAIM)
    [problem] = refused(project, CLAIM, phase=2).fields["validation_errors"]
    assert f"passed: {REPORT} is stale" in problem


def test_a_retry_makes_reports_stale(project):
    project.do_the_work()
    assert refused(project, {}).fields["missing_evidence"] == ["summary"]
    project.engine.retry_phase(project.id, 1)
    refusal = refused(project, CLAIM)
    assert f"passed: {REPORT} is stale" in refusal.fields["validation_errors"][0]
    assert "retry_phase makes reports stale: produce them again after it." in refusal.remediation
    project.engine.retry_phase(project.id, 1)
    project.write(REPORT, junit(2))
    assert project.complete({})["checkpoint_passed"] is True


def test_a_rollback_makes_reports_stale(project):
    project.do_the_work()
    project.complete(CLAIM)
    project.engine.rollback(project.id, 1)
    assert f"passed: {REPORT} is stale" in refused(project, {}).fields["validation_errors"][0]
    project.engine.retry_phase(project.id, 1)
    project.write(REPORT, junit(3))
    assert project.complete({})["evidence"]["passed"]["observed"]["value"] == 3


def test_a_pause_makes_nothing_stale(project):
    project.do_the_work()
    project.sessions.pause(project.id)
    project.engine.resume(project.id)
    assert project.complete(CLAIM)["checkpoint_passed"] is True


def test_a_retry_keeps_claims_but_not_what_was_claimed_of_what_the_server_finds_out(project):
    project.do_the_work()
    refused(project, {**CLAIM, "passed": 5})
    project.engine.retry_phase(project.id, 1)
    project.write(REPORT, junit(3))
    assert project.complete({})["checkpoint_passed"] is True
    told = {name: (item.value, str(item.known)) for name, item in project.state.evidence[1].items()}
    assert told["summary"] == ("done", "claimed")
    assert told["passed"] == (3, "observed")


def test_a_retry_that_resets_keeps_nothing(project):
    project.do_the_work()
    refused(project, {**CLAIM, "passed": 5})
    project.engine.retry_phase(project.id, 1, reset_evidence=True)
    project.write(REPORT, junit(2))
    assert refused(project, {}).fields["missing_evidence"] == ["summary"]


@pytest.mark.parametrize("name", ["report", "long"])
def test_what_an_earlier_attempt_submitted_still_fills_a_path(tmp_path, name):
    path = "r.md" if name == "report" else "/".join(["d" * 200] * 6) + "/r.md"
    gate = {
        "evidence_schema": {
            "report": {"type": "string"},
            "written": {"type": "boolean", "verify": {"file": "{evidence.report}"}},
        }
    }
    project = GatedProject(tmp_path, gate)
    project.start()
    refused(project, {"report": path})
    assert project.state.evidence[1]["report"].inline is (name == "report")
    project.engine.retry_phase(project.id, 1)
    project.write(path, "text")
    assert project.complete({})["workflow_complete"] is True


def test_a_phase_cannot_be_completed_twice(project):
    project.do_the_work()
    project.complete(CLAIM)
    with pytest.raises(StateError) as refusal:
        project.complete(CLAIM)
    assert refusal.value.message == "phase 1 is already completed: the current phase is 2"
