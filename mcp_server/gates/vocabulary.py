"""What a gate expression has to work with: functions, types, methods, and the measure of values.

Each function here ends in time and memory in proportion to the weight of what it is given; the
interpreter in `expressions` charges that weight. Pure.
"""

from collections.abc import Callable, Mapping
from typing import Any

MAX_SIZE = 100_000
MAX_DIGITS = 100

_CHARACTERS_IN_A_PART = 16


class ExpressionError(Exception):
    """An expression is outside the subset, or its evaluation failed or passed a limit."""


def _bounded_range(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > MAX_SIZE:
        raise ExpressionError(f"range of {len(numbers)} numbers is over {MAX_SIZE}")
    return list(numbers)


def _bounded_round(number: float, ndigits: int | None = None) -> float:
    # round(1, -10**9) would compute ten to the power of a thousand million.
    if ndigits is not None and abs(ndigits) > MAX_DIGITS:
        raise ExpressionError(f"round to {ndigits} digits is over {MAX_DIGITS}")
    return round(number, ndigits)


def _sum_of_numbers(numbers: Any, start: Any = 0) -> Any:
    # Adding up lists copies all that came before, each time.
    numbers = list(numbers)
    if not all(isinstance(number, int | float) for number in (*numbers, start)):
        raise ExpressionError("sum adds numbers only")
    return sum(numbers, start)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "range": _bounded_range,
    "round": _bounded_round,
    "set": set,
    "sorted": sorted,
    "str": str,
    "sum": _sum_of_numbers,
}

FREE = frozenset({"abs", "bool", "len", "range", "round"})
"""Functions that take the same time whatever they are given."""

SHALLOW = frozenset({"all", "any", "list"})
"""Functions that do not look into the parts of their arguments."""

TYPES: Mapping[str, type] = {
    "bool": bool,
    "dict": dict,
    "float": float,
    "int": int,
    "list": list,
    "str": str,
}

METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset({
        "count", "endswith", "find", "isalnum", "isalpha", "isdigit", "islower", "isupper", "lower",
        "lstrip", "rstrip", "split", "splitlines", "startswith", "strip", "upper",
    }),
    list: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}  # fmt: skip


def weight(value: Any) -> int:
    """Count the parts of `value`, nested ones included; raises when they are too many."""
    parts, pending = 0, [value]
    while pending:
        item = pending.pop()
        parts += 1
        if isinstance(item, str):
            parts += len(item) // _CHARACTERS_IN_A_PART
        elif isinstance(item, list | tuple | set | dict):
            if parts + len(item) <= MAX_SIZE:
                pending.extend(item)
                pending.extend(item.values() if isinstance(item, dict) else ())
            else:
                parts += len(item)
        if parts > MAX_SIZE:
            raise ExpressionError(f"a value of {parts} parts or more is over {MAX_SIZE}")
    return parts


def refuse_large_repeat(left: Any, right: Any) -> None:
    """Raise when `left * right` would repeat a sequence to more than `MAX_SIZE` items."""
    for sequence, count in ((left, right), (right, left)):
        if (
            isinstance(sequence, str | list | tuple)
            and isinstance(count, int)
            and len(sequence) * count > MAX_SIZE
        ):
            raise ExpressionError(f"repetition to {len(sequence) * count} is over {MAX_SIZE}")
