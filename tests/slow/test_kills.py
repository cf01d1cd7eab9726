"""Writers that are killed at any instant leave each session as it was before or after a step."""

import random
import sys
from pathlib import Path

import pytest

from tests.builders import write_workflow
from tests.slow.kills import Ledger
from tests.slow.writers import PHASES, WORKFLOW, act_for_ever, edit_for_ever, server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")


@pytest.fixture
def ledger(folder: Path, tmp_path: Path) -> Ledger:
    write_workflow(tmp_path / "shelf", WORKFLOW, phases=PHASES)
    return Ledger(folder, tmp_path)


@pytest.mark.parametrize("part", range(5))
def test_a_writer_killed_in_a_hot_loop_of_one_session_loses_nothing(
    ledger: Ledger, chance: random.Random, part: int
) -> None:
    served = server(ledger.folder, ledger.root)
    session_id = served.engine.start(WORKFLOW, "a.py")["session_id"]
    ledger.adopt(served.store.read(session_id))
    for _ in range(25):
        ledger.kill_one(edit_for_ever, chance)
    sys.stdout.write(f"{dict(ledger.counts)}\n")
    assert ledger.counts["kills"] == 25


@pytest.mark.parametrize("part", range(5))
def test_a_writer_killed_in_a_mix_of_all_actions_loses_nothing(
    ledger: Ledger, chance: random.Random, part: int
) -> None:
    for _ in range(25):
        ledger.kill_one(act_for_ever, chance)
    sys.stdout.write(f"{dict(ledger.counts)}\n")
    assert ledger.counts["kills"] == 25
    assert ledger.counts["acknowledged"] > 25
