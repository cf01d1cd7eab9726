"""A project of each built-in workflow at the door of each phase, and an agent that lies there.

An honest walk brings a session from phase to phase and leaves a copy of the project at each, before
the phase's work is done. Every lie is told in a copy of its own, so that none can help another.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

import mcp_server
from mcp_server.config import STATE_DIR, Settings
from mcp_server.example import Example, claims
from mcp_server.gates.model import Gate
from mcp_server.gates.probe_settings import PLACEHOLDER, CommandSettings, session_values
from mcp_server.server.app import build_server
from mcp_server.server.services import library_for
from tests.builders import BUILT_IN_FOLDER, BUILT_IN_NAMES, library
from tests.integration.agent import Agent, assert_sound

REFUSED = frozenset({"ValidationError"})
UNVERIFIED = frozenset({"VerificationUnavailable"})
NOT_PASSED = REFUSED | UNVERIFIED
MALFORMED = frozenset({"ValueError"})
ILLEGAL = frozenset({"StateError"})

PATIENCE = 60
"""Seconds after which an answer that does not come is taken for a server that hangs."""

DAY = 86_400

_ABSOLUTE = re.compile(r"/(?:tmp|etc|home|root|work|usr|var|proc|dev|opt|private|Users)\b[\w./-]*")

Evidence = dict[str, Any] | str
"""What is submitted: an object, or its JSON text, as some clients send it."""

GATES: Mapping[tuple[str, int], Gate] = {
    (name, phase.phase_number): phase.gate
    for name in BUILT_IN_NAMES
    for phase in library().load(name).phases
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A session at a phase whose work is not done, in a project of its own."""

    workflow: str
    phase: int
    project: Path
    session_id: str
    completed: tuple[int, ...] = ()

    @property
    def gate(self) -> Gate:
        """The gate that the liar wants to pass."""
        return GATES[self.workflow, self.phase]

    @property
    def example(self) -> Example:
        """The honest work."""
        return example_of(self.workflow)

    @property
    def begun(self) -> float:
        """When the phase began, which was the last change of the session, as files tell time."""
        return journal_of(self).stat().st_mtime

    def copy(self, folder: Path) -> "Scene":
        """Return the same scene in another folder; times of files stay as they are."""
        unneeded = shutil.ignore_patterns("*.sample")
        shutil.copytree(self.project, folder, symlinks=True, ignore=unneeded)
        return replace(self, project=folder)

    def work(self) -> dict[str, Any]:
        """Do the work of the phase and return what an honest agent claims."""
        self.example.work(self.phase, self.project)
        return claims(self.gate)

    def examples(self) -> dict[str, Any]:
        """Return what the gate's texts show as evidence, field by field: all of it."""
        schema = self.gate.evidence_schema
        return {name: schema[name].json_schema["examples"][0] for name in self.gate.required_fields}

    def files(self, *endings: str) -> list[Path]:
        """Return the files that the phase's work writes and its gate reads."""
        read = set(paths_read(self.workflow, self.phase))
        return [self.project / path for path in sorted(read) if path.endswith(endings or ("",))]

    def arguments(self, evidence: Evidence) -> dict[str, Any]:
        """Return the call that asks for the phase to pass."""
        return {"session_id": self.session_id, "phase": self.phase, "evidence": evidence}


Tell = Callable[[Scene], Evidence]
"""Arranges the project as the liar wants it seen, and returns what the liar says."""


@dataclass(frozen=True, slots=True)
class Lie:
    """One way to say that a phase is done; `fits` tells at which gates it makes sense."""

    tell: Tell
    fits: Callable[[str, int], bool] = lambda _name, _phase: True
    errors: frozenset[str] = REFUSED


@cache
def example_of(workflow: str) -> Example:
    """Return the example project of a built-in workflow."""
    example = Example.of(BUILT_IN_FOLDER / workflow)
    assert example is not None
    return example


@cache
def paths_read(workflow: str, phase: int) -> tuple[str, ...]:
    """Return the paths that the work of a phase writes and its gate reads."""
    folder = example_of(workflow).folder / f"phase-{phase}"
    written = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    looked_for = list(_looked_for(workflow, phase))
    return tuple(path.as_posix() for path in written if any(map(path.match, looked_for)))


def _looked_for(workflow: str, phase: int) -> Iterator[str]:
    gate = GATES[workflow, phase]
    values = session_values(example_of(workflow).target_file, "") | {
        f"evidence.{name}": value for name, value in claims(gate).items()
    }
    for field in gate.verified_fields.values():
        for probe in field.probes:
            reader: Any = probe.report if isinstance(probe, CommandSettings) else probe
            for template in getattr(reader, "path", ()):
                yield PLACEHOLDER.sub(lambda found: str(values[found["name"]]), template)


def probes_at(workflow: str, phase: int) -> frozenset[str]:
    """Return the names of the probes that a gate uses."""
    fields = GATES[workflow, phase].verified_fields.values()
    return frozenset(probe.probe for field in fields for probe in field.probes)


def has_probe(*names: str) -> Callable[[str, int], bool]:
    """Fit the gates that use any of these probes."""
    return lambda workflow, phase: bool(probes_at(workflow, phase) & set(names))


def writes(*endings: str) -> Callable[[str, int], bool]:
    """Fit the gates that read a file with one of these endings that is the phase's own work."""
    return lambda workflow, phase: any(
        path.endswith(endings) for path in paths_read(workflow, phase)
    )


def binds_reports(workflow: str, phase: int) -> bool:
    """Fit the gates that say which file a report must be about."""
    fields = GATES[workflow, phase].verified_fields.values()
    return any(
        getattr(getattr(probe, "report", None) or probe, "of", None)
        for field in fields
        for probe in field.probes
    )


def told(lies: Mapping[str, Lie]) -> list[Any]:
    """Return each lie at each gate that it fits: one of each workflow at once, others if asked.

    The one moves on from lie to lie, so that every gate has its share.
    """
    params: list[Any] = []
    for number, (name, lie) in enumerate(lies.items()):
        for workflow in BUILT_IN_NAMES:
            phases = [p for w, p in GATES if w == workflow and lie.fits(w, p)]
            for at, phase in enumerate(phases):
                marks: Any = () if at == number % len(phases) else pytest.mark.slow
                called = f"{name.replace(' ', '-')}-{workflow}-{phase}"
                params.append(pytest.param(lie, workflow, phase, id=called, marks=marks))
    return params


class Liar(Agent):
    """An agent whose answers must not give anything away either."""

    said = ""
    """All that it has said: the server may repeat it."""

    async def __call__(self, action: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Call the tool and return the answer, whatever its status."""
        given = arguments if action is None else {"action": action, **arguments}
        with anyio.fail_after(PATIENCE):
            result = await self._client.call_tool("aos_workflow", given)
        answer = assert_sound(result, self._schema)
        (part,) = result.content
        self.said += json.dumps(given, default=str)
        assert_discreet(json.dumps(answer) + part.text, self.said)
        return answer

    async def phases(self, session_id: str) -> tuple[int, list[int]]:
        """Return the current phase of a session, and the completed ones."""
        # Not by get_state, which reads the whole workflow anew in every new server.
        shown = (await self.succeed("get_session", session_id=session_id))["session"]
        return shown["current_phase"], shown["completed_phases"]

    async def lie(self, scene: Scene, evidence: Evidence, **more: Any) -> dict[str, Any]:
        """Ask for the phase to pass."""
        return await self("complete_phase", **scene.arguments(evidence), **more)


def assert_discreet(shown: str, said: str) -> None:
    """Check that no traceback and no absolute path is shown, but for those that were said."""
    assert "Traceback" not in shown
    assert str(Path(mcp_server.__file__).parent) not in shown
    assert "root:x:0" not in shown
    foreign = [path for path in _ABSOLUTE.findall(shown) if path.rstrip(".") not in said]
    assert not foreign


@asynccontextmanager
async def liar_at(project: Path) -> AsyncIterator[Liar]:
    """Connect an agent to a server of its own."""
    async with Client(build_server(Settings(project=project))) as client:
        agent = await Liar.of(client)
        assert isinstance(agent, Liar)
        yield agent


async def assert_stands(agent: Liar, scene: Scene) -> None:
    """Check that the session has not moved."""
    assert await agent.phases(scene.session_id) == (scene.phase, list(scene.completed))


async def assert_caught(
    agent: Liar,
    scene: Scene,
    answer: Mapping[str, Any],
    errors: frozenset[str] = REFUSED,
    lie: str = "it",
) -> None:
    """Check that a lie was refused and has moved nothing."""
    assert answer["status"] == "error", (lie, answer)
    assert answer["error_type"] in errors, (lie, answer)
    assert answer.get("checkpoint_passed", False) is False
    await assert_stands(agent, scene)


async def assert_passes(agent: Liar, scene: Scene, evidence: Evidence) -> dict[str, Any]:
    """Check that honest work passes, and return the answer."""
    answer = await agent.lie(scene, evidence)
    assert answer["status"] == "success", answer
    assert answer["checkpoint_passed"] is True
    return answer


def settle() -> None:
    """Let what is written now be older than what comes, however coarse the clock is."""
    time.sleep(0.03)


def set_back(*files: Path) -> None:
    """Make files look as if they were written a day earlier."""
    for path in files:
        when = time.time() - DAY
        os.utime(path, (when, when))


async def begun(workflow: str, project: Path) -> Scene:
    """Start a session in a project that stands as before the work."""
    example = example_of(workflow)
    async with liar_at(project) as agent:
        started = await agent.succeed(
            "start", workflow_type=workflow, target_file=example.target_file,
            options=example.options,
        )  # fmt: skip
    return Scene(workflow, started["current_phase"], project, started["session_id"])


AtDoor = Callable[[Scene, Liar], Awaitable[None]]


async def walk(workflow: str, project: Path, at_door: AtDoor) -> list[Any]:
    """Walk from the first phase to the last by honest work, after `at_door` has been there.

    Return how each field came to be known.
    """
    scene, known = await begun(workflow, project), []
    async with liar_at(project) as agent:
        for phase in library_for(project).load(workflow).phase_numbers:
            scene = replace(scene, phase=phase)
            await at_door(scene, agent)
            passed = await assert_passes(agent, scene, scene.work())
            known.append({name: how["known"] for name, how in passed["evidence"].items()})
            scene = replace(scene, completed=(*scene.completed, phase))
            settle()
        assert passed["workflow_complete"] is True
    return known


def pack(project: Path) -> None:
    """Let a repository consist of few files, since it is copied often."""
    if (project / ".git").exists():
        command = ["git", "-C", str(project), "gc", "--quiet", "--prune=now"]
        subprocess.run(command, check=True, capture_output=True)


_doors: dict[tuple[Path, str], dict[int, Scene]] = {}


async def door(base: Path, workflow: str, phase: int) -> Scene:
    """Return the scene at a phase, to be copied; the walk there is made once for each `base`."""
    if (base, workflow) not in _doors:
        found: dict[int, Scene] = {}
        project = base / "doors" / workflow / "project"
        project.mkdir(parents=True)
        example_of(workflow).begin(project)

        async def keep(scene: Scene, _agent: Liar) -> None:
            kept = found[scene.phase] = scene.copy(project.with_name(f"phase-{scene.phase}"))
            pack(kept.project)

        await walk(workflow, project, keep)
        _doors[base, workflow] = found
    return _doors[base, workflow][phase]


Enter = Callable[[str, int], Any]


def entrance(base: Path, folder: Path) -> Enter:
    """Return what brings its caller to the door of a phase, in a project below `folder`."""
    made = iter(range(1_000))

    async def entered(workflow: str, phase: int) -> Scene:
        scene = await door(base, workflow, phase)
        return scene.copy(folder / f"project-{next(made)}")

    return entered


def journal_of(scene: Scene) -> Path:
    """Return the file that holds the session's history."""
    return scene.project / STATE_DIR / f"{scene.session_id}.jsonl"
