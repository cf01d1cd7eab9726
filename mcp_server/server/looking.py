"""What the server looks with: the probes of a project, put together."""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp_server.core.waiting import wait_here
from mcp_server.errors import StateError
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import LookFailedError, Observation
from mcp_server.gates.plugins import load_probes
from mcp_server.gates.probe_settings import ApprovalSettings, CommandSettings, GitSettings
from mcp_server.gates.probes.approval import digests, look_approval, subject
from mcp_server.gates.probes.execution import Executor
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.probes.look import Found, Look, PhaseFacts, Probe
from mcp_server.gates.probes.observer import Observer
from mcp_server.gates.trust import TrustStore, default_trust_folder


def _late(module: str, name: str) -> Probe:
    """Return a probe that is imported when a gate asks for it: no project asks for all of them."""

    def look(settings: Any, asked: Look) -> Found:
        probe: Probe = getattr(importlib.import_module(f"{_PROBES}.{module}"), name)
        return probe(settings, asked)

    return look


_PROBES = "mcp_server.gates.probes"

READING: Mapping[str, Probe] = {
    "coverage": _late("coverage", "look_coverage"),
    "junit": _late("junit", "look_junit"),
    **{
        kind: _late("documents", f"look_{kind}")
        for kind in ("count", "file", "json", "text", "toml", "yaml")
    },
}
"""The probes that do nothing but read files."""


class ProjectLooker:
    """Finds values out in one project; safe to share between threads."""

    def __init__(self, root: Path) -> None:
        """Look below `root`; run what a person trusted for it."""
        self._root = root
        self._files = ProjectFiles(root)
        self._executor = Executor(root, TrustStore(default_trust_folder()), os.environ, READING)
        probes: dict[str, Probe] = {
            **READING,
            "approval": look_approval,
            "command": self._executor.look_command,
            "git": _late("git", "look_git"),
            **load_probes(),
        }
        self._observer = Observer(self._files, probes)

    def observe(
        self, gate: Gate, claims: Mapping[str, Any], facts: PhaseFacts
    ) -> dict[str, Observation]:
        """Return what was found of each field that wants a look."""
        return self._observer.observe(gate, claims, facts)

    def takes_long(self, gate: Gate) -> bool:
        """Tell whether looking would run a command."""
        return any(
            isinstance(probe, CommandSettings) and self._executor.would_run(probe)
            for field in gate.verified_fields.values()
            for probe in field.probes
        )

    def commit_for(self, *gates: Gate) -> str | None:
        """Return the commit that is checked out, if any of `gates` will ask what changed since."""
        asked = any(
            isinstance(probe, GitSettings)
            for gate in gates
            for field in gate.verified_fields.values()
            for probe in field.probes
        )
        if not asked:
            return None
        wait_here()
        from mcp_server.gates.probes.git import head_commit  # noqa: PLC0415 - as the probes

        return head_commit(self._root)

    def subject(
        self, field: str, settings: ApprovalSettings, facts: PhaseFacts
    ) -> tuple[str, Mapping[str, str]]:
        """Return what a person is asked, and the digests of the files that they approve."""
        look = Look(self._files, facts, {}, name=field)
        try:
            files = digests(subject(settings, look))
        except LookFailedError as error:
            raise StateError(
                f"{field} cannot be approved yet: {error.reason}",
                remediation="Approve it when the files are there.",
            ) from error
        return look.shown(settings.question), files
