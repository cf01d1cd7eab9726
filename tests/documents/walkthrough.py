"""Reads a document as what a reader does with it, top to bottom, and does it.

A fence after a line that is only a path in backticks is a file to write. A `console` fence is
commands, each after `$ `, with the output that it shows, if it shows any. A `python` fence is calls
of the tool, and a `text` fence after it the lines that the answers hold, in this order. A line of
three dots stands for any lines; the ids of sessions in a document stand for the real ones.
"""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from mcp_server.config import PROJECT_VARIABLE
from mcp_server.core.rendering import render
from mcp_server.server.tools.workflow_tools import aos_workflow

SESSION = re.compile(r"[a-z0-9_]+_\d{8}_\d{6}_[0-9a-f]{6}")
DOTS = "..."


@dataclass(frozen=True)
class Fence:
    """One fenced block, and the path that the line before it names."""

    language: str
    text: str
    path: str = ""


def fences(document: str) -> list[Fence]:
    """Return the fenced blocks of a document in order."""
    found: list[Fence] = []
    path = ""
    for token in MarkdownIt("commonmark").parse(document):
        if token.type == "inline":
            named = re.fullmatch(r"`([^`]+)`", token.content)
            path = named[1] if named else ""
        elif token.type == "fence":
            found.append(Fence(token.info, token.content, path))
            path = ""
    return found


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console fence with the lines of output that are shown."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert parts[0] == "", "a console block starts with a command"
    for part in parts[1:]:
        command, *output = part.rstrip("\n").split("\n")
        yield command.partition("  #")[0].rstrip(), output


def calls(text: str) -> list[dict[str, Any]]:
    """Return the arguments of each call of the tool in a python fence."""
    found = []
    for statement in ast.parse(text).body:
        assert isinstance(statement, ast.Expr)
        call = statement.value
        assert isinstance(call, ast.Call)
        assert ast.unparse(call.func) == "aos_workflow"
        found.append({word.arg: ast.literal_eval(word.value) for word in call.keywords})
    return found


def assert_shows(shown: list[str], printed: str) -> None:
    """Check that the lines of a document are what was printed, but for what dots stand for."""
    lines = iter([line.strip() for line in printed.splitlines()])
    wild = False
    for wanted in map(str.strip, shown):
        if wanted == DOTS:
            wild = True
            continue
        line = next(lines, None)
        while wild and line is not None and line != wanted:
            line = next(lines, None)
        assert line == wanted, f"the document shows {wanted!r}; printed was:\n{printed}"
        wild = False


@dataclass
class Reader:
    """Somebody who does what a document says, in a folder of their own."""

    folder: Path
    home: Path
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    """Programs that are not at hand, with what they print instead."""
    ids: dict[str, str] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)

    async def follow(self, document: str) -> None:
        """Do everything that a document says."""
        answered = False
        for fence in fences(document):
            if fence.path:
                self.write(fence.path, fence.text)
            elif fence.language == "console":
                for command, output in commands(fence.text):
                    self.run(command, output)
            elif fence.language == "python":
                for arguments in calls(fence.text):
                    await self.call(arguments)
            elif fence.language == "text" and answered:
                self.learn_ids(fence.text)
                assert_shows(self.real(fence.text).splitlines(), render(self.last))
            answered = fence.language == "python" and not fence.path

    def write(self, path: str, text: str) -> None:
        """Write a file as the document shows it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(self, command: str, shown: list[str]) -> None:
        """Run a command; it must succeed, and print what is shown."""
        words = shlex.split(command, comments=True)
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            return
        if words[0] in self.stand_ins:
            assert_shows(shown, self.stand_ins[words[0]])
            return
        done = subprocess.run(
            ["/bin/sh", "-c", self.real(command)], cwd=self.folder, env=self.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}"
        if shown:
            assert_shows([self.real(line) for line in shown], done.stdout)

    async def call(self, arguments: dict[str, Any]) -> None:
        """Call the tool with arguments whose session ids are those of the document."""
        given = {
            name: self.real(value) if isinstance(value, str) else value
            for name, value in arguments.items()
        }
        before = os.environ.get(PROJECT_VARIABLE)
        os.environ[PROJECT_VARIABLE] = str(self.folder)
        try:
            self.last = await aos_workflow(**given)
        finally:
            os.environ.pop(PROJECT_VARIABLE)
            if before is not None:
                os.environ[PROJECT_VARIABLE] = before

    def learn_ids(self, text: str) -> None:
        """Take the id that an answer is shown with for the one that it has."""
        real = self.last.get("session_id")
        for shown in SESSION.findall(text):
            if real and shown not in self.ids:
                self.ids[shown] = real

    def real(self, text: str) -> str:
        """Return a text with the ids of the document replaced by the real ones."""
        return SESSION.sub(lambda found: self.ids.get(found[0], found[0]), text)

    def environment(self) -> dict[str, str]:
        """Return the environment of a reader who has installed the command, and nothing else."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        # Nor does git guess who they are, as it may where the machine has a full name.
        nobody = {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "user.useConfigOnly",
            "GIT_CONFIG_VALUE_0": "true",
        }
        return {"PATH": path, "HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "200", **nobody}
