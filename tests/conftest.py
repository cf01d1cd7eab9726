"""What all tests share: a project folder of their own, and a guard around the real one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.config import PREFIX, PROJECT_VARIABLE, Settings
from mcp_server.core.file_store import FileStore
from mcp_server.cutover.command import main
from mcp_server.server.services import Services, services_for

REPOSITORY = Path(__file__).resolve().parent.parent
COMPAT = REPOSITORY.parent / "shared" / "compat" / "praxis_os"


@pytest.fixture(autouse=True)
def _no_state_of_the_real_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """Make a store in the working directory that pytest was started in raise."""
    make = FileStore.__init__

    def guarded(self: FileStore, folder: Path, **settings: float) -> None:
        assert not folder.resolve().is_relative_to(REPOSITORY), "a test uses the real state folder"
        make(self, folder, **settings)

    monkeypatch.setattr(FileStore, "__init__", guarded)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield
    assert not (REPOSITORY / ".praxis-os" / "state").exists(), "a test used the real state folder"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that calls without a server of their own use."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return folder


@pytest.fixture
def services(project: Path) -> Services:
    """The services of `project`."""
    return services_for(Settings(project=project))


@pytest.fixture
def compat() -> Path:
    """Definitions and state of another project of this kind, where they are at hand."""
    if not COMPAT.is_dir():
        pytest.skip("no compat folder beside the project")
    return COMPAT


@pytest.fixture
def cutover(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run the cutover's command, and return its exit code and its report."""

    def run(*argv: str | Path) -> tuple[int, dict[str, Any]]:
        code = main([*map(str, argv), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run
