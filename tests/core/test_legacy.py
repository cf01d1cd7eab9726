"""One state file of the older server: what it becomes, and what in it is refused by its key."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mcp_server.core.legacy import COMMANDS, OUTPUTS, Bounds, LegacyError, history, read_old
from mcp_server.core.models import NO_HASH
from mcp_server.core.transitions import Status
from mcp_server.gates.evaluation import Known
from tests.builders import definition

UUID = "A1B2C3d4-0000-4000-8000-000000000001"
CREATED = datetime(2026, 3, 14, 12, 0, 0, 500_000, tzinfo=UTC)
BOUNDS = Bounds(phases=10, fields=4, field_name=20, evidence=2_000, options=100, all_fields=6)
GONE = object()


def at(minutes: int) -> str:
    """A time as the older server wrote it: without a zone."""
    return (CREATED + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()


def artifact(number: int, **changes):
    """What the older server kept of one phase."""
    kept = {"phase_number": number, "evidence": {"tests": number}, "outputs": {},
            "commands_executed": [], "timestamp": at(number + 1)}  # fmt: skip
    return {**kept, **changes}


def old_state(completed: int = 1, total: int = 3, first: int = 0, **changes):
    """The state of a session with `completed` of `total` phases, with keys replaced or gone."""
    done = list(range(first, first + completed))
    state = {
        "session_id": UUID,
        "workflow_type": "small_v1",
        "target_file": "src/a.py",
        "current_phase": first + completed,
        "completed_phases": done,
        "phase_artifacts": {str(number): artifact(number) for number in done},
        "checkpoints": dict.fromkeys(map(str, done), "passed"),
        "created_at": at(0),
        "updated_at": at(30),
        "metadata": {"priority": "high", "total_phases": total},
    }
    return {key: value for key, value in {**state, **changes}.items() if value is not GONE}


def imported(document, bounds: Bounds = BOUNDS):
    """The changes that a file's JSON becomes."""
    old = read_old(document, bounds)
    return history(old, definition(phases=len(old.phases), first=old.phases[0]))


def refusal(document) -> str:
    with pytest.raises(LegacyError) as refused:
        read_old(document, BOUNDS)
    return str(refused.value)


def test_each_completed_phase_is_one_change_with_the_old_times():
    changes = imported(old_state(completed=2))
    assert [(change.action, change.outcome) for change in changes] == [
        ("start", "done"),
        ("complete_phase", "passed"),
        ("complete_phase", "passed"),
    ]
    ended = [attempt.completed_at for attempt in changes[-1].state.history]
    minutes = [CREATED + timedelta(minutes=number) for number in (1, 2)]
    assert ended == [*minutes, None]
    assert [change.time for change in changes[:-1]] == [CREATED, minutes[0]]
    state = changes[-1].state
    assert (state.created_at, state.last_updated) == (CREATED, CREATED + timedelta(minutes=30))
    assert state.status is Status.ACTIVE
    assert (state.current_phase, state.completed_phases, state.phases) == (2, (0, 1), (0, 1, 2))


def test_the_id_is_made_from_what_the_file_says_and_nothing_else():
    first, again = imported(old_state())[0], imported(old_state())[0]
    assert first.state.session_id == "small_v1_a_py_20260314_120000_a1b2c3"
    assert first == again


def test_the_options_are_the_metadata_without_the_number_of_phases():
    assert imported(old_state())[0].state.options == {"priority": "high"}


def test_everything_is_known_as_claimed_and_what_stood_beside_the_evidence_is_kept():
    ran = [{"command": "pytest", "exit_code": 0}]
    kept = artifact(0, outputs={"files": ["a"]}, commands_executed=ran)
    items = imported(old_state(phase_artifacts={"0": kept}))[-1].state.evidence[0]
    assert {name: item.value for name, item in items.items()} == {
        "tests": 0,
        OUTPUTS: {"files": ["a"]},
        COMMANDS: ran,
    }
    assert {item.known for item in items.values()} == {Known.CLAIMED}


def test_large_evidence_goes_along_beside_the_change():
    text = "x" * 1_500
    change = imported(old_state(phase_artifacts={"0": artifact(0, evidence={"log": text})}))[-1]
    item = change.state.evidence[0]["log"]
    assert (item.inline, change.blobs[item.sha256]) == (False, f'"{text}"'.encode())


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("completed", [0, 1, 2, 3])
def test_phases_are_numbered_as_the_file_numbers_them(first, completed):
    state = imported(old_state(completed, first=first))[-1].state
    assert state.phases == tuple(range(first, first + 3))
    assert state.current_phase == first + min(completed, 2)
    assert (state.status is Status.COMPLETED) == (completed == 3)


def test_a_completed_session_may_also_stand_at_its_last_phase():
    assert imported(old_state(3, current_phase=2))[-1].state.status is Status.COMPLETED


def test_a_failed_checkpoint_is_a_failed_session_with_an_error_that_says_where_it_is_from():
    state = imported(old_state(checkpoints={"0": "passed", "1": "failed"}))[-1].state
    assert state.status is Status.FAILED
    (error,) = state.errors
    assert (error.phase, error.timestamp) == (1, CREATED + timedelta(minutes=30))
    assert "imported" in error.message
    assert 'action="retry_phase"' in error.remediation


def test_what_was_submitted_to_a_failed_phase_is_kept_for_the_next_attempt():
    artifacts = {"0": artifact(0), "1": artifact(1, evidence={"tests": 7})}
    state = imported(old_state(checkpoints={"1": "failed"}, phase_artifacts=artifacts))[-1].state
    assert state.evidence[1]["tests"].value == 7
    assert state.errors[0].timestamp == CREATED + timedelta(minutes=2)


OPTIONAL = ("completed_phases", "phase_artifacts", "checkpoints", "updated_at")


@pytest.mark.parametrize("absent", [GONE, None])
@pytest.mark.parametrize("key", OPTIONAL)
def test_an_optional_key_may_be_missing_or_null(key, absent):
    state = imported(old_state(completed=0, **{key: absent}))[-1].state
    assert (state.status, state.current_phase) == (Status.ACTIVE, 0)


@pytest.mark.parametrize("kept", [{}, artifact(0, evidence=None, outputs=None, timestamp=None)])
def test_an_artifact_may_be_all_but_empty(kept):
    changes = imported(old_state(phase_artifacts={"0": kept}))
    assert changes[-1].state.evidence == {0: {}}
    assert changes[-1].state.history[0].completed_at == CREATED


def test_without_updated_at_the_latest_time_of_the_file_counts():
    state = imported(old_state(updated_at=GONE))[-1].state
    assert state.last_updated == CREATED + timedelta(minutes=1)


def test_a_time_with_a_zone_is_taken_at_its_word():
    east = CREATED.astimezone(timezone(timedelta(hours=2))).isoformat()
    assert imported(old_state(created_at=east))[0].state.created_at == CREATED


def test_pending_checkpoints_and_unknown_keys_are_nothing_to_stop_at():
    document = old_state(checkpoints={"0": "passed", "1": "pending", "2": "pending"}, added="x")
    assert imported(document)[-1].state.status is Status.ACTIVE


def with_artifact(**changes):
    return {"phase_artifacts": {"0": artifact(0, **changes)}}


def with_total(total):
    return {"metadata": {"total_phases": total}}


EVIDENCE = "phase_artifacts.0.evidence"
DEEP: list = []
for _ in range(80):
    DEEP = [DEEP]

REFUSED = [
    ({"session_id": GONE}, "session_id: missing"),
    ({"session_id": 7}, "session_id: must be text"),
    ({"session_id": f"{UUID}\n"}, "session_id: "),
    ({"session_id": "broken"}, 'session_id: "broken" is not a UUID'),
    ({"workflow_type": GONE}, "workflow_type: missing"),
    ({"workflow_type": "../x"}, "workflow_type: "),
    ({"workflow_type": "w" * 65}, "workflow_type: "),
    ({"target_file": ["a"]}, "target_file: must be text"),
    ({"target_file": None}, "target_file: missing"),
    ({"metadata": GONE}, "metadata: missing"),
    ({"metadata": []}, "metadata: must be an object"),
    ({"metadata": {}}, "metadata.total_phases: missing"),
    (with_total("dynamic"), "metadata.total_phases: must be a whole number"),
    (with_total(total=True), "metadata.total_phases: must be a whole number"),
    (with_total(0), "metadata.total_phases: must be 1 to 10"),
    (with_total(10**12), "metadata.total_phases: must be 1 to 10"),
    ({"metadata": {"total_phases": 3, "note": "x" * 200}}, "metadata: too large"),
    ({"metadata": {"total_phases": 3, "deep": DEEP}}, "metadata is nested too deep"),
    ({"metadata": {"total_phases": 3, "n": float("nan")}}, "metadata is not plain JSON"),
    ({"current_phase": GONE}, "current_phase: missing"),
    ({"current_phase": 1.0}, "current_phase: must be a whole number"),
    ({"current_phase": 0}, "current_phase: 0 does not follow"),
    ({"current_phase": 2}, "current_phase: 2 does not follow"),
    ({"current_phase": -1}, "current_phase: -1 does not follow"),
    ({"current_phase": 99}, "current_phase: 99 does not follow"),
    ({"completed_phases": GONE}, 'checkpoints: "0" is not one of the phases 1 to 3'),
    ({"completed_phases": "0"}, "completed_phases: must be a list"),
    ({"completed_phases": ["0"]}, "completed_phases: must be whole numbers"),
    ({"completed_phases": [False]}, "completed_phases: must be whole numbers"),
    ({"completed_phases": [0, 2]}, "completed_phases: [0,2] are not the first"),
    ({"completed_phases": [1, 0]}, "completed_phases: [1,0] are not the first"),
    ({"completed_phases": [0, 0]}, "completed_phases: [0,0] are not the first"),
    ({"completed_phases": [2]}, "completed_phases: [2] are not the first"),
    ({"completed_phases": [0, 1, 2, 3]}, "completed_phases: [0,1,2,3] are not the first"),
    ({"checkpoints": ["passed"]}, "checkpoints: must be an object"),
    ({"checkpoints": {"0": "maybe"}}, "checkpoints.0: must be passed or failed"),
    ({"checkpoints": {"0": ["passed"]}}, "checkpoints.0: must be passed or failed"),
    ({"checkpoints": {"0": "failed"}}, "checkpoints.0: failed, but phase 0 is completed"),
    ({"checkpoints": {"0": "pending"}}, "checkpoints.0: pending, but phase 0 is completed"),
    ({"checkpoints": {"1": "passed"}}, "checkpoints.1: passed, but phase 1 is not completed"),
    ({"checkpoints": {"2": "failed"}}, "checkpoints.2: failed, but phase 2 is not reached"),
    ({"checkpoints": {"3": "failed"}}, 'checkpoints: "3" is not one of the phases 0 to 2'),
    ({"checkpoints": {"01": "passed"}}, 'checkpoints: "01" is not one of the phases'),
    ({"phase_artifacts": []}, "phase_artifacts: must be an object"),
    ({"phase_artifacts": {"0": 7}}, "phase_artifacts.0: must be an object"),
    ({"phase_artifacts": {"one": {}}}, 'phase_artifacts: "one" is not one of the phases'),
    ({"phase_artifacts": {"1": artifact(1)}}, "phase_artifacts.1: phase 1 is not completed"),
    ({"phase_artifacts": {"2": artifact(2)}}, "phase_artifacts.2: phase 2 is not reached"),
    (with_artifact(phase_number=1), "phase_artifacts.0.phase_number: is 1"),
    (with_artifact(evidence=[]), f"{EVIDENCE}: must be an object"),
    (with_artifact(outputs=["a"]), "phase_artifacts.0.outputs: must be an object"),
    (with_artifact(commands_executed={"a": 1}), "phase_artifacts.0.commands_executed: must be"),
    (with_artifact(evidence={"log": "x" * 3_000}), f"{EVIDENCE}: too large: 3"),
    (with_artifact(outputs={"log": "x" * 3_000}), f"{EVIDENCE}: too large: 3"),
    (with_artifact(evidence=dict.fromkeys("abcde")), f"{EVIDENCE}: too large: 5 fields"),
    (with_artifact(evidence={"x" * 21: 1}), f"{EVIDENCE}: too large: 1 fields"),
    (with_artifact(evidence={"deep": DEEP}), f"{EVIDENCE} is nested too deep"),
    (with_artifact(evidence={"n": float("inf")}), f"{EVIDENCE} is not plain JSON"),
    (with_artifact(evidence={"t": "\ud800"}), f"{EVIDENCE} is not plain JSON"),
    (with_artifact(evidence={OUTPUTS: 1}, outputs={"a": 1}), f"{EVIDENCE}.{OUTPUTS}: "),
    (with_artifact(timestamp="noon"), 'phase_artifacts.0.timestamp: "noon" is not a time'),
    (with_artifact(timestamp=at(-1)), "phase_artifacts.0.timestamp: "),
    ({"created_at": GONE}, "created_at: missing"),
    ({"created_at": "2026-02-30T00:00:00"}, "created_at: "),
    ({"created_at": 1_700_000_000}, "created_at: must be text"),
    ({"created_at": "0001-01-01T00:00:00+05:00"}, "created_at: "),
    ({"updated_at": ""}, "updated_at: "),
    ({"updated_at": at(-1)}, "updated_at: "),
    ({"updated_at": at(0)}, "updated_at: "),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_cannot_be_understood_is_refused_by_its_key(changes, reason):
    assert refusal(old_state(**changes)).startswith(reason)


@pytest.mark.parametrize("document", [None, [], "text", 7, True])
def test_a_file_that_holds_no_object_is_refused(document):
    assert refusal(document).startswith("the file must hold one object")


def test_a_reason_stays_short_and_shows_no_control_characters():
    reasons = [
        refusal(old_state(session_id="\x1b[31m" * 1_000)),
        refusal(old_state(checkpoints={"\x1b[31m" * 1_000: "passed"})),
    ]
    assert all(len(reason) < 200 and reason.isprintable() for reason in reasons)


def test_many_phases_of_many_fields_are_too_much_together():
    artifacts = {
        str(number): artifact(number, evidence=dict.fromkeys("abcd")) for number in range(2)
    }
    assert (
        refusal(old_state(2, phase_artifacts=artifacts)) == "phase_artifacts: 8 fields, at most 6"
    )


def test_the_changes_follow_one_another():
    changes = imported(old_state(3))
    assert [change.phase for change in changes] == [0, 0, 1, 2]
    assert {change.state.definition.digest for change in changes} != {NO_HASH}
    assert len({change.state.definition.digest for change in changes}) == 1
