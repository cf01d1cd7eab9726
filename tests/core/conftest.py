"""Where the tests of the core keep sessions and definitions: folders of their own."""

from pathlib import Path

import pytest

from mcp_server.core.file_store import FileStore
from tests.core.session_builders import ID


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder of a project, which is not there yet."""
    return tmp_path / "project" / ".praxis-os" / "state" / "workflows"


@pytest.fixture
def store(folder: Path) -> FileStore:
    """Sessions as files in `folder`."""
    return FileStore(folder)


@pytest.fixture
def journal(folder: Path) -> Path:
    """The file of the session `ID`, as long as it is live."""
    return folder / f"{ID}.jsonl"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """An empty folder of definitions."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder
