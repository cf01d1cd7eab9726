"""The commands as they are defined, by their full names."""

import shlex
from typing import Any

import typer

from mcp_server.cli import app

PROGRAM = "aos-workflow"


def commands() -> dict[str, Any]:
    """Every command that does something, by what is typed for it."""
    return dict(_flat(typer.main.get_command(app), ""))


def examples(command: Any) -> list[list[str]]:
    """The words of each example in the help of a command, without the program's name."""
    told = (command.epilog or "").split("\n\n")
    return [shlex.split(line)[2:] for line in told if line.startswith(f"$ {PROGRAM} ")]


def _flat(group, prefix):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _flat(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command
