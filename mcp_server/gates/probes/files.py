"""Reading files of the project, and nothing else: confined, capped, with what was read on record.

A path is followed through symbolic links first and opened component by component from the root
afterwards, so that a link that is swapped in between leads nowhere. Only regular files are read:
neither a pipe nor a device can hold the server up. Where a file must be fresh, its time must not
lie ahead either: a time set once would outlast every later attempt.
"""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from mcp_server.gates.observation import LookFailedError, Source
from mcp_server.gates.probes.globs import find_files, literal, reason_of, shown

MAX_FILE = 16 * 1024 * 1024
MAX_TOTAL = 64 * 1024 * 1024

AHEAD = timedelta(seconds=5)
"""How far a file's time may lie ahead: the file system may go by another machine's clock."""

_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
"""From the year 1 to the year 9999, in seconds; file systems have times beyond."""
_TIME = "%Y-%m-%d %H:%M:%S"
_COARSE_CLOCK = getattr(time, "CLOCK_REALTIME_COARSE", -1)


@dataclass(frozen=True, slots=True)
class TargetFile:
    """A file that was read."""

    source: Source
    content: bytes

    @property
    def path(self) -> str:
        """Its path in the project."""
        return self.source.path

    def text(self) -> str:
        """Return the content as text; raises LookFailedError."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise LookFailedError(f"{self.path} is not UTF-8 text", self.source) from error


def clock_grain() -> timedelta:
    """Return how far a file's time may lie behind the clock when it is written right now."""
    try:
        return timedelta(seconds=time.clock_getres(_COARSE_CLOCK))
    except (AttributeError, OSError):
        return timedelta(milliseconds=16)


def _now() -> datetime:
    return datetime.now(UTC)


class ProjectFiles:
    """The files below a project's root."""

    def __init__(self, root: Path, now: Callable[[], datetime] = _now) -> None:
        """Read below `root` only; `now` is what files must not be younger than."""
        self.root = root.resolve()
        self._now = now

    def read_all(self, pattern: str, *, since: datetime | None = None) -> list[TargetFile]:
        """Return the files that a path or a glob names, at least one; raises LookFailedError.

        With `since`, a file that was last written before, and a link in place of a file, is refused
        as stale.
        """
        path = literal(pattern)
        if path is not None:
            return [self.read(path, since=since)]
        _require_inside(pattern)
        found = find_files(self.root, pattern)
        if not found:
            raise LookFailedError(f"no file matches {shown(pattern)}")
        files: list[TargetFile] = []
        total = 0
        for path in found:
            files.append(self.read(path, since=since))
            total += files[-1].source.size
            if total > MAX_TOTAL:
                raise LookFailedError(
                    f"the files that match {shown(pattern)} are over {MAX_TOTAL} bytes"
                )
        return files

    def read(self, path: str, *, since: datetime | None = None) -> TargetFile:
        """Return one file; raises LookFailedError."""
        resolved = self._confined(path)
        if since is not None and (self.root / path).is_symlink():
            raise LookFailedError(f"{shown(path)} is a link; put the report itself there")
        try:
            content, written = self._content(resolved, shown(path))
        except FileNotFoundError as error:
            raise LookFailedError(f"{shown(path)} is not there") from error
        except OSError as error:
            raise LookFailedError(f"{shown(path)} cannot be read: {reason_of(error)}") from error
        modified = datetime.fromtimestamp(min(max(written, _EARLIEST), _LATEST), UTC)
        digest = hashlib.sha256(content).hexdigest()
        source = Source(PurePosixPath(path).as_posix(), len(content), digest, modified)
        if since is not None:
            _require_fresh(source, since, self._now())
        return TargetFile(source, content)

    def _content(self, resolved: Path, name: str) -> tuple[bytes, float]:
        """Return what a file holds, and when it was written."""
        descriptor = self._open(resolved)
        try:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(status.st_mode):
                raise LookFailedError(f"{name} is not a file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(MAX_FILE + 1)
        finally:
            os.close(descriptor)
        if len(content) > MAX_FILE:
            raise LookFailedError(f"{name} is over {MAX_FILE} bytes")
        return content, status.st_mtime

    def _confined(self, path: str) -> Path:
        _require_inside(path)
        outside = LookFailedError(f"{shown(path)} leads out of the project")
        try:
            resolved = (self.root / path).resolve()
        except (OSError, RuntimeError) as error:
            raise outside from error
        if not resolved.is_relative_to(self.root):
            raise outside
        return resolved

    def _open(self, resolved: Path) -> int:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_CLOEXEC", 0)
        if os.open not in os.supports_dir_fd:
            return os.open(resolved, flags)
        parts = resolved.relative_to(self.root).parts
        if not parts:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                inner = os.open(
                    part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder
                )
                os.close(folder)
                folder = inner
            return os.open(parts[-1], flags | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)


def _require_inside(path: str) -> None:
    if PurePosixPath(path).is_absolute() or Path(path).is_absolute():
        raise LookFailedError("a path leads out of the project; write it relative to its root")
    # A name that is no text could neither be shown nor kept on record.
    if "\0" in path or not _is_text(path):
        raise LookFailedError(f"{shown(path)} has a sign in it that no path has")


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require_fresh(source: Source, since: datetime, now: datetime) -> None:
    name = shown(source.path)
    if source.modified < since - clock_grain():
        raise LookFailedError(
            f"{name} is stale: it was written at {source.modified:{_TIME}} UTC, before"
            f" {since:{_TIME}} UTC; produce it again",
            source,
        )
    if source.modified > now + AHEAD:
        raise LookFailedError(
            f"{name} is from the future: it was written at {source.modified:{_TIME}} UTC, and now"
            f" it is {now:{_TIME}} UTC; produce it again",
            source,
        )
