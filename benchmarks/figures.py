"""What is measured: cost against the number of sessions and the size of evidence, and survival."""

import resource
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from benchmarks.places import Place, Row, ratios
from mcp_server.core.transitions import Status
from mcp_server.core.verification import verify
from tests.slow.kills import Ledger
from tests.slow.processes import run_together
from tests.slow.racers import EDITS, THREADS, Report, edit_in_threads
from tests.slow.writers import act_for_ever, edit_for_ever, server

FEW, MANY = 10, 10_000
ROUNDS = 300
LISTS = 25
NEW_PROCESSES = 5
PROCESSES = 4
KILLS, KILLS_A_FOLDER = 200, 25
MEBIBYTE = 1024 * 1024
LARGE = "x" * (8 * MEBIBYTE)
LARGE_PHASES = 4

FLAT = (
    ("start", 1.5),
    ("get_phase", 1.3),
    ("complete_phase", 1.3),
    ("list_sessions (active)", 1.3),
)
SMALL = (("get_phase", 1.3), ("get_state", 1.3), ("pause", 1.3), ("list_sessions", 1.3))
FIRST_LIST_MS, LATER_LIST_MS, GROWTH_MIB = 2_000.0, 50.0, 40.0


def flat(few: Place, many: Place) -> list[Row]:
    """Compare what live work costs with few and with many finished sessions."""
    places = (few, many)
    for place, number in zip(places, (FEW, MANY), strict=True):
        place.add_finished(number)
        _work(place)
        place.seconds.clear()
    for _ in range(ROUNDS):
        for place in places:
            _work(place)
    return ratios(FLAT, few, many)


def _work(place: Place) -> None:
    served = place.server
    session_id = place.timed("start", place.start)
    place.timed("get_phase", lambda: served.engine.get_phase(session_id))
    place.timed("complete_phase", lambda: place.complete(session_id, 1))
    place.timed("list_sessions (active)", lambda: served.sessions.list_sessions(Status.ACTIVE))
    served.sessions.delete_session(session_id)


def lists(many: Place) -> list[Row]:
    """Measure lists of everything in new processes."""
    place = (many.folder, many.root)
    reports = [run_together(list_all, [place])[0] for _ in range(NEW_PROCESSES)]
    changing = run_together(list_while_changing, [place])[0]
    first = [1_000 * report["first"] for report in reports]
    later = [1_000 * seconds for report in reports for seconds in report["later"]]
    busy = [1_000 * seconds for seconds in changing]
    growth = [report["growth"] / MEBIBYTE for report in reports]
    return [
        Row("first list in a new process", median(first), FIRST_LIST_MS, "ms",
            f"worst of {len(first)}: {max(first):.0f} ms"),
        Row("later lists", median(later), LATER_LIST_MS, "ms",
            f"worst of {len(later)}: {max(later):.0f} ms; in the moment after a session finished,"
            f" {median(busy):.0f} ms"),
        Row("memory growth", max(growth), GROWTH_MIB, "MiB", "resident, worst process"),
    ]  # fmt: skip


def list_all(folder: Path, root: Path, together: Any, report: Report) -> None:
    """In a process of its own: list everything, time and again."""
    place = server(folder, root)
    together.wait()
    before = _resident()
    found: dict[str, Any] = {"first": _seconds(place.sessions.list_sessions), "later": []}
    for _ in range(LISTS):
        found["later"].append(_seconds(place.sessions.list_sessions))
    found["growth"] = _resident() - before
    report(found)


def list_while_changing(folder: Path, root: Path, together: Any, report: Report) -> None:
    """In a process of its own: list everything again after each change of the finished."""
    place = server(folder, root)
    together.wait()
    place.sessions.list_sessions()
    # A name that comes and goes is to the listing what a session that moves in is.
    passing, found = folder / "finished" / "passing", []
    for _ in range(LISTS):
        passing.touch()
        passing.unlink()
        found.append(_seconds(place.sessions.list_sessions))
    report(found)


def _seconds(act: Any) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _resident() -> int:
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def small(without: Place, large: Place) -> list[Row]:
    """Compare what a session costs with large evidence and with none."""
    worked = [(without, _submitted(without)), (large, _submitted(large, log=LARGE))]
    for _ in range(ROUNDS):
        for place, session_id in worked:
            _look_at(place, session_id)
    return ratios(SMALL, without, large)


def _submitted(place: Place, **more: str) -> str:
    session_id = place.start()
    for phase in range(1, LARGE_PHASES + 1):
        place.complete(session_id, phase, **more)
    return session_id


def _look_at(place: Place, session_id: str) -> None:
    engine, sessions = place.server.engine, place.server.sessions
    place.timed("get_phase", lambda: engine.get_phase(session_id))
    place.timed("get_state", lambda: engine.get_state(session_id))
    place.timed("pause", lambda: sessions.pause(session_id))
    place.timed("list_sessions", sessions.list_sessions)
    engine.resume(session_id)


def four_writers(place: Place) -> Counter[str]:
    """Let four processes of four threads edit one session, and count what is there then."""
    session_id = place.start()
    began = time.perf_counter()
    raised = run_together(
        edit_in_threads, [(place.folder, place.root, str(n)) for n in range(PROCESSES)]
    )
    seconds = time.perf_counter() - began
    store = place.server.store
    audit = verify(session_id, store.lines(session_id), lambda key: store.blob(session_id, key))
    return Counter(
        {
            "edits": PROCESSES * THREADS * EDITS,
            "survived": audit.lines - 1 if audit.holds else 0,
            "errors": sum(map(len, raised)),
            "edits a second": round((audit.lines - 1) / seconds),
        }
    )


def kills(folder: Path, seed: int) -> Counter[str]:
    """Kill writers, half in a hot loop of one session and half in a mix of all actions."""
    chance = Random(seed)  # noqa: S311 - guesses nothing, only picks instants
    counts: Counter[str] = Counter()
    for number in range(KILLS // KILLS_A_FOLDER):
        place = Place(folder / str(number), phases=3)
        ledger = Ledger(place.folder, place.root)
        writer = act_for_ever
        if number % 2:
            writer = edit_for_ever
            ledger.adopt(place.server.store.read(place.start()))
        for _ in range(KILLS_A_FOLDER):
            ledger.kill_one(writer, chance)
        counts += ledger.counts
    return counts
