"""The judgement: `evaluate(gate, evidence, observations) -> Verdict`, the only way past a gate.

Pure: no clock, no disk, no environment. Nothing at all never passes, whatever the gate. The
rules, in the order in which they are applied to a field:

1. A required field must be present; an explicit null is absent.
2. A required boolean without validator, const or enum must be true.
3. The value must have the type and satisfy the JSON Schema keywords (a boolean is no integer).
4. The validator must return something true.

Then, if every field has a value that can be compared, each cross-field rule must hold. In a
lenient gate (`strict: false`) failures of 2 to 4 and of rules are warnings; a missing required
field refuses all the same. Whatever goes wrong inside is a failure, never a pass. Fields that the
gate does not know are kept and reported.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError as JsonSchemaError
from pydantic_core import to_json
from referencing import Registry
from referencing.exceptions import Unresolvable

from mcp_server.gates.model import CrossFieldRule, EvidenceField, Gate
from mcp_server.gates.vocabulary import ExpressionError

SHORT = 80
EXPECTED = 240
"""How many characters of a value that came, and of one that was expected, a message repeats."""

_INAPPLICABLE = (ArithmeticError, RecursionError, Unresolvable, re.error, TypeError, ValueError)
"""What applying a schema may raise."""


def _unique_items(
    _validator: Any, wanted: Any, instance: Any, _schema: Any
) -> Iterator[JsonSchemaError]:
    # The library compares every pair: with evidence of thousands of items that takes minutes.
    if wanted and isinstance(instance, list) and len({_key(i) for i in instance}) < len(instance):
        yield JsonSchemaError("has non-unique elements")


def _key(value: Any) -> Any:
    """Return something hashable that is equal where JSON Schema says that values are."""
    if isinstance(value, dict):
        return frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return ("list", *map(_key, value))
    return (bool, value) if isinstance(value, bool) else value


_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"uniqueItems": _unique_items}
)


class Outcome(StrEnum):
    """What a gate or a field came to."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    COULD_NOT_VERIFY = "could_not_verify"


class Known(StrEnum):
    """How a piece of evidence is known, weakest first."""

    CLAIMED = "claimed"
    OBSERVED = "observed"
    EXECUTED = "executed"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Observation:
    """What the server found out for itself about one field."""

    known: Known
    value: Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says, with everything the agent needs to do better."""

    outcome: Outcome
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    known: Mapping[str, Known] | None = None


def shorten(value: Any, limit: int = SHORT) -> str:
    """Return `value` as compact JSON of at most `limit` characters."""
    try:
        text = to_json(value, fallback=str, inf_nan_mode="constants").decode("utf-8")
    except ValueError:
        # Nested too deep, or no UTF-8: the verdict must not fail over showing it.
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def evaluate(
    gate: Gate, evidence: Mapping[str, Any], observations: Mapping[str, Observation]
) -> Verdict:
    """Judge `evidence` by `gate`; `observations` are what the server saw, by field."""
    present = {name: value for name, value in evidence.items() if value is not None}
    known = {name: observations[name].known if name in observations else Known.CLAIMED
             for name in present}  # fmt: skip
    missing = tuple(name for name in gate.required_fields if name not in present)
    problems = _field_problems(gate, present)
    if not missing and not problems:
        problems = _rule_problems(gate, present)
    unknown = [name for name in present if name not in gate.evidence_schema]
    warnings = tuple(f"{name}: not a field of this gate; kept"
                     for name in unknown if gate.evidence_schema)  # fmt: skip
    if not gate.checkpoint.strict:
        warnings += tuple(f"not enforced, the gate is lenient: {text}" for text in problems)
        problems = ()
    if not present and not missing:
        problems += ("evidence is empty: submit at least one field",)
    outcome = Outcome.FAIL if missing or problems else Outcome.PASS
    return Verdict(outcome, missing, problems, warnings, known)


def _field_problems(gate: Gate, present: Mapping[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for name, field in gate.evidence_schema.items():
        if name in present:
            problem = _problem_of_value(gate, field, present[name])
            if problem:
                found.append(f"{name}: {problem}{_hint(field)}")
    return tuple(found)


def _problem_of_value(gate: Gate, field: EvidenceField, value: Any) -> str | None:
    if field.must_be_true and value is False:
        return "must be true, got false"
    problem = _problem_of_schema(field, value)
    if problem or field.validator is None:
        return problem
    source = f"({gate.validators[field.validator]})"
    if field.validator_params:
        source += f" with {shorten(field.validator_params)}"
    try:
        satisfied = bool(gate.expressions[field.validator](value, **field.validator_params))
    except ExpressionError as error:
        return f"validator {field.validator} failed on {shorten(value)} ({error})"
    return None if satisfied else f"expected {field.validator} {source}, got {shorten(value)}"


def _problem_of_schema(field: EvidenceField, value: Any) -> str | None:
    # An empty registry resolves nothing: a $ref to elsewhere must not reach the network.
    validator = _Validator(field.json_schema, registry=Registry())
    try:
        error = next(validator.iter_errors(value), None)
    except _INAPPLICABLE as failure:
        return f"its schema cannot be applied ({type(failure).__name__})"
    if error is None:
        return None
    where = "".join(f"[{part!r}]" for part in error.absolute_path)
    expected = f"{error.validator} {shorten(error.validator_value, EXPECTED)}"
    return f"expected {expected}{where and ' at ' + where}, got {shorten(error.instance)}"


def _hint(field: EvidenceField) -> str:
    return f"; submit: {field.description}" if field.description else ""


def _rule_problems(gate: Gate, present: Mapping[str, Any]) -> tuple[str, ...]:
    problems = (_problem_of_rule(rule, present) for rule in gate.cross_field_validation)
    return tuple(problem for problem in problems if problem)


def _problem_of_rule(rule: CrossFieldRule, present: Mapping[str, Any]) -> str | None:
    stated = rule.error_message or rule.rule
    try:
        return None if rule.expression(dict(present)) else f"rule not met: {stated}"
    except ExpressionError as error:
        return f"rule could not be applied: {stated} ({error})"
