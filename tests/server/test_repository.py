"""Which repository a project is: the same in every clone, another in every other one."""

import pytest

from mcp_server.config import Settings
from mcp_server.core.waiting import WouldWaitError, without_waiting
from mcp_server.server.repository import identity_of
from mcp_server.server.services import project_of
from tests.repositories import clone, commit, git


@pytest.fixture
def origin(tmp_path):
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def test_clones_are_the_same_repository_whatever_is_committed_in_them(origin):
    one, other = clone(origin, "one"), clone(origin, "other")
    commit(one, "y")
    commit(other, "z")
    assert identity_of(origin) == identity_of(one) == identity_of(other) is not None


def test_another_repository_is_another(origin, tmp_path):
    (tmp_path / "two").mkdir()
    git(tmp_path / "two", "init", "--quiet")
    commit(tmp_path / "two", "another")
    assert identity_of(tmp_path / "two") != identity_of(origin)


def test_a_project_below_the_root_is_told_by_where_it_lies(origin):
    below = origin / "services" / "pay"
    below.mkdir(parents=True)
    assert identity_of(below) == f"{identity_of(origin)}:services/pay"


def test_a_history_that_was_joined_keeps_the_identity_of_the_older_one(origin):
    before = identity_of(origin)
    git(origin, "checkout", "--quiet", "-b", "trunk")
    git(origin, "checkout", "--quiet", "--orphan", "apart")
    git(origin, "commit", "--message", "later", date="2026-03-15T12:00:00Z")
    git(origin, "merge", "--quiet", "--allow-unrelated-histories", "--strategy=ours", "trunk")
    assert identity_of(origin) == before


def test_what_has_no_first_commit_to_see_has_no_identity(origin, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert identity_of(empty) is None
    git(empty, "init", "--quiet")
    assert identity_of(empty) is None
    commit(origin, "second")
    assert identity_of(clone(origin, "shallow", "--depth", "1")) is None


def test_git_is_not_asked_where_nobody_may_wait_and_only_once(origin):
    identity = project_of(Settings(project=origin))
    with without_waiting(), pytest.raises(WouldWaitError):
        identity()
    known = identity()
    with without_waiting():
        assert identity() == known == identity_of(origin)
