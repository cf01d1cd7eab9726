"""Servers at the same time: nothing is lost, nothing happens twice, nobody blocks for ever."""

import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mcp_server.core.postgres.store import PostgresStore
from mcp_server.core.verification import verify
from mcp_server.errors import ConflictError
from tests.builders import write_workflow
from tests.core.session_builders import noted
from tests.postgres_server import Database
from tests.slow.kills import leftovers
from tests.slow.processes import FORKS, PATIENCE, run_together
from tests.slow.racers import (
    EDITS,
    THREADS,
    complete_at_once,
    edit_as_seen,
    edit_in_threads,
    hold_both,
    hold_limit,
    hold_session,
    start_at_the_limit,
)
from tests.slow.writers import PHASES, WORKFLOW, Server, server

PROCESSES = 4


@pytest.fixture(params=["files", "postgres"])
def place(request: pytest.FixtureRequest, folder: Path) -> Path | Database:
    """Where the sessions are."""
    return folder if request.param == "files" else Database.new()


@pytest.fixture
def served(place: Path | Database, tmp_path: Path) -> Iterator[Server]:
    write_workflow(tmp_path / "shelf", WORKFLOW, phases=PHASES)
    found = server(place, tmp_path)
    yield found
    if isinstance(found.store, PostgresStore):
        found.store.close()


def left_over(place: Path | Database) -> list[str]:
    """What is left in a folder; a database leaves nothing."""
    return leftovers(place) if isinstance(place, Path) else []


def start(served: Server) -> str:
    return str(served.engine.start(WORKFLOW, "a.py")["session_id"])


def require_sound(served: Server, session_id: str) -> list[dict[str, Any]]:
    """The records of a session, after an audit."""
    lines = served.store.lines(session_id)
    audit = verify(session_id, lines, lambda key: served.store.blob(session_id, key))
    assert audit.holds, audit
    return [json.loads(line) for line in lines]


def require_tally(served: Server, session_id: str, edits: int) -> None:
    """Each edit of each thread must be a line that adds one to what the line before it says."""
    workers = PROCESSES * THREADS
    records = require_sound(served, session_id)
    assert len(records) == workers * edits + 1
    tallies = [json.loads(record["state"]["checkpoint_note"] or "{}") for record in records]
    for before, after in pairwise(tallies):
        assert sum(after.values()) == sum(before.values()) + 1
    assert list(tallies[-1].values()) == [edits] * workers


def test_of_the_edits_of_many_threads_and_processes_none_is_lost(served, place, tmp_path):
    session_id = start(served)
    raised = run_together(
        edit_in_threads, [(place, tmp_path, str(number)) for number in range(PROCESSES)]
    )
    assert raised == [[]] * PROCESSES
    require_tally(served, session_id, EDITS)


def test_edits_of_a_revision_that_was_seen_conflict_and_are_never_lost(served, place, tmp_path):
    session_id = start(served)
    raised = run_together(
        edit_as_seen, [(place, tmp_path, str(number)) for number in range(PROCESSES)]
    )
    assert {name for counts in raised for name in counts} == {"ConflictError"}
    require_tally(served, session_id, EDITS // 4)


def test_of_two_servers_that_complete_a_phase_exactly_one_passes(served, place, tmp_path):
    session_ids = [start(served) for _ in range(20)]
    answers = run_together(complete_at_once, [(place, tmp_path, session_ids, PHASES)] * 2)
    rounds = [sorted(pair) for pair in zip(*answers, strict=True)]
    assert len(rounds) == 20 * PHASES
    for number, (refused, passed) in enumerate(rounds):
        phase = number % PHASES + 1
        assert passed == ("passed", phase, "")
        assert refused[0] in {"StateError", "ConflictError"}
        assert refused[1] == min(phase + 1, PHASES), refused
    winners = {index for pair in zip(*answers, strict=True) for index in (0, 1)
               if pair[index][0] == "passed"}  # fmt: skip
    assert winners == {0, 1}, "one server was always late: nothing was contended"
    for session_id in session_ids:
        assert len(require_sound(served, session_id)) == PHASES + 1
    assert left_over(place) == []


def test_of_eight_servers_that_start_at_the_limit_exactly_one_succeeds(served, place, tmp_path):
    for _ in range(99):
        start(served)
    rounds = 10
    answers = run_together(start_at_the_limit, [(place, tmp_path, rounds, 100)] * 8)
    for answer in zip(*answers, strict=True):
        assert Counter(answer) == {"success": 1, "LimitError": 7}
    assert served.sessions.list_sessions(limit=1)["count"] == 99 + rounds


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
@pytest.mark.parametrize("hold", [hold_session, hold_limit, hold_both])
def test_a_holder_that_is_killed_never_blocks_anybody(served, place, tmp_path, hold):
    session_id = start(served)
    # A session that counts against the limit needs no lock of it.
    served.sessions.pause(session_id)
    for number in range(10):
        holding, mouth = FORKS.Pipe(duplex=False)
        holder = FORKS.Process(target=hold, args=(place, tmp_path, session_id, mouth), daemon=True)
        holder.start()
        assert holding.poll(PATIENCE)
        impatient = server(place, tmp_path, timeout=0.01)
        with (
            pytest.raises(ConflictError, match=rf"locked by (process {holder.pid} since|another)"),
            impatient.sessions.edit(session_id, activates=hold is not hold_session),
        ):
            pytest.fail("two held it")
        waiting = threading.Thread(target=note, args=(served, session_id, str(number)))
        waiting.start()
        holder.kill()
        holder.join(PATIENCE)
        waiting.join(PATIENCE)
        assert served.store.read(session_id).state.checkpoint_note == str(number)
    assert len(require_sound(served, session_id)) == 12


def note(served: Server, session_id: str, text: str) -> None:
    with served.sessions.edit(session_id, activates=True) as draft:
        draft.record(noted(draft.state, text))
