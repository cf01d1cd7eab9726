"""Two clones of a repository, each with a server of its own, on one PostgreSQL."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import psutil
import pytest
import yaml
from mcp import Client, StdioServerParameters

from mcp_server.core.encoding import digest
from mcp_server.core.store import SessionStore
from mcp_server.core.verification import verify
from tests.builders import write_workflow
from tests.core.gated_builders import PLAN
from tests.integration.agent import Agent
from tests.postgres_server import address, new_schema, open_new
from tests.repositories import clone, commit, new_repository

PHASES = 4
PLAN_TEXT = b"# Plan\n"

GATE = {
    "evidence_schema": {
        "plan": {"type": "boolean", "verify": {"file": PLAN, "fresh": True}},
        "summary": {"type": "string"},
    }
}


@pytest.fixture
def schema() -> str:
    return new_schema()


@pytest.fixture
def clones(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two checkouts of a repository whose workflow looks for a plan in each phase."""
    origin = new_repository(tmp_path / "origin")
    made = write_workflow(origin / ".praxis-os" / "workflows", phases=PHASES, gate=None)
    for number in range(1, PHASES + 1):
        path = made / "phases" / str(number) / "gate-definition.yaml"
        path.write_text(yaml.safe_dump(GATE), encoding="utf-8")
    commit(origin)
    return clone(origin, "one"), clone(origin, "other")


@asynccontextmanager
async def serving(project: Path, schema: str):
    """An agent at a server that was started in a checkout."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_server"],
        env=os.environ
        | {
            "AOS_WORKFLOW_PROJECT": str(project),
            "AOS_WORKFLOW_STATE": address(),
            "AOS_WORKFLOW_STATE_SCHEMA": schema,
        },
        cwd=project,
    )
    async with Client(server, read_timeout_seconds=60) as client:
        yield await Agent.of(client)


def kill_the_server(project: Path) -> None:
    """Kill the server of a checkout, as a crash would."""
    for process in psutil.Process().children(recursive=True):
        if process.cwd() == str(project) and "mcp_server" in process.cmdline():
            process.send_signal(signal.SIGKILL)
            return
    pytest.fail("there is no such server")


def verify_all(store: SessionStore, session_id: str) -> bool:
    return verify(session_id, store.lines(session_id), partial(store.blob, session_id)).holds


def write_plan(project: Path) -> None:
    (project / PLAN).parent.mkdir(exist_ok=True)
    (project / PLAN).write_bytes(PLAN_TEXT)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
async def test_a_session_is_handed_back_and_forth_while_a_server_is_killed(clones, schema):
    one, other = clones
    async with serving(other, schema) as there:
        try:
            async with serving(one, schema) as here:
                started = await here.succeed("start", workflow_type="small_v1", target_file="a.py")
                session = {"session_id": started["session_id"]}
                write_plan(one)
                await here.succeed("complete_phase", **session, phase=1, evidence={"summary": "x"})
                kill_the_server(one)
        except* Exception:  # noqa: BLE001, S110 - the client of a server that was killed ends as it can
            pass
        listed = await there.succeed("list_sessions", status="active")
        assert [shown["session_id"] for shown in listed["sessions"]] == [session["session_id"]]
        state = await there.succeed("get_state", **session)
        assert (state["current_phase"], state["completed_phases"]) == (2, [1])

        # What was seen in the other checkout is not believed here: here there is no plan.
        refused = await there("complete_phase", **session, phase=2, evidence={"summary": "x"})
        assert refused["error_type"] == "ValidationError"
        await there.succeed("retry_phase", **session, phase=2)
        write_plan(other)
        await there.succeed("complete_phase", **session, phase=2, evidence={"summary": "x"})

        async with serving(one, schema) as here:
            write_plan(one)
            await here.succeed("complete_phase", **session, phase=3, evidence={"summary": "x"})
            write_plan(other)
            done = await there.succeed("complete_phase", **session, phase=4,
                                       evidence={"summary": "x"})  # fmt: skip
            assert done["workflow_complete"] is True
            state = await here.succeed("get_state", **session)
            assert state["session_status"] == "completed"
    with closing(open_new(schema)) as store:
        last = store.read(session["session_id"])
        assert (last.seq, verify_all(store, last.state.session_id)) == (7, True)
        seen = [last.state.evidence[phase]["plan"].observation for phase in range(1, PHASES + 1)]
        # What was observed in either checkout keeps its digests.
        assert [[s.sha256 for s in one.sources] for one in seen] == [[digest(PLAN_TEXT)]] * PHASES
    assert not (one / ".praxis-os" / "state").exists()


async def test_a_server_in_another_repository_neither_lists_nor_judges_it(clones, schema, tmp_path):
    stranger = new_repository(tmp_path / "stranger")
    write_workflow(stranger / ".praxis-os" / "workflows")
    commit(stranger)
    async with serving(clones[0], schema) as here:
        started = await here.succeed("start", workflow_type="small_v1", target_file="a.py")
    session = {"session_id": started["session_id"]}
    async with serving(stranger, schema) as there:
        assert (await there.succeed("list_sessions"))["count"] == 0
        everywhere = await there.succeed("list_sessions", options={"all_projects": True})
        assert [shown["session_id"] for shown in everywhere["sessions"]] == list(session.values())
        assert (await there.succeed("get_phase", **session))["current_phase"] == 1
        for action, arguments in {
            "complete_phase": {"phase": 1, "evidence": {"summary": "x"}},
            "retry_phase": {"phase": 1},
            "rollback": {"to_phase": 1},
            "resume": {},
        }.items():
            refused = await there(action, **session, **arguments)
            assert refused["error_type"] == "StateError", action
            assert "belongs to another project" in refused["error"], action
