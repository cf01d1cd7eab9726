"""The commit that is checked out, read without git: the same that git says, or git is asked."""

import os
import subprocess
from pathlib import Path

import pytest

from mcp_server.gates.probes.git_head import Head, read_head
from mcp_server.gates.probes.git_tree import Git, has_git

pytestmark = [
    pytest.mark.skipif(not has_git(), reason="compares with git"),
    pytest.mark.skipif(os.name == "nt", reason="git is always asked there"),
]


def git(folder, *arguments):
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, capture_output=True, check=True, timeout=30
    )
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    git(folder, "commit", "--allow-empty", "-m", "one")
    return folder


def same_as_git(folder):
    """What is read, after git was found to say the same."""
    read = read_head(folder)
    assert read is not None
    assert read.commit == Git(folder).commit("HEAD")
    return read.commit


def test_the_commit_of_a_branch(repository):
    assert same_as_git(repository) == git(repository, "rev-parse", "HEAD")


def test_the_commit_seen_from_a_folder_of_the_repository(repository):
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)
    assert same_as_git(inner) == git(repository, "rev-parse", "HEAD")


def test_a_commit_that_is_checked_out_by_itself(repository):
    git(repository, "checkout", "--detach")
    assert same_as_git(repository) is not None


def test_a_branch_that_was_packed_and_one_that_moved_on_since(repository):
    git(repository, "checkout", "-b", "topic/one-2.x")
    git(repository, "pack-refs", "--all")
    packed = same_as_git(repository)
    git(repository, "commit", "--allow-empty", "-m", "two")
    assert same_as_git(repository) != packed


def test_no_repository_at_all(tmp_path):
    folder = tmp_path / "none"
    folder.mkdir()
    assert not any((parent / ".git").exists() for parent in tmp_path.parents)
    assert read_head(folder) == Head(None)


def unborn(repository, tmp_path):
    git(repository, "checkout", "--orphan", "empty")
    return repository


def linked(repository, tmp_path):
    git(repository, "worktree", "add", str(tmp_path / "linked"))
    return tmp_path / "linked"


def extended(repository, tmp_path):
    git(repository, "config", "core.repositoryFormatVersion", "1")
    git(repository, "config", "extensions.worktreeConfig", "true")
    return repository


def behind_a_link(repository, tmp_path):
    (repository / ".git").rename(tmp_path / "kept")
    (repository / ".git").symlink_to(tmp_path / "kept")
    return repository


def through_another_reference(repository, tmp_path):
    git(repository, "symbolic-ref", "refs/heads/other", "refs/heads/main")
    git(repository, "symbolic-ref", "HEAD", "refs/heads/other")
    return repository


def without_objects(repository, tmp_path):
    (repository / ".git" / "objects").rename(tmp_path / "objects")
    return repository


def with_a_pipe_for_a_head(repository, tmp_path):
    (repository / ".git" / "HEAD").unlink()
    os.mkfifo(repository / ".git" / "HEAD")
    return repository


def leading_out(repository, tmp_path):
    Path(repository / ".git" / "HEAD").write_text("ref: refs/heads/../../x\n", encoding="utf-8")
    return repository


@pytest.mark.parametrize(
    "odd",
    [unborn, linked, extended, behind_a_link, through_another_reference, without_objects,
     with_a_pipe_for_a_head, leading_out],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_git(repository, tmp_path, odd):
    assert read_head(odd(repository, tmp_path)) is None


def test_a_repository_of_another_user_is_left_to_git(repository, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert read_head(repository) is None
