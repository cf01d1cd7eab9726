"""The whole cutover on whole projects: dry run, apply, verify, restore, byte for byte."""

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cutover.command import main
from tests.cutover import projects
from tests.cutover.projects import contents, lay

KEPT = {
    "large": (projects.large_module, ["current_date"]),
    "decorated": (projects.decorated, ["current_date"]),
    "loop": (projects.in_a_loop, ["current_date"]),
    "class": (projects.class_based, ["current_date"]),
    "named like ours": (projects.named_like_ours, ["current_date"]),
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command, and return its exit code and its report."""

    def run(*argv: str | Path) -> tuple[int, dict[str, Any]]:
        code = main([*map(str, argv), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.mark.parametrize("name", KEPT)
def test_a_project_is_cut_over_and_brought_back(name, tmp_path, run):
    made, kept = KEPT[name]
    root = lay(tmp_path / "project", made())
    before = contents(root)

    code, shown = run(root)
    assert (code, shown["result"], shown["problems"]) == (0, "would change", [])
    assert contents(root) == before
    assert not (root / ".praxis-os").exists()

    code, done = run(root, "--apply")
    assert (code, done["result"], done["problems"]) == (0, "done", [])
    assert sorted(done["tools"]["after"]["names"]) == sorted([*kept, "aos_workflow"])
    assert [change["path"] for change in done["changes"]] == sorted(
        path for path, data in contents(root).items() if before.get(path) != data
    )
    after = contents(root)

    code, again = run(root, "--apply")
    assert (code, again["result"], again["changes"]) == (0, "nothing to do", [])
    assert contents(root) == after

    code, restored = run(root, "--restore", done["backup"])
    assert (code, restored["result"], restored["later_edits"]) == (0, "restored", [])
    assert contents(root) == before
