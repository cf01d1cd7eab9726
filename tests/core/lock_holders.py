"""What other processes do with locks; started by tests."""

from pathlib import Path
from typing import Any

from mcp_server.core import file_locks
from mcp_server.core.file_store import FileStore


def holding(path: Path, held: Any) -> None:
    """In a process of its own: hold the lock until the other end of `held` says so."""
    with file_locks.hold(path, "the thing", 30):
        held.send("held")
        held.recv()
    held.send("released")
    held.recv()


def leasing(path: Path, held: Any) -> None:
    """In a process of its own: lease the lock until the other end of `held` says so."""
    with file_locks.lease(path) as mine:
        held.send(mine)
        held.recv()
    held.send("released")
    held.recv()


def competing(path: Path, together: Any, results: Any) -> None:
    """In a process of its own: try for the lease at the same moment as others."""
    together.wait()
    with file_locks.lease(path) as mine:
        results.put(mine)
        together.wait()


def counting(path: Path, number: Path, times: int, together: Any) -> None:
    """In a process of its own: raise the number in a file by one, often."""
    together.wait()
    for _ in range(times):
        with file_locks.hold(path, "the number", 60):
            number.write_text(str(int(number.read_text("utf-8")) + 1), encoding="utf-8")


def verifying(folder: Path, session_id: str, held: Any) -> None:
    """In a process of its own: verify a session until killed."""
    with FileStore(folder).verifying(session_id) as mine:
        held.send(mine)
        held.recv()
