"""A project with commands, and a store of what is trusted in it."""

import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mcp_server.gates.commands import parse_commands
from mcp_server.gates.observation import LookFailedError, LookUnavailableError
from mcp_server.gates.probe_settings import parse_probe
from mcp_server.gates.probes.execution import Executor
from mcp_server.gates.probes.look import Found
from mcp_server.gates.trust import TrustStore, program_digest
from tests.gates.probes.probe_builders import look_at

DEFINED = ".praxis-os/commands.yaml"


def read_text(settings, look):
    """A reader of reports that gives their text."""
    files = look.read(settings)
    return Found(files[0].text(), tuple(file.source for file in files))


class Bench:
    """A project, a store of decisions outside of it, and an executor on both."""

    def __init__(self, folder):
        self.root = folder / "project"
        (self.root / ".praxis-os").mkdir(parents=True, exist_ok=True)
        self.store = TrustStore(folder / "config" / "trusted")
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home")}
        self.executor = Executor(self.root, self.store, self.environment, {"text": read_text})

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")

    def define(self, script, timeout=30, more=""):
        """Define the command `test` as a script of a shell."""
        self.write("run.sh", script)
        self.write(DEFINED, f"test: {{argv: [sh, run.sh], timeout: {timeout}{more}}}\n")

    def agree(self, command=None):
        command = command or parse_commands((self.root / DEFINED).read_text("utf-8"))["test"]
        program = program_digest(self.root, command.argv)
        self.store.trust(
            self.root, replace(command, program=program), who="alex", when=datetime.now(UTC)
        )

    def look(self, settings=None, *, type=None, look=None):  # noqa: A002 - as Look has it
        settings = settings or {"command": "test"}
        return self.executor.look_command(
            parse_probe(settings), look or look_at(self.root, type=type)
        )

    def refused(self, settings=None, **given):
        """What a look that fails says."""
        with pytest.raises(LookFailedError) as raised:
            self.look(settings, **given)
        return raised.value.reason

    def unavailable(self, settings=None):
        """What a look that cannot be had says: the reason, the remedy, whether it is final."""
        with pytest.raises(LookUnavailableError) as raised:
            self.look(settings)
        return raised.value.reason, raised.value.remedy, raised.value.final

    def trusted(self, script, **settings):
        self.define(script, **settings)
        self.agree()
