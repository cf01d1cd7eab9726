"""Lies beside a trusted command: a report that was written by hand is not what the command says."""

import dataclasses
import json
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_server.gates.commands import parse_commands
from mcp_server.gates.trust import TrustStore, default_trust_folder, program_digest
from tests.integration.liar import (
    GATES,
    UNVERIFIED,
    Enter,
    Evidence,
    Liar,
    Lie,
    Scene,
    assert_caught,
    assert_passes,
    entrance,
    example_of,
    has_probe,
    liar_at,
    told,
    walk,
)

COMMANDS = ".praxis-os/commands.yaml"
SCRIPT = "tools/run_tests.py"
MARK = "the-edited-command-ran"

WRITES = """
import pathlib, shutil, sys
source, target = pathlib.Path(sys.argv[1]), pathlib.Path("reports")
target.mkdir(exist_ok=True)
for report in source.glob("*.xml"):
    shutil.copyfile(report, target / report.name)
"""
"""A stand-in for the project's tests: their reports are those that lie in a folder elsewhere."""

WRITES_OLD = (
    WRITES
    + """
import os
for report in target.glob("*.xml"):
    os.utime(report, (0, 0))
"""
)
FAILS = WRITES + "sys.exit(3)\n"
WRITES_FAILURES = (
    WRITES
    + """
import re
for report in target.glob("*junit.xml"):
    text = re.sub(r"<testcase ([^>]*?) ?/>", r"<testcase \\1><failure/></testcase>",
                  report.read_text())
    report.write_text(text)
"""
)
WRITES_ELSEWHERE = WRITES.replace('Path("reports")', 'Path("build")')
MARKS = f"import pathlib\npathlib.Path({MARK!r}).touch()\n" + WRITES


@pytest.fixture(name="enter")
def make_enter(tmp_path, tmp_path_factory, monkeypatch) -> Enter:
    """Bring the caller to the door of a phase, in a project of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return entrance(tmp_path_factory.getbasetemp(), tmp_path)


def drawer_of(project: Path) -> Path:
    """Return the folder outside of the project from which the stand-in takes its reports."""
    return project.with_name(f"{project.name}-drawer")


def define(project: Path, *argv: str) -> None:
    """Write the project's one command, `test`."""
    (project / ".praxis-os").mkdir(exist_ok=True)
    text = f"test: {{argv: {json.dumps(argv)}}}\n"
    (project / COMMANDS).write_text(text, encoding="utf-8")


def trust(project: Path, store: TrustStore | None = None) -> None:
    """Say yes to the command as it is now, as a person does on a terminal."""
    command = parse_commands((project / COMMANDS).read_text(encoding="utf-8"))["test"]
    command = dataclasses.replace(command, program=program_digest(project, command.argv))
    store = store or TrustStore(default_trust_folder())
    store.trust(project, command, who="Ann", when=datetime.now(UTC))


def trusted_script(project: Path, script: str) -> None:
    """Have a person trust a script of the project."""
    (project / SCRIPT).parent.mkdir(parents=True, exist_ok=True)
    (project / SCRIPT).write_text(script, encoding="utf-8")
    drawer_of(project).mkdir(exist_ok=True)
    define(project, sys.executable, SCRIPT, str(drawer_of(project)))
    trust(project)


def by_hand(scene: Scene) -> dict:
    """Do the work, and have the reports in the project and where the stand-in finds them."""
    honest = scene.work()
    folder = scene.example.folder / f"phase-{scene.phase}" / "reports"
    for report in folder.glob("*.xml"):
        shutil.copyfile(report, drawer_of(scene.project) / report.name)
    return honest


def beside(script: str, then: Callable[[Path], object] = lambda _project: None) -> Lie:
    """Have a script trusted, do something to the project, and write the reports by hand."""

    def tell(scene: Scene) -> Evidence:
        trusted_script(scene.project, script)
        then(scene.project)
        return by_hand(scene)

    return Lie(tell, has_probe("command"), UNVERIFIED)


def beside_command(*argv: str) -> Lie:
    """Have a command trusted, and write the reports by hand."""

    def tell(scene: Scene) -> Evidence:
        define(scene.project, *argv)
        trust(scene.project)
        return scene.work()

    return Lie(tell, has_probe("command"))


def edited(text: str) -> Callable[[Path], object]:
    """Put a text in place of the file of commands."""
    return lambda project: (project / COMMANDS).write_text(text, encoding="utf-8")


def run_by_another(project: Path) -> None:
    define(project, sys.executable, "-c", f"open({MARK!r}, 'w')")


def linked_commands(project: Path) -> None:
    (project / COMMANDS).unlink()
    (project / COMMANDS).symlink_to("/dev/zero")


BOMB = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))

CHANGED = {
    "the command is another": beside(WRITES, run_by_another),
    "the command is gone": beside(WRITES, lambda project: (project / COMMANDS).unlink()),
    "the command has another name": beside(WRITES, edited("check: {argv: [make, test]}\n")),
    "the commands are none": beside(WRITES, edited("")),
    "the commands cannot be read": beside(WRITES, edited("test: {argv: [")),
    "the commands are a bomb": beside(WRITES, edited(BOMB)),
    "the commands are a link to a device": beside(WRITES, linked_commands),
    "the script is another": beside(
        WRITES, lambda project: (project / SCRIPT).write_text(MARKS, encoding="utf-8")
    ),
    "the script is gone": beside(WRITES, lambda project: (project / SCRIPT).unlink()),
}


@pytest.mark.parametrize(("lie", "workflow", "phase"), told(CHANGED))
async def test_what_changed_since_it_was_trusted_neither_runs_nor_gives_way_to_reports_by_hand(
    enter: Enter, lie: Lie, workflow: str, phase: int
):
    scene = await enter(workflow, phase)
    evidence = lie.tell(scene)
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, evidence), lie.errors)
    assert not (scene.project / MARK).exists()


def ran(script: str) -> Lie:
    """Have a script trusted that is not what the reports by hand say."""
    return dataclasses.replace(beside(script), errors=frozenset({"ValidationError"}))


def with_all_claimed(lie: Lie) -> Lie:
    """Claim besides that the reports are still as they were."""

    def tell(scene: Scene) -> Evidence:
        lie.tell(scene)
        return scene.examples()

    return dataclasses.replace(lie, tell=tell)


RUN = {
    "a command that does nothing": beside_command("true"),
    "a command that writes old reports": ran(WRITES_OLD),
    "a command that fails": ran(FAILS),
    "a command that reports failures": with_all_claimed(ran(WRITES_FAILURES)),
    "a command that reports elsewhere": ran(WRITES_ELSEWHERE),
}


@pytest.mark.skipif(shutil.which("true") is None, reason="there is no command `true`")
@pytest.mark.parametrize(("lie", "workflow", "phase"), told(RUN))
async def test_a_report_by_hand_does_not_stand_in_for_that_of_a_trusted_command(
    enter: Enter, lie: Lie, workflow: str, phase: int
):
    scene = await enter(workflow, phase)
    evidence = lie.tell(scene)
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, evidence), lie.errors)


def executable_fields(workflow: str, phase: int) -> set[str]:
    """Return the fields of a gate that a trusted command can find out."""
    fields = GATES[workflow, phase].verified_fields
    return {
        name for name, field in fields.items()
        if any(probe.probe == "command" for probe in field.probes)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("workflow", "phase"), [("code_review_v1", 5), ("production_code_v2", 6),
                            ("test_generation_v3", 5)]
)  # fmt: skip
async def test_without_trust_a_report_by_hand_is_shown_as_merely_observed(
    enter: Enter, workflow: str, phase: int
):
    scene = await enter(workflow, phase)
    define(scene.project, sys.executable, "-c", f"open({MARK!r}, 'w')")
    async with liar_at(scene.project) as agent:
        passed = await assert_passes(agent, scene, scene.work())
    fields = executable_fields(workflow, phase)
    assert {passed["evidence"][name]["known"] for name in fields} == {"observed"}
    assert not (scene.project / MARK).exists()


async def test_trust_that_lies_in_the_project_is_no_trust(enter: Enter, monkeypatch):
    scene = await enter("production_code_v2", 6)
    define(scene.project, sys.executable, "-c", f"open({MARK!r}, 'w')")
    for folder in (".config", ".praxis-os", "home/.config"):
        # Made where the store believes it, then put where the agent may write.
        made = TrustStore(scene.project.parent / "made" / "trusted")
        trust(scene.project, made)
        inside = scene.project / folder / "aos-workflow" / "trusted"
        shutil.copytree(made.folder, inside)
    async with liar_at(scene.project) as agent:
        passed = await assert_passes(agent, scene, scene.work())
    assert passed["evidence"]["suite_results"]["known"] == "observed"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(scene.project / ".config"))
    scene = dataclasses.replace(scene, phase=7, completed=(*scene.completed, 6))
    async with liar_at(scene.project) as agent:
        passed = await assert_passes(agent, scene, scene.work())
    assert passed["evidence"]["remaining_failures"]["known"] == "observed"
    assert not (scene.project / MARK).exists()


async def walk_with(workflow: str, project: Path, script: str) -> None:
    """Walk with a trusted script; check that what it can find out is found out by it."""
    trusted_script(project, script)

    async def fill_drawer(scene: Scene, _agent: Liar) -> None:
        folder = scene.example.folder / f"phase-{scene.phase}" / "reports"
        for report in folder.glob("*.xml"):
            shutil.copyfile(report, drawer_of(project) / report.name)

    known = await walk(workflow, project, fill_drawer)
    phases = [phase for name, phase in GATES if name == workflow]
    for phase, fields in zip(phases, known, strict=True):
        executed = {name for name, how in fields.items() if how == "executed"}
        assert executed == executable_fields(workflow, phase)


@pytest.mark.parametrize("workflow", ["code_review_v1", "production_code_v2", "test_generation_v3"])
async def test_the_honest_work_passes_with_a_trusted_command_and_is_known_as_executed(
    tmp_path, monkeypatch, workflow: str
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    project = tmp_path / "project"
    project.mkdir()
    example_of(workflow).begin(project)
    await walk_with(workflow, project, WRITES)


RUNS_PYTEST = """
import subprocess, sys
sys.exit(subprocess.run([
    sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
    "--junitxml=reports/junit.xml", "--cov=src", "--cov-report=xml:reports/coverage.xml",
]).returncode)
"""


@pytest.mark.slow
@pytest.mark.parametrize("workflow", ["test_generation_v3"])
async def test_the_example_s_own_tests_pass_the_gates_when_they_are_really_run(
    tmp_path, monkeypatch, workflow: str
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    project = tmp_path / "project"
    project.mkdir()
    example_of(workflow).begin(project)
    await walk_with(workflow, project, RUNS_PYTEST)
