"""What would pass a gate: its examples, or values made up from its types and schemas. Pure.

The self-test breaks one thing at a time in it. A made-up value is a guess: whether a whole
submission passes is for `evaluate` to say, and `passes` repeats what it said.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.model import Checkpoint, EvidenceField, Gate
from mcp_server.gates.observation import Judgement, Observation
from mcp_server.gates.schema import SchemaInapplicableError, first_error

UNASKED = "work"
"""What is submitted at a gate without fields."""

MAX_LENGTH = 10_000
MAX_ITEMS = 1_000
_TRIED = 200

_TEXTS = (
    "text",
    "reports/report.md",
    "src/target.py",
    "1.0.0",
    "2026-03-14",
    "5227ac63b06325507bd5c5b361dcc787742c5053",
    "https://example.org/",
)
_NUMBERS = (1, 0, 2, 10, 100, -1, 0.5)


@dataclass(frozen=True, slots=True)
class Plausible:
    """A submission that should pass: claims, what the server would have seen, and both as one.

    `values` has a value for each field of the gate, also for those that the submission leaves out.
    """

    claims: Mapping[str, Any]
    observations: Mapping[str, Observation]
    values: Mapping[str, Any]
    passes: bool


def plausible(gate: Gate) -> Plausible:
    """Return a submission that passes `gate`, or comes as near as its fields one by one allow."""
    values = {name: _value(gate, name) for name in gate.evidence_schema}
    made = _submission(gate, values, tuple(values))
    if not made.passes:
        # A rule may speak of optional fields only where they are.
        fewer = _submission(gate, values, gate.required_fields)
        return fewer if fewer.passes else made
    return made


def seen(field: EvidenceField, value: Any) -> Observation:
    """Return what the server says if the strongest probe of `field` found `value`."""
    probe = max(field.probes, key=lambda settings: settings.gives.strength)
    return Observation(probe.gives, value=value, probe=probe.described)


def _submission(gate: Gate, values: Mapping[str, Any], names: tuple[str, ...]) -> Plausible:
    claims = {name: values[name] for name in names} or {UNASKED: "done"}
    observations = {
        name: seen(gate.evidence_schema[name], values[name])
        for name in names
        if gate.evidence_schema[name].probes
    }
    verdict = evaluate(gate, claims, observations)
    return Plausible(claims, observations, values, verdict.outcome is Judgement.PASS)


def _value(gate: Gate, name: str) -> Any:
    """Return the first value that the field alone accepts, or the first at all."""
    field = gate.evidence_schema[name]
    alone = gate.model_copy(
        update={
            "checkpoint": Checkpoint(strict=True),
            "evidence_schema": {name: field},
            "cross_field_validation": (),
        }
    )
    tried = list(islice(values_of(field.json_schema), _TRIED))
    for value in tried:
        found = {name: seen(field, value)} if field.probes else {}
        if evaluate(alone, {name: value}, found).outcome is Judgement.PASS:
            return value
    return tried[0]


def values_of(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Yield values that may satisfy a JSON Schema, the likeliest first; at least one."""
    yield from schema.get("examples", ())
    yield from [schema["const"]] if "const" in schema else ()
    yield from schema.get("enum", ())
    yield from [schema["default"]] if "default" in schema else ()
    named = schema.get("type", list(_MAKERS))
    for kind in [named] if isinstance(named, str) else named:
        yield from _MAKERS[kind](schema)


def _part(schema: Any) -> Mapping[str, Any]:
    """Return the schema of a part, with a type: without one, a list could hold lists for ever."""
    return {"type": ["string", "integer"], **(schema if isinstance(schema, Mapping) else {})}


def _first(schema: Mapping[str, Any]) -> Any:
    """Return the first value that satisfies a schema, or the first at all."""
    tried = list(islice(values_of(schema), _TRIED))
    return next((value for value in tried if _satisfies(schema, value)), tried[0])


def _satisfies(schema: Mapping[str, Any], value: Any) -> bool:
    try:
        return first_error(schema, value) is None
    except SchemaInapplicableError:
        return False


def _texts(schema: Mapping[str, Any]) -> Iterator[str]:
    least = min(int(schema.get("minLength", 0)), MAX_LENGTH)
    most = int(schema.get("maxLength", MAX_LENGTH))
    for text in _TEXTS:
        longer = " ".join([text] * (least // (len(text) + 1) + 1)) if len(text) < least else text
        yield longer.ljust(least, ".")[:most]


def _numbers(schema: Mapping[str, Any]) -> Iterator[float]:
    for key, further in (("minimum", 0), ("maximum", 0), ("multipleOf", 0),
                         ("exclusiveMinimum", 1), ("exclusiveMinimum", 0.5),
                         ("exclusiveMaximum", -1), ("exclusiveMaximum", -0.5)):  # fmt: skip
        if key in schema:
            yield schema[key] + further
    yield from _NUMBERS


def _integers(schema: Mapping[str, Any]) -> Iterator[int]:
    for number in _numbers(schema):
        if number == number // 1:
            yield int(number)


def _lists(schema: Mapping[str, Any]) -> Iterator[list[Any]]:
    items = _part(schema.get("items"))
    least = min(int(schema.get("minItems", 0)), MAX_ITEMS)
    for length in dict.fromkeys((max(least, 1), least, least + 1)):
        yield _items(items, length, distinct=bool(schema.get("uniqueItems")))


def _items(schema: Mapping[str, Any], length: int, *, distinct: bool) -> list[Any]:
    first = _first(schema)
    if not distinct:
        return [first] * length
    candidates = chain(islice(values_of(schema), _TRIED), islice(_numbered(first), length))
    made: list[Any] = [first]
    for value in candidates:
        if len(made) < length and value not in made and _satisfies(schema, value):
            made.append(value)
    return made[:length]


def _numbered(value: Any) -> Iterator[Any]:
    for number in count(1):
        yield value + number if isinstance(value, int | float) else f"{value} {number}"


def _objects(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    parts: Mapping[str, Any] = schema.get("properties", {})
    needed = schema.get("required", [])
    least = min(int(schema.get("minProperties", 1)), MAX_ITEMS)
    for names in ((*parts, *needed), needed):
        made = {name: _first(_part(parts.get(name))) for name in names}
        padding = (f"key {number}" for number in count(1))
        yield made | dict.fromkeys(islice(padding, max(least - len(made), 0)), "value")


def _booleans(_schema: Mapping[str, Any]) -> Iterator[bool]:
    yield True
    yield False


def _nulls(_schema: Mapping[str, Any]) -> Iterator[None]:
    yield None


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Any]]] = {
    "string": _texts,
    "integer": _integers,
    "boolean": _booleans,
    "array": _lists,
    "object": _objects,
    "number": _numbers,
    "null": _nulls,
}
"""By JSON Schema's names of types; where a schema names none, in this order."""
