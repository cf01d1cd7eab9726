"""The judgement: `evaluate(gate, evidence, observations) -> Verdict`, the only way past a gate.

Pure: no disk, no environment. `observations` are what the server found out for itself; a field with
`verify` passes by an observation only, never by a claim. Nothing at all never passes, whatever the
gate. The rules, in the order in which they are applied:

1. A field that the server looked for has the value that was found. If it is claimed as well, the
   claim must equal it. A look that failed fails the field. A look that could not be had, or that
   is weaker than the field's `assurance`, leaves it unverified.
2. A required field must be present; an explicit null is absent.
3. Numbers must be finite and of a size that JSON readers agree on.
4. A required boolean without validator, const or enum must be true.
5. The value must have the type and satisfy the JSON Schema keywords (a boolean is no integer).
6. The validator must return something true.
7. If every field has a value that can be compared, each cross-field rule must hold.

Any failure fails the gate; without one, anything unverified means that it could not be verified.
In a lenient gate (`strict: false`) failures of 4 to 7 are warnings. Whatever goes wrong inside is a
failure, never a pass. Fields that the gate does not know are kept and reported.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic_core import to_json

from mcp_server.gates.model import CrossFieldRule, EvidenceField, Gate
from mcp_server.gates.observation import Judgement, Known, Observation
from mcp_server.gates.schema import SchemaInapplicableError, first_error
from mcp_server.gates.vocabulary import ExpressionError

SHORT = 80
EXPECTED = 240
"""How many characters of a value that came, and of one that was expected, a message repeats."""

MAX_NUMBER = 2**63
"""From here on readers of JSON disagree on what a number is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says, with everything the agent needs to do better.

    `values` is the evidence with what was found in place of what was claimed; `remedies` say who
    can make what is `unverified` verifiable.
    """

    outcome: Judgement
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    known: Mapping[str, Known] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()


def shorten(value: Any, limit: int = SHORT) -> str:
    """Return `value` as compact JSON of at most `limit` characters."""
    try:
        text = to_json(value, fallback=str, inf_nan_mode="constants").decode("utf-8")
    except ValueError:
        # Nested too deep, or no UTF-8: the verdict must not fail over showing it.
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def filled(text: str, names: Mapping[str, str]) -> str:
    """Return `text` with the placeholders of `names` filled, as people and agents are told it."""
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def evaluate(
    gate: Gate,
    evidence: Mapping[str, Any],
    observations: Mapping[str, Observation],
    names: Mapping[str, str] = MappingProxyType({}),
) -> Verdict:
    """Judge `evidence` by `gate`; `observations` are what the server saw, by field.

    `names` fill placeholders where the verdict repeats what a field says of itself.
    """
    claims = {name: value for name, value in evidence.items() if value is not None}
    seen = {name: observations.get(name) for name in gate.verified_fields}
    found = {name: seen[name] for name in seen if _is_found(seen[name])}
    values = claims | {name: found[name].value for name in found}  # type: ignore[union-attr]
    known = {name: _known(found.get(name)) for name in values}
    unplain = dict(_unplain(values))
    enforced = [*_look_problems(gate, claims, seen, names), *unplain.values()]
    unverified = list(_unverified(gate, claims, seen))
    missing = tuple(n for n in gate.required_fields if n not in values and n not in seen)
    problems = _field_problems(gate, {n: v for n, v in values.items() if n not in unplain}, names)
    if not (missing or enforced or unverified or problems):
        problems = _rule_problems(gate, values)
    unknown = (name for name in claims if name not in gate.evidence_schema)
    warnings = tuple(f"{name}: not a field of this gate; kept"
                     for name in unknown if gate.evidence_schema)  # fmt: skip
    if gate.checkpoint.strict:
        enforced += problems
    else:
        warnings += tuple(f"not enforced, the gate is lenient: {text}" for text in problems)
    if not (values or missing or enforced or unverified):
        enforced.append("evidence is empty: submit at least one field")
    outcome = Judgement.PASS
    if missing or enforced:
        outcome = Judgement.FAIL
    elif unverified:
        outcome = Judgement.COULD_NOT_VERIFY
    return Verdict(
        outcome,
        missing,
        tuple(enforced),
        warnings,
        known,
        values,
        tuple(unverified),
        tuple(dict.fromkeys(o.remedy for o in seen.values() if o is not None and o.remedy)),
    )


def _is_found(seen: Observation | None) -> bool:
    return seen is not None and seen.judgement is Judgement.PASS and seen.value is not None


def _known(found: Observation | None) -> Known:
    return found.known if found is not None else Known.CLAIMED


def _look_problems(
    gate: Gate,
    claims: Mapping[str, Any],
    seen: Mapping[str, Observation | None],
    names: Mapping[str, str],
) -> Iterator[str]:
    for name, look in seen.items():
        if look is None or not _is_wanted(gate, name, claims):
            continue
        hint = _hint(gate.evidence_schema[name], names)
        if look.judgement is Judgement.FAIL:
            yield f"{name}: {look.reason}{hint}"
        elif look.judgement is Judgement.PASS and look.value is None:
            yield f"{name}: nothing was found ({look.probe}){hint}"
        elif _is_found(look) and name in claims and not _agrees(claims[name], look.value):
            yield (
                f"{name}: claimed {shorten(claims[name])}, but {look.probe or 'the server'} shows"
                f" {shorten(look.value)}; leave the field out, or submit what is true"
            )


def _unverified(
    gate: Gate, claims: Mapping[str, Any], seen: Mapping[str, Observation | None]
) -> Iterator[str]:
    for name, look in seen.items():
        if not _is_wanted(gate, name, claims):
            continue
        least = gate.evidence_schema[name].assurance
        if look is None:
            yield f"{name}: the server has not looked"
        elif look.judgement is Judgement.COULD_NOT_VERIFY:
            yield f"{name}: {look.reason}"
        elif _is_found(look) and least is not None and look.known.strength < least.strength:
            yield f"{name}: is {look.known} only, and must be {least}"


def _is_wanted(gate: Gate, name: str, claims: Mapping[str, Any]) -> bool:
    return gate.evidence_schema[name].required or name in claims


def _agrees(claim: Any, found: Any) -> bool:
    """Tell whether a claim says what was found; the order in lists of plain values is free."""
    if isinstance(claim, bool) or isinstance(found, bool):
        return claim is found
    if isinstance(claim, int | float) and isinstance(found, int | float):
        return _agree_as_numbers(claim, found)
    if isinstance(claim, list) and isinstance(found, list):
        if len(claim) != len(found):
            return False
        plain = all(isinstance(item, str | int | float) for item in (*claim, *found))
        pair = (sorted(claim, key=repr), sorted(found, key=repr)) if plain else (claim, found)
        return all(map(_agrees, *pair))
    if isinstance(claim, dict) and isinstance(found, dict):
        return claim.keys() == found.keys() and all(_agrees(claim[k], found[k]) for k in claim)
    return type(claim) is type(found) and bool(claim == found)


def _agree_as_numbers(claim: float, found: float) -> bool:
    if isinstance(claim, int) and isinstance(found, int):
        return claim == found
    # Beyond this comparing overflows; the claim is refused for its size besides.
    near = max(abs(claim), abs(found)) < MAX_NUMBER
    return near and math.isclose(claim, found, rel_tol=1e-9, abs_tol=1e-9)


def _unplain(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        pending = [value]
        while pending:
            item = pending.pop()
            if isinstance(item, dict | list):
                pending.extend(item.values() if isinstance(item, dict) else item)
            elif isinstance(item, int | float) and not abs(item) < MAX_NUMBER:
                yield name, f"{name}: a number is not finite, or is {MAX_NUMBER} or more"
                break


def _field_problems(gate: Gate, present: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    for name, spec in gate.evidence_schema.items():
        if name in present:
            problem = _problem_of_value(gate, spec, present[name])
            if problem:
                found.append(f"{name}: {problem}{_hint(spec, names)}")
    return found


def _problem_of_value(gate: Gate, spec: EvidenceField, value: Any) -> str | None:
    if spec.must_be_true and value is False:
        return "must be true, got false"
    problem = _problem_of_schema(spec, value)
    if problem or spec.validator is None:
        return problem
    source = f"({gate.validators[spec.validator]})"
    if spec.validator_params:
        source += f" with {shorten(spec.validator_params)}"
    try:
        satisfied = bool(gate.expressions[spec.validator](value, **spec.validator_params))
    except ExpressionError as error:
        return f"validator {spec.validator} failed on {shorten(value)} ({error})"
    return None if satisfied else f"expected {spec.validator} {source}, got {shorten(value)}"


def _problem_of_schema(spec: EvidenceField, value: Any) -> str | None:
    try:
        error = first_error(spec.json_schema, value)
    except SchemaInapplicableError as failure:
        return str(failure)
    if error is None:
        return None
    where = "".join(f"[{part!r}]" for part in error.absolute_path)
    expected = f"{error.validator} {shorten(error.validator_value, EXPECTED)}"
    return f"expected {expected}{where and ' at ' + where}, got {shorten(error.instance)}"


def _hint(spec: EvidenceField, names: Mapping[str, str]) -> str:
    lead = "needed" if spec.probes else "submit"
    return f"; {lead}: {filled(spec.description, names)}" if spec.description else ""


def _rule_problems(gate: Gate, present: Mapping[str, Any]) -> list[str]:
    problems = (_problem_of_rule(rule, present) for rule in gate.cross_field_validation)
    return [problem for problem in problems if problem]


def _problem_of_rule(rule: CrossFieldRule, present: Mapping[str, Any]) -> str | None:
    stated = rule.error_message or rule.rule
    try:
        return None if rule.expression(dict(present)) else f"rule not met: {stated}"
    except ExpressionError as error:
        return f"rule could not be applied: {stated} ({error})"
