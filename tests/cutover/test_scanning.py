"""Which files of a project are looked at, and what is told of the others."""

import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.cutover import git
from mcp_server.cutover.findings import OLD_TOOLS, Place
from mcp_server.cutover.scanning import MAX_FILE, Kind, kind_of, scan
from mcp_server.errors import CutoverError
from tests.cutover.projects import lay


def paths(root: Path) -> list[str]:
    return [file.path for file in scan(root, OLD_TOOLS).files]


def commit(root: Path) -> None:
    git_ = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for argv in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git_, *argv], check=True)


def test_dependencies_environments_backups_and_state_are_not_looked_into(tmp_path):
    lay(tmp_path, {
        "a.py": "", "in/b.md": "", "in/image.png": "", ".praxis-os/workflows/w/phase.md": "",
        "node_modules/x/c.md": "", ".venv/d.py": "", "env/pyvenv.cfg": "", "env/lib/e.py": "",
        "lib/site-packages/f.py": "", ".praxis-os/backups/b/g.py": "", "__pycache__/h.py": "",
        ".praxis-os/state/i.json": "", ".git/j.md": "",
    })  # fmt: skip
    assert paths(tmp_path) == [".praxis-os/workflows/w/phase.md", "a.py", "in/b.md"]


@pytest.mark.parametrize(("name", "kind"), [
    ("a.py", Kind.PYTHON), ("a.JSON", Kind.JSON), (".cursorrules", Kind.PROSE),
    ("a.mdc", Kind.PROSE), ("a.toml", Kind.OTHER), ("a.ipynb", Kind.OTHER), ("a.png", None),
    ("Makefile", None),
])  # fmt: skip
def test_the_kind_comes_from_the_ending(name, kind):
    assert kind_of(name) is kind


def test_a_byte_order_mark_is_kept_and_is_no_text(tmp_path):
    lay(tmp_path, {"a.py": b"\xef\xbb\xbfx = 1\r\n", "b.py": b"y = 1\n"})
    marked, plain = scan(tmp_path, OLD_TOOLS).files
    assert (marked.text, marked.encoded("z\r\n")) == ("x = 1\r\n", b"\xef\xbb\xbfz\r\n")
    assert (plain.text, plain.encoded("z\n")) == ("y = 1\n", b"z\n")


def test_what_cannot_be_read_is_told_if_it_names_an_old_tool(tmp_path):
    lay(tmp_path, {
        "latin.py": b"# caf\xe9\nstart_workflow()\n",
        "other.py": b"# caf\xe9\n",
        "large.json": b" " * (MAX_FILE + 1),
    })  # fmt: skip
    found = scan(tmp_path, OLD_TOOLS)
    assert found.files == ()
    assert found.skipped == (
        Place("large.json", 1, "", "over 4 MiB: not looked at"),
        Place("latin.py", 2, "start_workflow", "not UTF-8: left as it is"),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_links_are_not_followed(tmp_path):
    lay(tmp_path / "outside", {"a.py": "", "in/b.py": ""})
    root = lay(tmp_path / "project", {"c.py": ""})
    (root / "a.py").symlink_to(tmp_path / "outside" / "a.py")
    (root / "in").symlink_to(tmp_path / "outside" / "in")
    assert paths(root) == ["c.py"]


def test_what_git_ignores_is_left_and_told_but_for_client_configuration(tmp_path):
    lay(tmp_path, {
        ".gitignore": "*.local.*\n.mcp.json\nbuilt/\n",
        ".mcp.json": "{}", ".claude/settings.local.json": "{}", "a.local.md": "get_task\n",
        "built/b.py": "", "c.py": "",
    })  # fmt: skip
    commit(tmp_path)
    found = scan(tmp_path, OLD_TOOLS)
    assert [file.path for file in found.files] == [
        ".claude/settings.local.json", ".mcp.json", "c.py",
    ]  # fmt: skip
    assert found.skipped == (Place("a.local.md", 1, "get_task", "ignored by git: left as it is"),)


def test_in_a_project_that_git_ignores_as_a_whole_nothing_is_ignored(tmp_path):
    lay(tmp_path, {".gitignore": "server/\n", "server/a.py": ""})
    commit(tmp_path)
    assert paths(tmp_path / "server") == ["a.py"]


def test_what_is_not_committed_is_told_and_backups_are_not(tmp_path):
    lay(tmp_path, {"a.py": "", "in/b.py": ""})
    assert git.uncommitted(tmp_path) == ()
    commit(tmp_path)
    assert git.uncommitted(tmp_path) == ()
    lay(tmp_path, {"a.py": "x", "c.py": "", ".praxis-os/backups/x/a.py": ""})
    assert git.uncommitted(tmp_path) == (" M a.py", "?? c.py")
    assert git.uncommitted(tmp_path / "in") == ()


def test_a_repository_that_git_cannot_read_counts_as_uncommitted(tmp_path, monkeypatch):
    lay(tmp_path, {".git": "no such thing"})
    assert git.uncommitted(tmp_path) == ("what git does not tell",)
    monkeypatch.setenv("PATH", "")
    assert git.uncommitted(tmp_path) == ("what git does not tell",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf_8_is_told(tmp_path):
    (tmp_path / "caf\udce9.py").touch()
    found = scan(tmp_path, OLD_TOOLS)
    assert (found.files, [place.path for place in found.skipped]) == ((), ["caf\udce9.py"])


def test_a_folder_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(CutoverError, match=r"the folder \. cannot be read"):
        scan(tmp_path / "missing", OLD_TOOLS)
