"""How the command line tells of itself: boxes on a terminal, plain text in pipes and logs.

The words are the same. Plain help is as wide as the formatter makes it, and cuts nothing off.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from mcp_server.cli.streams import ending_quietly

_PREFIX = "Value error, "


class Commands(TyperGroup):
    """The commands, which end quietly when they are interrupted or nobody reads on."""

    def main(self, *given: Any, **more: Any) -> Any:
        """Run the command line; a refusal is told as help is."""
        if not all(Console(file=stream).is_terminal for stream in (sys.stdout, sys.stderr)):
            _be_plain(self)
        return super().main(*given, **more)

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Read the command line, or show the help."""
        with ending_quietly(), _in_own_words():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        with ending_quietly(), _in_own_words():
            return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under the headings that a terminal has boxes for."""
        panels: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            panels[command.rich_help_panel].append((name, command.help.partition("\n")[0]))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


def _be_plain(command: Any) -> None:
    command.rich_markup_mode = None
    if str(command.epilog or "").startswith("Examples:"):
        # The sign before it keeps the formatter from joining and folding its lines.
        command.epilog = "\b\n" + command.epilog.replace("\n\n", "\n")
    for one in getattr(command, "commands", {}).values():
        _be_plain(one)


@contextmanager
def _in_own_words() -> Iterator[None]:
    """Leave out of a refusal what only says which library makes it."""
    try:
        yield
    except typer.BadParameter as error:
        error.message = error.message.removeprefix(_PREFIX)
        raise
