"""Where the files of a session are in the file store, or would be.

Names of files come from validated ids only. Making a path takes longer than looking there, so those
of the sessions that were asked for last are kept. Reads only; safe to share between threads.
"""

import errno
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mcp_server.core.file_listing import JOURNAL
from mcp_server.core.identifiers import validate_session_id
from mcp_server.core.store import no_session

LOCK = ".lock"

_KEPT = 256


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one session: its journal in either home, its lock, its verification's lock."""

    live: Path
    finished: Path
    lock: Path
    lease: Path


class FilePlaces:
    """The places of all sessions in one state folder."""

    def __init__(self, folder: Path) -> None:
        """Have sessions in `folder`, and completed ones in `finished` below it."""
        self.folder = folder
        self.finished = folder / "finished"
        self.definitions = folder / "definitions"
        self.leases = folder / "verifying"
        self.of = lru_cache(maxsize=_KEPT)(self._of)

    def _of(self, session_id: str) -> Files:
        validate_session_id(session_id)
        return Files(
            live=self.folder / f"{session_id}{JOURNAL}",
            finished=self.finished / f"{session_id}{JOURNAL}",
            lock=self.folder / f"{session_id}{LOCK}",
            lease=self.leases / f"{session_id}{LOCK}",
        )

    def journal(self, session_id: str) -> Path:
        """Return where the journal of a session is; raises NotFoundError."""
        files = self.of(session_id)
        # A session may move either way meanwhile: who was gone from one was there in another.
        for path in (files.live, files.finished, files.live):
            if os.path.lexists(path):
                return path
        raise no_session(session_id)

    def is_taken(self, name: str) -> bool:
        """Tell whether there is a journal of that name, which need not be a session's id."""
        return any(os.path.lexists(home / f"{name}{JOURNAL}")
                   for home in (self.folder, self.finished))  # fmt: skip

    @property
    def are_made(self) -> bool:
        """Whether the folders are there; raises OSError for a link in the place of one."""
        # Both are looked at, whatever the first one is.
        finished, definitions = map(is_folder, (self.finished, self.definitions))
        return finished and definitions


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder; raises OSError for a link, whatever it leads to."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return stat.S_ISDIR(mode)
