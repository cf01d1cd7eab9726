"""The whole cutover on whole projects, with real servers: byte for byte, and back."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cutover import applying
from mcp_server.cutover.command import main
from tests.conftest import REPOSITORY
from tests.cutover import projects
from tests.cutover.projects import contents, lay, small

SCRIPT = REPOSITORY / "scripts" / "cutover_to_aos_workflow.py"

PROJECTS = {
    "one large module": projects.large_module,
    "decorators on decorators": projects.decorated,
    "a loop": projects.in_a_loop,
    "a class": projects.class_based,
    "named like ours": projects.named_like_ours,
}

MISSES_ONE = 'if "get_task" not in mcp.tools:\n    del mcp.tools["current_date"]\n\n'


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command, and return its exit code and its report."""

    def run(*argv: str | Path) -> tuple[int, dict[str, Any]]:
        code = main([*map(str, argv), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_cut_over_and_brought_back(name, tmp_path, run):
    root = lay(tmp_path / "project", PROJECTS[name]())
    before = contents(root)

    code, done = run(root, "--apply")
    assert (code, done["result"], done["problems"]) == (0, "done", [])
    assert sorted(done["tools"]["after"]["names"]) == ["aos_workflow", "current_date"]
    changed = [path for path, data in contents(root).items() if before.get(path) != data]
    assert [change["path"] for change in done["changes"]] == changed

    code, restored = run(root, "--restore", done["backup"])
    assert (code, restored["result"], restored["later_edits"]) == (0, "restored", [])
    assert contents(root) == before


def test_a_dry_run_changes_nothing_and_the_second_time_there_is_nothing_to_do(tmp_path, run):
    root = lay(tmp_path, {**small(), "README.md": "Send get_workflow_state(session_id).\n"})
    before = contents(root)

    code, shown = run(root)
    assert (code, shown["result"], shown["problems"]) == (0, "would change", [])
    assert [change["path"] for change in shown["changes"]] == ["README.md", "server.py"]
    assert (contents(root), (root / ".praxis-os").exists()) == (before, False)
    tools = shown["tools"]
    assert (tools["after_is"], tools["before"]["count"], tools["after"]["count"]) == (
        "expected",
        3,
        2,
    )
    assert tools["before"]["bytes"] < tools["after"]["bytes"]

    assert run(root, "--apply")[1]["result"] == "done"
    after = contents(root)
    code, again = run(root, "--apply")
    assert (code, again["result"], again["changes"]) == (0, "nothing to do", [])
    assert contents(root) == after


def test_what_is_not_changed_keeps_line_ends_byte_order_mark_and_mode(tmp_path, run):
    files = small()
    text = f"\ufeff{files['server.py']}".replace("\n", "\r\n")
    root = lay(tmp_path, {**files, "server.py": text.encode()})
    (root / "server.py").chmod(0o750)

    assert run(root, "--apply")[0] == 0
    after = (root / "server.py").read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\n") == after.count(b"\r\n")
    assert (root / "server.py").stat().st_mode & 0o777 == 0o750
    kept = [line for line in after.splitlines(keepends=True) if b"setup_server" not in line]
    assert all(line in text.encode() for line in kept)


def test_configuration_of_a_server_that_is_cut_over_is_rewritten(tmp_path, run):
    elsewhere = ("-P", "-m", "mcp_server", "--project", ".")
    root = lay(tmp_path, projects.only_configuration(*elsewhere))

    code, done = run(root, "--apply")
    assert (code, done["result"]) == (0, "done")
    allowed = json.loads((root / ".claude/settings.json").read_bytes())["permissions"]["allow"]
    assert allowed == ["mcp__rag__aos_workflow", "mcp__rag__search"]
    (server,) = json.loads((root / ".mcp.json").read_bytes())["mcpServers"].values()
    assert server["alwaysAllow"] == ["search", "aos_workflow"]


def test_configuration_of_a_server_that_still_has_the_old_tools_is_left(tmp_path, run):
    lay(tmp_path / "elsewhere", small())
    module = str(tmp_path / "elsewhere" / "server.py")
    root = lay(tmp_path / "project", projects.only_configuration(module))
    before = contents(root)

    code, refused = run(root, "--apply")
    assert (code, refused["result"]) == (1, "refused")
    assert refused["problems"] == [
        "the server has not been cut over, and this project does not register its tools"
    ]
    assert contents(root) == before


def test_nothing_to_do_is_done(tmp_path, run):
    root = lay(tmp_path, projects.without_old_tools())
    before = contents(root)

    code, done = run(root, "--apply")
    assert (code, done["result"], done["changes"]) == (0, "nothing to do", [])
    assert contents(root) == before
    assert not (root / ".praxis-os").exists()


def test_a_module_that_does_not_parse_and_names_an_old_tool_is_refused(tmp_path, run):
    root = lay(tmp_path, projects.broken())
    before = contents(root)

    code, refused = run(root, "--apply")
    assert (code, refused["result"]) == (1, "refused")
    assert refused["problems"] == ["more.py:1 does not parse, and names an old tool"]
    assert contents(root) == before


def test_a_server_that_does_not_start_is_refused_before_anything_changes(tmp_path, run):
    root = lay(tmp_path, small('raise SystemExit("no licence")\n\n'))
    before = contents(root)

    code, refused = run(root, "--apply")
    assert (code, refused["result"], refused["backup"]) == (1, "refused", "")
    (problem,) = refused["problems"]
    assert problem.startswith("the server does not start as it is: ")
    assert problem.endswith("it wrote: no licence")
    assert contents(root) == before
    assert not (root / ".praxis-os").exists()


def test_a_server_that_misses_a_tool_afterwards_is_restored(tmp_path, run):
    root = lay(tmp_path, small(MISSES_ONE))
    before = contents(root)

    code, failed = run(root, "--apply")
    assert (code, failed["result"]) == (1, "failed and restored")
    assert failed["problems"] == ["current_date is gone"]
    assert (failed["restored"], contents(root)) == (["server.py"], before)


def test_a_second_cutover_at_the_same_time_is_refused(tmp_path, run):
    root = lay(tmp_path, small())
    before = contents(root)
    with applying.only_one(root):
        for argv in ([], ["--apply"]):
            code, refused = run(root, *argv)
            assert (code, refused["result"]) == (1, "refused")
            assert refused["problems"] == ["another cutover of this project is running"]
    assert contents(root) == before


def test_later_edits_are_shown_and_kept_aside_when_a_backup_is_restored(tmp_path, run):
    root = lay(tmp_path, small())
    before = contents(root)
    done = run(root, "--apply")[1]
    edited = (root / "server.py").read_bytes() + b"# mine\n"
    (root / "server.py").write_bytes(edited)

    code, restored = run("--restore", root / done["backup"])
    assert (code, restored["result"]) == (0, "restored")
    (edits,) = restored["later_edits"]
    assert (edits["path"], "-# mine" in edits["diff"]) == ("server.py", True)
    assert (root / edits["kept"]).read_bytes() == edited
    assert contents(root) == before


def test_a_dirty_git_tree_is_refused_unless_it_is_allowed(tmp_path, run):
    root = lay(tmp_path, small())
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "before"], check=True)
    (root / "server.py").write_bytes((root / "server.py").read_bytes() + b"# new\n")
    before = contents(root)

    code, refused = run(root, "--apply")
    assert (code, refused["problems"]) == (1, ["1 file is not committed: M server.py"])
    assert contents(root) == before
    assert run(root, "--apply", "--allow-dirty")[0] == 0
    told = subprocess.run([*git, "status", "--porcelain"], check=True, stdout=subprocess.PIPE)
    assert told.stdout == b" M server.py\n"


def test_a_read_only_file_is_refused(tmp_path, run):
    root = lay(tmp_path, small())
    (root / "server.py").chmod(0o444)

    code, refused = run(root, "--apply")
    assert (code, refused["problems"]) == (1, ["server.py is read-only"])


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_that_leads_out_is_not_followed(tmp_path, run):
    outside = lay(tmp_path / "outside", {"rules.md": "get_workflow_state(session_id)\n"})
    root = lay(tmp_path / "project", projects.without_old_tools())
    (root / "rules.md").symlink_to(outside / "rules.md")
    (root / "more").symlink_to(outside)

    assert run(root, "--apply")[1]["result"] == "nothing to do"
    assert contents(outside) == {"rules.md": b"get_workflow_state(session_id)\n"}


def test_other_old_tools_can_be_named(tmp_path, run):
    root = lay(tmp_path, small())

    code, shown = run(root, "--old", "current_date")
    assert code == 0
    assert [place["what"] for place in shown["registrations"]] == ["current_date"]


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
