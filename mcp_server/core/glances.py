"""Whether files and folders that were looked through are still the same, at one `stat` each.

A folder's times tell of names that come and go, a file's of what is written into it. They are
believed only if they had been still for a while when the glance was taken, which must be before the
look that it stands for: a change within the step of the last one leaves no trace. Reads only; safe
to share between threads.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_MILLISECOND_NS = 1_000_000
_SETTLED_NS = 100 * _MILLISECOND_NS
_SETTLED_COARSE_NS = 3_000 * _MILLISECOND_NS
"""How long a file or folder must have been still before its time is believed. A step is some
milliseconds where times have finer digits than that, and up to two seconds where they have not."""

Times = tuple[int, int, int, int]

_GONE: Times = (0, 0, 0, 0)


def has_settled(changed_ns: int, now_ns: int) -> bool:
    """Tell whether a time of change is long enough ago for another change to show."""
    settled = _SETTLED_NS if changed_ns % _MILLISECOND_NS else _SETTLED_COARSE_NS
    return now_ns - changed_ns > settled


@dataclass(frozen=True, slots=True)
class Glance:
    """Some paths, and the times, size and inode of what each leads to."""

    paths: tuple[str, ...]
    seen: tuple[Times, ...]

    @classmethod
    def at(cls, paths: Iterable[str]) -> Self:
        """Glance at `paths`; what is not there is a sight, too."""
        paths = tuple(paths)
        return cls(paths, tuple(map(_times_of, paths)))

    @property
    def has_settled(self) -> bool:
        """Whether whatever changes from now on will show."""
        now = time.time_ns()
        # The second one is when a file was made on Windows, which changes nothing here.
        return all(has_settled(max(times[:2]), now) for times in self.seen)


def _times_of(path: str) -> Times:
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path costs more than the look
    except OSError:
        return _GONE
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
