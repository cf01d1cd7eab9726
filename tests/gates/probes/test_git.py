"""What the git probe finds in repositories that are as they should be, and that are not."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from mcp_server.gates.observation import LookFailedError, LookUnavailableError
from mcp_server.gates.probes.git import _fits, _parts, head_commit
from tests.gates.probes.git_builders import changed, commit, git, look, repository, write

LATER = datetime.now(UTC) + timedelta(hours=1)


def touch(path, hours):
    moment = (LATER + timedelta(hours=hours)).timestamp()
    os.utime(path, (moment, moment), follow_symlinks=False)


# A commit


def test_a_commit_is_found_by_the_claim_that_abbreviates_its_id(tmp_path):
    full = repository(tmp_path, "a")
    for claim in (full, full[:7], full[:12].upper()):
        assert look(tmp_path, "commit", type="string", claims={"field": claim}) == claim


def test_a_claim_that_is_shorter_or_a_name_gets_the_full_id(tmp_path):
    full = repository(tmp_path, "a")
    git(tmp_path, "tag", "-a", "-m", "x", "v1.0/ä")
    git(tmp_path, "branch", "deadbeef")
    for claim in (full[:5], "HEAD", "main", "refs/heads/main", "v1.0/ä", "deadbeef"):
        assert look(tmp_path, "commit", type="string", claims={"field": claim}) == full


def test_without_a_claim_the_commit_is_the_one_that_is_checked_out(tmp_path):
    full = repository(tmp_path, "a")
    assert look(tmp_path, "commit", type="string") == full
    assert look(tmp_path, "commit", type="boolean", claims={"field": True}) is True


def test_settings_name_the_commit_by_another_field(tmp_path):
    full = repository(tmp_path, "a")
    verify = {"git": {"commit": "{evidence.id}"}}
    assert look(tmp_path, verify, type="boolean", claims={"id": full[:9]}) is True
    with pytest.raises(LookFailedError, match="submit id as text"):
        look(tmp_path, verify, type="boolean")


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "-h", "--all", "HEAD~1", "HEAD^", "@", "@{-1}", "a..b", ":/work", "a b", "a\n",
        "HEAD\n", "a//b", "a/", "a.", ".a", "a/.b", "a.lock", "a.lock/b", "x\0",
        "\ud800", "a" * 300,
    ],
)  # fmt: skip
def test_what_is_no_name_of_a_commit_is_not_even_asked_for(tmp_path, name):
    repository(tmp_path, "a")
    with pytest.raises(LookFailedError, match="is not the name of a commit"):
        look(tmp_path, "commit", type="string", claims={"field": name})


def test_a_commit_that_is_not_there_fails(tmp_path):
    repository(tmp_path, "a")
    blob = git(tmp_path, "rev-parse", "HEAD:a")
    tree = git(tmp_path, "rev-parse", "HEAD^{tree}")
    for name in ("deadbeef", "1" * 40, "nowhere", blob, tree, blob[:8]):
        with pytest.raises(LookFailedError, match=f"there is no commit '{name}'"):
            look(tmp_path, "commit", type="string", claims={"field": name})


def test_a_commit_must_be_part_of_what_is_checked_out(tmp_path):
    first = repository(tmp_path, "a")
    git(tmp_path, "checkout", "-q", "-b", "aside")
    aside = commit(tmp_path, "b")
    git(tmp_path, "checkout", "-q", "main")
    with pytest.raises(LookFailedError, match="is not part of what is checked out"):
        look(tmp_path, "commit", type="string", claims={"field": aside})
    git(tmp_path, "checkout", "-q", "--detach", "aside")
    assert look(tmp_path, "commit", type="string", claims={"field": aside}) == aside
    assert look(tmp_path, "commit", type="string", claims={"field": first}) == first


def test_both_sides_of_a_merge_are_part_of_what_is_checked_out(tmp_path):
    base = repository(tmp_path, "a")
    git(tmp_path, "checkout", "-q", "-b", "aside")
    aside = commit(tmp_path, "b")
    git(tmp_path, "checkout", "-q", "main")
    here = commit(tmp_path, "c")
    git(tmp_path, "merge", "-q", "-m", "merge", "aside")
    for name in (aside, here):
        assert look(tmp_path, "commit", type="string", claims={"field": name}) == name
    assert changed(tmp_path, base) == ["b", "c"]
    assert changed(tmp_path, aside) == ["c"]


def test_a_repository_without_a_commit_has_none_to_find(tmp_path):
    git(tmp_path, "init", "-q")
    with pytest.raises(LookFailedError, match="there is no commit 'HEAD'"):
        look(tmp_path, "commit", type="string")


# Nothing uncommitted


def test_a_tree_is_clean_when_all_is_committed(tmp_path):
    repository(tmp_path, "a", "b/c")
    for kind, value in (("boolean", True), (None, True), ("integer", 0), ("list", [])):
        found = look(tmp_path, "clean", type=kind)
        assert found == value
        assert type(found) is type(value)


def test_every_kind_of_change_is_uncommitted(tmp_path):
    repository(tmp_path, "edited", "staged", "gone", "old")
    write(tmp_path, "edited", "staged", "added", "x/untracked")
    git(tmp_path, "add", "staged", "added")
    (tmp_path / "gone").unlink()
    git(tmp_path, "mv", "old", "name")
    names = ["added", "edited", "gone", "name", "old", "staged", "x/untracked"]
    assert look(tmp_path, "clean", type="list") == names
    assert look(tmp_path, "clean", type="integer") == 7
    for kind in ("boolean", None):
        with pytest.raises(LookFailedError) as error:
            look(tmp_path, "clean", type=kind)
        assert error.value.reason == (
            "not committed: 'added', 'edited', 'gone', 'name', 'old' and 2 more;"
            " commit these files or undo them"
        )


def test_ignored_files_and_the_state_of_the_server_never_count(tmp_path):
    base = repository(tmp_path, "a")
    commit(tmp_path, ".gitignore", text="*.log\n")
    write(tmp_path, "x.log", ".praxis-os/state/workflows/s.json")
    assert look(tmp_path, "clean") is True
    assert changed(tmp_path, base) == [".gitignore"]
    git(tmp_path, "add", ".praxis-os")
    assert look(tmp_path, "clean") is True
    write(tmp_path, ".praxis-os/state.md")
    assert look(tmp_path, "clean", type="list") == [".praxis-os/state.md"]


def test_names_are_taken_as_they_are(tmp_path):
    base = repository(tmp_path, "a")
    names = sorted(
        ["with space", "two\nlines", "größe/東京.md", '"quoted"', "-dash", "tab\t", "a*[b]"]
    )
    write(tmp_path, *names[:4])
    git(tmp_path, "add", "--all")
    write(tmp_path, *names)
    assert look(tmp_path, "clean", type="list") == names
    assert changed(tmp_path, base) == names


def test_a_name_that_is_no_text_is_made_text(tmp_path):
    repository(tmp_path, "a")
    (tmp_path / os.fsdecode(b"caf\xe9")).touch()
    assert look(tmp_path, "clean", type="list") == ["caf\ufffd"]


def test_only_files_below_the_root_count(tmp_path):
    base = repository(tmp_path, "apps/one/a", "apps/one-more/a", "top")
    write(tmp_path, "apps/one/b", "apps/one-more/b", "top", "new")
    root = tmp_path / "apps" / "one"
    assert look(root, "clean", type="list") == ["b"]
    commit(tmp_path)
    assert look(root, "clean") is True
    assert changed(root, base) == ["b"]
    assert changed(tmp_path, base) == ["apps/one-more/b", "apps/one/b", "new", "top"]


def test_an_empty_repository_has_untracked_files_only(tmp_path):
    git(tmp_path, "init", "-q")
    assert look(tmp_path, "clean") is True
    write(tmp_path, "a")
    assert look(tmp_path, "clean", type="list") == ["a"]


# Changed files


def test_committed_staged_unstaged_and_untracked_files_changed(tmp_path):
    base = repository(tmp_path, "kept", "edited", "gone", "removed", "old")
    commit(tmp_path, "committed")
    git(tmp_path, "rm", "-q", "removed")
    git(tmp_path, "mv", "old", "renamed")
    write(tmp_path, "edited", "staged", "x/untracked")
    git(tmp_path, "add", "staged")
    (tmp_path / "gone").unlink()
    names = ["committed", "edited", "gone", "old", "removed", "renamed", "staged", "x/untracked"]
    assert changed(tmp_path, base) == names
    commit(tmp_path)
    assert changed(tmp_path, base) == names


def test_what_changed_is_given_by_the_type_of_the_field(tmp_path):
    base = repository(tmp_path, "a")
    for kind, value in (("integer", 0), (None, 0), ("boolean", False), ("string", "")):
        assert changed(tmp_path, base, type=kind) == value
    write(tmp_path, "b", "c")
    for kind, value in (("integer", 2), (None, 2), ("boolean", True), ("string", "b, c")):
        assert changed(tmp_path, base, type=kind) == value
        assert changed(tmp_path, base, type=kind, matching="[bc]") == value


def test_a_change_that_was_taken_back_does_not_count(tmp_path):
    base = repository(tmp_path, "a", "b")
    commit(tmp_path, "a", "b")
    git(tmp_path, "revert", "--no-edit", "HEAD")
    assert changed(tmp_path, base, never="**") == []
    commit(tmp_path, "a")
    write(tmp_path, "a", text="old\n")
    assert changed(tmp_path, base) == []


def test_what_only_the_work_tree_takes_back_is_still_refused(tmp_path):
    base = repository(tmp_path, "tests/a")
    commit(tmp_path, "tests/a")
    write(tmp_path, "tests/a", text="old\n")
    with pytest.raises(LookFailedError, match="must not be: 'tests/a'; undo"):
        changed(tmp_path, base, never="tests/**")


def test_files_that_were_dirty_before_the_phase_do_not_count_until_they_are_written(tmp_path):
    base = repository(tmp_path, "a", "b")
    write(tmp_path, "a", "b", "new", "newer")
    assert changed(tmp_path, base, started=LATER) == []
    assert changed(tmp_path, base, started=LATER, since="session") == ["a", "b", "new", "newer"]
    touch(tmp_path / "a", 1)
    touch(tmp_path / "new", 1)
    touch(tmp_path / "b", -0.5)
    assert changed(tmp_path, base, started=LATER) == ["a", "new"]
    commit(tmp_path)
    assert changed(tmp_path, base, started=LATER) == ["a", "b", "new", "newer"]


def test_setting_the_time_of_a_file_back_does_not_hide_that_it_changed(tmp_path):
    base = repository(tmp_path, "a")
    started = datetime.now(UTC)
    write(tmp_path, "a", "b")
    for name in ("a", "b"):
        os.utime(tmp_path / name, (0, 0))
    assert changed(tmp_path, base, started=started) == ["a", "b"]


def test_a_file_that_was_only_touched_did_not_change(tmp_path):
    base = repository(tmp_path, "a")
    git(tmp_path, "config", "diff.autoRefreshIndex", "false")
    touch(tmp_path / "a", 1)
    assert changed(tmp_path, base, started=LATER) == []


def test_a_deleted_file_counts(tmp_path):
    base = repository(tmp_path, "a", "b")
    (tmp_path / "a").unlink()
    assert changed(tmp_path, base, started=LATER) == ["a"]


def test_the_phase_and_the_session_each_have_their_beginning(tmp_path):
    first = repository(tmp_path, "a")
    second = commit(tmp_path, "b")
    commit(tmp_path, "c")
    facts = {"type": "list", "commit": second, "first_commit": first}
    assert look(tmp_path, "changed", **facts) == ["c"]
    assert look(tmp_path, {"git": "changed", "since": "session"}, **facts) == ["b", "c"]


def test_matching_counts_what_matches_and_needs_one(tmp_path):
    base = repository(tmp_path, "a")
    write(tmp_path, "src/x.py", "src/y/z.py", "notes.md")
    assert changed(tmp_path, base, matching=["src/**", "*.txt"]) == ["src/x.py", "src/y/z.py"]
    with pytest.raises(LookFailedError) as error:
        changed(tmp_path, base, matching=["tests/**", "docs/*"])
    assert error.value.reason == (
        "no file that matches tests/**, docs/* changed since the phase began; what changed:"
        " 'notes.md', 'src/x.py', 'src/y/z.py'"
    )


def test_a_boolean_is_never_false_where_something_must_match(tmp_path):
    base = repository(tmp_path, "a")
    with pytest.raises(LookFailedError, match="what changed: nothing"):
        changed(tmp_path, base, type="boolean", matching="src/**")


def test_never_refuses_and_names_a_few(tmp_path):
    base = repository(tmp_path, "a")
    write(tmp_path, *(f"tests/{n}" for n in range(7)), "src/a")
    assert changed(tmp_path, base, never="docs/**", matching="src/**") == ["src/a"]
    with pytest.raises(LookFailedError) as error:
        changed(tmp_path, base, never=["docs/**", "tests/**"], matching="src/**")
    assert error.value.reason == (
        "changed since the phase began, and must not be: 'tests/0', 'tests/1', 'tests/2',"
        " 'tests/3', 'tests/4' and 2 more; undo these changes"
    )


def test_globs_are_filled_and_what_fills_them_is_taken_as_it_is(tmp_path):
    base = repository(tmp_path, "a")
    write(tmp_path, "src/target.py", "src/*.py", "src/other.py")
    assert changed(tmp_path, base, matching="{target_file}") == ["src/target.py"]
    verify = {"git": "changed", "matching": "{evidence.file}"}
    claims = {"file": "src/*.py"}
    assert look(tmp_path, verify, type="list", commit=base, claims=claims) == ["src/*.py"]


def test_without_a_commit_of_the_beginning_nothing_can_be_compared(tmp_path):
    repository(tmp_path, "a")
    with pytest.raises(LookUnavailableError, match="no commit was checked out when the phase"):
        changed(tmp_path, None)


@pytest.mark.parametrize("base", ["1" * 40, "HEAD", "--all", "main", ""])
def test_a_beginning_that_is_gone_fails(tmp_path, base):
    repository(tmp_path, "a")
    with pytest.raises(LookFailedError, match="is gone from the repository"):
        changed(tmp_path, base)


def test_a_new_repository_in_place_of_the_old_one_fails(tmp_path):
    base = repository(tmp_path, "apps/a")
    repository(tmp_path / "apps", "secret")
    with pytest.raises(LookFailedError, match="is gone from the repository"):
        changed(tmp_path / "apps", base)


# Globs


@pytest.mark.parametrize(
    ("glob", "fitting", "other"),
    [
        ("src/**", ["src/a", "src/a/b.py", "src/.x"], ["srcs/a", "a/src/b"]),
        ("**/*.py", ["a.py", "x/a.py", "x/y/.py"], ["a.pyc", "a.py/b"]),
        ("*.md", ["a.md", ".md", "a\nb.md"], ["x/a.md", "a.md/x", "a.md\n"]),
        ("**", ["a", "a/b"], []),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c/c"], ["a/c", "a/b/c/d"]),
        ("a/?/[xy]*", ["a/1/x", "a/é/yes"], ["a/12/x", "a/1/z", "a//x"]),
        ("[!a]b", ["bb"], ["ab", "/b"]),
        ("a[*]", ["a*"], ["ab"]),
        ("src", ["src", "src/a/b"], ["srcs", "x/src"]),
        ("src/", ["src/a/b"], ["srcs/a"]),
        ("./src//x.py", ["src/x.py"], ["x.py"]),
        ("./**", ["a/b"], []),
        ("ä*", ["äb"], ["ab"]),
    ],
)
def test_globs(glob, fitting, other):
    assert [name for name in (*fitting, *other) if _fits(name, _parts(glob))] == fitting


def test_a_glob_takes_no_time_however_it_is_made():
    assert not _fits("/".join("a" * 900), _parts("**/a/" * 900 + "b"))
    assert not _fits("a" * 4_000, _parts("*a" * 40 + "b"))


# What is checked out


def test_the_commit_that_is_checked_out(tmp_path):
    full = repository(tmp_path / "here", "sub/a")
    assert head_commit(tmp_path / "here") == full
    assert head_commit(tmp_path / "here" / "sub") == full


def test_no_commit_is_checked_out(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q", "empty")
    (tmp_path / "plain").mkdir()
    for name in ("empty", "plain", "missing", "with\0zero", "\ud800"):
        assert head_commit(tmp_path / name) is None
    repository(tmp_path / "real", "a")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert head_commit(tmp_path / "real") is None
