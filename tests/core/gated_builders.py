"""A project whose gates look for themselves, and what a project's people put into it."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from mcp_server.core.completion import Workers
from mcp_server.core.encoding import digest
from mcp_server.core.limits import Limits
from mcp_server.core.models import SessionState
from mcp_server.core.state_manager import StateManager
from mcp_server.core.store import SessionStore
from mcp_server.core.views import timestamp
from mcp_server.core.workflow_engine import ProjectEyes, WorkflowEngine
from mcp_server.gates.commands import COMMANDS_FILE, parse_commands
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Observation
from mcp_server.gates.probe_settings import ApprovalSettings
from mcp_server.gates.probes.look import PhaseFacts
from mcp_server.gates.trust import TrustStore, default_trust_folder, program_digest
from mcp_server.server.looking import ProjectLooker
from tests.builders import Clock, library, write_workflow
from tests.memory_store import MemoryStore

PLAN = "docs/plan.md"
REPORT = "reports/junit.xml"
TWO_SECTIONS = "# Plan\n\n## First\n\n## Second\n"
CLAIM = {"summary": "done"}

LOOKING: Mapping[str, Any] = {
    "evidence_schema": {
        "plan": {"type": "boolean", "verify": {"file": PLAN}},
        "sections": {"type": "integer", "minimum": 2, "verify": {"count": PLAN, "pattern": "^## "}},
        "passed": {"type": "integer", "minimum": 1, "verify": {"junit": REPORT, "count": "passed"}},
        "summary": {"type": "string"},
    },
}
"""A gate that looks for three of its fields; the fourth is a claim."""

EXECUTED: Mapping[str, Any] = {
    "evidence_schema": {
        "passed": {
            "type": "integer",
            "minimum": 1,
            "verify": {"command": "test", "report": {"junit": REPORT, "count": "passed"}},
        },
        "summary": {"type": "string"},
    },
}
"""A gate that wants the server to run the tests."""


def junit(passed: int) -> str:
    """A report of tests that passed."""
    cases = "".join(f'<testcase classname="tests.test_a" name="test_{n}"/>' for n in range(passed))
    return f'<testsuite tests="{passed}">{cases}</testsuite>'


class GatedProject:
    """A project folder and an engine over it; each gate given is that of one phase."""

    def __init__(
        self,
        folder: Path,
        *gates: Mapping[str, Any],
        store: SessionStore | None = None,
        looker: Callable[[Path], ProjectEyes] = ProjectLooker,
        workers: Workers | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
    ) -> None:
        self.root = folder / "project"
        shelf = self.root / ".praxis-os" / "workflows"
        if not shelf.exists():
            made = write_workflow(shelf, phases=len(gates), gate=None)
            for number, gate in enumerate(gates, start=1):
                path = made / "phases" / str(number) / "gate-definition.yaml"
                path.write_text(yaml.safe_dump(dict(gate), sort_keys=False), encoding="utf-8")
        self.store = store or MemoryStore()
        self.sessions = StateManager(self.store, max_active=10, clock=Clock())
        self.engine = WorkflowEngine(
            library(shelf),
            self.sessions,
            root=self.root,
            limits=limits,
            looker=looker(self.root),
            workers=workers,
        )
        self.id = ""

    def start(self) -> str:
        self.id = str(self.engine.start("small_v1", "src/a.py")["session_id"])
        return self.id

    @property
    def state(self) -> SessionState:
        return self.sessions.load(self.id)

    @property
    def lines(self) -> list[bytes]:
        return self.store.lines(self.id)

    def complete(self, evidence: Mapping[str, Any], phase: int = 1) -> dict[str, Any]:
        return self.engine.complete_phase(self.id, phase, evidence)

    def write(self, path: str, text: str, *, at: datetime | None = None) -> None:
        """Write a file of the project as if at some time, else when the phase began."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        seconds = (at or self.state.phase_started).timestamp()
        os.utime(file, (seconds, seconds))

    def do_the_work(self, passed: int = 2) -> None:
        """Put everything there that `LOOKING` looks for."""
        self.write(PLAN, TWO_SECTIONS)
        self.write(REPORT, junit(passed))

    def shown(self, path: str) -> dict[str, Any]:
        """How answers show a file that was looked at."""
        content = (self.root / path).read_bytes()
        modified = datetime.fromtimestamp((self.root / path).stat().st_mtime, UTC)
        return {
            "path": path,
            "size": len(content),
            "sha256": digest(content)[:12],
            "modified": timestamp(modified),
        }

    def define_test(self, passed: int = 2) -> None:
        """Define the command `test`, which writes the report."""
        script = "from pathlib import Path\n"
        script += "Path('reports').mkdir(exist_ok=True)\n"
        script += f"Path({REPORT!r}).write_text({junit(passed)!r})\n"
        (self.root / "run.py").write_text(script, encoding="utf-8")
        defined = {"test": {"argv": [sys.executable, "run.py"]}}
        (self.root / COMMANDS_FILE).write_text(yaml.safe_dump(defined), encoding="utf-8")

    def trust_test(self) -> None:
        """Trust the command `test` as it is."""
        command = parse_commands((self.root / COMMANDS_FILE).read_text("utf-8"))["test"]
        command = replace(command, program=program_digest(self.root, command.argv))
        store = TrustStore(default_trust_folder())
        store.trust(self.root, command, who="alex", when=datetime.now(UTC))


class Port:
    """A looker that hands on to the real one, to be changed in one place."""

    def __init__(self, root: Path) -> None:
        self.real = ProjectLooker(root)

    def observe(
        self, gate: Gate, claims: Mapping[str, Any], facts: PhaseFacts
    ) -> dict[str, Observation]:
        return self.real.observe(gate, claims, facts)

    def takes_long(self, gate: Gate) -> bool:
        return self.real.takes_long(gate)

    def commit_for(self, *gates: Gate) -> str | None:
        return self.real.commit_for(*gates)

    def subject(
        self, field: str, settings: ApprovalSettings, facts: PhaseFacts
    ) -> tuple[str, Mapping[str, str]]:
        return self.real.subject(field, settings, facts)


def later(time: datetime, seconds: float = 1) -> datetime:
    """A moment after another, or before it."""
    return time + timedelta(seconds=seconds)
