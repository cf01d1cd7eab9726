"""The long tests: run by `make test-slow`, left out of the ordinary run."""

import os
import random
import sys
from pathlib import Path

import pytest

from tests.slow.processes import SEED_VARIABLE

pytest.register_assert_rewrite("tests.slow.kills")

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever stands in this folder, so that no file can forget to."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def chance() -> random.Random:
    """Chance that can be had again: a failure shows the seed, and the variable sets it."""
    seed = int(os.environ.get(SEED_VARIABLE) or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"{SEED_VARIABLE}={seed}\n")
    return random.Random(seed)  # noqa: S311 - guesses nothing, only picks instants


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder of a project, which is not there yet."""
    return tmp_path / ".praxis-os" / "state" / "workflows"
