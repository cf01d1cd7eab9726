"""A crash before any one operation on files leaves each session as before or after the action.

What kills at random instants find by chance, these find in order: each action is run again and
again, and ends one operation later each time.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mcp_server.core.transitions import Action, Outcome, Status
from mcp_server.errors import GateRefusedError
from tests.builders import EVIDENCE, write_workflow
from tests.slow.counting import crashed_at
from tests.slow.kills import Ledger
from tests.slow.writers import PHASES, WORKFLOW, Server, Step, log, server

TOKEN = "token."  # noqa: S105 - marks what was submitted


@dataclass(frozen=True)
class Case:
    """An action on a session of which so many phases have passed, and what follows."""

    action: Action
    outcome: Outcome
    status: Status | None
    phase: int
    passed: int
    act: Callable[[Server, str], Any]


def submit(phase: int, **more: Any) -> Callable[[Server, str], Any]:
    """Submit large evidence."""

    def act(served: Server, session_id: str) -> None:
        with suppress(GateRefusedError):
            evidence = {**EVIDENCE, "log": log(TOKEN), **more}
            served.engine.complete_phase(session_id, phase, evidence)

    return act


CASES = {
    "start": Case(
        Action.START, Outcome.DONE, Status.ACTIVE, 1, 1,
        lambda served, _: served.engine.start(WORKFLOW, f"{TOKEN}py"),
    ),
    "pass": Case(Action.COMPLETE_PHASE, Outcome.PASSED, Status.ACTIVE, 3, 1, submit(2)),
    "refuse": Case(
        Action.COMPLETE_PHASE, Outcome.REFUSED, Status.FAILED, 2, 1, submit(2, tests=0)
    ),
    "finish": Case(Action.COMPLETE_PHASE, Outcome.FINISHED, Status.COMPLETED, 3, 2, submit(3)),
    "pause": Case(
        Action.PAUSE, Outcome.DONE, Status.PAUSED, 2, 1,
        lambda served, session_id: served.sessions.pause(session_id, TOKEN),
    ),
    "roll back": Case(
        Action.ROLLBACK, Outcome.DONE, Status.ACTIVE, 1, 2,
        lambda served, session_id: served.engine.rollback(session_id, 1),
    ),
    "open again": Case(
        Action.ROLLBACK, Outcome.DONE, Status.ACTIVE, 2, 3,
        lambda served, session_id: served.engine.rollback(session_id, 2),
    ),
    "delete": Case(
        Action.DELETE_SESSION, Outcome.DONE, None, 1, 1,
        lambda served, session_id: served.sessions.delete_session(session_id, TOKEN),
    ),
    "delete finished": Case(
        Action.DELETE_SESSION, Outcome.DONE, None, 1, 3,
        lambda served, session_id: served.sessions.delete_session(session_id, TOKEN),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_crash_before_any_operation_loses_nothing(
    folder: Path, tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    write_workflow(tmp_path / "shelf", WORKFLOW, phases=PHASES)
    served = server(folder, tmp_path)
    session_id = served.engine.start(WORKFLOW, "a.py")["session_id"]
    for phase in range(1, case.passed + 1):
        evidence = {**EVIDENCE, "log": log(f"{phase}.......")}
        served.engine.complete_phase(session_id, phase, evidence)
    before = served.store.read(session_id)
    untouched = shutil.copytree(folder, tmp_path / "untouched")
    step = Step(
        case.action, case.outcome, TOKEN, "" if name == "start" else session_id, case.status,
        case.phase,
    )  # fmt: skip

    operation, crashed, outcomes = 0, True, set()
    while crashed:
        operation += 1
        shutil.rmtree(folder)
        shutil.copytree(untouched, folder)
        ledger = Ledger(folder, tmp_path)
        ledger.adopt(before)
        doomed = server(folder, tmp_path)
        crashed = crashed_at(operation, lambda doomed=doomed: case.act(doomed, session_id))
        ledger.check(step)
        outcomes |= ledger.counts.keys()
    assert operation > 10
    assert outcomes >= {"before the step", "after the step"}
