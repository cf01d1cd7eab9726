"""Whether the server's own Python can import our package, asked of that Python itself.

It can where the server runs on this SDK and its environment has `aos-workflow` in this version. It
cannot where its package is called `mcp_server` like ours, or its SDK is an older one; and where it
cannot be asked, nothing is known. Then the server gets the bridge instead.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from mcp_server import __version__
from mcp_server.cutover.servers import ServerCommand, environment_of

TIME_LIMIT = 30.0

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*w?(?:\.exe)?\Z", re.IGNORECASE)
_TAKES_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_SAID = "aos_workflow can be imported"
_QUESTION = """\
import sys
if sys.path[:1] == [""]:
    sys.path[0] = {first!r}
import mcp_server
from mcp_server.server import setup_server
from mcp_server.server.tools.workflow_tools import VALID_ACTIONS
if mcp_server.__version__ == {version!r} and len(VALID_ACTIONS) >= 14 and callable(setup_server):
    print({said!r})
"""


def can_import(root: Path, command: ServerCommand) -> bool:
    """Tell whether the server could import `setup_server` of this version from our package."""
    base = root / command.cwd
    asked = _interpreter(base, command)
    if asked is None:
        return False
    python, first = asked
    question = _QUESTION.format(first=first, version=__version__, said=_SAID)
    try:
        done = subprocess.run(  # noqa: S603 - what clients start anyway; there is no shell
            [*python, "-c", question],
            cwd=base,
            env=environment_of(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return _SAID.encode() in done.stdout


def _interpreter(base: Path, command: ServerCommand) -> tuple[list[str], str] | None:
    """Return how to start the server's Python, and what its first place to import from is."""
    for number, word in enumerate(command.argv):
        if _PYTHON.match(Path(word).name):
            return _with_options(base, list(command.argv), number)
    return _of_console_script(base, command)


def _with_options(base: Path, argv: list[str], number: int) -> tuple[list[str], str] | None:
    """Return the Python at `number` of `argv` with its options, up to what it runs."""
    at = number + 1
    while at < len(argv) and argv[at].startswith("-") and argv[at] not in {"-m", "-c", "-"}:
        at += 2 if argv[at] in _TAKES_VALUE else 1
    rest = argv[at:]
    if not rest or rest[0] in {"-c", "-"}:
        return argv[:at], ""
    if rest[0] == "-m":
        return argv[:at], str(base)
    return argv[:at], str((base / rest[0]).parent)


def _of_console_script(base: Path, command: ServerCommand) -> tuple[list[str], str] | None:
    """Return the Python that a console script names in its first line."""
    path = environment_of(command).get("PATH")
    found = shutil.which(str(base / command.argv[0])) or shutil.which(command.argv[0], path=path)
    if found is None:
        return None
    try:
        with Path(found).open("rb") as file:
            first = file.readline(4_096)
    except OSError:
        return None
    words = os.fsdecode(first[2:]).split() if first.startswith(b"#!") else []
    if words and Path(words[0]).name == "env":
        words = words[1:]
    is_python = words and _PYTHON.match(Path(words[0]).name)
    return (words, str(Path(found).parent)) if is_python else None
