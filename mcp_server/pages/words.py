"""What a field of a gate must be, and how it is known, in few words. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from mcp_server.core.definitions import Phase, Task
from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.gates.probe_settings import ProbeSettings
from mcp_server.pages.escaping import code, markdown

MAX_DEEP = 3
"""Levels of a schema within a schema that are put into words."""

MAX_VALUE = 120

_SILENT = frozenset({"type", "title", "description", "default", "examples", "$comment"})
_PHASE_TITLE = re.compile(r"phase\s+(?P<number>\d+)\b", re.IGNORECASE)
_TASK_TITLE = re.compile(r"task\s+(?P<number>\d+)\s*[:.)-]\s*(?=\S)", re.IGNORECASE)

_Say = Callable[[Any], str]


def heading(phase: Phase) -> str:
    """Return the title of a phase with its number, whether its author wrote that or not."""
    return numbered(phase.phase_number, phase.title)


def numbered(number: int, title: str) -> str:
    """Return the title of a phase of this number, with the number."""
    found = _PHASE_TITLE.match(title)
    if found and found["number"] == str(number):
        return title
    return f"Phase {number}: {title}" if title else f"Phase {number}"


def task_title(task: Task) -> str:
    """Return the title of a task without its number, which stands beside it."""
    found = _TASK_TITLE.match(task.title)
    same = found is not None and found["number"] == str(task.task_number)
    return task.title[found.end() :] if found and same else task.title


def plural(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def must_be(gate: Gate, field: EvidenceField) -> str:
    """Return what a value of a field must be, as the content of a table cell."""
    said = ["true"] if field.must_be_true else []
    said += _of_schema(field.json_schema, MAX_DEEP)
    if field.validator:
        given = f" with {_value(field.validator_params)}" if field.validator_params else ""
        source = code(gate.validators[field.validator], in_cell=True)
        said.append(f"{markdown(field.validator)}: {source}{given}")
    return "; ".join(said)


def known_by(field: EvidenceField) -> str:
    """Return how a value is known, the first that can be had, as the content of a table cell."""
    if not field.probes:
        return "claimed"
    looks = ", or ".join(f"{probe.gives}: {_probe(probe)}" for probe in field.probes)
    return f"{looks}; at least {field.assurance}" if field.assurance else looks


def _probe(probe: ProbeSettings) -> str:
    fresh = ", written in this phase" if getattr(probe, "fresh", False) else ""
    return f"{code(probe.described, in_cell=True)}{fresh}"


def _of_schema(schema: Mapping[str, Any], deep: int) -> Iterator[str]:
    for keyword, value in schema.items():
        if keyword in _SILENT:
            continue
        if keyword in _NESTED and deep and isinstance(value, dict):
            yield from _NESTED[keyword](value, deep - 1)
        elif keyword in _WORDS:
            yield _WORDS[keyword](value)
        else:
            yield f"{markdown(keyword)} {_value(value)}"


def _items(schema: Mapping[str, Any], deep: int) -> Iterator[str]:
    yield f"each item {_inner(schema, deep)}"


def _properties(schemas: Mapping[str, Any], deep: int) -> Iterator[str]:
    for name, schema in schemas.items():
        said = _inner(schema, deep) if isinstance(schema, dict) else _value(schema)
        yield f"{code(str(name), in_cell=True)}: {said}"


def _inner(schema: Mapping[str, Any], deep: int) -> str:
    kind = schema.get("type")
    said = [markdown(kind)] if isinstance(kind, str) else [] if kind is None else [_value(kind)]
    return ", ".join([*said, *_of_schema(schema, deep)]) or "anything"


def _value(value: Any) -> str:
    return code(to_json(value, fallback=str).decode(), MAX_VALUE, in_cell=True)


def _any_of(values: Any) -> str:
    return "one of " + ", ".join(map(_value, values))


_NESTED: Mapping[str, Callable[[Mapping[str, Any], int], Iterator[str]]] = {
    "items": _items,
    "properties": _properties,
}

_WORDS: Mapping[str, _Say] = {
    "const": lambda value: f"equal to {_value(value)}",
    "enum": _any_of,
    "minimum": lambda value: f"at least {value}",
    "maximum": lambda value: f"at most {value}",
    "exclusiveMinimum": lambda value: f"more than {value}",
    "exclusiveMaximum": lambda value: f"less than {value}",
    "multipleOf": lambda value: f"a multiple of {value}",
    "minLength": lambda value: f"at least {plural(value, 'character')}",
    "maxLength": lambda value: f"at most {plural(value, 'character')}",
    "pattern": lambda value: f"matches {code(value, MAX_VALUE, in_cell=True)}",
    "minItems": lambda value: f"at least {plural(value, 'item')}",
    "maxItems": lambda value: f"at most {plural(value, 'item')}",
    "uniqueItems": lambda value: "no item twice" if value else "items may repeat",
    "required": lambda value: "needs " + ", ".join(code(name, in_cell=True) for name in value),
    "minProperties": lambda value: f"at least {plural(value, 'key')}",
    "maxProperties": lambda value: f"at most {plural(value, 'key')}",
}
