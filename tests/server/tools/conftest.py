"""What the tests of the tool share."""

from pathlib import Path

import pytest

from tests.builders import write_workflow


@pytest.fixture
def small(project: Path) -> Path:
    """A project whose own workflow has two phases with the small gate."""
    write_workflow(project / ".praxis-os" / "workflows")
    return project
