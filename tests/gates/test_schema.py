"""JSON Schema for evidence: its keywords work, and nothing that is written or sent is endless."""

import itertools
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import ValidationError

from mcp_server.gates import schema as schema_module
from mcp_server.gates.model import EvidenceField
from mcp_server.gates.schema import SchemaInapplicableError, first_error

SLOW = r"(x+x+)+y"
SLOW_TEXT = "x" * 5_000 + "z\ny"
TOO_LONG = f"the pattern {SLOW!r} takes too long on this text"
TEN = {"type": "integer", "maximum": 10}

KEYWORDS = {
    "type": ({"type": "integer"}, 3, "3"),
    "types": ({"type": ["integer", "null"]}, None, "3"),
    "enum": ({"enum": ["x", [1]]}, [1], "y"),
    "const": ({"const": {"a": 1}}, {"a": 1.0}, {"a": 2}),
    "minimum": ({"minimum": 3}, 3, 2.9),
    "maximum": ({"maximum": 3}, 3, 3.1),
    "exclusiveMinimum": ({"exclusiveMinimum": 3}, 3.1, 3),
    "exclusiveMaximum": ({"exclusiveMaximum": 3}, 2.9, 3),
    "multipleOf": ({"multipleOf": 5}, 15, 16),
    "minLength": ({"minLength": 2}, "éé", "é"),
    "maxLength": ({"maxLength": 2}, "éé", "ééé"),
    "pattern": ({"pattern": "b+$"}, "abb", "abba"),
    "items": ({"items": TEN}, [1, 10], [1, 11]),
    "prefixItems": ({"prefixItems": [TEN, {"type": "string"}]}, [1, "a", {}], [1, 2]),
    "minItems": ({"minItems": 2}, [1, 2], [1]),
    "maxItems": ({"maxItems": 2}, [1, 2], [1, 2, 3]),
    "uniqueItems": ({"uniqueItems": True}, [1, 2], [1, 2, 1]),
    "no uniqueItems": ({"uniqueItems": False, "maxItems": 2}, [1, 1], [1, 1, 1]),
    "contains": ({"contains": TEN}, ["a", 1], ["a", 11]),
    "minContains": ({"contains": TEN, "minContains": 2}, [1, 2], [1, 11]),
    "maxContains": ({"contains": TEN, "maxContains": 1}, [1, 11], [1, 2]),
    "unevaluatedItems": (
        {"prefixItems": [{}], "unevaluatedItems": {"type": "string"}}, [1, "a"], [1, 2],
    ),
    "properties": ({"properties": {"a": TEN}}, {"a": 1, "b": 11}, {"a": 11}),
    "required": ({"required": ["a"]}, {"a": None}, {"b": 1}),
    "minProperties": ({"minProperties": 1}, {"a": 1}, {}),
    "maxProperties": ({"maxProperties": 1}, {"a": 1}, {"a": 1, "b": 2}),
    "patternProperties": ({"patternProperties": {"^n_": TEN}}, {"n_a": 1, "a": 11}, {"n_a": 11}),
    "no additionalProperties": (
        {"properties": {"a": {}}, "patternProperties": {"^n_": {}}, "additionalProperties": False},
        {"a": 1, "n_b": 2}, {"b": 1},
    ),
    "additionalProperties": (
        {"properties": {"a": {}}, "additionalProperties": TEN}, {"a": "x", "b": 1}, {"b": 11},
    ),
    "unevaluatedProperties": (
        {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"a": 1}, {"b": 1},
    ),
    "propertyNames": ({"propertyNames": {"pattern": "^[a-z]+$"}}, {"ab": 1}, {"a1": 1}),
    "dependentRequired": ({"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 2}, {"a": 1}),
    "dependentSchemas": (
        {"dependentSchemas": {"a": {"maxProperties": 1}}}, {"a": 1}, {"a": 1, "b": 2},
    ),
    "allOf": ({"allOf": [TEN, {"minimum": 1}]}, 5, 0),
    "anyOf": ({"anyOf": [TEN, {"type": "string"}]}, "a", 11),
    "oneOf": ({"oneOf": [TEN, {"minimum": 5}]}, 11, 7),
    "not": ({"not": TEN}, 11, 1),
    "if then": ({"if": {"type": "string"}, "then": {"minLength": 2}}, 1, "a"),
    "else": ({"if": {"type": "string"}, "else": TEN}, "a", 11),
    "$ref": ({"$ref": "#/$defs/ten", "$defs": {"ten": TEN}}, 10, 11),
    "$anchor": ({"$ref": "#ten", "$defs": {"a": {"$anchor": "ten", **TEN}}}, 10, 11),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "right", "wrong"), KEYWORDS.values(), ids=KEYWORDS)
def test_a_keyword_of_json_schema_does_what_it_says(schema, right, wrong):
    assert first_error(schema, right) is None
    assert first_error(schema, wrong) is not None


@pytest.mark.parametrize(("schema", "right", "wrong"), KEYWORDS.values(), ids=KEYWORDS)
def test_a_keyword_does_the_same_deep_inside(schema, right, wrong):
    made = EvidenceField.model_validate({"items": {"properties": {"a": {"items": _moved(schema)}}}})

    assert first_error(made.json_schema, [{"a": [right]}]) is None
    assert list(first_error(made.json_schema, [{}, {"a": [wrong]}]).absolute_path)[:3] == [
        1, "a", 0,
    ]  # fmt: skip


def _moved(schema):
    """Return a schema that resolves its own references when it is not at the root."""
    return {"$id": "urn:inner", **schema} if "$ref" in schema else schema


def test_an_error_says_where_and_by_which_keyword():
    schema = {"patternProperties": {"^n_": {"additionalProperties": TEN}}}

    error = first_error(schema, {"n_a": {"b": 11}})

    assert (list(error.absolute_path), error.validator, error.validator_value, error.instance) == (
        ["n_a", "b"], "maximum", 10, 11,
    )  # fmt: skip


BOOLEANS_ARE_NO_NUMBERS = {
    "const": ({"const": 1}, 1.0, True),
    "const that is true": ({"const": True}, True, 1),
    "const inside": ({"const": [{"a": 0}]}, [{"a": 0.0}], [{"a": False}]),
    "enum": ({"enum": [0, 1]}, 1, True),
    "enum of booleans": ({"enum": [True, False]}, False, 0),
    "enum inside": ({"enum": [[False]]}, [False], [0]),
    "unique": ({"uniqueItems": True}, [1, True, 0, False], [1, 1.0]),
    "unique inside": (
        {"uniqueItems": True}, [{"a": [1]}, {"a": [True]}], [{"a": [True]}, {"a": [True]}],
    ),
    "integer": ({"type": "integer"}, 1, True),
    "number": ({"type": "number"}, 0, False),
    "boolean": ({"type": "boolean"}, False, 0),
}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "right", "wrong"), BOOLEANS_ARE_NO_NUMBERS.values(), ids=BOOLEANS_ARE_NO_NUMBERS
)
def test_true_is_not_one_and_false_is_not_zero(schema, right, wrong):
    assert first_error(schema, right) is None
    assert first_error(schema, wrong) is not None


NAMED = {SLOW_TEXT: 1}
SLOW_SCHEMAS = {
    "pattern": ({"pattern": SLOW}, SLOW_TEXT),
    "patternProperties": ({"patternProperties": {SLOW: {}}}, NAMED),
    "additionalProperties": (
        {"additionalProperties": False, "patternProperties": {SLOW: {}}}, NAMED,
    ),
    "propertyNames": ({"propertyNames": {"pattern": SLOW}}, NAMED),
    "items": ({"items": {"pattern": SLOW}}, [SLOW_TEXT]),
    "contains": ({"contains": {"pattern": SLOW}}, [SLOW_TEXT]),
    "unevaluatedProperties": ({"unevaluatedProperties": {"pattern": SLOW}}, {"a": SLOW_TEXT}),
    "anyOf with another": ({"anyOf": [{"pattern": SLOW}, {"type": "string"}]}, SLOW_TEXT),
    "not": ({"not": {"pattern": SLOW}}, SLOW_TEXT),
    "if": ({"if": {"pattern": SLOW}, "else": {}}, SLOW_TEXT),
    "reference": ({"$ref": "#/$defs/a", "$defs": {"a": {"pattern": SLOW}}}, SLOW_TEXT),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "value"), SLOW_SCHEMAS.values(), ids=SLOW_SCHEMAS)
def test_a_pattern_that_would_take_years_ends_and_is_no_answer(schema, value):
    began = time.perf_counter()

    with pytest.raises(SchemaInapplicableError) as raised:
        first_error(schema, value)

    assert str(raised.value) == TOO_LONG
    assert time.perf_counter() - began < 30


def test_all_patterns_of_a_value_share_one_limit():
    # Each of them takes a few milliseconds, all of them many times the limit.
    text = "x" * 15 + "z\ny"

    assert first_error({"items": {"pattern": SLOW}}, [text]).validator == "pattern"
    with pytest.raises(SchemaInapplicableError) as raised:
        first_error({"items": {"not": {"pattern": SLOW}}}, [text] * 20_000)
    assert str(raised.value) == TOO_LONG


def test_the_limit_starts_anew_with_each_value():
    for _ in range(3):
        with pytest.raises(SchemaInapplicableError):
            first_error({"pattern": SLOW}, SLOW_TEXT)
        assert first_error({"pattern": "^a"}, "a") is None


@pytest.fixture
def server():
    """A server on this machine that gives a schema to whoever asks, and notes who did."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_parts):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()
        thread.join()


REFERENCES = ["{root}/a.json", "a.json", "//{host}/a.json"]


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_never_reaches_the_network(server, keyword, reference):
    root, asked = server
    filled = reference.format(root=root, host=root.removeprefix("http://"))

    with pytest.raises(SchemaInapplicableError) as raised:
        first_error({"$id": f"{root}/b.json", keyword: filled}, 1)

    assert str(raised.value) == "its schema cannot be applied (_WrappedReferencingError)"
    assert asked == []


def test_a_reference_never_reads_a_file(tmp_path):
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")

    with pytest.raises(SchemaInapplicableError):
        first_error({"$ref": (tmp_path / "a.json").as_uri()}, 1)


def _nested(levels, value):
    for _ in range(levels):
        value = [value]
    return value


INAPPLICABLE = {
    "a reference to nothing": ({"$ref": "#/$defs/a"}, 1, "_WrappedReferencingError"),
    "items that nest too deep": ({"uniqueItems": True}, [_nested(5_000, 1)], "RecursionError"),
    "items that cannot be compared": ({"uniqueItems": True}, [{1}, {1}], "TypeError"),
    "a number beyond all floats": ({"multipleOf": 0.1}, 10**400, "OverflowError"),
}


@pytest.mark.parametrize(("schema", "value", "kind"), INAPPLICABLE.values(), ids=INAPPLICABLE)
def test_what_cannot_be_applied_is_no_answer(schema, value, kind):
    with pytest.raises(SchemaInapplicableError) as raised:
        first_error(schema, value)

    assert str(raised.value) == f"its schema cannot be applied ({kind})"


@pytest.mark.parametrize("make", [str, float, lambda n: {"id": n}, lambda n: [n, {"a": n}]])
def test_twenty_thousand_unique_items_are_compared_at_once(make):
    items = [make(number) for number in range(20_000)]
    began = time.perf_counter()

    assert first_error({"uniqueItems": True}, items) is None
    assert first_error({"uniqueItems": True}, [*items, make(7)]).validator == "uniqueItems"
    assert time.perf_counter() - began < 30


BESIDE = {
    "beside": {"patternProperties": {"^a": {}}, "unevaluatedProperties": False},
    "above": {"unevaluatedProperties": False, "allOf": [{"patternProperties": {"^a": {}}}]},
    "by reference": {
        "$ref": "#/$defs/a", "unevaluatedProperties": False,
        "$defs": {"a": {"patternProperties": {"^a": {}}}},
    },
}  # fmt: skip


@pytest.mark.parametrize("keywords", BESIDE.values(), ids=BESIDE)
def test_what_the_library_would_match_without_a_limit_is_refused_when_the_gate_is_read(keywords):
    with pytest.raises(ValidationError) as raised:
        EvidenceField.model_validate({"type": "dict", **keywords})

    [error] = raised.value.errors()
    assert error["msg"] == (
        "Value error, patternProperties beside unevaluatedProperties is not supported"
    )


@pytest.mark.parametrize("key", ["patternProperties", "unevaluatedProperties"])
def test_either_of_the_two_alone_is_taken(key):
    made = EvidenceField.model_validate({"type": "dict", key: {"^a": {}}})
    assert key in made.json_schema


@pytest.mark.parametrize(
    ("schema", "value"),
    [({"$ref": "#"}, 1), ({"items": {"$ref": "#"}}, _nested(5_000, 1))],
    ids=["to itself", "as deep as the value"],
)
def test_references_that_lead_too_deep_end(schema, value):
    with pytest.raises(SchemaInapplicableError, match="through references 100 deep"):
        first_error(schema, value)


def test_a_value_may_be_as_deep_as_evidence_may_nest():
    assert first_error({"items": {"$ref": "#"}}, _nested(64, 1)) is None


def test_references_that_lead_through_each_other_end():
    names = [f"a{number}" for number in range(20)]
    doubled = {
        name: {"allOf": [{"$ref": f"#/$defs/{following}"}] * 2}
        for name, following in itertools.pairwise(names)
    }
    schema = {"$defs": {**doubled, names[-1]: {}}, "$ref": "#/$defs/a0"}
    with pytest.raises(SchemaInapplicableError, match="over 5000 references"):
        first_error(schema, 1)


def test_another_dialect_inside_of_a_schema_is_refused_when_it_is_read():
    inner = {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "(x+x+)+y"}
    with pytest.raises(ValueError, match=r"\$schema inside of a schema is not supported"):
        EvidenceField.model_validate({"properties": {"a": inner}})


def test_what_applies_a_schema_is_made_once_and_only_for_that_schema(monkeypatch):
    monkeypatch.setattr(schema_module, "_made", {})
    ten, five = {"maximum": 10}, {"maximum": 5}
    for _ in range(2):
        assert first_error(ten, 7) is None
        assert first_error(five, 7) is not None
    assert [made.schema for made in schema_module._made.values()] == [ten, five]
    # Another object may be made where one was.
    schema_module._made[id(ten)] = schema_module._made[id(five)]
    assert first_error(ten, 7) is None


def test_only_the_last_schemas_are_kept(monkeypatch):
    monkeypatch.setattr(schema_module, "_made", {})
    monkeypatch.setattr(schema_module, "_KEPT", 2)
    schemas = [{"maximum": number} for number in range(3)]
    for one in schemas:
        first_error(one, 0)
    assert [made.schema for made in schema_module._made.values()] == schemas[1:]
