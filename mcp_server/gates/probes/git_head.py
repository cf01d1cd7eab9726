"""The commit that is checked out, read from a plain repository without asking git.

A session notes it at its start and at the start of each phase; asking git would be most of what
these calls cost. Whatever is not plain (a linked work tree, another owner, references kept in
another way, nothing committed yet) is left to git, which also judges what gates ask for. Reads
only.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

_MAX = 1024 * 1024
_READ_ONLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_OBJECT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_BRANCH = re.compile(rb"ref: (refs/heads/(?!\.)(?:(?!\.\.|/\.|//)[A-Za-z0-9._/+-]){1,200})\Z")


@dataclass(frozen=True, slots=True)
class Head:
    """What was read; no commit where there is no repository at all."""

    commit: str | None


def read_head(root: Path) -> Head | None:
    """Return the commit that is checked out at `root`, or None where git has to be asked."""
    try:
        folder = next((f for f in (root, *root.parents) if os.path.lexists(f / ".git")), None)
        if folder is None:
            return Head(None)
        git = folder / ".git"
        # git does not look for a repository beyond the file system that it began in.
        if folder.stat().st_dev != root.stat().st_dev or not _is_plain(folder, git):
            return None
        return _read(git)
    except OSError:
        return None


def _is_plain(folder: Path, git: Path) -> bool:
    """Tell whether git would read this repository, from its one usual place."""
    status = git.lstat()
    if not stat.S_ISDIR(status.st_mode) or os.name == "nt":
        return False
    if {status.st_uid, folder.stat().st_uid} != {os.geteuid()}:
        return False
    # Extensions keep references elsewhere; a common folder belongs to linked work trees.
    if b"extensions" in _content(git / "config").lower() or (git / "commondir").exists():
        return False
    return (git / "objects").is_dir() and (git / "refs").is_dir()


def _read(git: Path) -> Head | None:
    head = _content(git / "HEAD").removesuffix(b"\n")
    if _OBJECT.match(head):
        return Head(head.decode("ascii"))
    branch = _BRANCH.match(head)
    if branch is None:
        return None
    name = branch[1].decode("ascii")
    try:
        commit = _content(git / name).removesuffix(b"\n")
    except FileNotFoundError:
        commit = _packed(git, branch[1])
    return Head(commit.decode("ascii")) if _OBJECT.match(commit) else None


def _packed(git: Path, name: bytes) -> bytes:
    for line in _content(git / "packed-refs").splitlines():
        commit, _, named = line.partition(b" ")
        if named == name:
            return commit
    return b""


def _content(path: Path) -> bytes:
    descriptor = os.open(path, _READ_ONLY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError
        content = file.read(_MAX + 1)
    if len(content) > _MAX:
        raise OSError
    return content
