"""What our server costs beside a bare one, over stdio: start, calls, many at once, memory.

Both servers run at once, and what is compared is measured in turn: a start of one, a start of the
other; a call of one, a call of the other. Each figure is the median of the ratios of such pairs.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.places import Row
from benchmarks.served import BARE, NOOP, OURS, Call, Served, ours, structured
from benchmarks.tables import Section, figures_table
from tests.builders import EVIDENCE, GATE, write_workflow

STARTS = 15
ROUNDS = 200
BURSTS = 100
AT_ONCE = 16

BUILT_IN = "test_generation_v3"
SMALL = "small_v1"

START, READ, MUTATION, MEMORY, THROUGHPUT = 1.15, 1.25, 1.5, 1.25, 0.7

TEXT = """\
## Fast: our server against a bare one, over stdio

The bare server is the SDK's own on its own transport, with one tool that does nothing. Both run at
once in one project, a repository with one commit, and answer in turn, call by call ({rounds}
rounds), start by start ({starts}), burst by burst ({bursts}); each figure is the median of the
ratios of such pairs, and the last column has the medians. Reads are of `{built_in}`, whose texts
are long; changes are of a small workflow whose gate asks for two fields. Each change syncs one
line; a start syncs its file and the folder, and a deletion its log and the folder. The bare server
syncs nothing: how long appending and syncing one line takes on this disk is measured in between,
and the last column compares a change with both together. The load of the machine was {load:.1f}.

{rows}
{in_memory}
Where the rest goes: listing the tool imports nothing that only calls need; that happens a quarter
of a second later, while the server waits. The transport (docs/adr/0015-own-stdio-transport.md)
saves a call about half of what the SDK's costs, and the work of the action spends that: a read
hashes the last line of the journal and renders both halves; a change reads that line again under
the lock and before it appends, takes one or two locks, and waits for the disk. It stays in the
event loop while nothing else runs beside it and the one before was short; in a thread, it costs
some 0.3 times more. A gate that asks git, reads reports or runs a command costs what these cost:
some milliseconds for each process of git.
"""

IN_MEMORY = """
The same changes with the project in memory, where a sync takes no time:

{rows}
"""

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it

Pairs = dict[str, list[tuple[float, float]]]


def section() -> Section:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="aos-bench-") as name:
        project = make_project(Path(name) / "project")
        rows = [*starts(project), *calls(project), *concurrent(project)]
        load, _, _ = os.getloadavg()
    text = TEXT.format(
        rounds=ROUNDS, starts=STARTS, bursts=BURSTS, built_in=BUILT_IN, load=load,
        rows=figures_table(rows), in_memory=in_memory(),
    )  # fmt: skip
    return Section(text, holds=all(row.holds for row in rows))


def in_memory() -> str:
    """Measure what changes cost besides their syncs, where there is a disk in memory."""
    if not MEMORY_DISK.is_dir():
        return ""
    with tempfile.TemporaryDirectory(prefix="aos-bench-", dir=MEMORY_DISK) as name:
        rows = [row for row in calls(make_project(Path(name) / "project")) if row.name in MUTATIONS]
    return IN_MEMORY.format(rows=figures_table(rows))


class Side:
    """The two servers on one project, and the pairs of seconds that they took."""

    def __init__(self, project: Path) -> None:
        """Start both."""
        self.bare = Served(BARE, project)
        self.ours = Served(OURS, project)
        self.pairs: Pairs = {}
        self.lines: dict[str, list[float]] = {}
        self._file = os.open(project / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def call(self, name: str, call: Call, *, refused: bool = False) -> dict[str, Any]:
        """Let both answer, ours `call`, and note the seconds under `name`; return our answer."""
        bare, _ = self.bare.timed(NOOP)
        seconds, result = self.ours.timed(call)
        self.pairs.setdefault(name, []).append((bare, seconds))
        answer: dict[str, Any] = result["structuredContent"] if refused else structured(result)
        return answer

    def change(self, name: str, call: Call, *, refused: bool = False) -> dict[str, Any]:
        """Let both answer a call that changes something, and append and sync a line besides."""
        answer = self.call(name, call, refused=refused)
        began = time.perf_counter()
        os.write(self._file, b"x" * 2_000)
        getattr(os, "fdatasync", os.fsync)(self._file)
        self.lines.setdefault(name, []).append(time.perf_counter() - began)
        return answer

    def together(self, name: str, calls: list[Call]) -> None:
        """Let both answer as many calls at once."""
        bare = self.bare.together([NOOP] * len(calls))
        self.pairs.setdefault(name, []).append((bare, self.ours.together(calls)))

    def close(self) -> None:
        """End both."""
        self.bare.close()
        self.ours.close()
        os.close(self._file)


@contextmanager
def both(project: Path) -> Iterator[Side]:
    """Run both servers for as long as it takes."""
    side = Side(project)
    try:
        yield side
    finally:
        side.close()


def make_project(folder: Path) -> Path:
    """Make a project: a repository with one commit, as real ones are, and a small workflow."""
    folder.mkdir()
    write_workflow(folder / ".praxis-os" / "workflows", SMALL, phases=2, gate=GATE)
    git = shutil.which("git")
    if git is not None:
        person = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
            subprocess.run([git, *person, *words], cwd=folder, check=True)  # noqa: S603 - ours
    return folder


def starts(project: Path) -> list[Row]:
    """Compare how long it takes until the tools are listed, and the memory then."""
    seconds, resident = [], []
    for _ in range(STARTS):
        with both(project) as side:
            seconds.append((side.bare.started, side.ours.started))
            resident.append((float(side.bare.resident()), float(side.ours.resident())))
    return [
        _row("start to first tools/list", seconds, START),
        _row("memory once the tools are listed", resident, MEMORY, scale=1 / 1_024, unit="MiB"),
    ]


def calls(project: Path) -> list[Row]:
    """Compare what each action costs, and the memory after all of them."""
    with both(project) as side:
        for number in range(ROUNDS + 1):
            _round(side)
            if number == 0:
                # The first round reads definitions and starts threads.
                side.pairs.clear()
                side.lines.clear()
        rows = [_row(name, side.pairs[name], READ) for name in READS]
        rows += [_changed(name, side) for name in MUTATIONS]
        resident = [(float(side.bare.resident()), float(side.ours.resident()))]
        rows.append(_row("memory after all calls", resident, MEMORY, scale=1 / 1_024, unit="MiB"))
    return rows


READS = ("list_workflows", "get_phase", "get_task", "get_state", "get_session", "get_errors",
         "list_sessions")  # fmt: skip
MUTATIONS = ("start", "complete_phase (passed)", "complete_phase (refused)", "retry_phase",
             "pause", "resume", "rollback", "delete_session")  # fmt: skip


def _round(side: Side) -> None:
    """Make each call once, reads on a workflow with long texts, changes on a small one."""
    start = ours("start", workflow_type=BUILT_IN, target_file="src/a.py")
    reading = structured(side.ours.timed(start)[1])["session_id"]
    for name, more in (("get_phase", {}), ("get_task", {"task_number": 1}), ("get_state", {}),
                       ("get_session", {}), ("get_errors", {})):  # fmt: skip
        side.call(name, ours(name, session_id=reading, **more))
    side.call("list_sessions", ours("list_sessions"))
    side.call("list_workflows", ours("list_workflows"))
    side.ours.timed(ours("delete_session", session_id=reading))
    start = ours("start", workflow_type=SMALL, target_file="src/a.py")
    session = {"session_id": side.change("start", start)["session_id"]}
    submitted = {**session, "phase": 1, "evidence": dict(EVIDENCE)}
    refused = {**session, "phase": 2, "evidence": {"tests": 0}}
    side.change("pause", ours("pause", **session))
    side.change("resume", ours("resume", **session))
    side.change("complete_phase (passed)", ours("complete_phase", **submitted))
    side.change("complete_phase (refused)", ours("complete_phase", **refused), refused=True)
    side.change("retry_phase", ours("retry_phase", **session, phase=2))
    side.change("rollback", ours("rollback", **session, to_phase=1))
    side.change("delete_session", ours("delete_session", **session))


def concurrent(project: Path) -> list[Row]:
    """Compare how many reads of as many sessions are answered in the same time."""
    with both(project) as side:
        sessions = [
            structured(side.ours.timed(ours("start", workflow_type=BUILT_IN, target_file=name))[1])
            for name in (f"src/{n}.py" for n in range(AT_ONCE))
        ]
        for _ in range(BURSTS):
            for action in ("get_phase", "get_state"):
                wanted = [ours(action, session_id=s["session_id"]) for s in sessions]
                side.together(f"{action}, {AT_ONCE} at once", wanted)
        return [
            Row(name, median(bare / our for bare, our in pairs), THROUGHPUT, "times",
                _detail(pairs, 1_000, "ms"), at_least=True)
            for name, pairs in side.pairs.items()
        ]  # fmt: skip


def _row(
    name: str,
    pairs: list[tuple[float, float]],
    limit: float,
    *,
    scale: float = 1_000,
    unit: str = "ms",
) -> Row:
    ratio = median(our / bare for bare, our in pairs)
    return Row(name, ratio, limit, "times", _detail(pairs, scale, unit))


def _changed(name: str, side: Side) -> Row:
    row = _row(name, side.pairs[name], MUTATION)
    pairs, lines = side.pairs[name], side.lines[name]
    both = median(our / (bare + line) for (bare, our), line in zip(pairs, lines, strict=True))
    told = f"{row.detail}; {both:.2f} times with a line of {median(lines) * 1_000:.2f} ms"
    return replace(row, detail=told)


def _detail(pairs: list[tuple[float, float]], scale: float, unit: str) -> str:
    bare, our = (median(values) * scale for values in zip(*pairs, strict=True))
    return f"{bare:.2f} {unit}, {our:.2f} {unit}"
