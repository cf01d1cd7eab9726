"""Which file of the project a report means: reports name files in the ways of their writers.

A name may be relative to the project, to some folder that the report was written in, or absolute,
on this machine or on another. What a report says of another file must not count for the file that
is judged: names that agree in part are taken only where nothing speaks against it.
"""

import os.path
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_server.gates.probes.files import TargetFile

SHOWN_NAMES = 5
_SHOWN = 80
_KEPT_PARTS = 2

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


def project_path(name: str, root: Path, folder: str = "") -> str:
    """Return the path that a report means by `name`, from `folder` on if that is given.

    A path in the project comes relative to its root; any other comes absolute.
    """
    path = name.strip().replace("\\", "/")
    if folder and not _ABSOLUTE.match(path):
        path = f"{folder.strip().replace(chr(92), '/')}/{path}"
    if path.startswith("//"):
        path = "/" + path.lstrip("/")
    path = posixpath.normpath(path)
    base = root.as_posix().rstrip("/") + "/"
    if path.startswith(base):
        return path[len(base) :]
    if path.startswith("../"):
        # Relative to a folder that nobody knows: only its end can tell.
        return "/" + re.sub(r"^(\.\./)+", "", path)
    return path


@dataclass(frozen=True, slots=True)
class Meant:
    """What a name in a report may mean."""

    whole: tuple[str, ...]
    """Paths that a file of the project must equal."""
    ends: tuple[str, ...]
    """Paths that a file may agree with in part, where it equals none."""

    @property
    def is_doubtful(self) -> bool:
        """Whether it may mean several files of the project."""
        return len([path for path in self.whole if not _ABSOLUTE.match(path)]) > 1


def meant_by(name: str, folders: Sequence[str], root: Path) -> Meant:
    """Return what `name` may mean in a report whose names begin from one of `folders`."""
    direct = project_path(name, root)
    if not folders or _ABSOLUTE.match(direct):
        return Meant((direct,), (direct,))
    joined = tuple(dict.fromkeys(project_path(name, root, folder) for folder in folders))
    if there := tuple(path for path in joined if is_file(path, root)):
        return Meant(there, there)
    if inside := tuple(path for path in joined if not _ABSOLUTE.match(path)):
        return Meant((direct,) if is_file(direct, root) else inside, inside)
    # The folders are of another machine; what is left of the name may be right all the same.
    return Meant((direct,), joined)


def agrees_in_part(path: str, target: str, root: Path) -> bool:
    """Tell whether `path`, not equal to `target`, may mean it: one of them ends with the other.

    It does not where there is a file in the project that `path` means itself.
    """
    if path == target:
        return False
    if _ABSOLUTE.match(path):
        return path.endswith(f"/{target}")
    agrees = path.endswith(f"/{target}") or target.endswith(f"/{path}")
    return agrees and not is_file(path, root)


def is_file(path: str, root: Path) -> bool:
    """Tell whether the project has a file at the relative `path`."""
    return _inside(path) and os.path.isfile(root / path)  # noqa: PTH113 - Path raises


def is_folder(path: str, root: Path) -> bool:
    """Tell whether the project has a folder at the relative `path`."""
    return _inside(path) and os.path.isdir(root / path)  # noqa: PTH112 - Path raises


def dotted(path: str) -> str:
    """Return the module's name for a file: `tests/test_x.py` is `tests.test_x`."""
    return posixpath.splitext(path)[0].replace("/", ".")


def shown(name: str, root: Path) -> str:
    """Return how a message repeats a report's name of a file or a class: never an absolute path."""
    path = project_path(name, root) if "/" in name or "\\" in name else name
    if _ABSOLUTE.match(path):
        path = ".../" + "/".join(path.split("/")[-_KEPT_PARTS:])
    return "".join(sign if sign.isprintable() else "?" for sign in path[:_SHOWN])


def listed(names: Iterable[str], root: Path) -> str:
    """Return the first names, each once, as a message lists them."""
    each = list(dict.fromkeys(shown(name, root) for name in names if name))
    more = len(each) - SHOWN_NAMES
    return ", ".join(each[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def distinct(files: Iterable[TargetFile]) -> list[TargetFile]:
    """Return the files, each content once: a copy of a report tells of no second run."""
    return list({file.source.sha256: file for file in files}.values())


def _inside(path: str) -> bool:
    return not _ABSOLUTE.match(path) and ".." not in path.split("/")
