"""A throw-away project for each look of the self-test, and the real probes that look at it.

Nothing of the real project is read or written, and no command of a gate is run: nobody has trusted
any in a folder that was made just now. What makes a stale file tempting comes from the example of
the workflow, if it has one, and is made up otherwise.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mcp_server.example import Example
from mcp_server.gates.hostile import Hostile, Project
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import LookFailedError, Observation
from mcp_server.gates.plausible_files import content, paths
from mcp_server.gates.plugins import load_probes
from mcp_server.gates.probe_settings import PLACEHOLDER, CommandSettings
from mcp_server.gates.probes.approval import look_approval
from mcp_server.gates.probes.execution import Executor
from mcp_server.gates.probes.files import MAX_FILE, ProjectFiles
from mcp_server.gates.probes.git import look_git
from mcp_server.gates.probes.look import Look, PhaseFacts, Probe
from mcp_server.gates.probes.observer import Observer
from mcp_server.gates.trust import TrustStore
from mcp_server.server.looking import READING

STALE_BY = timedelta(days=1)
TARGET = "src/target.py"

_RUBBISH = b"\xff\xfe\x00\x80\xc3\x28" * 200


@dataclass(frozen=True, slots=True)
class Bench:
    """The phase that is tested: its gate, and what an honest project holds at its end."""

    gate: Gate
    phase: int
    target_file: str = TARGET
    options: Mapping[str, Any] = field(default_factory=dict)
    work: Mapping[str, bytes] = field(default_factory=dict)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, gate: Gate, phase: int, example: Example | None) -> "Bench":
        """Return the bench of a phase; the files of its workflow's example are its work."""
        if example is None:
            return cls(gate, phase, options=_options(gate))
        folders = ["before", *(f"phase-{number}" for number in range(phase + 1))]
        work = {
            path.relative_to(example.folder / name).as_posix(): path.read_bytes()
            for name in folders
            for path in sorted((example.folder / name).rglob("*"))
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_FILE
        }
        return cls(gate, phase, example.target_file, _options(gate) | example.options, work)

    def observe(self, hostile: Hostile) -> dict[str, Observation]:
        """Return what the real probes see of the fields that `hostile` asks for."""
        asked = self.gate.model_copy(update={"evidence_schema": dict(hostile.asked or {})})
        with self._laid_out(hostile) as (root, trusted):
            executor = Executor(root, TrustStore(trusted), {}, READING)
            probes: dict[str, Probe] = {
                **READING,
                "approval": look_approval,
                "command": executor.look_command,
                "git": look_git,
                **load_probes(),
            }
            observer = Observer(ProjectFiles(root), probes)
            return observer.observe(asked, hostile.evidence, self._facts)

    @property
    def _facts(self) -> PhaseFacts:
        return PhaseFacts(
            session_id="self-test",
            target_file=self.target_file,
            options=self.options,
            phase=self.phase,
            attempt=1,
            started=self.started,
        )

    @contextmanager
    def _laid_out(self, hostile: Hostile) -> Iterator[tuple[Path, Path]]:
        """Yield a project as `hostile` wants it, and an empty folder for trusted commands."""
        with TemporaryDirectory(prefix="aos-workflow-self-test-") as folder:
            root, trusted = Path(folder, "project"), Path(folder, "trusted")
            root.mkdir()
            # git must not take a repository for ours that lies around the temporary folder.
            (root / ".git").touch()
            files = dict(self._files(hostile, ProjectFiles(root)))
            if hostile.project in {Project.STALE, Project.DONE}:
                files = {**files, **self.work}
            for path, text in files.items():
                self._lay(root / path, text, hostile.project)
            yield root, trusted

    def _lay(self, path: Path, text: bytes, project: Project | None) -> None:
        if project is Project.FOLDERS:
            path.mkdir(parents=True, exist_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_RUBBISH if project is Project.RUBBISH else text)
        if project is Project.STALE:
            before = (self.started - STALE_BY).timestamp()
            os.utime(path, (before, before))

    def _files(self, hostile: Hostile, empty: ProjectFiles) -> Iterator[tuple[str, bytes]]:
        """Yield the files that the probes of `hostile` look for, with something fitting in them."""
        if hostile.project is Project.EMPTY:
            return
        for name, asked in (hostile.asked or {}).items():
            look = Look(empty, self._facts, hostile.evidence, name=name, type=asked.type)
            for probe in asked.probes:
                settings = probe.report if isinstance(probe, CommandSettings) else probe
                if settings is not None and settings.probe in READING:
                    yield from _made(settings, hostile.evidence.get(name), look.filled)


def _made(settings: Any, value: Any, filled: Callable[[str], str]) -> Iterator[tuple[str, bytes]]:
    try:
        for path in paths(settings, filled):
            yield path, content(settings, value, filled).encode("utf-8", "replace")
    except LookFailedError:
        # Its path names a field that holds no text: the probe will say so as well.
        yield from ()


def _options(gate: Gate) -> dict[str, Any]:
    """Return a value for each option that a path of the gate names."""
    written = "".join(probe.model_dump_json() for field in gate.verified_fields.values()
                      for probe in field.probes)  # fmt: skip
    named = (found["name"].partition(".") for found in PLACEHOLDER.finditer(written))
    return {key: "self-test" for place, _, key in named if place == "options"}
