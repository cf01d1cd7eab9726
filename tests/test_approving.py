"""A person's word on a session, given on a terminal with a code that is shown only there."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from mcp_server import approving, terminal
from mcp_server.core.transitions import Status
from mcp_server.errors import GateRefusedError, VerificationUnavailableError
from tests.builders import write_workflow
from tests.terminals import Answered

REPOSITORY = Path(__file__).parent.parent
CODE = "ABC234"

GATE = {
    "checkpoint": {"strict": True, "allow_override": True},
    "evidence_schema": {
        "report": {"type": "string", "verify": {"file": "report.md"}},
        "approved": {
            "type": "boolean",
            "verify": {"approval": {"question": "Is {target_file} good?", "of": "report.md"}},
        },
    },
}


@pytest.fixture
def at_terminal(monkeypatch):
    monkeypatch.setattr(approving, "_new_code", lambda: CODE)
    monkeypatch.setattr(terminal, "person", lambda: "ada")
    monkeypatch.setattr(approving, "person", lambda: "ada")
    return partial(Answered, monkeypatch)


@pytest.fixture
def session(project, services):
    write_workflow(project / ".praxis-os" / "workflows", gate=GATE)
    (project / "report.md").write_text("Fine.\n", encoding="utf-8")
    return services.engine.start("small_v1", "src/a.py")["session_id"]


def refused(services, session, project):
    (project / "report.md").unlink()
    with pytest.raises(GateRefusedError):
        services.engine.complete_phase(session, 1, {})


def test_the_code_that_is_shown_approves(services, session, at_terminal):
    with pytest.raises(VerificationUnavailableError):
        services.engine.complete_phase(session, 1, {})

    person = at_terminal([CODE], "approve", session)

    assert person.code == 0
    assert person.printed == ""
    (approval,) = services.sessions.load(session).approvals
    digest = approval.files["report.md"]
    assert person.screen == (
        f"\nPhase 1 of {session} asks for your approval:\n"
        "  Is src/a.py good?\n"
        f"  {digest[:12]}  report.md\n"
        "The approval is void as soon as one of these files changes.\n"
        f"Type {CODE} to approve, anything else to leave it: "
        "Approved. The agent may call complete_phase again.\n"
    )
    assert (approval.phase, approval.field, approval.by, approval.via) == (
        1, "approved", "ada", "a terminal",
    )  # fmt: skip
    passed = services.engine.complete_phase(session, 1, {})
    assert passed["evidence"]["approved"]["known"] == "approved"


@pytest.mark.parametrize("answer", ["", "y", "yes", CODE.lower(), f"{CODE}X", "ZZZ999"])
def test_anything_but_the_code_does_not(services, session, at_terminal, answer):
    person = at_terminal([answer], "approve", session)

    assert person.code == 1
    assert person.screen.endswith("Not approved.\n")
    assert services.sessions.load(session).approvals == ()


def test_the_end_of_what_is_typed_is_no_yes(services, session, at_terminal):
    assert at_terminal([], "approve", session, hang_up=True).code == 1
    assert services.sessions.load(session).approvals == ()


def test_each_question_has_a_code_of_its_own():
    codes = {approving._new_code() for _ in range(50)}
    assert len(codes) == 50
    assert {len(code) for code in codes} == {6}


def test_an_approval_is_asked_for_again_when_the_file_has_changed(
    project, services, session, at_terminal
):
    at_terminal([CODE], "approve", session)
    assert at_terminal([], "approve", session).screen == f"{session} waits for no approval.\n"

    (project / "report.md").write_text("Changed.\n", encoding="utf-8")
    with pytest.raises(VerificationUnavailableError) as refusal:
        services.engine.complete_phase(session, 1, {})
    assert refusal.value.fields["unverified"] == [
        "approved: the approval by ada is void: report.md changed since"
    ]
    assert at_terminal([CODE], "approve", session).code == 0
    assert services.engine.complete_phase(session, 1, {})["phase_completed"] == 1


def test_a_file_that_is_not_there_cannot_be_approved(project, services, session, at_terminal):
    (project / "report.md").unlink()
    person = at_terminal([CODE], "approve", session)
    assert person.code == 1
    assert person.screen.endswith("approved cannot be approved yet: report.md is not there\n")
    assert services.sessions.load(session).approvals == ()


def test_what_a_terminal_would_act_on_is_written_out(project, services, at_terminal):
    gate = {"evidence_schema": {"ok": {"verify": {"approval": "Good?\x1b[2J\nreally"}}}}
    write_workflow(project / ".praxis-os" / "workflows", "sly_v1", gate=gate)
    session = services.engine.start("sly_v1", "a.py")["session_id"]
    assert r"  Good?\x1b[2J\nreally" in at_terminal([CODE], "approve", session).screen


def test_a_person_waves_a_refusal_through_with_a_reason(project, services, session, at_terminal):
    refused(services, session, project)

    person = at_terminal(["it is on paper", CODE], "approve", session, "--override")

    assert person.code == 0
    assert person.screen.startswith(f"The gate of phase 1 of {session} said no:\n")
    assert "  - report: report.md is not there" in person.screen
    assert person.screen.endswith("Waved through, and recorded with your name and reason.\n")
    state = services.sessions.load(session)
    assert (state.status, state.current_phase) == (Status.ACTIVE, 2)
    assert (state.overrides[0].by, state.overrides[0].reason) == ("ada", "it is on paper")


@pytest.mark.parametrize("answers", [["", CODE], ["it is on paper", "no"]])
def test_without_a_reason_or_the_code_the_refusal_stands(
    project, services, session, at_terminal, answers
):
    refused(services, session, project)
    assert at_terminal(answers, "approve", session, "--override").code == 1
    assert services.sessions.load(session).status is Status.FAILED


def test_what_was_not_refused_cannot_be_waved_through(services, session, at_terminal):
    person = at_terminal(["why not", CODE], "approve", session, "--override")
    assert person.code == 1
    assert person.screen == ""
    assert services.sessions.load(session).current_phase == 1


def test_a_pipe_cannot_answer(project, session):
    told = subprocess.run(
        [sys.executable, "-c", "from mcp_server.cli import main; main()", "approve", session,
         "--project", str(project)],
        input="yes\n" * 9, capture_output=True, text=True, check=False, start_new_session=True,
        cwd=REPOSITORY,
    )  # fmt: skip
    assert told.returncode == 2
    assert told.stderr == (
        "aos-workflow: there is no terminal to ask on, and nothing else may answer."
        " A person runs this command on a terminal.\n"
    )
