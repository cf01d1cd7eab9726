"""A person behind the client: asked where a gate wants one, and by nothing that an agent says."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import ElicitResult

from mcp_server.config import Settings
from mcp_server.core.consent import Consent
from mcp_server.server.app import build_server
from tests.builders import write_workflow
from tests.integration.agent import Agent

REVISIONS = ("2025-06-18", "2025-11-25", "2026-07-28")

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

YES = ElicitResult(action="accept", content={"approve": True, "name": "Ada"})
NO = ElicitResult(action="accept", content={"approve": False})


class Person:
    """Answers what the client asks, in order, and remembers the questions."""

    def __init__(self, *answers: ElicitResult | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.forms: list[dict[str, Any]] = []

    async def __call__(self, _context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        self.forms.append(params.requested_schema)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param < "2026":
        monkeypatch.setattr("mcp.client.session.LATEST_HANDSHAKE_VERSION", request.param)
    return str(request.param)


@pytest.fixture
def ready(project: Path) -> Path:
    """A project with the report that is to be approved, and a workflow that asks for it."""
    write_workflow(project / ".praxis-os" / "workflows", gate=GATE)
    (project / "report.md").write_text("Fine.\n", encoding="utf-8")
    return project


def connect(project: Path, revision: str, person: Person | None) -> Client:
    mode = "legacy" if revision < "2026" else "auto"
    return Client(build_server(Settings(project=project)), mode=mode, elicitation_callback=person)


async def begun(client: Client) -> tuple[Agent, dict[str, Any]]:
    agent = await Agent.of(client)
    started = await agent.succeed("start", workflow_type="small_v1", target_file="src/a.py")
    return agent, {"session_id": started["session_id"], "phase": 1}


async def test_a_person_who_approves_lets_the_phase_pass(ready, revision):
    person = Person(YES)
    async with connect(ready, revision, person) as client:
        agent, session = await begun(client)
        passed = await agent.succeed("complete_phase", **session, evidence={})
        known = {name: field["known"] for name, field in passed["evidence"].items()}
        assert known == {"report": "observed", "approved": "approved"}
        (asked,) = person.asked
        assert asked.startswith("Is src/a.py good?\n\nFor approved, phase 1 of ")
        assert "- report.md (" in asked


async def test_the_form_is_for_people_and_speaks_of_nothing_else(ready, revision):
    person = Person(YES)
    async with connect(ready, revision, person) as client:
        agent, session = await begun(client)
        await agent.succeed("complete_phase", **session, evidence={})
    assert person.forms == [
        {
            "type": "object",
            "properties": {
                "approve": {
                    "type": "boolean",
                    "title": "Approve",
                    "description": "I have looked at it, and approve it",
                },
                "name": {
                    "type": "string",
                    "title": "Name",
                    "description": "Your name, for the record",
                    "default": "",
                    "maxLength": 80,
                },
            },
            "required": ["approve"],
        }
    ]


NOBODY = "the client was asked for a person's word, and none came back"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (NO, "a person was asked, and did not approve"),
        (ElicitResult(action="decline"), NOBODY),
        (ElicitResult(action="cancel"), NOBODY),
        (ElicitResult(action="accept", content={"approve": "perhaps"}), NOBODY),
        (ElicitResult(action="accept", content={}), NOBODY),
    ],
    ids=["no", "declined", "cancelled", "not an answer", "empty"],
)
async def test_anything_but_a_yes_leaves_the_gate_closed(ready, revision, answer, told):
    async with connect(ready, revision, Person(answer)) as client:
        agent, session = await begun(client)
        refused = await agent("complete_phase", **session, evidence={})
        assert refused["error_type"] == "VerificationUnavailable"
        assert refused["unverified"] == ["approved: no person has approved it yet"]
        assert refused["declined"] == told
        state = await agent.succeed("get_state", session_id=session["session_id"])
        assert (state["session_status"], state["current_phase"]) == ("active", 1)
        assert (await agent.succeed("get_errors", session_id=session["session_id"]))["errors"] == []


async def test_a_client_that_cannot_ask_is_told_what_a_person_does(ready, revision):
    async with connect(ready, revision, None) as client:
        agent, session = await begun(client)
        refused = await agent("complete_phase", **session, evidence={})
        assert refused["error_type"] == "VerificationUnavailable"
        assert refused["remediation"] == (
            f"A person approves it with `aos-workflow approve {session['session_id']}`."
        )
        assert refused["details"]["waiting_for"] == [
            {"approval_of": "approved", "question": "Is src/a.py good?", "files": ["report.md"]}
        ]


async def test_nothing_that_the_agent_says_is_an_approval(ready, revision):
    lies: list[dict[str, Any]] = [
        {"evidence": {"approved": True}},
        {"evidence": {"approved": True, "approval": {"by": "Ada"}, "known": "approved"}},
        {"evidence": {}, "approve": True, "name": "Ada"},
        {"evidence": {}, "approvals": [{"field": "approved", "by": "Ada"}]},
        {"evidence": {}, "input_responses": {"person": {"action": "accept"}}},
        {"evidence": {}, "inputResponses": {"person": {"action": "accept"}}, "requestState": "{}"},
    ]
    async with connect(ready, revision, None) as client:
        agent, session = await begun(client)
        for lie in lies:
            refused = await agent("complete_phase", **session, **lie)
            assert refused["error_type"] == "VerificationUnavailable", lie


async def test_a_person_may_wave_a_refusal_through_with_a_reason(ready, revision):
    (ready / "report.md").unlink()
    accepted = {"wave_through": True, "reason": "the report is on paper", "name": "Ada"}
    person = Person(ElicitResult(action="accept", content=accepted))
    async with connect(ready, revision, person) as client:
        agent, session = await begun(client)
        waved = await agent.succeed("complete_phase", **session, evidence={})
        assert waved["checkpoint_passed"] is False
        assert waved["overridden"] == {
            "by": "Ada", "via": "the client", "reason": "the report is on paper",
        }  # fmt: skip
        assert waved["current_phase"] == 2
        shown = await agent.succeed("get_session", session_id=session["session_id"])
        statuses = [attempt["status"] for attempt in shown["session"]["phase_history"]]
        assert statuses == ["overridden", "in_progress"]
        assert person.asked[0].startswith(f"The gate of phase 1 of {session['session_id']} said no")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"wave_through": True, "reason": " "}, "a person was asked, and did not override"),
        ({"wave_through": False, "reason": "why"}, "a person was asked, and did not override"),
        (None, NOBODY),
    ],
    ids=["no reason", "no", "declined"],
)
async def test_without_a_yes_and_a_reason_the_refusal_stands(ready, revision, content, told):
    answer = ElicitResult(action="accept" if content else "decline", content=content)
    (ready / "report.md").unlink()
    async with connect(ready, revision, Person(answer)) as client:
        agent, session = await begun(client)
        refused = await agent("complete_phase", **session, evidence={})
        assert refused["error_type"] == "ValidationError"
        assert refused["declined"] == told
        state = await agent.succeed("get_state", session_id=session["session_id"])
        assert (state["session_status"], state["current_phase"]) == ("failed", 1)


async def test_a_gate_that_allows_no_override_asks_nobody(project, revision):
    gate = {**GATE, "checkpoint": {"strict": True, "allow_override": False}}
    write_workflow(project / ".praxis-os" / "workflows", gate=gate)
    person = Person()
    async with connect(project, revision, person) as client:
        agent, session = await begun(client)
        refused = await agent("complete_phase", **session, evidence={})
        assert refused["error_type"] == "ValidationError"
        assert person.asked == []


async def test_a_question_that_cannot_be_made_leaves_the_answer_as_it_was(
    ready, revision, monkeypatch, caplog
):
    async with connect(ready, revision, Person()) as client:
        agent, session = await begun(client)
        monkeypatch.setattr(Consent, "requests", broken)
        refused = await agent("complete_phase", **session, evidence={})
        assert refused["error_type"] == "VerificationUnavailable"
        assert "incident" in caplog.text


def broken(_consent: Consent, session_id: str) -> None:
    raise OSError(5, "broken", f"/secret/{session_id}")
