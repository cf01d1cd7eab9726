"""The answer to a phase that passed: every field named, or counted, within a kilobyte."""

import pytest

from benchmarks.sizes import BESIDE_CONTENT, Halves, without_content
from mcp_server.core.lifecycle import pass_phase, prepare
from mcp_server.core.pass_answer import passed
from mcp_server.gates.evaluation import Verdict
from mcp_server.gates.observation import Judgement
from tests.builders import NOON, definition
from tests.core.session_builders import birth

LONGEST = "s" * 128


def answer(fields, session_id="small_v1_a"):
    submission = prepare(fields)
    after = pass_phase(birth(session_id).state, submission, NOON).state
    told = passed(after, definition(), 1, submission, Verdict(Judgement.PASS))
    return {"status": "success", "action": "complete_phase", **told}


def beside(told):
    return Halves.of(without_content(told)).larger


def test_a_phase_that_passed_is_told_with_every_field():
    assert answer({"tests": 3, "report": "junit.xml"}) == {
        "status": "success",
        "action": "complete_phase",
        "phase_completed": 1,
        "checkpoint_passed": True,
        "evidence_accepted": ["tests", "report"],
        "evidence": {"tests": {"known": "claimed"}, "report": {"known": "claimed"}},
        "warnings": [],
        "next_phase": {
            "phase_number": 2,
            "title": definition().phase(2).title,
            "description": definition().phase(2).description,
        },
        "next": 'aos_workflow(action="get_phase", session_id="small_v1_a")',
    }


@pytest.mark.parametrize("number", [7, 12])
def test_fields_that_have_room_are_all_named(number):
    fields = {f"f{n}": n for n in range(number)}
    told = answer(fields)
    assert told["evidence_accepted"] == list(fields)
    assert told["evidence"] == {key: {"known": "claimed"} for key in fields}
    assert beside(told) <= BESIDE_CONTENT


@pytest.mark.parametrize("length", [1, 40, 100])
@pytest.mark.parametrize("session_id", ["s", LONGEST], ids=["short id", "long id"])
def test_fields_that_have_no_room_are_counted(length, session_id):
    fields = {f"{n:03}{'x' * length}": n for n in range(120)}
    told = answer(fields, session_id)
    named = told["evidence_accepted"]
    assert named == list(fields)[: len(named)]
    assert named
    expected = {**{key: {"known": "claimed"} for key in named}, "more_fields": 120 - len(named)}
    assert told["evidence"] == expected
    assert beside(told) <= BESIDE_CONTENT
    # Not many more would have room.
    further = answer(dict(list(fields.items())[: len(named) + 3]), session_id)
    assert further["evidence"].get("more_fields", 0) >= 1


def test_the_most_fields_that_are_not_measured_have_room_in_any_answer():
    fields = {f"{n}{'x' * 19}": n for n in range(6)}
    told = answer(fields, LONGEST)
    assert told["evidence_accepted"] == list(fields)
    assert beside(told) <= BESIDE_CONTENT
