"""The script as people run it: exit codes, formats, and that nothing stays behind."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.validating.command import main, parser
from tests.validating.validation_builders import FAKES, SCRIPT, ended, start_script

README = (SCRIPT.parent.parent / "README.md").read_text(encoding="utf-8")
SLACK = ("--slack", "100", "--rounds", "1")


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder for temporary files, of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    return folder


def test_our_own_server_holds_wherever_the_script_is_started(tmp_path, temporary):
    # Another package of our name, here or on the path, must not take our place.
    impostor = tmp_path / "mcp_server"
    impostor.mkdir()
    for name in ("__init__.py", "__main__.py"):
        (impostor / name).write_text("raise SystemExit('impostor')\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *SLACK, "--json", "--junit", "report.xml"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["holds"] is True
    assert data["server"] == "this package's server"
    assert all(item["verdict"] == "holds" for item in data["actions"])
    assert data["memory"]["verdict"] == "holds"
    assert data["memory"]["bare_bytes"] > 10_000_000
    assert b'failures="0"' in (tmp_path / "report.xml").read_bytes()
    assert list(temporary.iterdir()) == []


def test_a_server_that_misbehaves_is_told_in_lines_and_by_the_exit_code(temporary, capfd):
    command = f"{sys.executable} -P {FAKES} NotListed"
    assert main(["--server", command, *SLACK]) == 1
    told = capfd.readouterr()
    assert "FAILED  tool definition: is listed once: aos_workflow is listed 0 times" in told.out
    assert told.out.splitlines()[-1].startswith("Does not hold: ")
    assert told.err == ""
    assert list(temporary.iterdir()) == []


def test_a_command_that_ends_at_once_is_told_with_its_last_words(temporary, capfd):
    command = f"{sys.executable} -c \"raise SystemExit('no database')\""
    assert main(["--server", command]) == 1
    told = capfd.readouterr().out
    assert "FAILED  connection: shakes hands: " in told
    assert "its last words: 'no database'" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--server", "no-such-program-anywhere"],
            "there is no command 'no-such-program-anywhere'",
        ),
        (["--server", "'open"], "cannot be read: No closing quotation"),
        (["--url", "ftp://example.org/mcp"], "'ftp://example.org/mcp' is no address of a server"),
        (["--url", "nothing"], "'nothing' is no address of a server"),
        (["--url", "http://127.0.0.1:1/mcp"], "http://127.0.0.1:1/mcp cannot be reached"),
        (["--url", "http://x", "--token-env", "NOT_SET"], "variable NOT_SET is not set, or empty"),
        (["--token-env", "HOME"], "--token-env goes with --url only"),
        (["--junit", "no/such/folder/report.xml"], "no report can be written to"),
        (["--junit", "."], "no report can be written to '.'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_that_says_what_to_do(arguments, told, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--server", "a", "--url", "http://x"],
        ["--rounds", "0"],
        ["--slack", "-1"],
        ["--call-limit", "inf"],
        ["--limit", "soon"],
        ["extra"],
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_are_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("line", re.findall(r"^\$ python scripts/validate_aos_workflow\.py (.*)$",
                                            README, re.MULTILINE))  # fmt: skip
def test_each_command_of_the_readme_is_understood(line):
    given = parser().parse_args(shlex.split(line))
    assert given.server or given.url


def test_help_says_the_targets_and_the_exit_codes(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "A target that is missed fails the validation, also between target and alert." in shown
    assert "exit codes: 0 all of it holds, 1 something does not, 2 wrong usage" in shown


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_neither_folder_nor_process(temporary, number):
    command = f"{sys.executable} -P {FAKES} TellsAndHangs"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        port = str(listening.getsockname()[1])
        process = start_script("--server", command, FAKE_PORT=port)
        with ended(process):
            connection, _ = listening.accept()
            assert list(temporary.iterdir()) != []
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, b"")
    assert err.endswith(b"interrupted; everything is cleaned up\n")
    assert list(temporary.iterdir()) == []
    with connection:
        connection.settimeout(10)
        # The end of the connection is the end of the process that held it.
        assert connection.recv(1) == b""
