"""Regular expressions of authors, matched within limits of time and memory.

An author's pattern may take years on the right text (`(a+)+$`), so none is ever handed to a
matcher that cannot be stopped. What the clock does not stop (reading a pattern, preparing to look
for the literal text in it) and what takes memory (counted repetitions, what groups remember) is
bounded by sizes. Those are read off the pattern, so only what can be read with certainty is taken:
what `re` knows, Unicode properties as well, no verbose patterns. Looks at the clock for its limit
alone.
"""

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import regex

MAX_PATTERN = 500
"""Characters: preparing to look for literal text takes time that grows with the cube of these."""
LIMIT = 0.05
"""Seconds that all matching of one budget may take."""
MAX_EXPANDED = 10_000
"""Parts that a pattern may come to when its repetitions are written out."""
MAX_BRACKETS = 20
"""Groups of all kinds: what is remembered of a text can grow with the square of these."""
MAX_REMEMBERED = 1_000_000
"""Characters of a text, times one more than the brackets whose matches in it are remembered."""

_FLAGS = "(?:[aimsu]+|[aimsu]*-[ims]+)"
_TOKEN = re.compile(
    r"(?P<set>\[\^?\]?(?:\\.|\[:\^?[A-Za-z]+:\]|[^\]\\])*\])"
    r"|\\N\{[A-Za-z][A-Za-z0-9 -]*\}"
    r"|\\[pP]\{\^?[A-Za-z][A-Za-z0-9_ &./-]*(?:[:=][A-Za-z0-9_ &./-]*)?\}"
    r"|\\.|\(\?P=[^()]*\)"
    rf"|(?P<nothing>\(\?#(?:\\.|[^)\\])*\)|\(\?{_FLAGS}\))"
    rf"|(?P<open>\((?![?*])|\(\?(?:[:|>]|<?[=!]|P?<\w+>|\(\w+\)|{_FLAGS}:))"
    r"|(?P<unknown>\(.{,3}|\{\d*(?:<=?)?[deis])|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{(?P<least>\d*),(?P<most>\d*)\}|\{(?P<exact>\d+)\})|.",
    re.DOTALL,
)
_CLASS_LIKE = re.compile(r".\[:(?!\^?[A-Za-z]+:\])", re.DOTALL)


class PatternError(Exception):
    """A pattern is no regular expression, or matching it took too much."""


@lru_cache(maxsize=512)
def compiled(pattern: str, *, by_line: bool = False) -> Any:
    """Return the compiled pattern; raises PatternError.

    `by_line` lets ^ and $ match at the ends of lines too.
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"a pattern of {len(pattern)} characters is over {MAX_PATTERN}")
    measured = _measured(pattern)
    if measured.brackets > MAX_BRACKETS:
        raise PatternError(f"{pattern[:80]!r} has over {MAX_BRACKETS} groups")
    # The matcher writes out what is repeated at least once, and the rest once more: 30 times )+ and
    # (((a{999}){999}){999}) take hours and all the memory there is.
    if measured.parts > MAX_EXPANDED:
        raise PatternError(f"the repetitions in {pattern[:80]!r} come to over {MAX_EXPANDED} parts")
    try:
        return regex.compile(pattern, regex.VERSION0 | (regex.MULTILINE if by_line else 0))
    except (regex.error, RecursionError, OverflowError, MemoryError, ValueError) as error:
        raise PatternError(f"{pattern[:80]!r} is not a regular expression: {error}") from error


class _Measured(NamedTuple):
    parts: int
    """Parts when repetitions are written out, at most."""
    brackets: int


@lru_cache(maxsize=512)
def _measured(pattern: str) -> _Measured:
    sums, last, brackets = [0], 0, 0
    for token in _TOKEN.finditer(pattern):
        _require_known(token, pattern)
        if token["nothing"]:
            continue
        if token["open"]:
            sums.append(0)
            last = 0
            brackets += 1
        elif token["close"] and len(sums) > 1:
            last = max(sums.pop(), 1)
            sums[-1] += last
        elif token["repeat"]:
            more = last * _times(token)
            sums[-1] += more
            last += more
        else:
            last = 1
            sums[-1] += 1
    return _Measured(sum(sums), brackets)


def _times(token: re.Match[str]) -> int:
    """Return how often what is repeated is written once more."""
    numbers = (token["least"], token["most"], token["exact"])
    return max(int(number[:9]) for number in numbers if number) if any(numbers) else token[0] == "+"


def _require_known(token: re.Match[str], pattern: str) -> None:
    # What is read here in another way than by the matcher would hide repetitions from the count.
    strange = token["unknown"] or (token["set"] and _CLASS_LIKE.search(token["set"]) and "[:")
    if strange:
        raise PatternError(
            f"{pattern[:80]!r} has {strange!r}, which is not taken here; put \\ before a sign that"
            " means itself"
        )


class PatternBudget:
    """Time that may be spent on matching, shared by several searches."""

    def __init__(self, seconds: float = LIMIT, each: float | None = None) -> None:
        """Allow `seconds` in all, and `each` for one search."""
        self._left = seconds
        self._each = seconds if each is None else each

    def search(self, pattern: Any, text: str) -> Any:
        """Return the first match or None; raises PatternError when it takes too much."""
        return next(self.finditer(pattern, text), None)

    def finditer(self, pattern: Any, text: str) -> Iterator[Any]:
        """Yield all matches; raises PatternError when they take too much."""
        shown = f"the pattern {pattern.pattern[:80]!r}"
        longest = MAX_REMEMBERED // (_measured(pattern.pattern).brackets + 1)
        if len(text) > longest:
            raise PatternError(
                f"{shown} is matched in at most {longest} characters, this text has {len(text)}"
            )
        if self._left <= 0:
            raise PatternError(f"{shown} takes too long on this text")
        began = time.perf_counter()
        try:
            yield from pattern.finditer(text, timeout=min(self._left, self._each), concurrent=True)
        except TimeoutError as error:
            raise PatternError(f"{shown} takes too long on this text") from error
        except MemoryError as error:
            raise PatternError(f"{shown} takes too much memory on this text") from error
        finally:
            self._left -= time.perf_counter() - began
