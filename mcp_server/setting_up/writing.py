"""A client's file, replaced whole: what was there is kept, and nobody sees half of either.

The previous file goes to the folder of backups first: beside it, it would end up in the commits of
a project, with whatever secrets other servers have in it. The new one is written aside with the
mode of the old, synced and renamed. A link is followed, so that it stays one. If the file is not
as it was read, nothing is written: clients write their files as well.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs

from mcp_server.errors import DiskRefusedError, UneditableError

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_PRIVATE = 0o600
_SHARED = 0o666


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read: where it really is, and its content, None if there is none."""

    path: Path
    content: bytes | None


def default_backup_folder() -> Path:
    """Return where previous files of this user's clients are kept."""
    return Path(platformdirs.user_state_dir("aos-workflow", appauthor=False)) / "backups"


def read_file(path: Path, within: Path | None = None) -> Read:
    """Read a file, which need not exist; `within` is the folder that no link may lead out of.

    Raises UneditableError, DiskRefusedError.
    """
    with _told(path):
        try:
            target = path.resolve()
        except RuntimeError as error:
            # What Python 3.11 and 3.12 say of links in a circle.
            raise _refused(path, "its links lead in a circle") from error
        if within is not None and not target.is_relative_to(within.resolve()):
            raise _refused(path, "a link leads out of the project")
        if path.is_symlink() and not target.exists():
            raise _refused(path, "a link that leads nowhere stands in its place")
        if target.exists() and not target.is_file():
            raise _refused(path, "it is no file")
        return Read(target, target.read_bytes() if target.exists() else None)


def replace_file(
    read: Read, content: bytes, *, backups: Path, now: datetime, private: bool
) -> Path | None:
    """Make a file hold `content` and return where the previous one is kept, None if there was none.

    `private` is whether a new file is for its owner alone. Raises UneditableError,
    DiskRefusedError.
    """
    with _told(read.path):
        backup = _keep(read, backups, now) if read.content is not None else None
        read.path.parent.mkdir(parents=True, exist_ok=True)
        aside = read.path.with_name(f".{read.path.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
        try:
            _write(aside, content, _PRIVATE if private or read.content is not None else _SHARED)
            if read.content is not None:
                _take_over(aside, read.path)
            if (read.path.read_bytes() if read.path.exists() else None) != read.content:
                raise _refused(read.path, "it changed meanwhile")
            aside.replace(read.path)
        finally:
            aside.unlink(missing_ok=True)
        _sync_folder(read.path.parent)
        return backup


def _keep(read: Read, backups: Path, now: datetime) -> Path:
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = f"{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"
    backup = backups / f"{read.path.name.lstrip('.')}.{stamp}"
    _write(backup, read.content or b"", _PRIVATE)
    return backup


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, _FLAGS, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _take_over(aside: Path, old: Path) -> None:
    """Give a new file the mode of the old, and its owner where that may be done."""
    status = old.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(aside, status.st_uid, status.st_gid)
    aside.chmod(stat.S_IMODE(status.st_mode))


def _sync_folder(folder: Path) -> None:
    # A folder cannot be opened on Windows, where a rename is durable by itself.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskRefusedError(
            f"{path.name} cannot be read or written: {error.strerror}",
            remediation=f"Make {path} and its folder readable and writable, then run it again.",
        ) from error


def _refused(path: Path, reason: str) -> UneditableError:
    return UneditableError(
        f"{path} was left as it is: {reason}",
        remediation="Look at it, then run the command again; --print shows what to put there.",
    )
