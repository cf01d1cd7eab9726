"""Projects whose gate runs a trusted command that waits until the test lets it go on."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import yaml

from mcp_server.gates.commands import Command
from mcp_server.gates.trust import TrustStore, default_trust_folder
from tests.builders import write_workflow

REPORT = "reports/junit.xml"

WAITING = f"""
import pathlib
with open("gate.fifo") as waiting:
    cases = waiting.read().split()
report = pathlib.Path("{REPORT}")
report.parent.mkdir(exist_ok=True)
names = "".join(f'<testcase classname="t" name="{{name}}"/>' for name in cases)
report.write_text(f"<testsuite>{{names}}</testsuite>")
"""

GATE = {
    "evidence_schema": {
        "passed": {
            "type": "integer",
            "description": "Passing tests",
            "minimum": 1,
            "verify": [
                {"command": {"name": "test", "report": {"junit": REPORT, "count": "passed"}}},
                {"junit": REPORT, "count": "passed"},
            ],
        },
        "note": {"type": "string", "required": False},
    }
}


class CommandProject:
    """A project with a workflow whose gates run a command, trusted by a person."""

    def __init__(self, root: Path, script: str = WAITING, **command: Any) -> None:
        self.root = root
        write_workflow(root / ".praxis-os" / "workflows", "run_v1", gate=GATE)
        (root / "run.py").write_text(script, encoding="utf-8")
        settings = {"argv": [sys.executable, "-c", script], "timeout": 60, **command}
        self.command = Command(
            name="test",
            argv=tuple(settings["argv"]),
            timeout=settings["timeout"],
            env=(),
            source=".praxis-os/commands.yaml",
        )
        text = yaml.safe_dump({"commands": {"test": settings}})
        (root / ".praxis-os" / "commands.yaml").write_text(text, encoding="utf-8")
        os.mkfifo(root / "gate.fifo")

    def trust(self) -> None:
        """Say yes to the command, as a person."""
        store = TrustStore(default_trust_folder())
        store.trust(self.root, self.command, who="a person", when=datetime.now(UTC))

    def waiting(self) -> TextIO:
        """Wait until the command waits; it reports what is written as the tests that passed."""
        return (self.root / "gate.fifo").open("w", encoding="utf-8")

    def let_go_on(self, *passing: str) -> None:
        """Wait until the command waits, and have it report that `passing` tests passed."""
        with self.waiting() as waiting:
            waiting.write(" ".join(passing))

    def worker(self, session_id: str) -> int:
        """The process that verifies the session, from the note in the lease that it holds."""
        lease = self.root / ".praxis-os/state/workflows/verifying" / f"{session_id}.lock"
        return int(json.loads(lease.read_text(encoding="utf-8"))["pid"])
