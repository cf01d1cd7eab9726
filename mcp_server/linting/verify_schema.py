"""The JSON Schema of what stands under `verify`, from the settings of each probe. Pure.

A probe is written short, `{junit: report.xml, count: passed}`, or long, with its settings below
its name; the models take both, and so does the schema.
"""

from typing import Any, get_args

from pydantic import AliasChoices, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.fields import FieldInfo

from mcp_server.gates.probe_settings import (
    KNOWN_PROBES,
    CommandSettings,
    GitSettings,
    ProbeSettings,
    ReportSettings,
)

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}

_GIT_WORDS: Schema = {"clean": {"const": True, "description": "Nothing is uncommitted"}}


def probe_definitions() -> Schema:
    """Return the named schemas: Verify, Report, and one for each probe."""
    reports = [made.probe for made in get_args(get_args(ReportSettings)[0])]
    return {
        **{_name(probe): _probe_schema(made) for probe, made in KNOWN_PROBES.items()},
        "Probe": {"anyOf": [_reference(probe) for probe in KNOWN_PROBES]},
        "Report": {"anyOf": [_reference(probe) for probe in reports]},
        "Verify": {
            "anyOf": [
                {"$ref": "#/$defs/Probe"},
                {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Probe"}},
            ]
        },
    }


def _name(probe: str) -> str:
    return f"probe_{probe}"


def _reference(probe: str) -> Schema:
    return {"$ref": f"#/$defs/{_name(probe)}"}


def _probe_schema(made: type[ProbeSettings]) -> Schema:
    settings = _settings(made)
    needed = [name for name, field in made.model_fields.items() if field.is_required()]
    if made is GitSettings:
        # It says what to check by any of three words.
        settings, needed = {**settings, **_GIT_WORDS, "changed": settings["matching"]}, []
    others = {name: schema for name, schema in settings.items() if name != made.probe}
    main = settings.get(made.main, {})
    long = {"type": "object", "properties": settings, "additionalProperties": False}
    besides = [name for name in needed if name != made.main]
    return {
        "description": (made.__doc__ or "").strip(),
        "anyOf": [
            _mapping({made.probe: main, **others}, [made.probe, *besides]),
            _mapping({made.probe: {**long, "required": needed}}, [made.probe]),
            {**_mapping({made.probe: long, **others}, [made.probe]), "minProperties": 2},
        ],
    }


def _mapping(properties: Schema, required: list[str]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _settings(made: type[ProbeSettings]) -> Schema:
    try:
        plain = made.model_json_schema()["properties"]
    except PydanticInvalidForJsonSchema:
        # Another package's settings, of a type that JSON Schema cannot say.
        plain = {}
    settings: Schema = {}
    for name, field in made.model_fields.items():
        schema = _setting(made, name, field, plain.get(name, {}))
        for spelling in _spellings(name, field):
            settings[spelling] = schema
    return settings


def _setting(made: type[ProbeSettings], name: str, field: FieldInfo, plain: Schema) -> Schema:
    about = {"description": field.description} if field.description else {}
    if made is CommandSettings and name == "report":
        return {**about, "$ref": "#/$defs/Report"}
    if _takes(field, "x", ["x"]):
        return {**about, "anyOf": _texts(field)}
    if "pattern" in plain:
        # In the words of every dialect of regular expressions.
        plain = plain | {"pattern": plain["pattern"].replace(r"\A", "^").replace(r"\z", "$")}
    return {key: value for key, value in plain.items() if key != "title"}


def _texts(field: FieldInfo) -> list[Schema]:
    many = {"type": "array", "items": _TEXT, "minItems": 0 if _takes(field, []) else 1}
    return [_TEXT, many, *([{"type": "null"}] if _takes(field, None) else [])]


def _takes(field: FieldInfo, *values: Any) -> bool:
    """Tell whether a setting takes all of these values, one text as well as a list of them."""
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    try:
        taken = [adapter.validate_python(value) for value in values]
    except ValidationError:
        return False
    return all(value is None or isinstance(value, tuple) for value in taken)


def _spellings(name: str, field: FieldInfo) -> list[str]:
    choices = field.validation_alias
    if not isinstance(choices, AliasChoices):
        return [name]
    return [choice for choice in choices.choices if isinstance(choice, str)]
