"""The gate of a phase: evidence fields, validators and rules, as read from gate-definition.yaml.

A `Gate` that exists is sound: unknown types, validators, probes, broken expressions and broken JSON
Schema are refused by its constructor, so that nothing unknown is left to be skipped when evidence
is judged. Unknown keys are kept, so that a gate survives being stored and read again.
"""

import difflib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mcp_server.gates.expressions import Expression
from mcp_server.gates.observation import Known
from mcp_server.gates.patterns import PatternError, compiled
from mcp_server.gates.probe_settings import ProbeSettings, parse_verify
from mcp_server.gates.vocabulary import ExpressionError

TYPE_NAMES: Mapping[str, str] = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "string": "string",
    "list": "array",
    "dict": "object",
    "object": "object",
}
"""Type names of the gate format, and what JSON Schema calls them."""

_ALIASES: Mapping[str, str] = {
    "array": "list",
    "bool": "boolean",
    "float": "number",
    "int": "integer",
    "str": "string",
}

_OWN_KEYS = frozenset(
    {
        "type",
        "required",
        "description",
        "validator",
        "validator_params",
        "verify",
        "assurance",
    }
)


_QUICK = frozenset(
    {
        "type",
        "const",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
    }
)
"""Keywords that take the same time whatever the value."""

_LONG = frozenset(Draft202012Validator.VALIDATORS) - _QUICK
_JUDGING = frozenset(Draft202012Validator.VALIDATORS) | (_OWN_KEYS - {"description"})
_CLOSE = 0.85


class _GatePart(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, ignored_types=(cached_property,))

    judging: ClassVar[frozenset[str]] = frozenset()
    """Keys that decide; an unknown key that is nearly one of them would silently not gate."""

    @model_validator(mode="after")
    def _nothing_misspelt(self) -> Self:
        for key in self.model_extra or {}:
            close = difflib.get_close_matches(key, self.judging, n=1, cutoff=_CLOSE)
            if close and key not in self.judging:
                raise ValueError(f"unknown key {key!r}: did you mean {close[0]}?")
        return self


class EvidenceField(_GatePart):
    """One field of the evidence; keys of its own besides, all others are JSON Schema keywords."""

    judging = _JUDGING

    type: str | None = None
    required: bool = True
    description: str = ""
    validator: str | None = None
    validator_params: dict[str, Any] = Field(default_factory=dict)

    @field_validator("type")
    @classmethod
    def _known_type(cls, name: str | None) -> str | None:
        name = None if name is None else _ALIASES.get(name, name)
        if name is not None and name not in TYPE_NAMES:
            raise ValueError(f"unknown type {name!r}; one of {', '.join(TYPE_NAMES)}")
        return name

    @model_validator(mode="after")
    def _sound(self) -> Self:
        try:
            Draft202012Validator.check_schema(self.json_schema)
        except SchemaError as error:
            raise ValueError(f"not a JSON Schema: {error.message}") from error
        _require_patterns(self.json_schema)
        # Looking at them parses them.
        strengths = [probe.gives.strength for probe in self.probes]
        if self.assurance and self.assurance.strength > max(strengths, default=0):
            raise ValueError(f"assurance {self.assurance} needs a probe that gives it, in verify")
        return self

    @cached_property
    def probes(self) -> tuple[ProbeSettings, ...]:
        """How the server finds the value out for itself, the first that can be had."""
        extra = self.model_extra or {}
        return parse_verify(extra["verify"]) if "verify" in extra else ()

    @cached_property
    def assurance(self) -> Known | None:
        """How the value must be known at least, where the author says so."""
        extra = self.model_extra or {}
        return Known(extra["assurance"]) if "assurance" in extra else None

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema that a value of this field must satisfy."""
        keywords = {k: v for k, v in (self.model_extra or {}).items() if k not in _OWN_KEYS}
        return ({"type": TYPE_NAMES[self.type]} if self.type else {}) | keywords

    @property
    def must_be_true(self) -> bool:
        """Whether the field is a bare required boolean, which means "this is true"."""
        constrained = self.validator or self.json_schema.keys() & {"const", "enum"}
        return self.required and self.type == "boolean" and not constrained


class CrossFieldRule(_GatePart):
    """A relation between fields that must hold."""

    judging = frozenset({"rule"})

    rule: str
    error_message: str = ""

    @field_validator("rule")
    @classmethod
    def _parses(cls, source: str) -> str:
        if len(_parse(source).parameters) > 1:
            raise ValueError("a rule takes one parameter, the whole evidence")
        return source

    @cached_property
    def expression(self) -> Expression:
        """The parsed rule, called with the whole evidence."""
        return Expression(self.rule)


class Checkpoint(_GatePart):
    """How strict the gate is."""

    judging = frozenset({"strict", "allow_override"})

    strict: bool = True
    allow_override: bool = False


class Gate(_GatePart):
    """What a phase must prove; without fields, anything but nothing is accepted."""

    judging = frozenset({"checkpoint", "evidence_schema", "validators", "cross_field_validation"})

    checkpoint: Checkpoint = Checkpoint()
    evidence_schema: dict[str, EvidenceField] = Field(default_factory=dict)
    validators: dict[str, str] = Field(default_factory=dict)
    cross_field_validation: tuple[CrossFieldRule, ...] = ()

    @field_validator("validators")
    @classmethod
    def _validators_parse(cls, sources: dict[str, str]) -> dict[str, str]:
        for name, source in sources.items():
            try:
                _parse(source)
            except ValueError as error:
                raise ValueError(f"validator {name!r}: {error}") from error
        return sources

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, data: Any) -> Any:
        """Read a section that is present but empty (`validators:` alone) as absent."""
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        return data

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        for name, field in self.evidence_schema.items():
            if field.validator is None:
                continue
            if field.validator not in self.validators:
                known = ", ".join(self.validators) or "none is defined"
                raise ValueError(f"{name}: unknown validator {field.validator!r} ({known})")
            takes = self.expressions[field.validator].parameters[1:]
            if set(takes) != set(field.validator_params):
                raise ValueError(
                    f"{name}: validator {field.validator!r} takes the parameters {list(takes)},"
                    f" not {list(field.validator_params)}"
                )
        return self

    @cached_property
    def expressions(self) -> Mapping[str, Expression]:
        """The parsed validators by name."""
        return {name: Expression(source) for name, source in self.validators.items()}

    @property
    def verified_fields(self) -> Mapping[str, EvidenceField]:
        """The fields whose value the server finds out for itself."""
        return {name: field for name, field in self.evidence_schema.items() if field.probes}

    @cached_property
    def judges_at_once(self) -> bool:
        """Whether judging takes no look, no expression, and no keyword that may take long."""
        if self.validators or self.cross_field_validation or self.verified_fields:
            return False
        return not any(field.json_schema.keys() & _LONG for field in self.evidence_schema.values())

    @property
    def required_fields(self) -> tuple[str, ...]:
        """Names of the fields without which nothing passes."""
        return tuple(name for name, field in self.evidence_schema.items() if field.required)


def _require_patterns(schema: Any) -> None:
    """Raise ValueError for a schema whose patterns could not be matched within a time limit."""
    keys: set[str] = set()
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, dict):
            keys |= part.keys()
            pending.extend(part.values())
            if part is not schema and "$schema" in part:
                # The library would judge this part by another dialect, without our limits.
                raise ValueError("$schema inside of a schema is not supported")
            by_name = part.get("patternProperties")
            for pattern in (part.get("pattern"), *(by_name if isinstance(by_name, dict) else ())):
                if isinstance(pattern, str):
                    _require_pattern(pattern)
    if {"patternProperties", "unevaluatedProperties"} <= keys:
        # The library matches these names itself, without a limit.
        raise ValueError("patternProperties beside unevaluatedProperties is not supported")


def _require_pattern(pattern: str) -> None:
    try:
        compiled(pattern)
    except PatternError as error:
        raise ValueError(str(error)) from error


def _parse(source: str) -> Expression:
    try:
        return Expression(source)
    except ExpressionError as error:
        raise ValueError(str(error)) from error


def presence_gate(names: tuple[str, ...]) -> Gate:
    """Build the gate of a phase that only lists `checkpoint.required_evidence` in its metadata."""
    return Gate(evidence_schema={name: EvidenceField() for name in names})
