"""Which files of the project a glob names, found by a walk that cannot be led astray.

`*`, `?` and `[...]` stand for signs of one name, `**` for any number of folders; a name that begins
with a dot is found only by a part that begins with one; case matters. A link to a folder is
followed only where the glob spells its name out, and only inside the project. Each folder is read
once, however many ways of the glob lead there. What cannot be looked through is refused, since
files that are passed over would make a gate judge the rest.
"""

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mcp_server.gates.observation import LookFailedError

MAX_FILES = 1_000
MAX_COMPARED = 400_000
"""How often one walk compares a name with a part of a glob."""
MAX_GLOB = 1_000
ANY_FOLDERS = "**"

_SIGNS = frozenset("*?[")
_AS_IT_IS = re.compile(r"\[([*?[])\]")
_SHOWN = 80


def shown(path: str) -> str:
    """Return how a message repeats a path: short, printable, and never absolute."""
    if path.startswith("/") or Path(path).is_absolute():
        return "a path"
    path = "/".join(part for part in path.split("/") if part not in {"", "."}) or "."
    path = "".join(sign if sign.isprintable() else "?" for sign in path[: _SHOWN + 1])
    return path if len(path) <= _SHOWN else f"{path[: _SHOWN - 3]}..."


def reason_of(error: OSError) -> str:
    """Return why something cannot be read, without where it is."""
    return error.strerror or type(error).__name__


def literal(pattern: str) -> str | None:
    """Return the path that `pattern` spells out, None if it is a glob."""
    return None if _SIGNS & set(_AS_IT_IS.sub("", pattern)) else _AS_IT_IS.sub(r"\1", pattern)


def find_files(root: Path, pattern: str) -> list[str]:
    """Return the files below `root` that a glob names, in order; raises LookFailedError.

    Links to files are among them, wherever they lead.
    """
    if len(pattern) > MAX_GLOB:
        raise LookFailedError(f"a glob of {len(pattern)} characters is over {MAX_GLOB}")
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise LookFailedError(f"{shown(pattern)} leads out of the project")
    found: list[str] = []
    # A slash at the end asks for folders.
    for path in _Walk(root, parts, pattern).files() if not pattern.endswith("/") else ():
        found.append(path)
        if len(found) > MAX_FILES:
            raise LookFailedError(
                f"over {MAX_FILES} files match {shown(pattern)}; name a folder with fewer"
            )
    return sorted(found)


class _Walk:
    def __init__(self, root: Path, parts: Sequence[str], pattern: str) -> None:
        self._root = root
        self._parts = parts
        self._pattern = pattern
        self._left = MAX_COMPARED

    def files(self) -> Iterator[str]:
        """Yield the paths of the files; each folder comes with the parts that are reached in it."""
        folders = [("", self._reached({0}))]
        while folders:
            folder, reached = folders.pop()
            for entry in self._entries(folder, len(reached)):
                path = f"{folder}{entry.name}"
                if any(self._ends(entry.name, at) for at in reached) and _is_file(entry):
                    yield path
                inner = {at for each in reached for at in self._after(entry, path, each)}
                if inner:
                    folders.append((f"{path}/", self._reached(inner)))

    def _entries(self, folder: str, times: int) -> list[os.DirEntry[str]]:
        entries = []
        try:
            with os.scandir(self._root / folder) as scanned:
                for entry in scanned:
                    self._left -= times
                    if self._left < 0:
                        raise LookFailedError(
                            f"too many files and folders are to be looked through for"
                            f" {shown(self._pattern)}; name a folder with fewer"
                        )
                    entries.append(entry)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LookFailedError(f"{shown(folder)} cannot be read: {reason_of(error)}") from error
        return entries

    def _reached(self, places: set[int]) -> frozenset[int]:
        reached = set(places)
        for at in places:
            end = at
            while end < len(self._parts) and self._parts[end] == ANY_FOLDERS:
                end += 1
                reached.add(end)
        return frozenset(reached)

    def _ends(self, name: str, at: int) -> bool:
        return at == len(self._parts) - 1 and _fits(name, self._parts[at])

    def _after(self, entry: os.DirEntry[str], path: str, at: int) -> set[int]:
        """Return which part comes next in a folder, none if the folder is not to be entered."""
        last = len(self._parts) - 1
        if at > last or not _fits(entry.name, self._parts[at]):
            return set()
        part = self._parts[at]
        enters = part == ANY_FOLDERS or at < last
        if not enters or not self._is_folder(entry, path, by_link=literal(part) is not None):
            return set()
        return {at if part == ANY_FOLDERS else at + 1}

    def _is_folder(self, entry: os.DirEntry[str], path: str, *, by_link: bool) -> bool:
        try:
            if not entry.is_symlink() or not by_link:
                return entry.is_dir(follow_symlinks=False)
            if not entry.is_dir():
                return False
            inside = Path(entry.path).resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):
            return False
        if not inside:
            raise LookFailedError(f"{shown(path)} leads out of the project")
        return True


def _fits(name: str, part: str) -> bool:
    if name.startswith(".") and not part.startswith("."):
        return False
    return part == ANY_FOLDERS or fnmatchcase(name, part)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
