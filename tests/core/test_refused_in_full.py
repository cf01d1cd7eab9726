"""What a gate says is kept as it was said, until it says something again."""

import pytest

from mcp_server.core.limits import Limits
from mcp_server.core.models import AND_MORE
from mcp_server.core.state_manager import StateManager
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.errors import GateRefusedError
from mcp_server.server.looking import ProjectLooker
from tests.builders import GATE, Clock, library, write_workflow
from tests.memory_store import MemoryStore

WANTED = [f"wanted_{number:02}" for number in range(12)]
WRONG = {f"wrong_{number}": "x" * 10 for number in range(6)}
LONG = "of " * 50
SCHEMA = {
    **{name: {"type": "string", "required": True, "description": name} for name in WANTED},
    **{name: {"type": "string", "required": True, "description": name, "enum": [LONG]}
       for name in WRONG},
}  # fmt: skip


@pytest.fixture
def engine(tmp_path):
    shelf = tmp_path / "workflows"
    write_workflow(shelf, gate={**GATE, "evidence_schema": SCHEMA})
    sessions = StateManager(MemoryStore(), max_active=10, clock=Clock())
    return WorkflowEngine(
        library(shelf), sessions, root=tmp_path, limits=Limits(), looker=ProjectLooker(tmp_path)
    )


def refused(complete):
    with pytest.raises(GateRefusedError) as refusal:
        complete()
    fields = refusal.value.fields
    return {name: fields[name] for name in ("missing_evidence", "validation_errors")}


def test_the_last_refusal_is_recorded_with_all_that_it_said(engine):
    session_id = engine.start("small_v1", "a.py")["session_id"]
    said = refused(lambda: engine.complete_phase(session_id, 1, WRONG))
    assert said["missing_evidence"] == WANTED
    assert [text.partition(":")[0] for text in said["validation_errors"]] == list(WRONG)
    (error,) = engine.get_errors(session_id)["errors"]
    assert error["details"] == said
    (again,) = engine.retry_phase(session_id, 1)["previous_errors"]
    assert again["details"] == said


def test_an_answer_that_is_picked_up_says_what_the_gate_said(engine):
    session_id = engine.start("small_v1", "a.py")["session_id"]
    said = refused(lambda: engine.completion.conclude(session_id, 1, WRONG, remember=True))
    assert refused(lambda: engine.complete_phase(session_id, 1, WRONG)) == said


def test_a_refusal_before_the_last_one_is_kept_in_short_and_says_so(engine):
    session_id = engine.start("small_v1", "a.py")["session_id"]
    said = refused(lambda: engine.complete_phase(session_id, 1, WRONG))
    for attempt in range(2):
        engine.retry_phase(session_id, 1)
        refused(lambda: engine.complete_phase(session_id, 1, WRONG))
        earlier = engine.get_errors(session_id)["errors"][:-1]
        assert len(earlier) == attempt + 1
        for error in earlier:
            told = error["details"]
            assert told["missing_evidence"] == [*WANTED[:8], AND_MORE]
            *shown, last = told["validation_errors"]
            assert last == AND_MORE
            assert shown == [text[:119] + "…" for text in said["validation_errors"][:4]]
            assert error["message"].endswith("12 missing, 6 not satisfied")


def test_what_several_refusals_said_alike_is_told_once_at_a_retry(engine):
    session_id = engine.start("small_v1", "a.py")["session_id"]
    one, two = {"wanted_00": "here"}, {"wanted_00": "here", "wanted_01": "here"}

    def submit(evidence):
        said = refused(lambda: engine.complete_phase(session_id, 1, evidence))
        return said, engine.retry_phase(session_id, 1, reset_evidence=True)["previous_errors"]

    submit(one)
    submit(one)
    said_of_two, _ = submit(two)
    said_of_one, previous = submit(one)
    told = [(error["message"], error["details"], error.get("times")) for error in previous]
    short = {**said_of_two, "missing_evidence": [*said_of_two["missing_evidence"][:8], AND_MORE]}
    assert told == [
        ("the gate of phase 1 refused the evidence: 16 missing", short, None),
        ("the gate of phase 1 refused the evidence: 17 missing", said_of_one, 3),
    ]
    times = [error["timestamp"] for error in engine.get_errors(session_id)["errors"]]
    assert [error["timestamp"] for error in previous] == times[-2:]
