"""The gate model: what a sound gate is, and that no other can exist."""

import pytest
from pydantic import ValidationError

from mcp_server.gates.model import EvidenceField, Gate, presence_gate
from tests.builders import GATE, gate


def test_a_gate_that_says_nothing_is_strict_without_fields():
    empty = Gate()

    assert (empty.checkpoint.strict, empty.checkpoint.allow_override) == (True, False)
    assert empty.required_fields == ()
    assert empty.evidence_schema == {}


def test_a_field_is_required_unless_it_says_otherwise():
    made = gate(evidence_schema={"a": {}, "b": {"required": True}, "c": {"required": False}})

    assert made.required_fields == ("a", "b")


TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "string": "string",
    "list": "array",
    "dict": "object",
    "object": "object",
    "array": "array",
    "bool": "boolean",
    "float": "number",
    "int": "integer",
    "str": "string",
}


@pytest.mark.parametrize(("name", "in_json_schema"), TYPES.items(), ids=TYPES)
def test_a_type_has_the_name_that_json_schema_gives_it(name, in_json_schema):
    assert EvidenceField(type=name).json_schema == {"type": in_json_schema}


def test_keywords_of_json_schema_are_kept_and_keys_of_the_format_are_not_taken_for_them():
    made = EvidenceField(
        type="list",
        required=True,
        description="Files",
        validator="some",
        validator_params={"least": 1},
        minItems=1,
        items={"type": "string"},
        examples=[["a"]],
    )

    assert made.json_schema == {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string"},
        "examples": [["a"]],
    }


def test_a_field_without_type_may_have_keywords():
    assert EvidenceField(enum=["a", 1]).json_schema == {"enum": ["a", 1]}


MUST_BE_TRUE = {
    "bare": ({"type": "boolean"}, True),
    "by its other name": ({"type": "bool"}, True),
    "optional": ({"type": "boolean", "required": False}, False),
    "with a const": ({"type": "boolean", "const": False}, False),
    "with an enum": ({"type": "boolean", "enum": [True, False]}, False),
    "with a validator": ({"type": "boolean", "validator": "any"}, False),
    "another type": ({"type": "integer"}, False),
    "no type": ({}, False),
    "with examples": ({"type": "boolean", "examples": [False]}, True),
}


@pytest.mark.parametrize(("written", "expected"), MUST_BE_TRUE.values(), ids=MUST_BE_TRUE)
def test_a_bare_required_boolean_means_that_it_is_true(written, expected):
    assert EvidenceField.model_validate(written).must_be_true is expected


def test_validators_are_parsed_and_named():
    made = gate(
        validators={"positive": "lambda x: x > 0", "between": "lambda x, a, b: a <= x <= b"},
        evidence_schema={
            "one": {"validator": "positive"},
            "two": {"validator": "between", "validator_params": {"a": 1, "b": 2}},
        },
    )

    assert {name: made.expressions[name].parameters for name in made.expressions} == {
        "positive": ("x",),
        "between": ("x", "a", "b"),
    }


def test_a_rule_is_parsed_and_called_with_the_whole_evidence():
    made = gate(cross_field_validation=[{"rule": "lambda e: e['a'] >= e['b']"}])

    assert made.cross_field_validation[0].error_message == ""
    assert made.cross_field_validation[0].expression({"a": 2, "b": 1}) is True


@pytest.mark.parametrize("section", ["checkpoint", "validators", "cross_field_validation"])
def test_a_section_that_is_present_but_empty_is_absent(section):
    assert gate(**{section: None}).required_fields == ("tests", "report")


UNSOUND = {
    "unknown type": (
        {"evidence_schema": {"a": {"type": "text"}}},
        "unknown type 'text'; one of boolean, integer, number, string, list, dict, object",
    ),
    "empty type": ({"evidence_schema": {"a": {"type": ""}}}, "unknown type ''"),
    "several types": (
        {"evidence_schema": {"a": {"type": ["string", "null"]}}},
        "Input should be a valid string",
    ),
    "required that is no boolean": (
        {"evidence_schema": {"a": {"required": "perhaps"}}},
        "Input should be a valid boolean",
    ),
    "field without description of itself": (
        {"evidence_schema": {"a": None}},
        "Input should be a valid dictionary",
    ),
    "field name that is no text": (
        {"evidence_schema": {1: {"type": "string"}}},
        "Input should be a valid string",
    ),
    "schema that is a list": ({"evidence_schema": ["a"]}, "Input should be a valid dictionary"),
    "keyword of a wrong type": (
        {"evidence_schema": {"a": {"minimum": "1"}}},
        "not a JSON Schema: '1' is not of type 'number'",
    ),
    "pattern that is no expression": (
        {"evidence_schema": {"a": {"pattern": "("}}},
        "not a JSON Schema: '(' is not a 'regex'",
    ),
    "inner keyword of a wrong type": (
        {"evidence_schema": {"a": {"type": "list", "items": {"type": "text"}}}},
        "not a JSON Schema",
    ),
    "unknown probe": (
        {"evidence_schema": {"a": {"verify": {"crystal_ball": "a"}}}},
        "unknown probe in verify: ['crystal_ball']; one of approval, command, count, coverage",
    ),
    "empty probe": (
        {"evidence_schema": {"a": {"verify": None}}},
        "verify takes a probe, such as {file: path}, not None",
    ),
    "unknown validator": (
        {"evidence_schema": {"a": {"validator": "positive"}}},
        "a: unknown validator 'positive' (none is defined)",
    ),
    "validator of another name": (
        {
            "evidence_schema": {"a": {"validator": "positiv"}},
            "validators": {"positive": "lambda x: x > 0"},
        },
        "a: unknown validator 'positiv' (positive)",
    ),
    "empty validator": (
        {"evidence_schema": {"a": {"validator": ""}}},
        "a: unknown validator '' (none is defined)",
    ),
    "validator without its parameters": (
        {
            "evidence_schema": {"a": {"validator": "least"}},
            "validators": {"least": "lambda x, n: x >= n"},
        },
        "a: validator 'least' takes the parameters ['n'], not []",
    ),
    "validator with a parameter too many": (
        {
            "evidence_schema": {"a": {"validator": "any", "validator_params": {"n": 1}}},
            "validators": {"any": "lambda x: True"},
        },
        "a: validator 'any' takes the parameters [], not ['n']",
    ),
    "parameter that would replace the value": (
        {
            "evidence_schema": {"a": {"validator": "any", "validator_params": {"x": 1}}},
            "validators": {"any": "lambda x: x"},
        },
        "a: validator 'any' takes the parameters [], not ['x']",
    ),
    "broken validator that nothing uses": (
        {"validators": {"positive": "x > 0"}},
        "validator 'positive': must be a lambda",
    ),
    "validator that is no text": (
        {"validators": {"positive": 1}},
        "Input should be a valid string",
    ),
    "validator outside the subset": (
        {"validators": {"positive": "lambda x: open(x)"}},
        "validator 'positive': function 'open' is not one of",
    ),
    "broken rule": (
        {"cross_field_validation": [{"rule": "lambda e: e["}]},
        "not a Python expression",
    ),
    "rule of two parameters": (
        {"cross_field_validation": [{"rule": "lambda a, b: a > b"}]},
        "a rule takes one parameter, the whole evidence",
    ),
    "rule without rule": ({"cross_field_validation": [{"error_message": "no"}]}, "Field required"),
    "rules that are no list": (
        {"cross_field_validation": {"rule": "lambda e: True"}},
        "Input should be a valid tuple",
    ),
    "strict that is no boolean": ({"checkpoint": {"strict": "often"}}, "valid boolean"),
    "empty strict": ({"checkpoint": {"strict": None}}, "valid boolean"),
    "checkpoint that is no mapping": ({"checkpoint": "strict"}, "valid dictionary"),
}


@pytest.mark.parametrize(("change", "reason"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_gate_cannot_exist(change, reason):
    with pytest.raises(ValidationError) as raised:
        Gate.model_validate({**GATE, **change})

    assert reason in raised.value.errors()[0]["msg"]


@pytest.mark.parametrize("data", [None, [], "text", 1])
def test_what_is_no_mapping_is_no_gate(data):
    with pytest.raises(ValidationError):
        Gate.model_validate(data)


def test_unknown_keys_survive_being_written_and_read():
    written = {
        **GATE,
        "checkpoint": {"strict": True, "allow_override": False, "owner": "us"},
        "evidence_schema": {"tests": {"type": "integer", "x-hint": {"a": [1]}}},
        "cross_field_validation": [{"rule": "lambda e: True", "severity": "high"}],
        "notes": "kept",
    }

    dumped = Gate.model_validate(written).model_dump(mode="json")
    again = Gate.model_validate(dumped)

    assert dumped["notes"] == "kept"
    assert dumped["checkpoint"]["owner"] == "us"
    assert dumped["evidence_schema"]["tests"]["x-hint"] == {"a": [1]}
    assert dumped["cross_field_validation"][0]["severity"] == "high"
    assert again.model_dump(mode="json") == dumped


def test_a_gate_cannot_be_changed():
    made = gate()

    with pytest.raises(ValidationError, match="frozen"):
        made.checkpoint.strict = False


def test_a_phase_that_only_lists_names_wants_each_of_them_to_be_there():
    made = presence_gate(("plan", "report"))

    assert made.required_fields == ("plan", "report")
    assert made.checkpoint.strict is True
    assert [field.json_schema for field in made.evidence_schema.values()] == [{}, {}]


def test_a_phase_that_lists_nothing_has_a_gate_without_fields():
    assert presence_gate(()).evidence_schema == {}


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"evidence_schema": {"n": {"type": "integer", "minimun": 3}}}, "did you mean minimum"),
        ({"evidence_schema": {"n": {"vaildator": "positive"}}}, "did you mean validator"),
        ({"evidence_schema": {"n": {"requird": True}}}, "did you mean required"),
        ({"evidence_schema": {"n": {"minItem": 1}}}, "did you mean minItems"),
        ({"cross_feild_validation": []}, "did you mean cross_field_validation"),
        ({"checkpoint": {"stric": True}}, "did you mean strict"),
    ],
    ids=str,
)
def test_a_misspelt_key_that_would_silently_not_gate_is_refused(broken, told):
    with pytest.raises(ValidationError, match=told):
        Gate.model_validate({**GATE, **broken})


@pytest.mark.parametrize("key", ["author", "notes", "example", "x-owner", "rationale", "examples"])
def test_a_key_of_the_author_s_own_is_kept(key):
    read = Gate.model_validate({**GATE, "evidence_schema": {"n": {"type": "integer", key: [1]}}})
    assert read.evidence_schema["n"].model_extra == {key: [1]}


LONGER = {
    "a look": {"evidence_schema": {"a": {"type": "boolean", "verify": {"file": "a.md"}}}},
    "an expression": {"validators": {"large": "lambda value: value > 1"}},
    "a rule": {"cross_field_validation": [{"rule": "lambda e: True"}]},
    "a pattern": {"evidence_schema": {"a": {"type": "string", "pattern": "a+"}}},
    "items": {"evidence_schema": {"a": {"type": "list", "items": {"type": "string"}}}},
    "a reference": {"evidence_schema": {"a": {"$ref": "#"}}},
}


def test_a_gate_of_plain_fields_judges_at_once():
    assert gate().judges_at_once


@pytest.mark.parametrize("changes", LONGER.values(), ids=LONGER)
def test_a_gate_that_may_take_long_says_so(changes):
    assert not gate(**changes).judges_at_once
