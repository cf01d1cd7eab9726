"""The keywords of JSON Schema (2020-12) that a field of evidence may use. Pure."""

from enum import StrEnum, auto
from typing import Any

Schema = dict[str, Any]

_REFERENCE: Schema = {"$ref": "#/$defs/Schema"}


class Kind(StrEnum):
    """What stands behind a keyword."""

    ANYTHING = auto()
    BOOLEAN = auto()
    COUNT = auto()
    LIST = auto()
    NUMBER = auto()
    SCHEMA = auto()
    SCHEMAS = auto()
    SCHEMA_MAP = auto()
    TEXT = auto()


KEYWORDS: dict[str, tuple[Kind, str]] = {
    "title": (Kind.TEXT, "Short name of the value"),
    "$comment": (Kind.TEXT, "Note for authors"),
    "default": (Kind.ANYTHING, "Not filled in: a note for people"),
    "examples": (Kind.LIST, "Values that fit, shown to the agent"),
    "deprecated": (Kind.BOOLEAN, "Note that the value will go"),
    "readOnly": (Kind.BOOLEAN, "Note that the value is not to be changed"),
    "writeOnly": (Kind.BOOLEAN, "Note that the value is not to be shown"),
    "enum": (Kind.LIST, "The values that fit"),
    "const": (Kind.ANYTHING, "The one value that fits"),
    "format": (Kind.TEXT, "Name of a format"),
    "contentEncoding": (Kind.TEXT, "How binary content is written as text"),
    "contentMediaType": (Kind.TEXT, "Media type of the content"),
    "contentSchema": (Kind.SCHEMA, "Schema of the decoded content"),
    "minimum": (Kind.NUMBER, "Least number"),
    "maximum": (Kind.NUMBER, "Greatest number"),
    "exclusiveMinimum": (Kind.NUMBER, "Number that the value is above"),
    "exclusiveMaximum": (Kind.NUMBER, "Number that the value is below"),
    "multipleOf": (Kind.NUMBER, "Number that the value is a multiple of"),
    "minLength": (Kind.COUNT, "Least number of characters"),
    "maxLength": (Kind.COUNT, "Greatest number of characters"),
    "pattern": (Kind.TEXT, "Regular expression that is found in the text"),
    "minItems": (Kind.COUNT, "Least number of items"),
    "maxItems": (Kind.COUNT, "Greatest number of items"),
    "uniqueItems": (Kind.BOOLEAN, "Whether no two items may be equal"),
    "items": (Kind.SCHEMA, "Schema of each item"),
    "prefixItems": (Kind.SCHEMAS, "Schemas of the first items, one by one"),
    "contains": (Kind.SCHEMA, "Schema that some item fits"),
    "minContains": (Kind.COUNT, "Least number of items that fit contains"),
    "maxContains": (Kind.COUNT, "Greatest number of items that fit contains"),
    "unevaluatedItems": (Kind.SCHEMA, "Schema of the items that nothing else judged"),
    "properties": (Kind.SCHEMA_MAP, "Schemas of values by their key"),
    "patternProperties": (Kind.SCHEMA_MAP, "Schemas of values by a pattern of their key"),
    "additionalProperties": (Kind.SCHEMA, "Schema of the values with other keys"),
    "unevaluatedProperties": (Kind.SCHEMA, "Schema of the values that nothing else judged"),
    "propertyNames": (Kind.SCHEMA, "Schema of the keys"),
    "minProperties": (Kind.COUNT, "Least number of keys"),
    "maxProperties": (Kind.COUNT, "Greatest number of keys"),
    "dependentRequired": (Kind.ANYTHING, "Keys that must be there when a key is"),
    "dependentSchemas": (Kind.SCHEMA_MAP, "Schemas that hold when a key is there"),
    "allOf": (Kind.SCHEMAS, "Schemas that all fit"),
    "anyOf": (Kind.SCHEMAS, "Schemas of which one fits at least"),
    "oneOf": (Kind.SCHEMAS, "Schemas of which exactly one fits"),
    "not": (Kind.SCHEMA, "Schema that does not fit"),
    "if": (Kind.SCHEMA, "Schema that decides between then and else"),
    "then": (Kind.SCHEMA, "Schema that fits where if does"),
    "else": (Kind.SCHEMA, "Schema that fits where if does not"),
    "$ref": (Kind.TEXT, "Another schema, such as #/$defs/name"),
    "$dynamicRef": (Kind.TEXT, "Another schema, by its dynamic anchor"),
    "$defs": (Kind.SCHEMA_MAP, "Schemas to refer to"),
    "$anchor": (Kind.TEXT, "Name to refer to this schema by"),
    "$dynamicAnchor": (Kind.TEXT, "Name to refer to this schema by, dynamically"),
    "$id": (Kind.TEXT, "Address of this schema"),
    "$schema": (Kind.TEXT, "Dialect of this schema"),
    "$vocabulary": (Kind.ANYTHING, "Vocabularies of a dialect"),
}

_SHAPES: dict[Kind, Schema] = {
    Kind.ANYTHING: {},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.COUNT: {"type": "integer", "minimum": 0},
    Kind.LIST: {"type": "array"},
    Kind.NUMBER: {"type": "number"},
    Kind.SCHEMA: _REFERENCE,
    Kind.SCHEMAS: {"type": "array", "minItems": 1, "items": _REFERENCE},
    Kind.SCHEMA_MAP: {"type": "object", "additionalProperties": _REFERENCE},
    Kind.TEXT: {"type": "string"},
}


def keyword_properties() -> Schema:
    """Return the schema of each keyword's value."""
    return {
        name: {"description": meaning, **_SHAPES[kind]}
        for name, (kind, meaning) in KEYWORDS.items()
    }


def nested(schema: dict[str, Any]) -> list[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Return the schemas that stand within the keywords of `schema`, each with its path."""
    found: list[tuple[tuple[str | int, ...], Any]] = []
    for name, value in schema.items():
        kind = KEYWORDS[name][0] if name in KEYWORDS else Kind.ANYTHING
        if kind is Kind.SCHEMA:
            found.append(((name,), value))
        elif kind is Kind.SCHEMAS and isinstance(value, list):
            found += [((name, index), item) for index, item in enumerate(value)]
        elif kind is Kind.SCHEMA_MAP and isinstance(value, dict):
            found += [((name, str(key)), item) for key, item in value.items()]
    return [(path, value) for path, value in found if isinstance(value, dict)]
