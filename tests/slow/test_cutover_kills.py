"""A cutover that is killed, interrupted or made to wait for ever: everything comes back."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.cutover.projects import contents, lay, small

SCRIPT = REPOSITORY / "scripts" / "cutover_to_aos_workflow.py"

HANGS = (
    "import pathlib\nimport time\n\n"
    'if "get_task" not in mcp.tools and not pathlib.Path("go").exists():\n    time.sleep(600)\n\n'
)


def started(root: Path, *argv: str) -> "subprocess.Popen[str]":
    """Start the script itself, as a person does; what is under way is told on stderr."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(root), *argv, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def wait_for(process: "subprocess.Popen[str]", said: str) -> None:
    assert any(said in line for line in process.stderr)


def test_a_server_that_hangs_afterwards_is_restored(tmp_path, cutover):
    root = lay(tmp_path, small(HANGS))
    before = contents(root)

    code, failed = cutover(root, "--apply", "--timeout", "4")
    assert (code, failed["result"]) == (1, "failed and restored")
    assert failed["problems"] == [
        "the server does not start any more: it did not answer within 4 seconds"
    ]
    assert contents(root) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_restores_at_once_and_says_so(number, tmp_path):
    root = lay(tmp_path, small(HANGS))
    before = contents(root)
    with started(root, "--apply") as process:
        wait_for(process, "starting the server with the changes")
        assert contents(root) != before
        process.send_signal(number)
        report = json.loads(process.stdout.read())
        assert process.wait(60) == 1
    assert (report["result"], report["problems"]) == (
        "failed and restored",
        [f"{number.name} came"],
    )
    assert contents(root) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_after_a_kill_the_next_run_says_how_to_go_back_or_goes_back(tmp_path, cutover):
    root = lay(tmp_path, small(HANGS))
    before = contents(root)
    with started(root, "--apply") as process:
        wait_for(process, "starting the server with the changes")
        process.kill()
    half = contents(root)
    assert half != before

    code, told = cutover(root)
    (backup,) = (path.name for path in (root / ".praxis-os/backups").glob("cutover-*/"))
    assert (code, told["result"]) == (1, "refused")
    assert f"--restore .praxis-os/backups/{backup}" in told["remedies"][0]
    assert contents(root) == half

    (root / "go").touch()
    code, done = cutover(root, "--apply")
    assert (code, done["result"]) == (0, "done")
    assert backup in done["notes"][0]
    assert cutover(root, "--restore", done["backup"])[0] == 0
    assert contents(root) == {**before, "go": b""}
