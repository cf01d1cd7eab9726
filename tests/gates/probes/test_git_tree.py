"""Repositories that would bend what git says, run something, or that git cannot be asked about."""

import os
import shlex
import sys
import time

import pytest

from mcp_server.gates.observation import LookFailedError, LookUnavailableError
from mcp_server.gates.probes import git_tree
from mcp_server.gates.probes.git import head_commit
from tests.gates.probes.git_builders import changed, commit, git, look, repository, write

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs programs that are scripts")


def program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def whole_look(root, base):
    assert head_commit(root) is not None
    look(root, "commit", type="string")
    return look(root, "clean", type="list"), changed(root, base)


# Nothing that a repository names is run


@posix
@pytest.mark.parametrize(
    "setting",
    [
        "core.fsmonitor", "core.pager", "pager.status", "pager.diff", "diff.external",
        "diff.own.command", "diff.own.textconv", "filter.own.clean", "filter.own.process",
        "filter.own.smudge", "core.editor", "core.sshCommand", "core.askPass", "gpg.program",
        "alias.status", "alias.diff", "core.alternateRefsCommand", "credential.helper",
    ],
)  # fmt: skip
def test_no_command_of_the_configuration_is_run(tmp_path, setting):
    root, ran = tmp_path / "root", tmp_path / "ran"
    base = repository(root, "a", "b")
    commit(root, ".gitattributes", text="* diff=own filter=own\n")
    tool = program(tmp_path / "tool", f"touch {shlex.quote(str(ran))}; cat")
    git(root, "config", setting, f"!{tool}" if setting.startswith("alias") else tool)
    git(root, "config", "filter.own.required", "true")
    write(root, "a", "c", text="NEW\n")
    assert whole_look(root, base) == (["a", "c"], [".gitattributes", "a", "c"])
    assert not ran.exists()


@posix
def test_no_hook_is_run(tmp_path):
    root, ran = tmp_path / "root", tmp_path / "ran"
    base = repository(root, "a")
    for name in ("post-index-change", "fsmonitor-watchman", "post-checkout", "pre-auto-gc"):
        program(root / ".git" / "hooks" / name, f"touch {shlex.quote(str(ran))}")
    git(root, "update-index", "--assume-unchanged", "a")
    ran.unlink(missing_ok=True)
    write(root, "a", text="NEW\n")
    assert whole_look(root, base) == (["a"], ["a"])
    assert not ran.exists()


@posix
def test_no_filter_of_a_submodule_or_an_included_file_is_run(tmp_path):
    root, ran = tmp_path / "root", tmp_path / "ran"
    repository(tmp_path / "library", "x")
    base = repository(root, "a")
    git(root, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    commit(root)
    tool = program(tmp_path / "tool", f"touch {shlex.quote(str(ran))}; cat")
    write(root, ".git/more", text=f'[filter "own"]\n clean = {tool}\n process = {tool}\n')
    for module, names in ((root, ["a"]), (root / "lib", ["x"])):
        git(module, "config", "include.path", str(root / ".git" / "more"))
        write(module, *names, text="NEW\n")
    for attributes in (".git/info/attributes", ".git/modules/lib/info/attributes"):
        write(root, attributes, text="* filter=own\n")
    assert whole_look(root, base)[0] == ["a", "lib/x"]
    assert not ran.exists()


@posix
def test_a_missing_object_is_not_fetched(tmp_path):
    root, ran = tmp_path / "root", tmp_path / "ran"
    repository(root, "a")
    tool = program(tmp_path / "tool", f"touch {shlex.quote(str(ran))}")
    for key, value in (
        ("remote.origin.url", "ssh://nowhere/x"), ("core.sshCommand", tool),
        ("remote.origin.promisor", "true"), ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
    ):  # fmt: skip
        git(root, "config", key, value)
    with pytest.raises(LookFailedError, match="there is no commit"):
        look(root, "commit", type="string", claims={"field": "1" * 40})
    assert not ran.exists()


@posix
def test_a_filter_that_cannot_be_put_aside_keeps_git_from_being_asked(tmp_path):
    repository(tmp_path, "a")
    git(tmp_path, "config", "filter.a=b.clean", "cat")
    with pytest.raises(LookUnavailableError, match="a filter with = in its name"):
        look(tmp_path, "clean")


@posix
def test_the_environment_leads_git_nowhere_else(tmp_path, monkeypatch):
    root, ran = tmp_path / "root", tmp_path / "ran"
    base = repository(root, "a")
    repository(tmp_path / "other", "b")
    tool = program(tmp_path / "tool", f"touch {shlex.quote(str(ran))}")
    for name, value in {
        "GIT_DIR": str(tmp_path / "other" / ".git"), "GIT_WORK_TREE": str(tmp_path / "other"),
        "GIT_INDEX_FILE": "/nowhere", "GIT_EXTERNAL_DIFF": tool, "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": tool, "GIT_TRACE": str(ran),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    write(root, "c")
    assert whole_look(root, base) == (["c"], ["c"])
    assert not ran.exists()


def test_looking_writes_nothing_into_the_repository(tmp_path):
    base = repository(tmp_path, "a")
    index = tmp_path / ".git" / "index"
    os.utime(tmp_path / "a", (0, 0))
    git(tmp_path, "update-index", "--skip-worktree", "a")
    before = index.read_bytes(), index.stat().st_mtime_ns, sorted((tmp_path / ".git").iterdir())
    assert whole_look(tmp_path, base) == ([], [])
    now = index.read_bytes(), index.stat().st_mtime_ns, sorted((tmp_path / ".git").iterdir())
    assert now == before


# Nothing is hidden


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_is_told_to_overlook_is_compared(tmp_path, flag):
    base = repository(tmp_path, "a", "two\nlines")
    git(tmp_path, "update-index", flag, "a", "two\nlines")
    assert whole_look(tmp_path, base) == ([], [])
    write(tmp_path, "a", "two\nlines")
    assert git(tmp_path, "status", "--porcelain") == ""
    assert whole_look(tmp_path, base) == (["a", "two\nlines"], ["a", "two\nlines"])


def test_what_a_sparse_checkout_leaves_out_is_not_gone(tmp_path):
    base = repository(tmp_path, "in/a", "out/b")
    git(tmp_path, "sparse-checkout", "set", "in")
    assert not (tmp_path / "out").exists()
    assert whole_look(tmp_path, base) == ([], [])


def test_a_replaced_commit_is_not_followed(tmp_path):
    base = repository(tmp_path, "a")
    now = commit(tmp_path, "a")
    git(tmp_path, "replace", base, now)
    assert git(tmp_path, "diff", "--name-only", base, "HEAD") == ""
    assert changed(tmp_path, base) == ["a"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status.showUntrackedFiles", "no"), ("core.untrackedCache", "true"),
        ("diff.relative", "true"), ("core.checkStat", "minimal"), ("diff.renames", "copies"),
        ("status.renames", "copies"), ("diff.noprefix", "true"), ("status.short", "true"),
        ("status.branch", "true"), ("core.quotePath", "true"), ("status.showStash", "true"),
        ("diff.ignoreSubmodules", "all"), ("submodule.lib.ignore", "all"),
    ],
)  # fmt: skip
def test_no_setting_changes_what_is_seen(tmp_path, key, value):
    root = tmp_path / "root"
    repository(tmp_path / "library", "x")
    repository(root, "a", "app/ä")
    git(root, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    base = commit(root)
    git(root, "config", key, value)
    commit(root / "lib", "y")
    git(root, "mv", "a", "app/b")
    write(root, "app/c", "app/ä")
    names = ["a", "app/b", "app/c", "app/ä", "lib"]
    assert whole_look(root, base) == (names, names)
    assert whole_look(root / "app", base) == (["b", "c", "ä"], ["b", "c", "ä"])


def test_a_change_of_the_same_size_and_time_is_seen(tmp_path):
    base = repository(tmp_path, "a")
    git(tmp_path, "config", "core.trustctime", "false")
    git(tmp_path, "config", "core.checkStat", "minimal")
    os.utime(tmp_path / "a", (1_000_000_000, 1_000_000_000))
    git(tmp_path, "update-index", "--refresh")
    time.sleep(1.1)
    write(tmp_path, "a")
    os.utime(tmp_path / "a", (1_000_000_000, 1_000_000_000))
    assert git(tmp_path, "status", "--porcelain") == ""
    assert whole_look(tmp_path, base) == (["a"], ["a"])


# Repositories in repositories


def test_a_submodule_counts_by_its_commit_and_by_what_is_uncommitted_in_it(tmp_path):
    root = tmp_path / "root"
    repository(tmp_path / "library", "x", "deep/y")
    repository(root, "a")
    git(root, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    base = commit(root)
    assert whole_look(root, base) == ([], [])
    write(root, "lib/x", "lib/new")
    assert whole_look(root, base) == (["lib/new", "lib/x"], ["lib/new", "lib/x"])
    commit(root / "lib")
    assert whole_look(root, base) == (["lib"], ["lib"])
    commit(root)
    assert whole_look(root, base) == ([], ["lib"])
    git(root, "submodule", "--quiet", "deinit", "--force", "lib")
    assert whole_look(root, base) == ([], ["lib"])


def test_a_submodule_that_is_a_link_is_not_followed(tmp_path):
    root = tmp_path / "root"
    repository(tmp_path / "library", "x")
    repository(root, "a")
    git(root, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    base = commit(root)
    git(root, "submodule", "--quiet", "deinit", "--force", "lib")
    (root / "lib").rmdir()
    (root / "lib").symlink_to(".", target_is_directory=True)
    assert whole_look(root, base) == (["lib"], ["lib"])


def test_the_files_of_an_untracked_repository_count_each(tmp_path):
    base = repository(tmp_path, "a")
    repository(tmp_path / "inner", "x", "deep/y")
    (tmp_path / "inner" / "link").symlink_to("deep")
    names = ["inner/deep/y", "inner/link", "inner/x"]
    assert whole_look(tmp_path, base) == (names, names)
    with pytest.raises(LookFailedError, match="must not be: 'inner/x'"):
        changed(tmp_path, base, never="inner/x")


def test_an_untracked_repository_is_not_read_without_end(tmp_path, monkeypatch):
    repository(tmp_path, "a")
    repository(tmp_path / "inner", "x", "y")
    monkeypatch.setattr(git_tree, "MAX_FILES", 1)
    with pytest.raises(LookUnavailableError, match="the repository in 'inner/' holds over 1 files"):
        look(tmp_path, "clean")


def test_a_second_work_tree_is_one_of_its_own(tmp_path):
    base = repository(tmp_path / "first", "a")
    git(tmp_path / "first", "worktree", "add", "-q", "-b", "aside", "../second")
    write(tmp_path / "first", "dirty")
    there = commit(tmp_path / "second", "b")
    assert head_commit(tmp_path / "second") == there
    assert head_commit(tmp_path / "first") == base
    assert whole_look(tmp_path / "second", base) == ([], ["b"])
    assert whole_look(tmp_path / "first", base) == (["dirty"], ["dirty"])


def test_links_are_files_of_their_own(tmp_path):
    base = repository(tmp_path / "root", "a")
    write(tmp_path, "outside/x")
    (tmp_path / "root" / "link").symlink_to("../outside", target_is_directory=True)
    assert whole_look(tmp_path / "root", base) == (["link"], ["link"])


# Git cannot be asked


def unavailable(root, **facts):
    with pytest.raises(LookUnavailableError) as error:
        look(root, "clean", **facts)
    return error.value


def test_without_a_repository_a_person_is_told_what_to_do(tmp_path):
    error = unavailable(tmp_path)
    assert error.reason == "the project is not in a git repository"
    assert error.remedy.startswith("a person makes it one with git init")
    assert not error.final


def test_a_repository_that_is_gone_keeps_weaker_probes_from_being_asked(tmp_path):
    assert unavailable(tmp_path, commit="1" * 40).final
    assert unavailable(tmp_path, first_commit="1" * 40).final


@pytest.mark.parametrize("path", ["", ".", "relative"])
def test_git_is_not_taken_from_the_working_directory(tmp_path, monkeypatch, path):
    repository(tmp_path, "a")
    real = os.environ["PATH"]
    program(tmp_path / "relative" / "git", "echo true")
    program(tmp_path / "git", "echo true")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", path)
    assert unavailable(tmp_path).reason == "there is no git"
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{real}")
    assert look(tmp_path, "clean", type="list") == ["git", "relative/git"]


def test_a_work_tree_elsewhere_is_not_looked_at(tmp_path):
    repository(tmp_path / "root", "a")
    (tmp_path / "clean").mkdir()
    git(tmp_path / "root", "config", "core.worktree", str(tmp_path / "clean"))
    reason = "the repository's work tree is not where the project is"
    assert unavailable(tmp_path / "root").reason == reason


def test_a_bare_repository_is_not_taken_for_one(tmp_path):
    git(tmp_path, "init", "-q", "--bare", "bare")
    assert unavailable(tmp_path / "bare").reason == "git rev-parse ended with code 128"
    assert head_commit(tmp_path / "bare") is None


def test_a_project_that_its_repository_ignores_is_not_called_clean(tmp_path):
    repository(tmp_path, "a")
    commit(tmp_path, ".gitignore", text="inner/\n")
    write(tmp_path, "inner/b")
    reason = "the project lies in a git repository that ignores it"
    assert unavailable(tmp_path / "inner").reason == reason
    git(tmp_path, "add", "--force", "inner/b")
    assert look(tmp_path / "inner", "clean", type="list") == ["b"]


def test_a_repository_that_is_broken_is_not_called_clean(tmp_path):
    repository(tmp_path, "a")
    (tmp_path / ".git" / "index").write_bytes(b"broken")
    assert unavailable(tmp_path).reason == "git ls-files ended with code 128"
    (tmp_path / ".git" / "index").unlink()
    (tmp_path / ".git" / "index").mkdir()
    assert unavailable(tmp_path).reason == "git cannot be asked: Is a directory"


@posix
def test_a_repository_of_somebody_else_is_not_trusted(tmp_path, monkeypatch):
    program(tmp_path / "bin" / "git", "echo fatal: detected dubious ownership in x >&2; exit 128")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    error = unavailable(tmp_path)
    assert error.reason == "git does not read the repository, because it belongs to another user"
    assert "git config --global --add safe.directory FOLDER" in error.remedy


@posix
def test_a_git_that_does_not_end_is_killed_with_all_it_started(tmp_path, monkeypatch):
    program(tmp_path / "bin" / "git", f"(sleep 3; touch {tmp_path}/late) & wait")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(git_tree, "LIMIT", 0.2)
    assert unavailable(tmp_path).reason == "git did not answer within 0.2 seconds"
    time.sleep(3.2)
    assert not (tmp_path / "late").exists()


@posix
def test_a_git_that_says_too_much_is_not_read(tmp_path, monkeypatch):
    program(tmp_path / "bin" / "git", "printf 12345678901")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(git_tree, "MAX_OUTPUT", 10)
    assert unavailable(tmp_path).reason == "git answered with over 10 bytes"


@posix
def test_git_reads_nothing_from_the_server_and_gets_none_of_its_secrets(tmp_path, monkeypatch):
    program(tmp_path / "bin" / "git", f"env > {tmp_path}/env; cat > {tmp_path}/given; exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SOME_TOKEN", "secret")
    assert unavailable(tmp_path).reason == "git rev-parse ended with code 3"
    assert (tmp_path / "given").read_bytes() == b""
    lines = (tmp_path / "env").read_text(encoding="utf-8").splitlines()
    names = {line.partition("=")[0] for line in lines} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names - set(git_tree._KEPT) == {*git_tree._ENVIRONMENT, "PATH"}
