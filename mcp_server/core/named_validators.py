"""Validators that workflow definitions only name: what each name means, as an expression. Pure.

Names are case-sensitive. Numbers follow the last word; an underscore stands for the decimal point,
so that `less_than_or_equal_2_0` compares with 2.0 and `greater_than_or_equal_0_85` with 0.85.
"""

import re

_PLAIN = {
    "is_true": "lambda x: x is True",
    "is_false": "lambda x: x is False",
    "non_empty": "lambda x: len(x) > 0",
    "not_empty": "lambda x: len(x) > 0",
    "positive": "lambda x: x > 0",
    "equals_true": "lambda x: x is True",
    "equals_false": "lambda x: x is False",
}
_COMPARED = {
    "greater_than_or_equal": "x >= {}",
    "less_than_or_equal": "x <= {}",
    "greater_than": "x > {}",
    "less_than": "x < {}",
    "equals": "x == {}",
}
_COUNTED = {"min_length": "len(x) >= {}", "max_length": "len(x) <= {}"}

_NUMBER = re.compile(r"-?\d{1,15}(_\d{1,15})?\Z", re.ASCII)
_COUNT = re.compile(r"\d{1,9}\Z", re.ASCII)
_TEXT = re.compile(r"[A-Za-z0-9_-]{1,60}\Z", re.ASCII)
_RANGE = re.compile(r"in_range_(-?\d{1,15}(?:_\d{1,15})?)_(-?\d{1,15}(?:_\d{1,15})?)\Z", re.ASCII)
_UNDERSCORES = (1, 3)
"""How many underscores two whole numbers have, and two decimal ones: two would be ambiguous."""

EXAMPLES = (
    *_PLAIN,
    *(f"{name}_N" for name in (*_COUNTED, *_COMPARED)),
    "in_range_A_B",
)
"""The names, with N for a number, as messages show them."""


def expression(name: str) -> str | None:
    """Return what a validator's name means, or None for a name that means nothing."""
    if name in _PLAIN:
        return _PLAIN[name]
    for prefix, body in _COUNTED.items():
        count = name.removeprefix(f"{prefix}_")
        if count != name and _COUNT.match(count):
            return f"lambda x: {body.format(int(count))}"
    for prefix, body in _COMPARED.items():
        operand = name.removeprefix(f"{prefix}_")
        if operand != name and (value := _operand(operand, is_text=prefix == "equals")):
            return f"lambda x: {body.format(value)}"
    return _in_range(name)


def _operand(text: str, *, is_text: bool) -> str | None:
    if _NUMBER.match(text):
        return _number(text)
    return repr(text) if is_text and _TEXT.match(text) else None


def _number(text: str) -> str:
    value = float(text.replace("_", ".")) if "_" in text else int(text)
    return repr(value)


def _in_range(name: str) -> str | None:
    found = _RANGE.match(name)
    if not found or name.removeprefix("in_range_").count("_") not in _UNDERSCORES:
        return None
    low, high = _number(found[1]), _number(found[2])
    return f"lambda x: {low} <= x <= {high}" if float(low) <= float(high) else None
