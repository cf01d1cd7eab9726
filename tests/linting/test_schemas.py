"""The published schemas: valid themselves, true to the models, and the source of known keys."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from mcp_server.core.definitions import Metadata
from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.gates.probe_settings import KNOWN_PROBES, FileSettings, ProbeSettings
from mcp_server.gates.yaml_source import YamlSource
from mcp_server.linting.gate_schema import NESTED_KEYS, gate_keys, gate_schema, keys_of
from mcp_server.linting.json_keywords import KEYWORDS, nested
from mcp_server.linting.metadata_schema import known_keys, known_keys_of, metadata_schema
from tests.builders import BUILT_IN_FOLDER
from tests.linting.lint_builders import DYNAMIC, METADATA

GATES = sorted(BUILT_IN_FOLDER.glob("*/phases/*/gate-definition.yaml"))
ALL_METADATA = sorted(BUILT_IN_FOLDER.glob("*/metadata.json"))


def gate_errors(data: object) -> list[str]:
    return [error.message for error in Draft202012Validator(gate_schema()).iter_errors(data)]


def metadata_errors(data: object) -> list[str]:
    return [error.message for error in Draft202012Validator(metadata_schema()).iter_errors(data)]


def field_errors(**field: object) -> list[str]:
    return gate_errors({"evidence_schema": {"a": field}})


@pytest.mark.parametrize("made", [metadata_schema, gate_schema])
def test_a_schema_is_valid_itself_and_says_what_it_is_for(made):
    schema = made()

    Draft202012Validator.check_schema(schema)
    assert "$id" not in schema
    assert schema["title"]
    assert schema["description"]
    assert [name for name, part in schema["properties"].items() if "description" not in part] == []


def test_every_key_of_a_part_is_described():
    for schema in (metadata_schema(), gate_schema()):
        for part in schema["$defs"].values():
            undescribed = [n for n, p in part.get("properties", {}).items() if not p.get(
                "description")]  # fmt: skip
            assert undescribed == []


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_built_in_files_are_valid():
    assert len(GATES) > 20
    assert [(path, errors) for path in GATES if (errors := gate_errors(YamlSource(read(path)).data))
            ] == []  # fmt: skip
    assert [path for path in ALL_METADATA if metadata_errors(json.loads(read(path)))] == []


def test_foreign_files_are_valid(compat):
    gates = list(compat.glob("workflows/*/phases/*/gate-definition.yaml"))
    assert len(gates) == 7
    assert [path for path in gates if gate_errors(YamlSource(read(path)).data)] == []
    for path in compat.glob("workflows/*/metadata.json"):
        assert metadata_errors(json.loads(read(path))) == []


BROKEN_METADATA = [
    [], {}, {**METADATA, "phases": [{}]}, {**METADATA, "tags": "a"}, {**METADATA, "name": 1},
    {**METADATA, "total_phases": []}, {**METADATA, **DYNAMIC, "dynamic_config": {"parser": "x"}},
    {**METADATA, "phases": [{"phase_number": 1, "checkpoint": {"required_evidence": "a"}}]},
]  # fmt: skip


@pytest.mark.parametrize("data", BROKEN_METADATA)
def test_broken_metadata_is_not_valid(data):
    assert metadata_errors(data)


@pytest.mark.parametrize("data", [METADATA, {**METADATA, **DYNAMIC}, {**METADATA, "version": 1.1},
                                  {**METADATA, "phases": [{"phase_number": "1-N"}]},
                                  {**METADATA, "author": "us", "colour": "red"}])  # fmt: skip
def test_good_metadata_is_valid(data):
    assert metadata_errors(data) == []
    Metadata.model_validate(data)


VERIFIES = [
    {"file": "a"}, {"file": ["a", "b"]}, {"file": {"path": "a", "fresh": True}},
    {"file": {"path": "a"}, "fresh": True}, [{"file": "a"}, {"approval": "well?"}],
    {"count": "a", "pattern": "x"}, {"count": {"path": "a", "pattern": "x", "distinct": True}},
    {"text": "a"}, {"text": "a", "contains": "x"}, {"json": "a", "pointer": "/a/0"},
    {"yaml": "a"}, {"toml": "a", "pointer": ""}, {"junit": "r", "count": "passed", "tests": "a"},
    {"junit": "r", "of": "a"}, {"junit": "r", "target": "a"}, {"coverage": "c", "of": "a"},
    {"git": "clean"}, {"git": "commit", "commit": "{evidence.c}"}, {"git": {"changed": ["a"]}},
    {"git": {"clean": True}}, {"git": "changed", "never": "a", "since": "session"},
    {"command": "test"}, {"command": {"argv": ["a", "b"], "timeout": 1.5, "env": "A"}},
    {"command": {"name": "t", "exit_codes": [0, 1], "report": {"junit": "r", "count": "failed"}}},
    {"approval": "well?", "of": ["a"]}, {"approval": {"question": "well?", "of": []}},
]  # fmt: skip


@pytest.mark.parametrize("verify", VERIFIES, ids=json.dumps)
def test_what_the_probes_take_is_valid(verify):
    EvidenceField.model_validate({"verify": verify})
    assert field_errors(verify=verify) == []


NO_VERIFIES = [
    {}, [], "a", {"oracle": "a"}, {"file": ""}, {"file": []}, {"file": "a", "fresch": True},
    {"file": {"path": "a", "fresch": True}}, {"file": {}}, {"count": "a"}, {"json": "a",
    "pointer": "a"}, {"junit": "r", "count": "many"}, {"junit": "r", "of": ["a"]},
    {"git": "pushed"}, {"git": "changed", "never": []}, {"command": {"argv": []}},
    {"command": "t", "report": {"file": "a"}}, {"command": "t", "exit_codes": []},
    {"approval": ""}, {"approval": "x" * 1001}, {"file": "a", "text": "b"},
]  # fmt: skip


@pytest.mark.parametrize("verify", NO_VERIFIES, ids=lambda verify: json.dumps(verify)[:40])
def test_what_the_probes_refuse_is_not_valid(verify):
    with pytest.raises(ValidationError):
        EvidenceField.model_validate({"verify": verify})
    assert field_errors(verify=verify)


@pytest.mark.parametrize(
    "gate",
    [{}, [], {"evidence_schema": []}, {"evidence_schema": {"a": 1}},
     {"evidence_schema": {}, "checkpoint": {"strict": "so"}},
     {"evidence_schema": {}, "validators": {"a": 1}},
     {"evidence_schema": {}, "cross_field_validation": [{}]},
     {"evidence_schema": {"a": {"type": "text"}}}, {"evidence_schema": {"a": {"minimum": "x"}}},
     {"evidence_schema": {"a": {"items": {"type": "list"}}}},
     {"evidence_schema": {"a": {"allOf": []}}}, {"evidence_schema": {"a": {"assurance": "sure"}}}],
)  # fmt: skip
def test_a_broken_gate_is_not_valid(gate):
    assert gate_errors(gate)


def test_empty_sections_are_valid():
    gate = dict.fromkeys(("checkpoint", "evidence_schema", "validators", "cross_field_validation"))

    assert gate_errors(gate) == []
    Gate.model_validate(gate)


def test_every_keyword_that_is_judged_is_known():
    assert set(Draft202012Validator.VALIDATORS) <= NESTED_KEYS
    assert EvidenceField.judging <= keys_of("EvidenceField")
    assert set(KEYWORDS) <= keys_of("EvidenceField")
    assert Gate.judging <= gate_keys()
    assert set(Metadata.model_fields) | {"author", "notes", "usage"} <= known_keys()
    assert {"source_path_key", "parser"} <= known_keys_of("DynamicConfig")


def test_the_schemas_within_a_schema_are_found():
    schema = {"items": {"a": 1}, "allOf": [{"b": 1}, True], "properties": {"x": {"c": 1}, "y": 2},
              "const": {"d": 1}, "unknown": {"e": 1}}  # fmt: skip

    assert nested(schema) == [
        (("items",), {"a": 1}), (("allOf", 0), {"b": 1}), (("properties", "x"), {"c": 1}),
    ]  # fmt: skip


class _OddSettings(ProbeSettings):
    probe = "odd"
    path: Callable[[], int]


class _OtherSettings(FileSettings):
    probe = "other"


def test_the_probes_of_installed_packages_are_in_the_schema(monkeypatch):
    assert field_errors(verify={"other": "a"})
    monkeypatch.setitem(KNOWN_PROBES, "other", _OtherSettings)
    monkeypatch.setitem(KNOWN_PROBES, "odd", _OddSettings)

    assert field_errors(verify={"other": "a", "min_size": 3}) == []
    assert field_errors(verify={"odd": "whatever"}) == []
    assert field_errors(verify={"other": "a", "min_sice": 3})
