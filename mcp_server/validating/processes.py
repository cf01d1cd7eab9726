"""Which processes run, whose children they are, and how much memory they hold.

Read from /proc where there is one, else told by `ps`, or by PowerShell on Windows.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LIMIT_SECONDS = 20
_KIBIBYTE = 1024

_PS = ("ps", "-A", "-o", "pid=,ppid=,rss=")
_POWERSHELL = (
    "powershell", "-NoProfile", "-NonInteractive", "-Command",
    ("Get-CimInstance Win32_Process | ForEach-Object"
     " { '{0} {1} {2}' -f $_.ProcessId, $_.ParentProcessId, $_.WorkingSetSize }"),
)  # fmt: skip


class NotMeasuredError(Exception):
    """This system does not tell."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `resident` is in bytes."""

    pid: int
    parent: int
    resident: int


def running() -> list[Process]:
    """Return all processes that this one may see; raises NotMeasuredError."""
    if (_PROC / "self" / "statm").is_file():
        return list(_of_proc(_PROC))
    if sys.platform == "win32":
        return _told_by(_POWERSHELL, unit=1)
    return _told_by(_PS, unit=_KIBIBYTE)


def children(processes: Iterable[Process], parent: int) -> set[int]:
    """Return the direct children of a process."""
    return {process.pid for process in processes if process.parent == parent}


def resident(processes: Iterable[Process], roots: Iterable[int]) -> int:
    """Return the bytes of `roots` and everything that they started.

    A launcher, as Windows puts one before the python of a virtual environment, is not what serves.
    """
    everything = list(processes)
    found = set(roots)
    grown = -1
    while grown != len(found):
        grown = len(found)
        found |= {process.pid for process in everything if process.parent in found}
    return sum(process.resident for process in everything if process.pid in found)


def _of_proc(proc: Path) -> Iterator[Process]:
    page = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4_096
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name of a program stands in parentheses, and may hold any of its own.
            status = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            pages = int((folder / "statm").read_text(encoding="utf-8").split()[1])
            parent = int(status.rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            # It has ended since it was listed.
            continue
        yield Process(int(folder.name), parent, pages * page)


def _told_by(command: tuple[str, ...], *, unit: int) -> list[Process]:
    try:
        with subprocess.Popen(  # noqa: S603 - fixed arguments
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as teller:
            try:
                told, _ = teller.communicate(timeout=_LIMIT_SECONDS)
            except subprocess.TimeoutExpired as error:
                teller.kill()
                raise NotMeasuredError(f"{command[0]} does not answer") from error
    except OSError as error:
        raise NotMeasuredError(f"{command[0]} is not there") from error
    found = parsed(told.decode("utf-8", "replace"), unit=unit)
    if not found:
        raise NotMeasuredError(f"{command[0]} tells of no process")
    # What tells is a child of ours as well, and none of the server's.
    return [process for process in found if process.pid != teller.pid]


def parsed(text: str, *, unit: int) -> list[Process]:
    """Return the processes of lines of pid, parent and memory; other lines are left out."""
    rows = (line.split() for line in text.splitlines())
    return [
        Process(int(row[0]), int(row[1]), int(row[2]) * unit)
        for row in rows
        if len(row) == 3 and all(word.isdigit() for word in row)  # noqa: PLR2004
    ]
