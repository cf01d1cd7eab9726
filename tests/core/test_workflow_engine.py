"""The use cases, over the in-memory store and definitions on disk."""

import shutil
import threading
from pathlib import Path

import pytest

from mcp_server.core.encoding import digest
from mcp_server.core.limits import Limits
from mcp_server.core.state_manager import StateManager
from mcp_server.core.workflow_engine import WorkflowEngine
from mcp_server.errors import (
    DamagedStateError,
    GateRefusedError,
    InvalidArgumentError,
    NotFoundError,
    StateError,
)
from mcp_server.server.looking import ProjectLooker
from tests.builders import EVIDENCE, Clock, library, write_workflow
from tests.memory_store import MemoryStore


class Project:
    """An engine over its own store, with a workflow of two phases."""

    def __init__(self, root: Path, *, phases: int = 2, limits: Limits = Limits()) -> None:  # noqa: B008
        self.shelf = root / "workflows"
        self.folder = write_workflow(self.shelf, phases=phases)
        self.store = MemoryStore()
        self.sessions = StateManager(self.store, max_active=10, clock=Clock())
        self.engine = WorkflowEngine(
            library(self.shelf), self.sessions, root=root, limits=limits, looker=ProjectLooker(root)
        )

    def start(self, target: str = "a.py") -> str:
        return str(self.engine.start("small_v1", target)["session_id"])


@pytest.fixture
def small(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_workflows_are_listed_by_name_in_pages(small):
    for name in ("beta_v1", "alpha_v1"):
        write_workflow(small.shelf, name)
    first = small.engine.list_workflows(limit=2)
    assert [item["workflow_type"] for item in first["workflows"]] == ["alpha_v1", "beta_v1"]
    assert first["count"] == 3
    rest = small.engine.list_workflows(limit=2, cursor=first["next_cursor"])
    assert [item["workflow_type"] for item in rest["workflows"]] == ["small_v1"]
    assert "next_cursor" not in rest


def test_a_task_leads_to_the_next_task_and_the_last_one_to_the_gate(tmp_path):
    project = Project(tmp_path)
    first = project.folder / "phases" / "1" / "task-1-do.md"
    shutil.copy(first, first.with_name("task-2-check.md"))
    session_id = project.start()
    calls = [project.engine.get_task(session_id, number)["next"] for number in (1, 2)]
    session = f'session_id="{session_id}", phase=1'
    assert calls == [
        f'aos_workflow(action="get_task", {session}, task_number=2)',
        f'aos_workflow(action="complete_phase", {session}, evidence={{"...":"..."}})',
    ]


def test_the_last_task_of_an_earlier_phase_leads_back_to_the_current_one(small):
    session_id = small.start()
    small.engine.complete_phase(session_id, 1, EVIDENCE)
    again = small.engine.get_task(session_id, 1, phase=1)
    assert again["next"] == f'aos_workflow(action="get_phase", session_id="{session_id}")'


def test_large_evidence_of_a_refused_attempt_is_merged_from_where_it_is_stored(small):
    session_id = small.start()
    log = {"lines": ["x" * 2_000]}
    with pytest.raises(GateRefusedError):
        small.engine.complete_phase(session_id, 1, {"tests": 0, "report": "r.xml", "log": log})
    small.engine.retry_phase(session_id, 1)
    small.engine.complete_phase(session_id, 1, {"tests": 1})
    item = small.sessions.load(session_id).evidence[1]["log"]
    stored = small.store.blob(session_id, item.sha256)
    assert (item.inline, item.size, digest(stored)) == (False, 2_014, item.sha256)


def test_an_explicit_null_neither_counts_nor_erases(small):
    session_id = small.start()
    with pytest.raises(GateRefusedError) as refusal:
        small.engine.complete_phase(session_id, 1, {"tests": 3, "report": None})
    assert refusal.value.fields["missing_evidence"] == ["report"]
    small.engine.retry_phase(session_id, 1)
    passed = small.engine.complete_phase(session_id, 1, {"tests": None, "report": "r.xml"})
    assert passed["checkpoint_passed"] is True


def test_evidence_may_not_grow_past_the_limit_by_being_merged(tmp_path):
    project = Project(tmp_path, limits=Limits(evidence=100))
    session_id = project.start()
    with pytest.raises(GateRefusedError):
        project.engine.complete_phase(session_id, 1, {"tests": 0, "a": "x" * 60})
    project.engine.retry_phase(session_id, 1)
    with pytest.raises(InvalidArgumentError, match="too large"):
        project.engine.complete_phase(session_id, 1, {"b": "x" * 60})


def test_a_workflow_that_was_removed_is_still_served_and_said_to_be_gone(small):
    session_id = small.start()
    shutil.rmtree(small.folder)
    state = small.engine.get_state(session_id)
    assert state["definition"]["moved_on"] == (
        "the workflow on disk is gone or broken; the pinned one is served"
    )
    assert small.engine.complete_phase(session_id, 1, EVIDENCE)["checkpoint_passed"] is True


def test_a_pinned_definition_of_another_shape_is_damage(small, monkeypatch):
    session_id = small.start()
    monkeypatch.setattr(small.store, "pinned", lambda _digest: b'{"phases": []}')
    with pytest.raises(DamagedStateError, match="cannot be read by this server"):
        small.engine.get_phase(session_id)


def test_a_failed_start_stores_nothing(small):
    with pytest.raises(NotFoundError):
        small.engine.start("other_v1", "a.py")
    with pytest.raises(InvalidArgumentError):
        small.engine.start("small_v1", "../a.py")
    assert list(small.store.summaries()) == []


def test_only_the_last_errors_of_the_phase_are_repeated_at_a_retry(small):
    session_id = small.start()
    for attempt in range(5):
        with pytest.raises(GateRefusedError):
            small.engine.complete_phase(session_id, 1, {"tests": -attempt})
        retry = small.engine.retry_phase(session_id, 1)
    assert retry["attempt"] == 6
    assert len(retry["previous_errors"]) == 3
    assert small.engine.get_errors(session_id)["error_count"] == 5


def test_at_the_same_moment_exactly_one_of_two_completions_passes(small):
    session_id = small.start()
    barrier = threading.Barrier(2)
    outcomes: list[object] = []

    def complete() -> None:
        barrier.wait()
        try:
            outcomes.append(small.engine.complete_phase(session_id, 1, EVIDENCE)["phase_completed"])
        except StateError as error:
            outcomes.append(error.details)

    threads = [threading.Thread(target=complete) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [1, {"current_phase": 2}]


def test_no_answer_passes_eight_kilobytes_besides_its_content(small):
    session_id = small.start()
    many = {f"field_{number:03}": "x" * 900 for number in range(250)}
    small.engine.complete_phase(session_id, 1, {**EVIDENCE, **many})
    for _ in range(20):
        with pytest.raises(GateRefusedError):
            small.engine.complete_phase(session_id, 2, {f"other_{n}": "y" for n in range(250)})
        small.engine.retry_phase(session_id, 2)
    for answer in (
        small.engine.get_state(session_id),
        small.engine.get_errors(session_id),
        small.sessions.get_session(session_id),
        small.engine.get_phase(session_id),
    ):
        assert len(str(answer).encode()) < 8_192
