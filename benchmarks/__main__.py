"""Measure everything in one run, print the tables, and write them to docs/benchmarks.md."""

import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

from benchmarks import figures
from benchmarks.places import Place, Row
from tests.slow.processes import SEED_VARIABLE

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

TEXT = """\
# Benchmarks

Written by `make bench`, all in one run on one machine. What is compared is measured in turn, call
by call, so that whatever else the machine does falls on both sides; a figure is the ratio of the
medians, which does not depend on the machine. Timings are never asserted in the tests; there,
operations on files are counted (`tests/slow/test_scale.py`).

## Flat: {many:,} finished sessions against {few}

{rounds} rounds. One server each on two state folders that differ in the number of finished
sessions only.

{flat}

## Small: four phases with 8 MB of evidence each against none

{rounds} rounds. One server each on two state folders with one session, whose first four phases
passed.

{small}

## Lists of all {many:,} sessions

{new} new processes list everything, then {later} times more; medians, and what other lists took.

{lists}

## Four servers at once

{processes} processes of {threads} threads make {edits} read-modify-write edits each on one
session, as fast as they can. Survived: lines in an unbroken chain, each of which adds one to the
tally of the line before it.

{writers}

## Killed writers

{kills} writers are killed with SIGKILL at random instants (seed {seed}, set with `{variable}`),
half of them in a hot loop of edits on one session, half in a mix of start, complete_phase
(passed, refused and skipped), retry_phase, pause, resume, rollback and delete_session with large
evidence. After each kill every session must be readable, pass the audit, and be exactly as it was
before or after the step in flight; after the next writer nothing may be left over. The run ends
at the first that is not so.

{killed}

## Machine

{machine}, {time:%Y-%m-%d}.
"""


def main() -> int:
    """Measure, print and write; fail when a limit was missed."""
    seed = int(os.environ.get(SEED_VARIABLE) or SystemRandom().randrange(2**32))
    with tempfile.TemporaryDirectory(prefix="aos-bench-") as name:
        scratch = Path(name)
        few, many = Place(scratch / "few", 2), Place(scratch / "many", 2)
        without, large = Place(scratch / "without", 5), Place(scratch / "large", 5)
        flat = figures.flat(few, many)
        small = figures.small(without, large)
        lists = figures.lists(many)
        writers = figures.four_writers(Place(scratch / "writers", 2))
        killed = figures.kills(scratch / "kills", seed)
    text = TEXT.format(
        few=figures.FEW, many=figures.MANY, rounds=figures.ROUNDS, new=figures.NEW_PROCESSES,
        later=figures.LISTS, processes=figures.PROCESSES, threads=figures.THREADS,
        edits=figures.EDITS, kills=figures.KILLS, seed=seed, variable=SEED_VARIABLE,
        flat=_figures(flat), small=_figures(small), lists=_figures(lists),
        writers=_counts(writers), killed=_counts(killed), machine=_machine(),
        time=datetime.now(UTC),
    )  # fmt: skip
    DOCUMENT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    held = all(row.value <= row.limit for row in (*flat, *small, *lists))
    return 0 if held and writers["survived"] == writers["edits"] else 1


def _figures(rows: Iterable[Row]) -> str:
    lines = ["| | measured | at most | | |", "|---|---|---|---|---|"]
    for row in rows:
        digits = 2 if row.unit == "times" else 1
        measured, limit = f"{row.value:.{digits}f} {row.unit}", f"{row.limit:g} {row.unit}"
        lines.append(f"| {row.name} | {measured} | {limit} | {row.verdict} | {row.detail} |")
    return "\n".join(lines)


def _counts(counts: Counter[str]) -> str:
    lines = ["| | |", "|---|---|", *(f"| {name} | {number:,} |" for name, number in counts.items())]
    return "\n".join(lines)


def _machine() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} on {platform.system()}, {platform.machine()}, {os.cpu_count()} processors"


if __name__ == "__main__":
    raise SystemExit(main())
