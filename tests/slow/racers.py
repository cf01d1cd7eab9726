"""What processes do at the same time, in the tests of races and in the benchmark."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcp_server.core.models import SessionState
from mcp_server.core.state_manager import StateManager
from mcp_server.errors import ConflictError, StateError, WorkflowError
from tests.builders import EVIDENCE
from tests.postgres_server import Database
from tests.slow.writers import WORKFLOW, noted, server

THREADS = 4
EDITS = 100

Report = Callable[[Any], None]
Place = Path | Database


def edit_in_threads(place: Place, root: Path, name: str, together: Any, report: Report) -> None:
    """Add `EDITS` to a tally in each of `THREADS` threads; report what was raised."""
    sessions = server(place, root).sessions
    [session_id] = [found.session_id for found in sessions.store.summaries()]
    raised: list[str] = []

    def add(worker: str) -> None:
        try:
            for _ in range(EDITS):
                with sessions.edit(session_id) as draft:
                    draft.record(noted(draft.state, _counted(draft.state, worker)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to see it
            raised.append(repr(error))

    _in_threads(add, name, together)
    report(raised)


def edit_as_seen(place: Place, root: Path, name: str, together: Any, report: Report) -> None:
    """The same by callers that name the revision they saw; report conflicts and what was raised."""
    sessions = server(place, root).sessions
    [session_id] = [found.session_id for found in sessions.store.summaries()]
    raised: Counter[str] = Counter()

    def add(worker: str) -> None:
        for _ in range(EDITS // 4):
            while not _edited(sessions, session_id, worker, raised):
                pass

    _in_threads(add, name, together)
    report(raised)


def _edited(sessions: StateManager, session_id: str, worker: str, raised: Counter[str]) -> bool:
    seen = sessions.store.read(session_id)
    try:
        with sessions.edit(session_id, seen.seq) as draft:
            # What was seen is what is written back: a stale revision would undo another's edit.
            draft.record(noted(draft.state, _counted(seen.state, worker)))
    except ConflictError:
        raised["ConflictError"] += 1
        return False
    except Exception as error:  # noqa: BLE001 - whatever it is, the test is to see it
        raised[repr(error)] += 1
    return True


def _counted(state: SessionState, worker: str) -> str:
    tally = json.loads(state.checkpoint_note or "{}")
    return json.dumps({**tally, worker: tally.get(worker, 0) + 1})


def _in_threads(add: Callable[[str], None], name: str, together: Any) -> None:
    threads = [threading.Thread(target=add, args=(f"{name}.{n}",)) for n in range(THREADS)]
    together.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def complete_at_once(
    place: Place, root: Path, session_ids: list[str], phases: int, together: Any, report: Report
) -> None:
    """Complete each phase of each session at the same time as another server does."""
    engine = server(place, root).engine
    answers: list[tuple[str, Any, str]] = []
    for session_id in session_ids:
        for phase in range(1, phases + 1):
            evidence = {**EVIDENCE, "log": f"{session_id}{phase}" * 100}
            together.wait()
            try:
                passed = engine.complete_phase(session_id, phase, evidence)
                answers.append(("passed", passed["phase_completed"], ""))
            except (StateError, ConflictError) as error:
                answers.append(
                    (error.error_type, error.details.get("current_phase"), error.message)
                )
    report(answers)


def start_at_the_limit(
    place: Place, root: Path, rounds: int, limit: int, together: Any, report: Report
) -> None:
    """Take the last place `rounds` times, and give it back each time it was had."""
    served = server(place, root, max_active=limit)
    answers: list[str] = []
    for _ in range(rounds):
        together.wait()
        session_id = None
        try:
            session_id = served.engine.start(WORKFLOW, "a.py")["session_id"]
            answers.append("success")
        except WorkflowError as error:
            answers.append(error.error_type)
        together.wait()
        if session_id:
            served.sessions.pause(session_id)
    report(answers)


def hold_session(place: Place, root: Path, session_id: str, holding: Any) -> None:
    """Hold the lock of a session until killed."""
    with server(place, root).sessions.edit(session_id):
        _hold(holding)


def hold_limit(place: Place, root: Path, session_id: str, holding: Any) -> None:
    """Hold the lock of the limit until killed."""
    with server(place, root).store.exclusive():
        _hold(holding)


def hold_both(place: Place, root: Path, session_id: str, holding: Any) -> None:
    """Hold both until killed."""
    with server(place, root).sessions.edit(session_id, activates=True):
        _hold(holding)


def _hold(holding: Any) -> None:
    holding.send("holding")
    threading.Event().wait()
