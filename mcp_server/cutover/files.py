"""Writing files of somebody else's project: whole, with their mode, and never through a link."""

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

from mcp_server.core import durable
from mcp_server.errors import CutoverError


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def inside(root: Path, path: str) -> Path:
    """Return where `path` is under `root`; raises CutoverError where it leads out, or over a link.

    The last part may be a link: what writes and removes here acts on the link, not on its target.
    """
    parts = PurePosixPath(path)
    if parts.is_absolute() or not parts.parts or ".." in parts.parts or "\\" in path:
        raise CutoverError(
            f"{path!r} leads out of the project", remediation="Use a backup that the cutover made."
        )
    folder = root
    for part in parts.parts[:-1]:
        folder /= part
        if folder.is_symlink():
            raise CutoverError(
                f"{path} stands behind a link", remediation="Put the folder itself in its place."
            )
    return folder / parts.name


def read(path: Path) -> bytes | None:
    """Return the content of a file, None for no file; a link counts as its target's name."""
    if path.is_symlink():
        return os.fsencode(path.readlink())
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: Path, data: bytes, mode: int) -> None:
    """Make `path` a file with this content and mode, whole or not at all, durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.urandom(4).hex()}{durable.ASIDE}")
    try:
        durable.write_new(aside, data)
        aside.chmod(mode)
        _keep_owner(aside, path)
        if sys.platform == "win32" and path.exists():
            # Windows replaces no file that is read-only; the new one has the mode of the old.
            path.chmod(stat.S_IWRITE)
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    durable.sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if there is one."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        durable.sync_folder(path.parent)


def mode_of(path: Path) -> int | None:
    """Return the permissions of a file, None for no file."""
    try:
        return stat.S_IMODE(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _keep_owner(aside: Path, path: Path) -> None:
    """Let a file that is written in another's stead belong to whom it belonged."""
    if hasattr(os, "chown"):
        with suppress(OSError):
            owner = path.lstat()
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(aside, owner.st_uid, owner.st_gid)
