"""The cutover of projects with quirks, each with its real server: byte for byte, and back."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY
from tests.cutover import projects
from tests.cutover.projects import contents, lay, small

SCRIPT = REPOSITORY / "scripts" / "cutover_to_aos_workflow.py"

PROJECTS = {
    "decorators on decorators": projects.decorated,
    "a loop": projects.in_a_loop,
    "a class": projects.class_based,
}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_cut_over_and_brought_back(name, tmp_path, cutover):
    root = lay(tmp_path / "project", PROJECTS[name]())
    before = contents(root)

    code, done = cutover(root, "--apply")
    assert (code, done["result"], done["problems"]) == (0, "done", [])
    assert sorted(done["tools"]["after"]["names"]) == ["aos_workflow", "current_date"]
    changed = [path for path, data in contents(root).items() if before.get(path) != data]
    assert [change["path"] for change in done["changes"]] == changed

    code, restored = cutover(root, "--restore", done["backup"])
    assert (code, restored["result"], restored["later_edits"]) == (0, "restored", [])
    assert contents(root) == before


def test_what_is_not_changed_keeps_line_ends_byte_order_mark_and_mode(tmp_path, cutover):
    files = small()
    text = f"\ufeff{files['server.py']}".replace("\n", "\r\n")
    root = lay(tmp_path, {**files, "server.py": text.encode()})
    (root / "server.py").chmod(0o750)

    assert cutover(root, "--apply")[0] == 0
    after = (root / "server.py").read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\n") == after.count(b"\r\n")
    assert (root / "server.py").stat().st_mode & 0o777 == 0o750
    kept = [line for line in after.splitlines(keepends=True) if b"setup_server" not in line]
    assert all(line in text.encode() for line in kept)


def test_later_edits_are_shown_and_kept_aside_when_a_backup_is_restored(tmp_path, cutover):
    root = lay(tmp_path, small())
    before = contents(root)
    done = cutover(root, "--apply")[1]
    edited = (root / "server.py").read_bytes() + b"# mine\n"
    (root / "server.py").write_bytes(edited)

    code, restored = cutover("--restore", root / done["backup"])
    assert (code, restored["result"]) == (0, "restored")
    (edits,) = restored["later_edits"]
    assert (edits["path"], "-# mine" in edits["diff"]) == ("server.py", True)
    assert (root / edits["kept"]).read_bytes() == edited
    assert contents(root) == before


def test_the_script_finds_its_own_package_whatever_the_project_has(tmp_path):
    root = lay(tmp_path, projects.named_like_ours())
    before = contents(root)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), ".", "--apply"],
        cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "Tools after: 2, " in done.stdout
    assert "register_aos_workflow(mcp)" in (
        root / "mcp_server/server/tools/workflow_tools.py"
    ).read_text(encoding="utf-8")
    assert len(contents(root)) == len(before) + 1


def test_a_dirty_git_tree_is_cut_over_if_that_is_allowed(tmp_path, cutover):
    root = lay(tmp_path, small())
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "before"], check=True)
    (root / "server.py").write_bytes((root / "server.py").read_bytes() + b"# new\n")
    before = contents(root)

    code, refused = cutover(root, "--apply")
    assert (code, refused["problems"]) == (1, ["1 file is not committed: M server.py"])
    assert contents(root) == before
    assert cutover(root, "--apply", "--allow-dirty")[0] == 0
    told = subprocess.run([*git, "status", "--porcelain"], check=True, stdout=subprocess.PIPE)
    assert told.stdout == b" M server.py\n"
