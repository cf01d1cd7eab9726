"""State files of the older server, and what a test asks of an import."""

import json
from pathlib import Path

from mcp_server.config import Settings
from mcp_server.importing import ImportOutcome, ImportReport
from mcp_server.server.services import Services, services_for
from tests.core.test_legacy import artifact, old_state

ID = "small_v1_a_py_20260314_120000_000000"
FAILED = {"checkpoints": {"0": "passed", "1": "failed"}}
LARGE = {"0": artifact(0, evidence={"log": "x" * 5_000, "also": "y" * 2_000})}


def uuid(number: int) -> str:
    return f"{number:06x}00-0000-4000-8000-000000000000"


def put(folder: Path, number: int = 0, **state) -> Path:
    """Write the state of session `number` as the older server did; return the file."""
    path = folder / f"{uuid(number)}.json"
    text = json.dumps(old_state(session_id=uuid(number), **state), indent=2)
    path.write_text(text, encoding="utf-8")
    return path


def outcomes(report: ImportReport) -> list[str]:
    return [str(file.outcome) for file in report.files]


def reason(report: ImportReport) -> str:
    (file,) = report.files
    assert (file.outcome, file.session_id) == (ImportOutcome.REFUSED, None)
    assert file.reason is not None
    return file.reason


def fresh(project: Path, **settings) -> Services:
    """The services of a server that starts now."""
    services_for.cache_clear()
    return services_for(Settings(project=project, **settings))


def stored_ids(services: Services) -> set[str]:
    return {found.session_id for found in services.sessions.store.summaries()}
