"""A terminal with a person at it, for tests of what only a person may do."""

import contextlib
import os

import pytest
from typer.testing import CliRunner

from mcp_server import terminal
from mcp_server.cli import app

pty = pytest.importorskip("pty", reason="these terminals are those of Unix")
termios = pytest.importorskip("termios")


class Answered:
    """What came of a run of the command line in this process with all answers typed ahead."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        answers: list[str],
        *arguments: str,
        hang_up: bool = False,
    ) -> None:
        screen, inner = pty.openpty()
        settings = termios.tcgetattr(inner)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        monkeypatch.setattr(terminal, "TERMINAL", (os.ttyname(inner),) * 2)
        os.write(screen, b"\x04" if hang_up else "".join(f"{a}\n" for a in answers).encode())
        result = CliRunner().invoke(app, list(arguments))
        self.code, self.printed = result.exit_code, result.output
        os.close(inner)
        self.screen = ""
        with contextlib.suppress(OSError):
            while chunk := os.read(screen, 4096):
                self.screen += chunk.decode().replace("\r\n", "\n")
        os.close(screen)
