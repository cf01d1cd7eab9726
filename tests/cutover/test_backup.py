"""The backup and the way back: byte for byte, and nothing by halves."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_server.cutover import backup as backups
from mcp_server.cutover import files
from mcp_server.cutover.backup import APPLYING, Backup, find, make, unfinished
from mcp_server.cutover.changes import Change
from mcp_server.errors import CutoverError
from tests.cutover.projects import contents, lay

NOW = datetime(2026, 11, 27, 8, 30, 5, tzinfo=UTC)
CHANGES = (
    Change("a.py", b"old a\r\n", b"new a\r\n", 0o640),
    Change("in/b.md", b"old b", b"new b", 0o644),
    Change("new.py", None, b"new\n", 0o644),
)


def project(tmp_path: Path) -> Path:
    lay(tmp_path, {"a.py": b"old a\r\n", "in/b.md": b"old b", "c.txt": b"c"})
    (tmp_path / "a.py").chmod(0o640)
    return tmp_path


def cut_over(root: Path) -> Backup:
    """Make a backup and write the changes."""
    made = make(root, CHANGES, ["python", "server.py"], [{"name": "get_task"}], NOW)
    made.mark(APPLYING)
    for change in CHANGES:
        files.write(root / change.path, change.after, change.mode)
    return made


def test_a_backup_says_what_changes_and_holds_it(tmp_path):
    made = make(project(tmp_path), CHANGES, ["python"], [{"name": "get_task"}], NOW)
    assert made.name == ".praxis-os/backups/cutover-20261127T083005Z"
    manifest = json.loads((made.folder / "manifest.json").read_bytes())
    assert manifest == {
        "schema_version": 1,
        "created": "2026-11-27T08:30:05+00:00",
        "server": ["python"],
        "tools_before": [{"name": "get_task"}],
        "files": [
            {"path": change.path, "mode": change.mode, "sha256_after": files.digest(change.after),
             "sha256": change.before and files.digest(change.before)}
            for change in CHANGES
        ],
    }  # fmt: skip
    assert contents(made.folder / "files") == {"a.py": b"old a\r\n", "in/b.md": b"old b"}
    assert (tmp_path / ".praxis-os/backups/.gitignore").read_bytes() == b"*\n"


def test_two_backups_of_one_second_are_two(tmp_path):
    first, second = (make(project(tmp_path), CHANGES, [], [], NOW) for _ in range(2))
    assert second.folder.name == f"{first.folder.name}-2"


def test_everything_comes_back_with_its_mode_and_what_is_new_goes(tmp_path):
    before = contents(project(tmp_path))
    made = cut_over(tmp_path)
    (tmp_path / "a.py").chmod(0o600)

    restored = made.restore(NOW)
    assert contents(tmp_path) == before
    assert (tmp_path / "a.py").stat().st_mode & 0o777 == (
        0o640 if sys.platform != "win32" else 0o666
    )
    assert (restored.files, restored.edited) == (("a.py", "in/b.md", "new.py"), ())
    assert made.status == "restored"
    assert made.restore(NOW).files == ()


def test_later_edits_are_kept_aside_and_shown(tmp_path):
    before = contents(project(tmp_path))
    made = cut_over(tmp_path)
    lay(tmp_path, {"a.py": b"mine\n", "new.py": b"new\nand mine\n"})
    (tmp_path / "in/b.md").unlink()
    (tmp_path / "in").rmdir()

    restored = made.restore(NOW)
    assert contents(tmp_path) == before
    kept = {edited.path: (tmp_path / edited.kept).read_bytes() for edited in restored.edited}
    assert kept == {"a.py": b"mine\n", "new.py": b"new\nand mine\n"}
    assert restored.edited[0].diff[-2:] == ("-mine", "+old a\r")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_that_took_a_files_place_is_replaced_and_not_followed(tmp_path):
    root = project(tmp_path / "project")
    before = contents(root)
    made = cut_over(root)
    outside = lay(tmp_path / "outside", {"a.py": b"theirs"})
    (root / "a.py").unlink()
    (root / "a.py").symlink_to(outside / "a.py")

    assert [edited.path for edited in made.restore(NOW).edited] == ["a.py"]
    assert (contents(root), contents(outside)) == (before, {"a.py": b"theirs"})


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_nothing_is_written_behind_a_link(tmp_path):
    root = project(tmp_path / "project")
    made = cut_over(root)
    (root / "in").rename(tmp_path / "elsewhere")
    (root / "in").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CutoverError, match=r"in/b\.md stands behind a link"):
        made.restore(NOW)
    assert (root / "a.py").read_bytes() == b"new a\r\n"


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_copy_that_is_not_whole_stops_everything(harm, tmp_path):
    made = cut_over(project(tmp_path))
    copy = made.folder / "files" / "in" / "b.md"
    if harm == "missing":
        copy.unlink()
    else:
        copy.write_bytes(b"other")
    half = contents(tmp_path)
    with pytest.raises(CutoverError, match=f"the backup of in/b.md is {harm}"):
        made.restore(NOW)
    assert contents(tmp_path) == half


@pytest.mark.parametrize("path", ["../a.py", "/etc/a.py", "in/../../a.py", "in\\a.py", ""])
def test_a_manifest_that_leads_out_is_refused(path, tmp_path):
    made = cut_over(project(tmp_path))
    text = (made.folder / "manifest.json").read_text(encoding="utf-8")
    (made.folder / "manifest.json").write_text(
        text.replace('"a.py"', json.dumps(path)), encoding="utf-8"
    )
    with pytest.raises(CutoverError, match="leads out of the project"):
        made.restore(NOW)


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2}'])
def test_what_is_no_manifest_of_ours_is_refused(text, tmp_path):
    made = cut_over(project(tmp_path))
    (made.folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(CutoverError, match="is not a backup that the cutover made"):
        made.restore(NOW)


def test_a_backup_is_found_by_path_and_by_name(tmp_path, monkeypatch):
    made = cut_over(project(tmp_path))
    monkeypatch.chdir(tmp_path)
    for named in (str(made.folder), made.name, made.folder.name):
        assert find(tmp_path, named).folder == made.folder.resolve()


def test_no_such_backup_and_another_projects_backup_are_refused(tmp_path):
    theirs = cut_over(project(tmp_path / "theirs"))
    mine = project(tmp_path / "mine")
    with pytest.raises(CutoverError, match="there is no backup 'x'") as told:
        find(mine, "x")
    assert told.value.remediation == "Name one of: there are none."
    with pytest.raises(CutoverError, match="is the backup of another project"):
        find(mine, str(theirs.folder))


def test_a_cutover_that_came_to_no_end_is_known(tmp_path):
    made = cut_over(project(tmp_path))
    make(tmp_path, CHANGES, [], [], NOW)
    assert [found.folder for found in unfinished(tmp_path)] == [made.folder]
    made.mark(backups.DONE)
    assert list(unfinished(tmp_path)) == []


def test_a_write_that_fails_leaves_the_file_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        files.write(tmp_path / "a", b"x", 0o644)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
