"""A terminal with a person at it: the only place where the command line takes a person's word.

The terminal that the process belongs to is opened itself, for asking and for answering, so that a
pipe or a redirection can neither answer nor hide what was asked.
"""

import getpass
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from mcp_server.errors import ConfigurationError

TERMINAL = ("CONIN$", "CONOUT$") if sys.platform == "win32" else ("/dev/tty", "/dev/tty")
"""What a process reads and writes the terminal by that it belongs to."""


class Terminal:
    """A terminal with a person at it."""

    def __init__(self, reader: TextIO, writer: TextIO) -> None:
        """Ask on `writer`, and take answers from `reader`."""
        self._reader = reader
        self._writer = writer

    def say(self, text: str) -> None:
        """Write a line."""
        self._writer.write(f"{text}\n")
        self._writer.flush()

    def agrees(self, question: str) -> bool:
        """Ask, and tell whether the answer was a clear yes."""
        return self.answer(f"{question} [y/N] ").lower() in {"y", "yes"}

    def answer(self, question: str) -> str:
        """Ask, and return the line that was typed; empty at the end of input."""
        self._writer.write(question)
        self._writer.flush()
        return self._reader.readline().strip()


@contextmanager
def open_terminal() -> Iterator[Terminal]:
    """Open the terminal that this process belongs to; raises ConfigurationError without one."""
    reading, writing = TERMINAL
    with ExitStack() as opened:
        try:
            reader = opened.enter_context(Path(reading).open(encoding="utf-8", errors="replace"))
            writer = opened.enter_context(
                Path(writing).open("w", encoding="utf-8", errors="replace")
            )
        except OSError as error:
            raise _no_terminal() from error
        if not reader.isatty():
            raise _no_terminal()
        yield Terminal(reader, writer)


def person() -> str:
    """Return the name of the user who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "an unnamed user"


def _no_terminal() -> ConfigurationError:
    return ConfigurationError(
        "there is no terminal to ask on, and nothing else may answer",
        remediation="A person runs this command on a terminal.",
    )
