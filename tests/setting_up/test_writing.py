"""A file is replaced whole, with its mode, and what was there is kept."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_server.errors import DiskRefusedError, UneditableError
from mcp_server.setting_up.writing import default_backup_folder, read_file, replace_file

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


def replaced(path: Path, content: bytes, *, private: bool = False) -> Path | None:
    backups = path.parent / "backups"
    return replace_file(read_file(path), content, backups=backups, now=NOW, private=private)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_there_is_kept_in_the_folder_of_backups(tmp_path):
    path = tmp_path / ".mcp.json"
    path.write_bytes(b"old\r\n")
    backup = replaced(path, b"new")
    assert (path.read_bytes(), backup.read_bytes()) == (b"new", b"old\r\n")
    assert backup.name.startswith("mcp.json.20260504T030201-")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".mcp.json", "backups"]


@posix_only
def test_what_is_kept_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    backup = replaced(path, b"new")
    assert (mode_of(backup), mode_of(backup.parent)) == (0o600, 0o700)


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660])
def test_the_mode_stays(tmp_path, mode):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    path.chmod(mode)
    replaced(path, b"new")
    assert mode_of(path) == mode


@posix_only
@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o640)])
def test_a_new_file_is_made_with_its_folders(tmp_path, private, mode):
    path = tmp_path / "a" / "b" / "c.json"
    before = os.umask(0o027)
    try:
        assert replaced(path, b"new", private=private) is None
    finally:
        os.umask(before)
    assert (path.read_bytes(), mode_of(path)) == (b"new", mode)


@posix_only
def test_a_link_stays_one(tmp_path):
    target, path = tmp_path / "dotfiles.json", tmp_path / "a.json"
    target.write_bytes(b"old")
    path.symlink_to(target)
    replaced(path, b"new")
    assert path.is_symlink()
    assert target.read_bytes() == b"new"


@posix_only
@pytest.mark.parametrize("inner", [".cursor/mcp.json", ".cursor"])
def test_no_link_leads_out_of_a_project(tmp_path, inner):
    project, outside = tmp_path / "project", tmp_path / "outside"
    (outside).mkdir()
    (outside / "mcp.json").write_bytes(b"{}")
    (project / inner).parent.mkdir(parents=True)
    (project / inner).symlink_to(outside / "mcp.json" if "json" in inner else outside)
    with pytest.raises(UneditableError, match="a link leads out of the project"):
        read_file(project / ".cursor/mcp.json", project)


@posix_only
def test_a_link_within_a_project_is_followed(tmp_path):
    (tmp_path / "shared.json").write_bytes(b"{}")
    (tmp_path / ".mcp.json").symlink_to("shared.json")
    assert read_file(tmp_path / ".mcp.json", tmp_path).path.name == "shared.json"


@posix_only
@pytest.mark.parametrize(
    ("target", "reason"), [("none", "leads nowhere"), ("a.json", "circle|cannot be read")]
)
def test_a_link_to_nothing_is_refused(tmp_path, target, reason):
    path = tmp_path / "a.json"
    path.symlink_to(tmp_path / target)
    with pytest.raises((UneditableError, DiskRefusedError), match=reason):
        read_file(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UneditableError, match="it is no file"):
        read_file(tmp_path)


@pytest.mark.parametrize("before", [b"old", None])
def test_a_file_that_changed_meanwhile_is_left_as_it_is(tmp_path, before):
    path = tmp_path / "a.json"
    if before:
        path.write_bytes(before)
    read = read_file(path)
    path.write_bytes(b"of the client")
    with pytest.raises(UneditableError, match="it changed meanwhile"):
        replace_file(read, b"new", backups=tmp_path / "backups", now=NOW, private=True)
    assert path.read_bytes() == b"of the client"
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_what_the_disk_refuses_leaves_the_file_alone(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    (tmp_path / "backups").write_bytes(b"a file in the place of the folder")
    with pytest.raises(DiskRefusedError, match=r"a\.json cannot be read or written"):
        replaced(path, b"new")
    assert path.read_bytes() == b"old"


def test_backups_lie_in_the_users_own_folder(tmp_path):
    assert default_backup_folder().name == "backups"
