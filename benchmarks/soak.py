"""The section on the long run: memory over very many calls."""

import tempfile
from pathlib import Path

from benchmarks.places import Row
from benchmarks.served import OURS, Served, ours, structured
from benchmarks.speed import BUILT_IN, make_project
from benchmarks.tables import Section, figures_table

CALLS, LOOKS, A_ROUND = 20_000, 10, 10
GROWTH_KIB = 2_048

TEXT = """\
## Long: {calls:,} calls of one server

Rounds of {a_round} calls: start, get_phase, get_task, get_state, list_sessions, pause, resume,
get_session, an unknown action, delete_session. Resident memory after each tenth, in KiB:
{looks}. What is read and compiled for the first time is in the first.

{rows}
"""


def section() -> Section:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="aos-bench-") as name:
        server = Served(OURS, make_project(Path(name) / "project"))
        looks = []
        for _ in range(LOOKS):
            for _ in range(CALLS // LOOKS // A_ROUND):
                _round(server)
            looks.append(server.resident())
        server.close()
    row = Row("growth after the first tenth", looks[-1] - looks[0], GROWTH_KIB, "KiB", "")
    text = TEXT.format(
        calls=CALLS, a_round=A_ROUND, rows=figures_table([row]),
        looks=", ".join(f"{look:,}" for look in looks),
    )  # fmt: skip
    return Section(text, holds=row.holds)


def _round(server: Served) -> None:
    start = ours("start", workflow_type=BUILT_IN, target_file="src/a.py")
    session = {"session_id": structured(server.timed(start)[1])["session_id"]}
    for action, more in (
        ("get_phase", {}), ("get_task", {"task_number": 1}), ("get_state", {}),
        ("list_sessions", {}), ("pause", {}), ("resume", {}), ("get_session", {}),
        ("no_such_action", {}), ("delete_session", {}),
    ):  # fmt: skip
        server.timed(ours(action, **session, **more))
