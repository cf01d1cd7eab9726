"""A person at a terminal of their own, who reads what a command asks and answers it."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="these terminals are those of Unix")

ANSWERS = (
    (re.compile(r"Type (\w+) to .*: \Z"), r"\1"),
    (re.compile(r"\[y/N\] \Z"), "y"),
    (re.compile(r"\? \Z"), "It was agreed on in the meeting"),
)
"""What is answered to which question, the first that fits."""


def at_terminal(
    argv: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command on a terminal, answer what it asks, and return exit code and screen."""
    process, screen = pty.fork()
    if not process:
        os.chdir(folder)
        os.execvpe(argv[0], list(argv), dict(environment))  # noqa: S606 - its own terminal
    shown, answered = "", 0
    while chunk := _read(screen):
        shown += chunk
        for question, answer in ANSWERS:
            if asked := question.search(shown, answered):
                answered = len(shown)
                os.write(screen, f"{asked.expand(answer)}\n".encode())
                break
    os.close(screen)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), shown


def _read(screen: int) -> str:
    try:
        return os.read(screen, 4096).decode("utf-8", "replace")
    except OSError:
        # The end of a terminal that nobody writes to any more.
        return ""
