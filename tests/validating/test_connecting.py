"""Which command is started, and how."""

import os
import sys
from pathlib import Path

import pytest

import mcp_server
from mcp_server.errors import ConfigurationError
from mcp_server.validating.connecting import Command, Url, bare_server, our_server, split_command


@pytest.mark.parametrize(
    ("text", "windows", "words"),
    [
        ("aos-workflow serve", False, ["aos-workflow", "serve"]),
        ("'a b' \"c d\" e\\ f", False, ["a b", "c d", "e f"]),
        (r'"C:\Program Files\py.exe" -m x\y', True, [r"C:\Program Files\py.exe", "-m", r"x\y"]),
        (r"C:\py.exe --name=a", True, [r"C:\py.exe", "--name=a"]),
    ],
)
def test_a_command_line_is_split_as_its_system_does(text, windows, words):
    assert split_command(text, windows=windows) == words


@pytest.mark.parametrize("text", ["", "   ", "'open", "''"])
def test_a_line_that_is_no_command_is_refused(text):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Command.parse(text)


def test_a_program_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError) as raised:
        Command.parse("no-such-program-anywhere serve")
    assert raised.value.message == "there is no command 'no-such-program-anywhere'"


def test_what_names_a_file_from_here_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.py").touch()
    command = Command.parse(f"{sys.executable} server.py other.py -m serve")
    assert command.argv == (
        sys.executable, str(tmp_path / "server.py"), "other.py", "-m", "serve"
    )  # fmt: skip
    assert command.described == f"{sys.executable} server.py other.py -m serve"


@pytest.mark.parametrize("made", [our_server(), bare_server()], ids=["ours", "bare"])
def test_our_own_servers_are_of_this_package_wherever_they_are_started(made):
    assert made.argv[:3] == (sys.executable, "-P", "-m")
    first = made.environment["PYTHONPATH"].split(os.pathsep)[0]
    assert Path(first) == Path(mcp_server.__file__).resolve().parent.parent


def test_an_empty_part_of_the_path_is_not_passed_on(monkeypatch):
    # Python takes it for the working directory.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "/other", ""]))
    assert our_server().environment["PYTHONPATH"].split(os.pathsep)[1:] == ["/other"]


def test_neither_token_nor_password_is_told():
    url = Url("https://me:secret@example.org/mcp?key=secret", "secret")
    assert url.described == "https://example.org/mcp"
    assert "secret" not in repr(url).replace(url.url, "")
