"""JSON Schema for the values of evidence fields, with what authors and agents can do to it bounded.

The library does the work. Replaced are the keywords whose cost nobody bounds: patterns are matched
within a time limit shared by all patterns of a value, and unique items are compared by hash. A
$ref resolves nothing, so that it cannot reach the network. Pure, but for the clock of the limit.
"""

import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from mcp_server.gates.patterns import LIMIT, PatternBudget, PatternError, compiled

_INAPPLICABLE = (ArithmeticError, RecursionError, Unresolvable, re.error, TypeError, ValueError)
"""What applying a schema may raise."""

MATCHING_TIME = 1.0
"""Seconds that all patterns of one value may take; one match may take `patterns.LIMIT`."""

MAX_REFERENCES = 5_000
"""References that one value may lead through: they may lead through each other many times over."""

MAX_REFERENCE_DEPTH = 100
"""References within each other: at the end of the stack the resolver does not raise but panics."""

_NOWHERE: Registry[Any] = Registry()
"""Where references lead."""

_RESOLVE = Draft202012Validator.VALIDATORS["$ref"]


class _Allowance:
    """What judging one value may still cost."""

    def __init__(self) -> None:
        self.patterns = PatternBudget(MATCHING_TIME, LIMIT)
        self.references = MAX_REFERENCES
        self.depth = 0


_KEPT = 512
_made: dict[int, Any] = {}
"""Validators that were made last, by the identity of their schema: making one costs more than
applying it, and a field keeps its schema, which nobody writes into."""

_allowance: ContextVar[_Allowance] = ContextVar("allowance")

Errors = Iterator[ValidationError]


class SchemaInapplicableError(Exception):
    """The schema could not be applied to the value: no pass, and no answer either."""


def first_error(schema: Mapping[str, Any], value: Any) -> ValidationError | None:
    """Return the first thing that is wrong with `value`; raises SchemaInapplicableError."""
    token = _allowance.set(_Allowance())
    try:
        return next(_validator_of(schema).iter_errors(value), None)
    except PatternError as error:
        raise SchemaInapplicableError(str(error)) from error
    except _INAPPLICABLE as error:
        raise SchemaInapplicableError(
            f"its schema cannot be applied ({type(error).__name__})"
        ) from error
    finally:
        _allowance.reset(token)


def _validator_of(schema: Mapping[str, Any]) -> Any:
    """Return what applies a schema, made once for as long as the same object is asked for."""
    known = _made.get(id(schema))
    # While it is kept, so is its schema, and no other object has that identity.
    if known is not None and known.schema is schema:
        return known
    while len(_made) >= _KEPT:
        _made.pop(next(iter(_made)), None)
    made = _made[id(schema)] = _Validator(schema, registry=_NOWHERE)
    return made


def _matches(pattern: str, text: str) -> bool:
    return _allowance.get().patterns.search(compiled(pattern), text) is not None


def _ref(validator: Any, reference: str, instance: Any, schema: Any) -> Errors:
    allowance = _allowance.get()
    allowance.references -= 1
    if allowance.references < 0:
        raise SchemaInapplicableError(f"its schema leads through over {MAX_REFERENCES} references")
    if allowance.depth >= MAX_REFERENCE_DEPTH:
        raise SchemaInapplicableError(
            f"its schema leads through references {MAX_REFERENCE_DEPTH} deep"
        )
    allowance.depth += 1
    try:
        yield from _RESOLVE(validator, reference, instance, schema) or ()
    finally:
        allowance.depth -= 1


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError("does not match the pattern")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any
) -> Errors:
    if isinstance(instance, dict):
        for pattern, wanted in patterns.items():
            for name, value in instance.items():
                if _matches(pattern, name):
                    yield from validator.descend(value, wanted, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]
) -> Errors:
    if not isinstance(instance, dict):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in named or any(_matches(pattern, name) for pattern in patterns):
            continue
        if isinstance(wanted, dict):
            yield from validator.descend(value, wanted, path=name)
        elif not wanted:
            yield ValidationError(f"the key {name!r} is not allowed")


def _unique_items(_validator: Any, wanted: Any, instance: Any, _schema: Any) -> Errors:
    # The library compares every pair: with evidence of thousands of items that takes minutes.
    if wanted and isinstance(instance, list) and len({_key(i) for i in instance}) < len(instance):
        yield ValidationError("has non-unique elements")


def _key(value: Any) -> Any:
    """Return something hashable that is equal where JSON Schema says that values are."""
    if isinstance(value, dict):
        return frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return ("list", *map(_key, value))
    return (bool, value) if isinstance(value, bool) else value


_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "$ref": _ref,
        "additionalProperties": _additional_properties,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "uniqueItems": _unique_items,
    },
)
