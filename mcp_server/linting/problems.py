"""What the linter finds, and the words that several checks share. Pure."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_CLOSE = 0.8


class Severity(StrEnum):
    """Whether a definition works in spite of a problem."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `file` is how people name it, `line` counts from 1."""

    severity: Severity
    file: str
    line: int | None
    code: str
    message: str
    remedy: str

    @property
    def is_error(self) -> bool:
        """Whether the definition does not work, or not as it was written."""
        return self.severity is Severity.ERROR


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is most likely a slip of, whatever its case."""
    plain = {_squeezed(candidate): candidate for candidate in known}
    found = difflib.get_close_matches(_squeezed(name), plain, n=1, cutoff=_CLOSE)
    return plain[found[0]] if found else None


def listed(names: Iterable[object], at_most: int = 8) -> str:
    """Return names as one phrase, the first few of many."""
    shown = [str(name) for name in names]
    more = len(shown) - at_most
    return ", ".join(shown[:at_most]) + (f" and {more} more" if more > 0 else "")


def plural(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _squeezed(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
