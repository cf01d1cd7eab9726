"""The example project of a workflow: honest work, phase by phase, that its gates let through.

A definition may have a folder `example/`: `example.json` with the target, `before/` with the files
of the project before the work begins, and `phase-<n>/` with the files that phase n writes. The demo
and the tests do the work by copying them.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mcp_server.core.library import BUILT_IN, WorkflowLibrary
from mcp_server.errors import InvalidArgumentError
from mcp_server.gates.model import Gate

_NAMED = re.compile(r"\{evidence\.([^{}]+)\}")
_GIT_LIMIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Example:
    """One example project."""

    folder: Path
    target_file: str
    options: dict[str, Any]
    commit_after: tuple[int, ...]

    @classmethod
    def of(cls, definition: Path) -> Self | None:
        """Return the example of the definition in a folder, if it has one."""
        described = definition / "example" / "example.json"
        if not described.is_file():
            return None
        data = json.loads(described.read_text(encoding="utf-8"))
        return cls(
            described.parent,
            data["target_file"],
            data.get("options", {}),
            tuple(data.get("commit_after", ())),
        )

    def begin(self, project: Path) -> None:
        """Put the files there that stand before the work begins, committed where git is at hand."""
        self._copy("before", project)
        if shutil.which("git"):
            _git(project, "init", "--quiet")
            self._commit(project, "Before the work")

    def work(self, phase: int, project: Path) -> None:
        """Do the work of a phase."""
        self._copy(f"phase-{phase}", project)
        if phase in self.commit_after and (project / ".git").exists():
            self._commit(project, f"Phase {phase}")

    def _copy(self, name: str, project: Path) -> None:
        source = self.folder / name
        for path in sorted(source.rglob("*")) if source.is_dir() else ():
            if path.is_file():
                target = project / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                # The content alone: work that is done now is not as old as its example.
                shutil.copyfile(path, target)

    def _commit(self, project: Path, message: str) -> None:
        _git(project, "add", "--all")
        _git(project, "commit", "--quiet", "--allow-empty", "--message", message)


def claims(gate: Gate) -> dict[str, Any]:
    """Return what an honest agent says at a gate: the examples of what the server does not find.

    A field without an example is left out; what the server looks for is left to it, unless another
    field's look needs it.
    """
    named = {name for field in gate.verified_fields.values() for probe in field.probes
             for name in _NAMED.findall(probe.model_dump_json())}  # fmt: skip
    return {
        name: field.json_schema["examples"][0]
        for name, field in gate.evidence_schema.items()
        if "examples" in field.json_schema and (not field.probes or name in named)
    }


def require_examples(library: WorkflowLibrary) -> None:
    """Refuse further definitions that cannot be walked, for want of the work their gates look for.

    Raises InvalidArgumentError, or DefinitionError where one is broken.
    """
    unwalkable = []
    for place in library.places():
        if place.shelf.label == BUILT_IN or Example.of(place.folder):
            continue
        # Of phases from a list, which only an example names, none is walked.
        dynamic = library.metadata(place).is_dynamic
        looking = [] if dynamic else [phase.phase_number for phase in library.static_phases(place)
                                      if _looks(phase.gate)]  # fmt: skip
        if looking:
            unwalkable.append(f"{place.name} (phase {looking[0]})")
    if unwalkable:
        raise InvalidArgumentError(
            "these workflows have gates that look for themselves, and no example of the work that"
            f" they look for: {', '.join(unwalkable)}",
            remediation="Give each a folder example/ with example.json (the target_file), before/"
            " (the project's files before the work) and phase-1/, phase-2/ and so on (the files"
            ' that each phase writes): "An example to walk" in docs/workflows.md tells it.',
        )


def _looks(gate: Gate) -> bool:
    return any(field.required for field in gate.verified_fields.values())


def _git(project: Path, *arguments: str) -> None:
    person = {"NAME": "Example", "EMAIL": "example@localhost"}
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in person.items()
    }
    subprocess.run(  # noqa: S603 - fixed arguments
        ["git", "-C", str(project), "-c", "commit.gpgsign=false", *arguments],  # noqa: S607
        env=os.environ | identity | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        timeout=_GIT_LIMIT_SECONDS,
    )
