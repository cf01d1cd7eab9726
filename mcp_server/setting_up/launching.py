"""The command line by which a client starts this server, as it can be had on a machine.

The name alone where the PATH finds it, so that a file of a project fits every machine; a whole path
for clients that do not search the PATH of the shell. What lies in an activated virtual environment
is on the PATH of that shell only, and what `uvx` and `pipx run` make is thrown away: there the
runner is named that makes it again.
"""

import os
import re
import shutil
from pathlib import Path

from mcp_server.setting_up.clients import ConfigFile, Named
from mcp_server.setting_up.places import Machine

COMMAND = "aos-workflow"

_UVX = re.compile(r"(archive|environments|builds)-v\d+\Z")
"""The folders of uv's cache that hold environments which are made for one run."""

_PIPX_RUN = re.compile(r"/(\.cache|caches?)/pipx/|/pipx/(\.cache|cache)/", re.IGNORECASE)
"""The folders of pipx that hold those, in its older place and the newer ones of each system."""


def launch_line(config: ConfigFile, machine: Machine, root: Path | None) -> list[str]:
    """Return the command line for one configuration file; `root` is named where it has to be."""
    return with_project(server_line(machine, whole_path=config.needs_path), config, root)


def with_project(line: list[str], config: ConfigFile, root: Path | None) -> list[str]:
    """Return a command line that says which project is meant, where that has to be said."""
    if config.project is Named.BY_VARIABLE and root is None:
        return [*line, "--project", Named.BY_VARIABLE.value]
    return [*line, "--project", str(root)] if root else line


def server_line(machine: Machine, *, whole_path: bool) -> list[str]:
    """Return what starts the server on whatever project it is started in."""
    if any(_UVX.match(part) for part in machine.prefix.parts):
        return [_named("uvx", machine, whole_path=whole_path), COMMAND, "serve"]
    if _PIPX_RUN.search(machine.prefix.as_posix()):
        return [_named("pipx", machine, whole_path=whole_path), "run", COMMAND, "serve"]
    found = shutil.which(COMMAND, path=lasting_path(machine))
    if found:
        return [str(Path(found).absolute()) if whole_path else COMMAND, "serve"]
    own = shutil.which(COMMAND, path=str(machine.scripts))
    return [own, "serve"] if own else [str(machine.python), "-P", "-m", "mcp_server"]


def lasting_path(machine: Machine) -> str:
    """Return the PATH without a virtual environment that is activated or runs this."""
    passing: list[Path] = []
    if (machine.prefix / "pyvenv.cfg").is_file():
        passing.append(machine.scripts)
    activated = machine.environment.get("VIRTUAL_ENV")
    if activated:
        passing += [Path(activated, "bin"), Path(activated, "Scripts")]
    folders = machine.environment.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(f for f in folders if f and Path(f) not in passing)


def _named(program: str, machine: Machine, *, whole_path: bool) -> str:
    found = shutil.which(program, path=machine.environment.get("PATH", ""))
    return found if found and whole_path else program
