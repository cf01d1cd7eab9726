"""What a check finds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Whether something is as it should be; a note is worth knowing and does not count as wrong."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and what to do about it, if anything."""

    status: Status
    what: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What one check found."""

    check: str
    findings: tuple[Finding, ...]


def fine(what: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Status.OK, what)


def note(what: str, remedy: str | None = None) -> Finding:
    """Return something worth knowing."""
    return Finding(Status.NOTE, what, remedy)


def problem(what: str, remedy: str) -> Finding:
    """Return that something is wrong, and how to mend it."""
    return Finding(Status.PROBLEM, what, remedy)


def problems_of(examinations: Sequence[Examination]) -> int:
    """Return how many problems were found."""
    return sum(found.status is Status.PROBLEM for one in examinations for found in one.findings)
