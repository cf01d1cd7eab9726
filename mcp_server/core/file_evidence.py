"""Large evidence of the file store: one folder a session, one file a value, named by its digest.

A file is durable before the journal line that names it, so a crash in between leaves a file that no
line names; `sweep` removes those. The folder of a session may stand beside live or completed
sessions, and after an interrupted move in both places. The caller holds the session's lock.
"""

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from mcp_server.core import durable
from mcp_server.core.encoding import digest as digest_of
from mcp_server.core.waiting import wait_here


class EvidenceFiles:
    """The evidence of all sessions in some folders."""

    def __init__(self, *homes: Path) -> None:
        """Look for evidence in each of `homes`."""
        self._homes = homes

    def keep(self, home: Path, session_id: str, blobs: Mapping[str, bytes]) -> None:
        """Store `blobs` durably in `home`."""
        if not blobs:
            return
        folder = _folder(home, session_id)
        folder.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
        for digest, content in blobs.items():
            path = folder / digest
            if path.is_symlink() or not path.exists():
                durable.write_whole(path, content)
        durable.sync_folder(home)

    def read(self, session_id: str, digest: str) -> bytes | None:
        """Return what is stored under `digest`, None if that is nothing or something else."""
        # A folder that moves while it is looked for is found at the second look.
        for home in (*self._homes, self._homes[0]):
            with suppress(FileNotFoundError):
                content = durable.read_file(_folder(home, session_id) / digest)
                return content if digest_of(content) == digest else None
        return None

    def move(self, session_id: str, source: Path, target: Path) -> None:
        """Move the evidence of a session from one home to another."""
        here, there = _folder(source, session_id), _folder(target, session_id)
        if not here.exists():
            return
        if not there.exists():
            here.rename(there)
            return
        # An interrupted move left some there; names are digests: equal names, equal content.
        for path in here.iterdir():
            path.replace(there / path.name)
        durable.sync_folder(there)
        here.rmdir()

    def remove(self, session_id: str) -> None:
        """Remove all evidence of a session."""
        for home in self._homes:
            shutil.rmtree(home / f"{session_id}.evidence", ignore_errors=True)

    def sweep(self, session_id: str, named: Callable[[], set[str]]) -> None:
        """Remove what no line of the journal names; `named` gives the digests that lines name."""
        folders = [f for home in self._homes if (f := _folder(home, session_id)).is_dir()]
        if not folders:
            return
        wait_here()
        wanted = named()
        for folder in folders:
            for path in list(folder.iterdir()):
                if path.name not in wanted:
                    path.unlink(missing_ok=True)


def _folder(home: Path, session_id: str) -> Path:
    folder = home / f"{session_id}.evidence"
    if folder.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return folder
