"""The whole cutover on whole projects, with real servers: byte for byte, and back."""

import json
import subprocess
import sys

import pytest

from mcp_server.cutover import applying
from tests.conftest import REPOSITORY
from tests.cutover import projects
from tests.cutover.projects import contents, lay, small

SCRIPT = REPOSITORY / "scripts" / "cutover_to_aos_workflow.py"

PROJECTS = {
    "one large module": projects.large_module,
    "named like ours": projects.named_like_ours,
}

MISSES_ONE = 'if "get_task" not in mcp.tools:\n    del mcp.tools["current_date"]\n\n'


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


def test_a_dry_run_changes_nothing_and_the_second_time_there_is_nothing_to_do(tmp_path, cutover):
    root = lay(tmp_path, {**small(), "README.md": "Send get_workflow_state(session_id).\n"})
    before = contents(root)

    code, shown = cutover(root)
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

    assert cutover(root, "--apply")[1]["result"] == "done"
    after = contents(root)
    code, again = cutover(root, "--apply")
    assert (code, again["result"], again["changes"]) == (0, "nothing to do", [])
    assert contents(root) == after


def test_configuration_of_a_server_that_is_cut_over_is_rewritten(tmp_path, cutover):
    elsewhere = ("-P", "-m", "mcp_server", "--project", ".")
    root = lay(tmp_path, projects.only_configuration(*elsewhere))

    code, done = cutover(root, "--apply")
    assert (code, done["result"]) == (0, "done")
    allowed = json.loads((root / ".claude/settings.json").read_bytes())["permissions"]["allow"]
    assert allowed == ["mcp__rag__aos_workflow", "mcp__rag__search"]
    (server,) = json.loads((root / ".mcp.json").read_bytes())["mcpServers"].values()
    assert server["alwaysAllow"] == ["search", "aos_workflow"]


def test_configuration_of_a_server_that_still_has_the_old_tools_is_left(tmp_path, cutover):
    lay(tmp_path / "elsewhere", small())
    module = str(tmp_path / "elsewhere" / "server.py")
    root = lay(tmp_path / "project", projects.only_configuration(module))
    before = contents(root)

    code, refused = cutover(root, "--apply")
    assert (code, refused["result"]) == (1, "refused")
    assert refused["problems"] == [
        "the server is not cut over, and nothing certain here registers its tools"
    ]
    assert contents(root) == before


def test_nothing_to_do_is_done(tmp_path, cutover):
    root = lay(tmp_path, projects.without_old_tools())
    before = contents(root)

    code, done = cutover(root, "--apply")
    assert (code, done["result"], done["changes"]) == (0, "nothing to do", [])
    assert contents(root) == before
    assert not (root / ".praxis-os").exists()


def test_a_module_that_does_not_parse_and_names_an_old_tool_is_refused(tmp_path, cutover):
    root = lay(tmp_path, projects.broken())
    before = contents(root)

    code, refused = cutover(root, "--apply")
    assert (code, refused["result"]) == (1, "refused")
    assert refused["problems"] == ["more.py:1 does not parse, and names an old tool"]
    assert contents(root) == before


def test_a_server_that_does_not_start_is_refused_before_anything_changes(tmp_path, cutover):
    root = lay(tmp_path, small('raise SystemExit("no licence")\n\n'))
    before = contents(root)

    code, refused = cutover(root, "--apply")
    assert (code, refused["result"], refused["backup"]) == (1, "refused", "")
    (problem,) = refused["problems"]
    assert problem.startswith("the server does not start as it is: ")
    assert problem.endswith("it wrote: no licence")
    assert contents(root) == before
    assert not (root / ".praxis-os").exists()


def test_a_server_that_misses_a_tool_afterwards_is_restored(tmp_path, cutover):
    root = lay(tmp_path, small(MISSES_ONE))
    before = contents(root)

    code, failed = cutover(root, "--apply")
    assert (code, failed["result"]) == (1, "failed and restored")
    assert failed["problems"] == ["current_date is gone"]
    assert (failed["restored"], contents(root)) == (["server.py"], before)


def test_a_second_cutover_at_the_same_time_is_refused(tmp_path, cutover):
    root = lay(tmp_path, small())
    before = contents(root)
    with applying.only_one(root):
        for argv in ([], ["--apply"]):
            code, refused = cutover(root, *argv)
            assert (code, refused["result"]) == (1, "refused")
            assert refused["problems"] == ["another cutover of this project is running"]
    assert contents(root) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_that_leads_out_is_not_followed(tmp_path, cutover):
    outside = lay(tmp_path / "outside", {"rules.md": "get_workflow_state(session_id)\n"})
    root = lay(tmp_path / "project", projects.without_old_tools())
    (root / "rules.md").symlink_to(outside / "rules.md")
    (root / "more").symlink_to(outside)

    assert cutover(root, "--apply")[1]["result"] == "nothing to do"
    assert contents(outside) == {"rules.md": b"get_workflow_state(session_id)\n"}


def test_other_old_tools_can_be_named(tmp_path, cutover):
    root = lay(tmp_path, small())

    code, shown = cutover(root, "--old", "current_date")
    assert code == 0
    assert [place["what"] for place in shown["registrations"]] == ["current_date"]


def test_a_dirty_git_tree_is_refused(tmp_path, cutover):
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
