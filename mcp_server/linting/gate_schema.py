"""The JSON Schema of gate-definition.yaml, from the models of gates and of probes. Pure.

The linter takes its known keys from here, so that an editor and the linter know the same ones.
Probes of installed packages are in it as soon as they are loaded.
"""

from functools import lru_cache
from typing import Any

from mcp_server.gates.model import TYPE_NAMES, Gate
from mcp_server.gates.observation import Known
from mcp_server.gates.probe_settings import KNOWN_PROBES
from mcp_server.linting.json_keywords import KEYWORDS, keyword_properties
from mcp_server.linting.metadata_schema import DIALECT, Schema, describe
from mcp_server.linting.verify_schema import probe_definitions

_OTHER_TYPE_NAMES = ("array", "bool", "float", "int", "str")

_MEANINGS = {
    "checkpoint": "How strict the gate is",
    "strict": "Whether a value that does not fit refuses; if false it only warns",
    "allow_override": "Whether a person may wave the phase through on a terminal",
    "evidence_schema": "What the phase must prove: one entry for each piece of evidence",
    "validators": 'Named checks of one value, such as "lambda x: x > 0"',
    "cross_field_validation": "Relations between pieces of evidence that must hold",
    "rule": "Check of the whole evidence, such as \"lambda e: e['a'] >= e['b']\"",
    "error_message": "What is said when the rule does not hold",
    "type": "What kind of value this is",
    "required": "Whether nothing passes without it; a required boolean must be true",
    "description": "What to submit, in words for the agent",
    "validator": "Name of a check under validators",
    "validator_params": "Values of the further parameters of that check, by name",
    "verify": "How the server finds the value out for itself; of a list the first that can be had",
    "assurance": "How the value must be known at least",
}

_FOR_PEOPLE: Schema = {
    name: {"description": meaning}
    for name, meaning in {
        "phase": "Number of the phase",
        "phase_number": "Number of the phase",
        "phase_name": "Title of the phase",
        "name": "Name of the gate",
        "title": "Title of the gate",
        "description": "What the gate is for",
        "purpose": "What the gate is for",
        "version": "Version of the gate",
        "workflow": "Name of the workflow",
        "workflow_type": "Name of the workflow",
        "notes": "Anything else",
    }.items()
}


def gate_schema() -> Schema:
    """Return the schema of gate-definition.yaml."""
    return _gate_schema(tuple(KNOWN_PROBES))


@lru_cache(maxsize=1)
def _gate_schema(_probes: tuple[str, ...]) -> Schema:
    made: dict[str, Any] = Gate.model_json_schema()
    parts = made["$defs"]
    for part in (made, *parts.values()):
        describe(part["properties"], _MEANINGS)
    for name in ("checkpoint", "evidence_schema", "validators", "cross_field_validation"):
        # A section that is there and empty is as good as none.
        section = made["properties"][name]
        meaning = section.pop("description")
        made["properties"][name] = {
            "description": meaning,
            "anyOf": [section, {"type": "null"}],
        }
    parts["EvidenceField"]["properties"] = _field_properties(parts["EvidenceField"]["properties"])
    made["properties"] |= _FOR_PEOPLE
    made["required"] = ["evidence_schema"]
    made["$defs"] = {**parts, **probe_definitions(), "Schema": _nested_schema()}
    return {
        "$schema": DIALECT,
        **made,
        "title": "Gate of a phase",
        "description": "gate-definition.yaml of a workflow phase: what the phase must prove",
    }


def gate_keys() -> frozenset[str]:
    """Return the keys that a gate may have."""
    return frozenset(gate_schema()["properties"])


def keys_of(part: str) -> frozenset[str]:
    """Return the keys that a Checkpoint, an EvidenceField, a CrossFieldRule may have."""
    return frozenset(gate_schema()["$defs"][part]["properties"])


def _field_properties(own: Schema) -> Schema:
    own["type"] = {
        "description": _MEANINGS["type"],
        "enum": [*TYPE_NAMES, *_OTHER_TYPE_NAMES, None],
    }
    own["verify"] = {"description": _MEANINGS["verify"], "$ref": "#/$defs/Verify"}
    strengths = [str(known) for known in Known]
    own["assurance"] = {"description": _MEANINGS["assurance"], "enum": strengths}
    return {**keyword_properties(), **own}


def _nested_schema() -> Schema:
    names = sorted(set(TYPE_NAMES.values()) | {"null"})
    return {
        "description": "A JSON Schema, as it stands within a keyword",
        "type": ["object", "boolean"],
        "properties": {
            **keyword_properties(),
            "type": {
                "anyOf": [{"enum": names}, {"type": "array", "items": {"enum": names}}],
                "description": "Type of the value, in the names of JSON Schema",
            },
            "required": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Keys that an object must have",
            },
        },
    }


NESTED_KEYS = frozenset(KEYWORDS) | {"type", "required", "description"}
"""The keys of a JSON Schema within a keyword."""
