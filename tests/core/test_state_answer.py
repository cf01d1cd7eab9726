"""The answer to get_state: whole where it is short, else a kilobyte that says what is missing."""

import pytest

from benchmarks.sizes import Halves
from mcp_server.core.lifecycle import pass_phase, prepare, refuse_phase, retry_phase
from mcp_server.core.models import SessionState
from mcp_server.core.state_answer import LEFT_OUT, state_answer
from tests.builders import NOON
from tests.core.session_builders import ERROR, ID, birth

DEFINITION = {"version": "1.0.0", "digest": "d" * 12}
MOVED_ON = {"moved_on": "the workflow on disk is gone or broken; the pinned one is served"}
LONGEST_ID = "w" * 128
FEW = {"tests": 3, "report": "reports/junit.xml"}
MANY = {f"{'field' * 4}_{number:03}": "\u6587" * 60 for number in range(200)}
NESTED = {f"f{number}": [[[[number]]]] for number in range(9)}
LIMIT = 1_024


def completed(evidence, *, done: int, phases: int, **changes) -> SessionState:
    """A session with the first `done` of its phases completed, each with the same evidence."""
    state = birth(phases=tuple(range(1, phases + 1)), **changes).state
    for _ in range(done):
        state = pass_phase(state, prepare(evidence), NOON).state
    return state


def refused(before: SessionState, evidence) -> SessionState:
    """The same session once its gate refused `evidence` and it was opened again."""
    after = refuse_phase(before, prepare(evidence), ERROR, NOON).state
    return retry_phase(after, reset_evidence=False, now=NOON).state


def told(state, phase=None, definition=DEFINITION, **verification):
    return state_answer(state, phase, definition=definition, verification=verification)


def larger_half(answer):
    return Halves.of({"status": "success", "action": "get_state", **answer}).larger


def claimed(size, **more):
    return {"known": "claimed", "size": size, **more}


def test_a_small_session_is_told_whole():
    fields = {"tests": claimed(1, value=3), "report": claimed(19, value="reports/junit.xml")}
    assert told(completed(FEW, done=2, phases=3)) == {
        "session_id": ID,
        "workflow_type": "small_v1",
        "target_file": "src/a.py",
        "current_phase": 3,
        "total_phases": 3,
        "completed_phases": [1, 2],
        "session_status": "active",
        "artifacts": {"1": fields, "2": fields},
        "created_at": "2026-03-14T12:00:00.000Z",
        "last_updated": "2026-03-14T12:00:00.000Z",
        "resume_capable": True,
        "definition": DEFINITION,
        "next": f'aos_workflow(action="get_phase", session_id="{ID}")',
    }


def test_a_large_session_names_all_phases_and_shows_the_newest():
    answer = told(completed({f"f{number}": number for number in range(9)}, done=7, phases=8))
    assert answer == {
        "session_id": ID,
        "workflow_type": "small_v1",
        "target_file": "src/a.py",
        "current_phase": 8,
        "total_phases": 8,
        "completed_phases": [1, 2, 3, 4, 5, 6, 7],
        "session_status": "active",
        "artifacts": {
            **{str(number): {"more_fields": 9} for number in range(1, 7)},
            "7": {
                **{f"f{number}": claimed(1, value=number) for number in range(5)},
                "more_fields": 4,
            },
        },
        "created_at": "2026-03-14T12:00:00.000Z",
        "last_updated": "2026-03-14T12:00:00.000Z",
        "resume_capable": True,
        "definition": DEFINITION,
        "next": f'aos_workflow(action="get_phase", session_id="{ID}")',
        "warnings": [LEFT_OUT],
    }
    assert LIMIT - 60 < larger_half(answer) <= LIMIT


def test_a_phase_that_is_asked_for_is_told_whole_and_alone():
    state = completed(NESTED, done=7, phases=8)
    answer = told(state, phase=3)
    fields = {name: claimed(9, value=value) for name, value in NESTED.items()}
    assert answer == {
        **{name: value for name, value in told(state).items() if name != "warnings"},
        "artifacts": {"3": fields},
    }


def test_a_phase_without_evidence_has_no_artifacts():
    state = completed(FEW, done=1, phases=3)
    assert told(state, phase=2) == {**told(state), "artifacts": {}}


def test_a_phase_of_very_many_fields_has_the_room_of_a_list():
    answer = told(completed(MANY, done=2, phases=3), phase=2)
    (phase,) = answer["artifacts"].values()
    *names, last = phase
    assert names == sorted(MANY)[: len(names)]
    assert (last, phase[last]) == ("more_fields", len(MANY) - len(names))
    assert "warnings" not in answer
    assert 7_000 < larger_half(answer) <= 8_192


def test_evidence_of_a_refused_attempt_is_named_and_is_no_artifact():
    state = refused(completed(FEW, done=1, phases=2), {"tests": 0, "log": "x"})
    for phase in (None, 2):
        answer = told(state, phase)
        assert answer["kept_evidence"] == ["log", "tests"]
        assert ("2" in answer["artifacts"], "warnings" in answer) == (False, False)


def test_names_of_kept_evidence_that_have_no_room_are_counted():
    state = refused(completed(FEW, done=1, phases=2), MANY)
    answer = told(state)
    kept = answer["kept_evidence"]
    assert kept == sorted(MANY)[: len(kept)]
    assert len(kept) + answer["more_kept_evidence"] == len(MANY)
    assert answer["warnings"] == [LEFT_OUT]
    assert larger_half(answer) <= LIMIT
    whole = told(state, phase=2)
    assert whole["kept_evidence"][:100] == sorted(MANY)[:100]
    assert larger_half(whole) <= 8_192


def test_of_very_many_phases_the_newest_are_told_and_the_others_counted():
    answer = told(completed(FEW, done=200, phases=200))
    done = answer["completed_phases"]
    assert done == list(range(201 - len(done), 201))
    assert len(done) + answer["more_completed_phases"] == 200
    *named, last = answer["artifacts"]
    assert named == [str(number) for number in range(201 - len(named), 201)]
    assert (last, answer["artifacts"][last]) == ("more_phases", 200 - len(named))
    assert min(len(done), len(named)) > 5
    assert LIMIT - 60 < larger_half(answer) <= LIMIT
    whole = told(completed(FEW, done=200, phases=200), phase=150)
    assert whole["completed_phases"] == list(range(1, 201))
    assert list(whole["artifacts"]) == ["150"]


@pytest.mark.parametrize("done", [1, 8, 60, 199])
@pytest.mark.parametrize("evidence", [FEW, MANY, NESTED], ids=["few", "many", "nested"])
def test_the_worst_of_everything_is_a_kilobyte(done, evidence):
    state = completed(evidence, done=done, phases=200, session_id=LONGEST_ID)
    state = refused(state, {f"{number},": 1 for number in range(200)})
    answer = told(state, definition=DEFINITION | MOVED_ON, verification="running")
    assert larger_half(answer) <= LIMIT
    assert answer["warnings"] == [LEFT_OUT]
    assert answer["artifacts"]


def test_what_a_gate_says_is_content_and_takes_nothing_from_the_rest():
    state = completed(FEW, done=3, phases=4)
    unverified = ["the report is not there"] * 40
    answer = told(state, verification="could_not_verify", unverified=unverified)
    assert answer["unverified"] == unverified
    assert answer["artifacts"] == told(state)["artifacts"]
    assert larger_half(answer | {"unverified": []}) <= LIMIT


def test_the_next_step_of_a_running_verification_is_to_look_again():
    again = f'aos_workflow(action="get_state", session_id="{ID}")'
    answer = told(completed(FEW, done=1, phases=2), verification="running", next=again)
    assert (answer["verification"], answer["next"]) == ("running", again)
