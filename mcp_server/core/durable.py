"""Bytes on disk that survive a crash: whole files, appended lines, synced folders.

Rules: a file is created with mode 0600 and never opened through a link; a whole file is written
aside, synced and renamed; a name becomes durable with its folder. What the bytes mean is the file
store's business, and so is locking: appending assumes that the caller holds the lock of the file.
"""

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType

from mcp_server.errors import DiskRefusedError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
ASIDE = ".new"
"""What the name of a file written aside ends with."""

_TAIL = 64 * 1024
_COMMON = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


def read_file(path: Path) -> bytes:
    """Return the content of a file that is not a link."""
    with os.fdopen(os.open(path, os.O_RDONLY | _COMMON), "rb") as file:
        return file.read()


def last_line(path: Path) -> bytes:
    """Return the last whole line without its newline; empty if there is none.

    Bytes after the last newline are a torn line and are ignored.
    """
    descriptor = os.open(path, os.O_RDONLY | _COMMON)
    try:
        return _tail(descriptor)[0]
    finally:
        os.close(descriptor)


def append_line(path: Path, line: bytes, check: Callable[[bytes], None]) -> None:
    """Append `line` to an existing file and sync it, after `check` has seen the last whole line.

    What `check` raises leaves the file alone. A torn line is cut off first; a write that fails is
    taken back.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | _COMMON)
    try:
        stored, end = _tail(descriptor)
        check(stored)
        if os.fstat(descriptor).st_size > end:
            os.ftruncate(descriptor, end)
        try:
            _write_all(descriptor, line)
            _sync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def append_note(path: Path, line: bytes) -> None:
    """Append `line` to a log, which is created when missing, and sync it.

    A torn line before it is ended first: a log keeps what it has.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _COMMON, PRIVATE_FILE)
    try:
        torn = _ends_torn(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    _write_synced(descriptor, b"\n" + line if torn else line)


def write_new(path: Path, content: bytes) -> None:
    """Create a file that must not exist yet."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _COMMON
    _write_synced(os.open(path, flags, PRIVATE_FILE), content)


def write_whole(path: Path, content: bytes) -> None:
    """Make `path` hold `content`, whole or not at all, durably."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}{ASIDE}")
    try:
        write_new(aside, content)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    # A folder cannot be opened on Windows, where a rename is durable by itself.
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tail(descriptor: int) -> tuple[bytes, int]:
    """Return the last whole line without its newline, and the offset where it ends."""
    size = os.fstat(descriptor).st_size
    window = _TAIL
    while True:
        start = max(0, size - window)
        os.lseek(descriptor, start, os.SEEK_SET)
        chunk = _read(descriptor, size - start)
        end = chunk.rfind(b"\n")
        begin = chunk.rfind(b"\n", 0, max(end, 0))
        if start == 0 or (end >= 0 and begin >= 0):
            return chunk[begin + 1 : max(end, 0)], start + end + 1
        window *= 8


def _read(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _ends_torn(descriptor: int) -> bool:
    """Tell whether a file ends in the middle of a line."""
    if os.fstat(descriptor).st_size == 0:
        return False
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) != b"\n"


def _write_synced(descriptor: int, content: bytes) -> None:
    try:
        _write_all(descriptor, content)
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


class _DiskErrors:
    """What is entered several times a change, and so is no generator."""

    def __enter__(self) -> None:
        """Watch what follows."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Turn what the disk refuses into our error."""
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            reason = "a link stands in its place" if error.errno == errno.ELOOP else error.strerror
            raise DiskRefusedError(
                f"the state folder refused: {reason}",
                remediation="Make .praxis-os/state writable, with free space, then send the same"
                " call again; nothing was changed.",
            ) from error


_DISK_ERRORS = _DiskErrors()


def disk_errors() -> AbstractContextManager[None]:
    """Turn what the disk refuses into our error; a missing file stays FileNotFoundError."""
    return _DISK_ERRORS
