"""Cost: counted file operations, and bounds so generous that only a blunder breaks them."""

import builtins
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from mcp_server.core import durable
from mcp_server.server.services import services_for
from mcp_server.server.tools.workflow_tools import dispatch
from tests.builders import BUILT_IN_NAMES, EVIDENCE

STATE = Path(".praxis-os") / "state" / "workflows"


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch, project: Path) -> Counter[str]:
    """Counts of opened state files, of syncs and of files read by path."""
    counts: Counter[str] = Counter()
    real_open, real_sync, real_fsync, real_io = os.open, durable._sync, os.fsync, builtins.open

    def opening(path, *arguments, **named):
        counts["opened"] += str(path).endswith((".jsonl", ".json"))
        return real_open(path, *arguments, **named)

    def syncing(descriptor):
        counts["synced"] += 1
        real_sync(descriptor)

    def syncing_folder(descriptor):
        counts["synced"] += 1
        real_fsync(descriptor)

    def reading(file, *arguments, **named):
        counts["read"] += str(project) in str(file) or "workflows" in str(file)
        return real_io(file, *arguments, **named)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(durable, "_sync", syncing)
    monkeypatch.setattr(os, "fsync", syncing_folder)
    monkeypatch.setattr(builtins, "open", reading)
    return counts


async def call(action: str, **arguments: object) -> dict[str, object]:
    answer = await dispatch({"action": action, **arguments})
    assert answer["status"] == "success", answer
    return answer


async def started(name: str = "small_v1") -> str:
    return str((await call("start", workflow_type=name, target_file="src/a.py"))["session_id"])


async def seconds(action: str, **arguments: object) -> float:
    began = time.perf_counter()
    await call(action, **arguments)
    return time.perf_counter() - began


async def test_a_read_opens_one_state_file_and_syncs_nothing(small, operations):
    session_id = await started()
    await call("get_phase", session_id=session_id)
    for action in ("get_phase", "get_task", "get_session", "get_errors", "get_state"):
        arguments = {"task_number": 1} if action == "get_task" else {}
        operations.clear()
        await call(action, session_id=session_id, **arguments)
        assert (action, operations["opened"], operations["synced"]) == (action, 1, 0)


async def test_a_change_is_one_synced_append(small, operations):
    session_id = await started()
    operations.clear()
    await call("pause", session_id=session_id)
    assert operations["synced"] == 1


async def test_completing_a_phase_does_not_read_the_definition_again(small, operations):
    session_id = await started()
    await call("get_phase", session_id=session_id)
    operations.clear()
    await call("complete_phase", session_id=session_id, phase=1, evidence=dict(EVIDENCE))
    assert operations["read"] == 0


async def test_the_cost_of_a_read_does_not_grow_with_the_number_of_sessions(small, operations):
    session_id = await started()
    operations.clear()
    await call("get_state", session_id=session_id)
    alone = dict(operations)
    for _ in range(20):
        await started()
    operations.clear()
    await call("get_state", session_id=session_id)
    assert dict(operations) == alone


async def test_completed_sessions_cost_a_start_nothing(small, operations):
    async def cost_of_start() -> int:
        operations.clear()
        session_id = await started()
        opened = operations["opened"]
        for phase in (1, 2):
            await call(
                "complete_phase", session_id=session_id, phase=phase, evidence=dict(EVIDENCE)
            )
        return opened

    await cost_of_start()
    costs = {await cost_of_start() for _ in range(5)}
    assert len(costs) == 1


async def test_large_evidence_stays_out_of_the_journal(small):
    session_id = await started()
    evidence = {**EVIDENCE, "log": "x" * 1_000_000}
    await call("complete_phase", session_id=session_id, phase=1, evidence=evidence)
    assert (small / STATE / f"{session_id}.jsonl").stat().st_size < 8_000
    assert [
        path.stat().st_size for path in (small / STATE / f"{session_id}.evidence").iterdir()
    ] == [1_000_002]
    state = await call("get_state", session_id=session_id)
    assert state["artifacts"]["1"]["log"]["size"] == 1_000_002
    assert "value" not in state["artifacts"]["1"]["log"]


async def test_no_list_passes_eight_kilobytes(small, monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_MAX_ACTIVE_SESSIONS", "1000")
    for number in range(60):
        target = f"{'deep/' * 60}{number}.py"
        await call("start", workflow_type="small_v1", target_file=target)
    page = await call("list_sessions", limit=100)
    assert len(str(page).encode()) < 8_192
    assert page["count"] == 60
    assert page["next_cursor"]


async def test_list_workflows_takes_less_than_100_ms(project):
    await call("list_workflows")
    assert min([await seconds("list_workflows") for _ in range(3)]) < 0.1


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
async def test_start_takes_less_than_500_ms(project, name):
    took = []
    for _ in range(3):
        # Each server reads the definition once: the first start is the one that counts.
        services_for.cache_clear()
        took.append(await seconds("start", workflow_type=name, target_file="src/a.py"))
    assert min(took) < 0.5
