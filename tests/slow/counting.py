"""What a call costs, counted: operations on files by name, and calls of functions in all."""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple


class Cost(NamedTuple):
    """The operations on files, by name, and the number of calls of anything."""

    files: Counter[str]
    calls: int


def cost_of(act: Callable[[], Any]) -> Cost:
    """Return what `act` costs in this thread.

    The interpreter tells of each call, so nothing that is bound early can slip through.
    """
    files: Counter[str] = Counter()
    calls = 0

    def note(frame: FrameType, event: str, called: Any) -> None:
        nonlocal calls
        if event == "call":
            calls += 1
        elif event == "c_call":
            calls += 1
            if _is_of_the_disk(called):
                files[called.__name__] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return Cost(files, calls)


class Crash(BaseException):
    """The process ends here."""


def crashed_at(operation: int, act: Callable[[], Any]) -> bool:
    """Run `act` up to its operation on files of that number; tell whether it got that far."""
    left = operation

    def note(frame: FrameType, event: str, called: Any) -> None:
        nonlocal left
        # A process that ends closes what it has open, which is how its locks are freed.
        if event == "c_call" and _is_of_the_disk(called) and called.__name__ != "close":
            left -= 1
            if left == 0:
                raise Crash

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    except Crash:
        return True
    finally:
        sys.setprofile(before)
    return False


def _is_of_the_disk(called: Any) -> bool:
    if type(getattr(called, "__self__", None)).__name__ == "DirEntry":
        return called.__name__ in {"stat", "is_dir", "is_file", "is_symlink"}
    module = getattr(called, "__module__", None)
    # Paths are turned into text in the module of the disk, without touching it.
    return module in {"posix", "nt", "_io", "fcntl"} and called.__name__ not in {"fspath", "getpid"}
