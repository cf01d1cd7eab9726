"""What each change makes of a session."""

import json

import pytest

from mcp_server.core import lifecycle
from mcp_server.core.encoding import decode, digest, encode
from mcp_server.core.lifecycle import (
    MAX_INLINE_PHASE,
    MAX_INLINE_VALUE,
    approve,
    override_phase,
    pass_phase,
    pause,
    prepare,
    refuse_phase,
    refuse_skip,
    resume,
    retry_phase,
    roll_back,
)
from mcp_server.core.models import (
    MAX_ERRORS,
    MAX_HISTORY,
    Conclusion,
    EvidenceItem,
)
from mcp_server.core.transitions import Status
from mcp_server.errors import InvalidArgumentError, StateError
from mcp_server.gates.observation import Known
from tests.builders import NOON
from tests.core.lifecycle_builders import (
    LATER,
    LATEST,
    ONE,
    TWO,
    WAVED,
    approval,
    attempts,
    completed,
    difference,
    failed,
)
from tests.core.session_builders import ERROR, ID, birth, state

CONCLUSION = Conclusion(phase=1, evidence="e" * 64)


def test_a_session_is_born_active_at_its_first_phase():
    change = birth(phases=(0, 1, 4), options={"depth": 2})
    born = change.state
    assert (change.action, change.outcome, change.phase, change.time) == ("start", "done", 0, NOON)
    assert (born.session_id, born.status, born.current_phase) == (ID, "active", 0)
    assert (born.total_phases, born.attempt, born.resume_capable) == (3, 1, True)
    assert born.options == {"depth": 2}
    assert attempts(born) == [(0, 1, "in_progress", None)]
    assert (born.created_at, born.last_updated) == (NOON, NOON)


def test_a_small_value_is_carried_along_and_a_large_one_is_put_aside():
    small, large = "s" * (MAX_INLINE_VALUE - 2), "l" * (MAX_INLINE_VALUE - 1)
    ready = prepare({"small": small, "large": large}, {"large": Known.OBSERVED})
    content = encode(large)
    assert ready.items == {
        "small": EvidenceItem(
            known=Known.CLAIMED,
            size=MAX_INLINE_VALUE,
            sha256=digest(encode(small)),
            inline=True,
            value=small,
        ),
        "large": EvidenceItem(
            known=Known.OBSERVED,
            size=MAX_INLINE_VALUE + 1,
            sha256=digest(content),
            inline=False,
            value=None,
        ),
    }
    assert ready.blobs == {digest(content): content}
    assert decode(content) == large


def test_many_small_values_do_not_make_a_large_state():
    values = {f"field_{n}": "v" * (MAX_INLINE_VALUE - 2) for n in range(6)}
    items = prepare(values).items.values()
    assert [item.inline for item in items] == [True] * 4 + [False] * 2
    assert sum(item.size for item in items if item.inline) == MAX_INLINE_PHASE


def test_a_value_that_fits_is_carried_along_after_one_that_did_not():
    values = {"a": "v" * 1_000, "b": "v" * 2_000, "c": 1}
    assert [item.inline for item in prepare(values).items.values()] == [True, False, True]


def test_evidence_that_is_not_json_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"\Aevidence is not plain JSON"):
        prepare({"a": float("nan")})


def test_a_phase_that_passes_leads_to_the_next_one():
    before = birth(phases=(1, 3)).state
    change = pass_phase(before, prepare({"log": "x" * 5_000}), LATER)
    after = change.state
    assert (change.action, change.outcome, change.phase) == ("complete_phase", "passed", 1)
    assert (after.status, after.current_phase, after.completed_phases) == ("active", 3, (1,))
    assert attempts(after) == [(1, 1, "passed", 90.5), (3, 1, "in_progress", None)]
    assert list(change.blobs) == [after.evidence[1]["log"].sha256]
    assert difference(before, after) == {
        "completed_phases", "current_phase", "evidence", "history", "last_updated",
    }  # fmt: skip


def test_the_last_phase_that_passes_completes_the_session():
    after = completed()
    assert (after.status, after.current_phase, after.completed_phases) == ("completed", 2, (1, 2))
    assert (sorted(after.evidence), after.resume_capable) == ([1, 2], False)
    assert attempts(after) == [(1, 1, "passed", 90.5), (2, 1, "passed", 0.0)]
    assert pass_phase(birth(phases=(5,)).state, ONE, LATER).outcome == "finished"


def test_a_refusal_keeps_the_evidence_and_the_error():
    change = refuse_phase(state(), ONE, ERROR, LATER)
    after = change.state
    assert (change.outcome, change.phase, after.status) == ("refused", 1, "failed")
    assert (after.evidence, after.errors, after.error_count) == ({1: ONE.items}, (ERROR,), 1)
    assert attempts(after) == [(1, 1, "failed", 90.5)]
    assert (after.current_phase, after.completed_phases) == (1, ())


def test_an_attempt_to_skip_is_recorded_and_moves_nothing():
    change = refuse_skip(state(), ERROR, LATER)
    assert (change.outcome, change.phase) == ("skipped", 1)
    assert difference(state(), change.state) == {"errors", "error_count", "last_updated"}
    assert change.state.errors == (ERROR,)


def test_a_state_carries_the_last_errors_and_counts_all():
    last = state()
    for number in range(MAX_ERRORS + 3):
        error = ERROR.model_copy(update={"message": str(number)})
        last = refuse_skip(last, error, LATER).state
    assert [entry.message for entry in last.errors] == [str(n) for n in range(3, MAX_ERRORS + 3)]
    assert last.error_count == MAX_ERRORS + 3


def test_a_pause_keeps_time_and_note_and_a_resume_the_note():
    paused = pause(state(), "lunch", LATER).state
    assert (paused.status, paused.paused_at, paused.checkpoint_note) == ("paused", LATER, "lunch")
    resumed = resume(paused, LATEST).state
    assert (resumed.status, resumed.paused_at, resumed.checkpoint_note) == ("active", None, "lunch")
    assert difference(state(), resumed) == {"checkpoint_note", "last_updated"}
    assert pause(resumed, None, LATEST).state.checkpoint_note is None


@pytest.mark.parametrize(("reset", "kept"), [(False, {1: ONE.items}), (True, {})])
def test_a_retry_opens_another_attempt_with_or_without_the_evidence(reset, kept):
    change = retry_phase(failed(), reset_evidence=reset, now=LATEST)
    after = change.state
    assert (change.action, change.outcome, change.phase) == ("retry_phase", "done", 1)
    assert (after.status, after.attempt, after.evidence) == ("active", 2, kept)
    assert attempts(after) == [(1, 1, "failed", 90.5), (1, 2, "in_progress", None)]
    assert (after.errors, after.error_count) == ((ERROR,), 1)


def test_a_reset_without_evidence_is_no_error():
    bare = failed().model_copy(update={"evidence": {}})
    assert retry_phase(bare, reset_evidence=True, now=LATEST).state.evidence == {}


def test_a_reset_keeps_the_evidence_of_earlier_phases():
    second = pass_phase(state(), ONE, LATER).state
    refused = refuse_phase(second, TWO, ERROR, LATER).state
    after = retry_phase(refused, reset_evidence=True, now=LATEST).state
    assert after.evidence == {1: ONE.items}


def test_a_rollback_keeps_the_evidence_of_its_phase_and_clears_later_ones():
    before = completed((1, 2, 3))
    change = roll_back(before, 2, LATEST)
    after = change.state
    assert (change.action, change.outcome, change.phase) == ("rollback", "done", 3)
    assert (after.status, after.current_phase, after.completed_phases) == ("active", 2, (1,))
    assert after.evidence == {1: ONE.items, 2: ONE.items}
    assert attempts(after) == [
        (1, 1, "passed", 90.5),
        (2, 1, "passed", 0.0),
        (3, 1, "passed", 0.0),
        (2, 2, "in_progress", None),
    ]


def test_a_rollback_ends_the_attempt_that_was_open():
    active = pass_phase(state(), ONE, LATER).state
    after = roll_back(active, 1, LATEST).state
    assert attempts(after) == [
        (1, 1, "passed", 90.5),
        (2, 1, "rolled_back", 3509.5),
        (1, 2, "in_progress", None),
    ]


def test_a_rollback_of_a_refused_phase_leaves_its_attempt_failed():
    second = pass_phase(state(), ONE, LATER).state
    refused = refuse_phase(second, TWO, ERROR, LATER).state
    after = roll_back(refused, 1, LATEST).state
    assert [a.status for a in after.history] == ["passed", "failed", "in_progress"]
    assert (after.evidence, after.errors) == ({1: ONE.items}, (ERROR,))


@pytest.mark.parametrize("to_phase", [2, 3, 0, -1, 99])
def test_a_rollback_goes_to_an_earlier_phase_only(to_phase):
    active = pass_phase(birth(phases=(1, 2, 3)).state, ONE, LATER).state
    with pytest.raises(StateError) as refusal:
        roll_back(active, to_phase, LATEST)
    assert refusal.value.message == (
        f"cannot roll back to phase {to_phase}: rollback goes to an earlier, completed phase"
        " (current phase 2; earlier: 1)"
    )
    assert refusal.value.details == {"current_phase": 2, "completed_phases": [1]}


def test_a_rollback_from_the_first_phase_says_that_there_is_none_before():
    with pytest.raises(StateError, match=r"earlier: none is completed yet\)"):
        roll_back(state(), 1, LATER)


CHANGES = {
    "complete_phase": [
        lambda before: pass_phase(before, ONE, LATER),
        lambda before: refuse_phase(before, ONE, ERROR, LATER),
        lambda before: refuse_skip(before, ERROR, LATER),
    ],
    "pause": [lambda before: pause(before, None, LATER)],
    "resume": [lambda before: resume(before, LATER)],
    "retry_phase": [lambda before: retry_phase(before, reset_evidence=False, now=LATER)],
    "rollback": [lambda before: roll_back(before, 1, LATER)],
    "approve": [lambda before: approve(before, approval())],
    "override": [lambda before: override_phase(before, WAVED)],
}
LEGAL = {
    Status.ACTIVE: ["complete_phase", "pause", "rollback", "approve"],
    Status.PAUSED: ["resume"],
    Status.FAILED: ["retry_phase", "rollback", "override"],
    Status.COMPLETED: ["rollback"],
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(
    ("action", "make"), [(action, make) for action, makers in CHANGES.items() for make in makers]
)
def test_no_change_can_be_made_where_it_is_not_legal(status, action, make):
    before = completed((1, 2)).model_copy(update={"status": status})
    if action in LEGAL[status]:
        assert make(before).action == action
        return
    with pytest.raises(StateError, match=f"{action} is not legal while the session is {status}"):
        make(before)


def test_a_change_leaves_the_state_before_it_alone():
    before = failed()
    kept = before.model_dump_json()
    retry_phase(before, reset_evidence=True, now=LATEST)
    assert before.model_dump_json() == kept


def test_a_state_carries_the_last_attempts_and_goes_on_counting():
    last = failed()
    for _ in range(MAX_HISTORY + 5):
        again = retry_phase(last, reset_evidence=False, now=LATER).state
        last = refuse_phase(again, ONE, ERROR, LATER).state
    assert len(last.history) == MAX_HISTORY
    assert last.attempt == MAX_HISTORY + 6


def test_a_state_stays_small_whatever_happens():
    last = birth(phases=tuple(range(20))).state
    evidence = prepare({f"field_{n}": "v" * 900 for n in range(50)})
    for _ in range(10):
        refused = refuse_phase(last, evidence, ERROR, LATER).state
        last = pass_phase(
            retry_phase(refused, reset_evidence=False, now=LATER).state, evidence, LATER
        ).state
    assert len(json.dumps(last.model_dump(mode="json"))) < 200_000


def test_unknown_fields_survive_every_change():
    before = state(later={"kept": True})
    after = lifecycle.pause(before, None, LATER).state
    assert after.model_dump()["later"] == {"kept": True}


def test_what_the_last_change_judged_is_noted_until_the_next():
    passed = pass_phase(state(), ONE, LATER, concluded=CONCLUSION).state
    refused = refuse_phase(state(), ONE, ERROR, LATER, concluded=CONCLUSION).state
    assert (passed.concluded, refused.concluded) == (CONCLUSION, CONCLUSION)
    noted = [passed.model_copy(update={"status": status}) for status in Status]
    made = [
        make(before).state.concluded
        for before in noted
        for action in LEGAL[before.status]
        for make in CHANGES[action]
    ]
    assert made == [None] * (6 + 1 + 3 + 1)
