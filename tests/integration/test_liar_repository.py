"""Lies about the repository: what git would show is hidden, rewritten or invented."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.liar import (
    NOT_PASSED,
    Enter,
    Evidence,
    Lie,
    Scene,
    assert_caught,
    assert_passes,
    entrance,
    has_probe,
    liar_at,
    told,
)

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")


@pytest.fixture(name="enter")
def make_enter(tmp_path, tmp_path_factory, monkeypatch) -> Enter:
    """Bring the caller to the door of a phase, in a project of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return entrance(tmp_path_factory.getbasetemp(), tmp_path)


def git(project: Path, *arguments: str) -> str:
    """Run git as a person called Ann would."""
    person = {f"GIT_{who}_{what}": "ann@localhost"
              for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(
        ["git", "-C", str(project), *arguments], env=os.environ | person,
        capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return done.stdout.strip()


def target_of(scene: Scene) -> Path:
    """Return a file of the target."""
    target = scene.project / scene.example.target_file
    return target if target.is_file() else min(target.rglob("*.*"))


def target_changed(scene: Scene) -> Evidence:
    honest = scene.work()
    path = target_of(scene)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return honest


def target_committed(scene: Scene) -> Evidence:
    honest = target_changed(scene)
    git(scene.project, "commit", "-aqm", "nothing")
    return honest


def target_taken_back_in_the_tree(scene: Scene) -> Evidence:
    path = target_of(scene)
    before = path.read_bytes()
    honest = target_committed(scene)
    path.write_bytes(before)
    return honest


def target_hidden_from_git(scene: Scene) -> Evidence:
    honest = target_changed(scene)
    path = target_of(scene).relative_to(scene.project).as_posix()
    git(scene.project, "update-index", "--assume-unchanged", path)
    git(scene.project, "update-index", "--skip-worktree", path)
    return honest


def target_ignored(scene: Scene) -> Evidence:
    honest = target_changed(scene)
    (scene.project / ".git" / "info").mkdir(exist_ok=True)
    (scene.project / ".git" / "info" / "exclude").write_text("*\n", encoding="utf-8")
    return honest


def history_begun_anew(scene: Scene) -> Evidence:
    honest = target_changed(scene)
    shutil.rmtree(scene.project / ".git")
    git(scene.project, "init", "-q")
    git(scene.project, "add", "-A")
    git(scene.project, "commit", "-qm", "Before the work")
    return honest


def repository_gone(scene: Scene) -> Evidence:
    honest = target_changed(scene)
    shutil.rmtree(scene.project / ".git")
    return honest


def repository_broken(scene: Scene) -> Evidence:
    honest = target_changed(scene)
    (scene.project / ".git" / "HEAD").write_text("nothing\n", encoding="utf-8")
    return honest


def spares_the_target(workflow: str, phase: int) -> bool:
    """Fit the gates that refuse a changed target."""
    return (workflow, phase) in {
        ("code_review_v1", 1), ("code_review_v1", 6), ("test_generation_v3", 4),
    }  # fmt: skip


def looks_at_changes(workflow: str, phase: int) -> bool:
    """Fit the gates that have git say what changed."""
    return has_probe("git")(workflow, phase)


TREE = {
    "a target that must not change": Lie(target_changed, spares_the_target),
    "a target that is committed": Lie(target_committed, spares_the_target),
    "a target that only the tree takes back": Lie(target_taken_back_in_the_tree, spares_the_target),
    "a target that is hidden": Lie(target_hidden_from_git, spares_the_target),
    "a target that is ignored": Lie(target_ignored, spares_the_target),
    "a history that begins anew": Lie(history_begun_anew, looks_at_changes),
    "a repository that is gone": Lie(repository_gone, looks_at_changes, NOT_PASSED),
    "a repository that is broken": Lie(repository_broken, looks_at_changes, NOT_PASSED),
}


@pytest.mark.parametrize(("lie", "workflow", "phase"), told(TREE))
async def test_what_changed_cannot_be_hidden(enter: Enter, lie: Lie, workflow: str, phase: int):
    scene = await enter(workflow, phase)
    evidence = lie.tell(scene)
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, evidence), lie.errors)


async def test_a_test_file_that_was_committed_before_the_phase_is_not_changed_in_it(enter: Enter):
    scene = await enter("production_code_v2", 4)
    honest = scene.work() | {"test_file": "tests/billing/test_money.py"}
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, honest))


async def test_only_a_commit_that_is_checked_out_can_be_claimed(enter: Enter):
    scene = await enter("production_code_v2", 7)
    head = git(scene.project, "rev-parse", "HEAD")
    tree = git(scene.project, "rev-parse", "HEAD^{tree}")
    aside = git(scene.project, "commit-tree", "-p", head, "-m", "on no branch", tree)
    async with liar_at(scene.project) as agent:
        for claim in (aside, tree, "0" * 40, "f" * 64, "deadbeef", "HEAD", head[:6], "-n", ""):
            honest = scene.work()
            answer = await agent.lie(scene, honest | {"commit": claim})
            await assert_caught(agent, scene, answer, lie=claim)
            await agent.succeed("retry_phase", session_id=scene.session_id, phase=scene.phase)
        await assert_passes(agent, scene, scene.work() | {"commit": head[:12]})
