"""The gate of a phase: read from its file or the metadata, and refused with file and line."""

import pytest

from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.model import TYPE_NAMES
from mcp_server.gates.observation import Judgement
from tests.builders import library, write_workflow
from tests.core.session_builders import PHASE, put, refusal

PROBES = "approval, command, count, coverage, file, git, json, junit, text, toml, yaml"


def test_dates_in_a_gate_stay_text(shelf):
    folder = write_workflow(shelf, phases=1)
    put(folder, "phases/1/gate-definition.yaml", "evidence_schema:\n  day: {const: 2024-02-03}\n")

    gate = library(shelf).load("small_v1").phases[0].gate

    assert evaluate(gate, {"day": "2024-02-03"}, {}).outcome is Judgement.PASS


# Without a gate file


ASKED = [{"phase_number": 1, "checkpoint": {"required_evidence": ["plan", "report"]}}]


@pytest.mark.parametrize("number", [1, "1"], ids=["number", "text"])
def test_without_a_gate_file_the_evidence_of_the_metadata_is_required(shelf, number):
    entry = {**ASKED[0], "phase_number": number}
    write_workflow(shelf, phases=1, gate=None, metadata={"phases": [entry]})

    gate = library(shelf).load("small_v1").phases[0].gate

    assert gate.required_fields == ("plan", "report")
    assert evaluate(gate, {"plan": 1, "report": "x"}, {}).outcome is Judgement.PASS
    assert evaluate(gate, {"plan": 1}, {}).missing == ("report",)


def test_a_gate_file_comes_before_the_metadata(shelf):
    write_workflow(shelf, phases=1, metadata={"phases": ASKED})

    assert library(shelf).load("small_v1").phases[0].gate.required_fields == ("tests", "report")


@pytest.mark.parametrize("entries", [[], [{"phase_number": 1}]], ids=["no entry", "bare entry"])
def test_with_neither_anything_but_nothing_is_accepted(shelf, entries):
    write_workflow(shelf, phases=1, gate=None, metadata={"phases": entries})

    gate = library(shelf).load("small_v1").phases[0].gate

    assert evaluate(gate, {"note": "x"}, {}).outcome is Judgement.PASS
    assert evaluate(gate, {}, {}).outcome is Judgement.FAIL


# Broken gates


GATE_FILE = f"{PHASE}/gate-definition.yaml"

BROKEN_GATES = {
    "empty": ("", ":1: a gate needs the key evidence_schema"),
    "list": ("- a\n", ":1: a gate needs the key evidence_schema"),
    "misspelt section": ("evidence_shema:\n  a: {}\n", ":1: a gate needs the key evidence_schema"),
    "syntax": (
        "evidence_schema:\n  a: [\n", ":3: not YAML: did not find expected node content",
    ),
    "duplicate key": (
        "evidence_schema:\n  a: {type: integer}\n  b: {}\n  a: {}\n", ":4: duplicate key 'a'",
    ),
    "unknown type": (
        "evidence_schema:\n  a: {}\n  b:\n    type: text\n",
        f":4: evidence_schema.b.type: unknown type 'text'; one of {', '.join(TYPE_NAMES)}",
    ),
    "keyword of a wrong type": (
        "evidence_schema:\n  a: {}\n  b: {minimum: few}\n",
        ":3: evidence_schema.b: not a JSON Schema: 'few' is not of type 'number'",
    ),
    "unknown probe": (
        "evidence_schema:\n  a: {verify: {oracle: x}}\n",
        f":2: evidence_schema.a: unknown probe in verify: ['oracle']; one of {PROBES}",
    ),
    "unknown validator": (
        "checkpoint: {}\nevidence_schema:\n  a: {validator: v}\n",
        ":1: a: unknown validator 'v' (none is defined)",
    ),
    "broken validator": (
        "evidence_schema: {}\nvalidators:\n  v: x > 0\n",
        ":2: validators: validator 'v': must be a lambda, such as: lambda x: x > 0",
    ),
    "broken rule": (
        "evidence_schema: {}\ncross_field_validation:\n  - rule: 'lambda e: f'\n",
        ":3: cross_field_validation.0.rule: name 'f' is not a parameter",
    ),
    "field of no name": (
        "evidence_schema:\n  yes: {}\n",
        ":1: evidence_schema.1.[key]: Input should be a valid string",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BROKEN_GATES.values(), ids=BROKEN_GATES)
def test_a_broken_gate_is_refused_with_file_and_line(shelf, text, reason):
    put(write_workflow(shelf), "phases/1/gate-definition.yaml", text)

    assert refusal(shelf) == GATE_FILE + reason


def test_a_bomb_in_a_gate_is_refused(shelf):
    put(write_workflow(shelf), "phases/1/gate-definition.yaml", "[" * 500_000)

    assert refusal(shelf) == f"{GATE_FILE}:1: nested deeper than 64"


def test_what_cannot_be_pinned_is_refused(shelf):
    # JSON can spell half of a character, which UTF-8 cannot hold.
    write_workflow(shelf, metadata={"name": "\ud800"})

    assert refusal(shelf).startswith("shelf/small_v1/phases: not plain data: ")


# What would silently not gate


@pytest.mark.parametrize(
    "name",
    ["gate-definition.yml", "gate.yaml", "gate_definition.yaml", "Gate-Definition.yaml",
     "gates.yml", "gate-definition.json"],
)  # fmt: skip
def test_a_gate_under_another_name_is_refused_and_not_ignored(shelf, name):
    folder = write_workflow(shelf, phases=1)
    phase = folder / "phases" / "1"
    (phase / "gate-definition.yaml").rename(phase / name)

    assert refusal(shelf) == (
        f"{PHASE}/{name}: not read as a gate: rename it to gate-definition.yaml"
    )


def test_a_gate_file_that_asks_for_nothing_leaves_the_word_to_the_metadata(shelf):
    write_workflow(shelf, phases=1, gate={"evidence_schema": {}}, metadata={"phases": ASKED})

    assert library(shelf).load("small_v1").phases[0].gate.required_fields == ("plan", "report")


@pytest.mark.parametrize("span", ["1-N", "1-2", "0 - 5"])
def test_an_entry_for_a_range_of_phases_asks_for_evidence_in_each_of_them(shelf, span):
    entry = {**ASKED[0], "phase_number": span}
    write_workflow(shelf, phases=2, gate=None, metadata={"phases": [entry]})

    gates = [phase.gate for phase in library(shelf).load("small_v1").phases]

    assert [gate.required_fields for gate in gates] == [("plan", "report")] * 2


def test_an_entry_for_another_range_asks_for_nothing(shelf):
    entry = {**ASKED[0], "phase_number": "2-N"}
    write_workflow(shelf, phases=1, gate=None, metadata={"phases": [entry]})

    assert library(shelf).load("small_v1").phases[0].gate.required_fields == ()
