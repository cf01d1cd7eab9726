"""What a coverage report measured of each file, and adding up what several measured of one."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

MAX_POINTS = 400_000
"""Lines and branches that one look takes: each is remembered while files are added up."""
MAX_FILES = 100_000
MAX_LINE = 10**9


class UnreadableError(Exception):
    """A report says something that cannot be, or cannot be added up."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    covered: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be; raises UnreadableError."""
        if not 0 <= self.covered <= self.total <= MAX_LINE:
            raise UnreadableError(f"{self.covered} of {self.total} are said to be covered")

    def plus(self, other: "Share") -> "Share":
        """Return both together."""
        return Share(self.covered + other.covered, self.total + other.total)

    @property
    def whole(self) -> bool:
        """Whether all are covered."""
        return self.covered == self.total

    @property
    def percent(self) -> float:
        """Percent to two decimals; 100 only if all are covered."""
        percent = round(100 * self.covered / self.total, 2)
        return percent if self.whole else min(percent, 99.99)


@lru_cache(maxsize=1_024)
def share_of(covered: int, whole: int) -> Share:
    """Return the share, the same object for the same numbers; raises UnreadableError."""
    return Share(covered, whole)


@dataclass(slots=True)
class Measured:
    """What was measured of one file; sums stand for what a report does not tell one by one."""

    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[Hashable, Share] = field(default_factory=dict)
    sums: dict[str, Share] = field(default_factory=dict)

    def add_line(self, number: int, covered: bool) -> None:
        """Add a line; it is covered if it is so at any time."""
        self.lines[number] = covered or self.lines.get(number, False)

    def add_branch(self, key: Hashable, share: Share) -> None:
        """Add the branches at one place, or the better of two measurements of them."""
        known = self.branches.get(key)
        if known is not None:
            share = Share(max(known.covered, share.covered), max(known.total, share.total))
        self.branches[key] = share

    def add(self, other: "Measured") -> None:
        """Add another measurement of the same file; raises UnreadableError."""
        for what in ("lines", "branches"):
            summed = what in self.sums or what in other.sums
            if summed and self.tells(what) and other.tells(what):
                raise UnreadableError(
                    f"it is measured twice, and one time without the single {what}"
                )
        for number, covered in other.lines.items():
            self.add_line(number, covered)
        for key, share in other.branches.items():
            self.add_branch(key, share)
        for what, share in other.sums.items():
            self.sums[what] = self.sums.get(what, Share()).plus(share)

    def share(self, count: str) -> Share:
        """Return how many `lines` or `branches` are covered."""
        single = (
            Share(sum(self.lines.values()), len(self.lines))
            if count == "lines"
            else _together(self.branches.values())
        )
        return single.plus(self.sums.get(count, Share()))

    def tells(self, what: str) -> bool:
        """Tell whether any `lines` or `branches` were measured."""
        single = self.lines if what == "lines" else self.branches
        return bool(single) or self.sums.get(what, Share()).total > 0

    @property
    def points(self) -> int:
        """How many lines and branches are remembered."""
        return len(self.lines) + len(self.branches)


@dataclass(slots=True)
class CoverageReport:
    """What one report says: of each file, by the name it gives; where its names begin; when."""

    files: dict[str, Measured] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    stamp: str = ""
    points: int = 0
    """How many lines and branches it lists."""

    def file(self, name: str) -> Measured:
        """Return what is measured of a file, nothing yet if it is new; raises UnreadableError."""
        if name not in self.files:
            if len(self.files) == MAX_FILES:
                raise UnreadableError(f"it has over {MAX_FILES} files")
            self.files[name] = Measured()
        return self.files[name]

    def take(self, points: int = 1) -> None:
        """Make room for so many lines or branches; raises UnreadableError."""
        self.points += points
        if self.points > MAX_POINTS:
            raise UnreadableError(f"it has over {MAX_POINTS} lines and branches")


def total(measured: Iterable[Measured], count: str) -> Share:
    """Return how many `lines` or `branches` of all files are covered."""
    return _together(one.share(count) for one in measured)


def added_up(measurements: Iterable[tuple[Hashable, Measured]]) -> list[Measured]:
    """Return what is measured of each file, told apart by a key; raises UnreadableError."""
    files: dict[Hashable, Measured] = {}
    several: set[Hashable] = set()
    points = 0
    for key, measured in measurements:
        points += measured.points
        if points > MAX_POINTS:
            raise UnreadableError(f"there are over {MAX_POINTS} lines and branches")
        if key not in files:
            files[key] = measured
            continue
        if key not in several:
            # A report is read once for several fields: what it measured stays as it is.
            several.add(key)
            single, files[key] = files[key], Measured()
            files[key].add(single)
        files[key].add(measured)
    return list(files.values())


def _together(shares: Iterable[Share]) -> Share:
    covered = whole = 0
    for share in shares:
        covered += share.covered
        whole += share.total
    return Share(covered, whole)
