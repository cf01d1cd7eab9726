"""The Python that a script of a checkout runs on: one that has what the script needs.

A script may be started with any Python at all, and one without our dependencies goes on with the
checkout's own. Nothing is imported here but the standard library, in a way that older Pythons can
read. A Python that was gone on with goes on with no other, so this ends.
"""

from __future__ import annotations

import importlib
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

OLDEST = (3, 11)
USAGE_ERROR = 2

_GONE_ON = "AOS_WORKFLOW_SCRIPT_GOES_ON"


def command_of(module: str, checkout: Path) -> Callable[[], int]:
    """Return the function `main` of a module of ours, in a Python that can import it.

    If this one cannot, the process becomes one of the checkout's own Python, or ends with one line.
    """
    # Never inherited by what the script starts.
    has_gone_on = os.environ.pop(_GONE_ON, None) is not None
    try:
        # An older Python stumbles over our syntax before it could say what it lacks.
        lacking = _told_version() if sys.version_info < OLDEST else ""
        if not lacking:
            return cast("Callable[[], int]", importlib.import_module(module).main)
    except ImportError as error:
        lacking = error.name or str(error)
        if lacking.partition(".")[0] == __name__.partition(".")[0]:
            raise
    own = own_python(checkout)
    if own.is_file() and not has_gone_on:
        _go_on(own)
    install = shlex.join([sys.executable, "-m", "pip", "install", str(checkout)])
    sys.stderr.write(
        f"{Path(sys.argv[0]).name}: {sys.executable} lacks {lacking}."
        f" Run `make dev` in {checkout}, or `{install}`.\n"
    )
    sys.exit(USAGE_ERROR)


def own_python(checkout: Path) -> Path:
    """Return where the Python of a checkout's environment stands, if it has one."""
    if sys.platform == "win32":
        return checkout / ".venv" / "Scripts" / "python.exe"
    return checkout / ".venv" / "bin" / "python"


def _told_version() -> str:
    return f"Python {'.'.join(map(str, OLDEST))} or newer (it is {sys.version.split()[0]})"


def _go_on(python: Path) -> None:
    """Become `python`, running the same script; come back only if that cannot be started."""
    os.environ[_GONE_ON] = "1"
    line = [str(python), *sys.argv]
    try:
        if sys.platform == "win32":
            # There, a process that becomes another is over for who waits for it.
            sys.exit(subprocess.call(line))  # noqa: S603 - the line that was typed
        os.execv(line[0], line)  # noqa: S606 - likewise
    except OSError:
        del os.environ[_GONE_ON]
