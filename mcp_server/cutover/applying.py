"""The transaction: back up, write, verify; whatever goes wrong, everything is as it was before.

Order: 1. the backup, durable; 2. its status `applying`; 3. each file, whole or not at all, unless
somebody changed it since it was read; 4. each changed module compiles; 5. the server is started and
its tools compared; 6. the status `done`. From 2 to 6 any failure, Ctrl-C and `kill` restore the
backup at once. A `kill -9` cannot be answered: it leaves the status, and the next run sees it.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.abc import InspectLoader
from pathlib import Path

from mcp_server.core import file_locks
from mcp_server.cutover import backup as backups
from mcp_server.cutover import files
from mcp_server.cutover.backup import Backup, Restored
from mcp_server.cutover.changes import Change
from mcp_server.cutover.interrupts import InterruptedCutover, Interrupts
from mcp_server.errors import CutoverError

LOCK = f"{backups.FOLDER}/cutover.lock"

Verify = Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a transaction came to: with `problems`, everything was restored."""

    problems: tuple[str, ...]
    restored: Restored | None = None


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Hold the project's lock; raises CutoverError while another cutover does."""
    (root / LOCK).parent.mkdir(parents=True, exist_ok=True)
    with file_locks.lease(root / LOCK) as held:
        if not held:
            raise busy()
        yield


def busy() -> CutoverError:
    """Return the refusal while another cutover of the project runs."""
    return CutoverError(
        "another cutover of this project is running",
        remediation="Wait until it has ended, then start this one again.",
    )


def apply(
    backup: Backup,
    changes: Sequence[Change],
    verify: Verify,
    interrupts: Interrupts,
    clock: Callable[[], datetime],
) -> Applied:
    """Write the changes and keep them only if `verify` has nothing to say against them."""
    problems: list[str] = ["it broke off"]
    written: list[str] = []
    try:
        backup.mark(backups.APPLYING)
        _write(backup.root, changes, written)
        problems = [*_uncompiled(changes), *verify()]
        if not problems:
            interrupts.disarm()
            backup.mark(backups.DONE)
    except CutoverError as error:
        problems = [error.message]
    except OSError as error:
        problems = [f"the disk refused: {error.strerror}"]
    except InterruptedCutover as error:
        problems = [f"{error} came"]
    finally:
        interrupts.disarm()
        restored = backup.restore(clock(), written) if problems else None
    return Applied(tuple(problems), restored)


def _write(root: Path, changes: Sequence[Change], written: list[str]) -> None:
    for change in changes:
        place = files.inside(root, change.path)
        if place.is_symlink() or files.read(place) != change.before:
            raise CutoverError(
                f"somebody changed {change.path} in the meantime",
                remediation="Start the cutover again.",
            )
        written.append(change.path)
        files.write(place, change.after, change.mode)


def _uncompiled(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        if change.path.endswith(".py"):
            try:
                with warnings.catch_warnings():
                    # What the source warns of, it warned of before.
                    warnings.simplefilter("ignore")
                    InspectLoader.source_to_code(change.after, change.path)
            except (SyntaxError, ValueError) as error:
                yield f"{change.path} would not compile: {error}"
