"""What looks, commits and persons make of a session."""

import pytest

from mcp_server.core.lifecycle import (
    MAX_SOURCES,
    approve,
    may_complete,
    override_phase,
    pass_phase,
    prepare,
    record_of,
    refuse_phase,
    retry_phase,
    roll_back,
)
from mcp_server.core.models import ObservationRecord, SourceRecord
from mcp_server.core.transitions import Status
from mcp_server.gates.observation import Known, Observation, Source
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
from tests.core.session_builders import ERROR, birth, state


def test_what_was_found_is_kept_with_how_it_was_found():
    record = ObservationRecord(probe="count plan.md", time=LATER)
    ready = prepare({"a": 1, "b": 2}, {"a": Known.OBSERVED}, {"a": record})
    told = {name: (item.known, item.observation) for name, item in ready.items.items()}
    assert told == {"a": ("observed", record), "b": ("claimed", None)}


def test_a_record_of_a_look_names_the_first_files_and_counts_the_rest():
    sources = tuple(Source(f"{n}.md", n, "a" * 64, NOON) for n in range(MAX_SOURCES + 2))
    seen = Observation(Known.OBSERVED, value=7, probe="file *.md", sources=sources)
    assert record_of(seen, LATER) == ObservationRecord(
        probe="file *.md",
        time=LATER,
        sources=tuple(
            SourceRecord(path=f"{n}.md", size=n, sha256="a" * 64, modified=NOON)
            for n in range(MAX_SOURCES)
        ),
        more_sources=2,
    )
    few = Observation(Known.OBSERVED, sources=sources[:MAX_SOURCES])
    assert record_of(few, LATER).more_sources == 0


def test_a_session_is_born_at_a_commit():
    born = birth(commit="c1").state
    assert (born.first_commit, born.phase_commit) == ("c1", "c1")
    assert (state().first_commit, state().phase_commit) == (None, None)


@pytest.mark.parametrize("status", Status)
def test_only_an_active_session_may_complete_its_phase(status):
    assert may_complete(state(status=status)) is (status is Status.ACTIVE)


def test_a_phase_begins_at_the_commit_of_its_moment():
    born = birth(phases=(1, 2, 3), commit="c1").state
    second = pass_phase(born, ONE, LATER, commit="c2").state
    assert (second.first_commit, second.phase_commit) == ("c1", "c2")
    refused = refuse_phase(second, TWO, ERROR, LATER).state
    again = retry_phase(refused, reset_evidence=False, now=LATEST).state
    assert again.phase_commit == "c2"
    waved = override_phase(refused, WAVED, "c3").state
    assert (waved.current_phase, waved.phase_commit) == (3, "c3")
    back = roll_back(waved, 1, LATEST, commit="c4").state
    assert (back.first_commit, back.phase_commit) == ("c1", "c4")
    unknown = roll_back(waved, 1, LATEST).state
    assert unknown.phase_commit is None


def test_an_approval_moves_nothing():
    change = approve(state(), approval(files={"a.md": "d" * 64}))
    assert (change.action, change.outcome, change.phase) == ("approve", "done", 1)
    assert change.time == LATER
    assert change.state.approvals == (approval(files={"a.md": "d" * 64}),)
    assert difference(state(), change.state) == {"approvals", "last_updated"}


def test_an_approval_takes_the_place_of_an_earlier_one_for_the_same_field():
    given = (approval(), approval(field="other"), approval(phase=2))
    newer = approval(by="kim", time=LATEST)
    after = approve(state(approvals=given), newer).state
    assert after.approvals == (*given[1:], newer)


@pytest.mark.parametrize("reset", [False, True])
def test_a_retry_keeps_the_approvals_of_files_and_of_other_phases(reset):
    of_files = approval(field="plan", files={"a.md": "d" * 64})
    earlier = approval(phase=0)
    refused = failed().model_copy(update={"approvals": (earlier, approval(), of_files)})
    after = retry_phase(refused, reset_evidence=reset, now=LATEST).state
    assert after.approvals == (earlier, of_files)


def test_a_rollback_keeps_what_persons_said_of_earlier_phases_only():
    approvals = tuple(approval(phase=n, files={"a.md": "d" * 64}) for n in (1, 2, 3))
    overrides = tuple(WAVED.model_copy(update={"phase": n}) for n in (1, 2, 3))
    before = completed((1, 2, 3)).model_copy(
        update={"approvals": approvals, "overrides": overrides}
    )
    after = roll_back(before, 2, LATEST).state
    assert (after.approvals, after.overrides) == (approvals[:1], overrides[:1])


def test_an_override_leads_on_and_leaves_the_evidence_and_the_error():
    before = failed()
    change = override_phase(before, WAVED)
    after = change.state
    assert (change.action, change.outcome, change.phase) == ("override", "passed", 1)
    assert (change.time, change.blobs) == (LATEST, {})
    assert (after.status, after.current_phase, after.completed_phases) == ("active", 2, (1,))
    assert attempts(after) == [(1, 1, "overridden", 90.5), (2, 1, "in_progress", None)]
    assert after.overrides == (WAVED,)
    assert difference(before, after) == {
        "completed_phases", "current_phase", "history", "last_updated", "overrides", "status",
    }  # fmt: skip
    assert attempts(before) == [(1, 1, "failed", 90.5)]


def test_an_override_of_the_last_phase_completes_the_session():
    second = pass_phase(state(), ONE, LATER).state
    refused = refuse_phase(second, TWO, ERROR, LATER).state
    change = override_phase(refused, WAVED.model_copy(update={"phase": 2}), "c9")
    assert (change.outcome, change.state.status) == ("finished", "completed")
    assert [a.status for a in change.state.history] == ["passed", "overridden"]
    assert (change.state.completed_phases, change.state.phase_commit) == ((1, 2), None)
