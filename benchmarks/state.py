"""The section on state: cost against the number of sessions and the size of evidence; survival."""

import os
import tempfile
from pathlib import Path
from random import SystemRandom

from benchmarks import figures
from benchmarks.places import Place
from benchmarks.tables import Section, counts, figures_table
from tests.slow.processes import SEED_VARIABLE

TEXT = """\
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
"""


def section() -> Section:
    """Measure."""
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
        flat=figures_table(flat), small=figures_table(small), lists=figures_table(lists),
        writers=counts(writers), killed=counts(killed),
    )  # fmt: skip
    held = all(row.holds for row in (*flat, *small, *lists))
    return Section(text, holds=held and writers["survived"] == writers["edits"])
