"""What a field may say of how its value is found out, and how surely it must be known."""

import pytest
from pydantic import ValidationError

from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.gates.observation import Known
from mcp_server.gates.patterns import MAX_EXPANDED, MAX_PATTERN
from mcp_server.gates.probe_settings import ApprovalSettings, CommandSettings, JsonSettings
from tests.builders import GATE

LOOK = {"json": "a.json", "pointer": "/n"}
RUN = {"command": "test"}
ASK = {"approval": "Ship it?"}


def refusal_of(**written):
    with pytest.raises(ValidationError) as raised:
        Gate.model_validate({**GATE, "evidence_schema": {"a": {"type": "integer", **written}}})
    error = raised.value.errors()[0]
    return ".".join(str(part) for part in error["loc"]), error["msg"]


def test_a_field_has_its_probes_in_the_order_of_the_author():
    made = EvidenceField.model_validate({"verify": [ASK, RUN, LOOK]})

    assert made.probes == (
        ApprovalSettings(question="Ship it?"),
        CommandSettings(name="test"),
        JsonSettings(path="a.json", pointer="/n"),
    )


def test_one_probe_needs_no_list():
    assert EvidenceField.model_validate({"verify": LOOK}).probes == (
        JsonSettings(path="a.json", pointer="/n"),
    )


def test_a_field_that_says_nothing_is_not_looked_for():
    made = EvidenceField.model_validate({"type": "integer"})
    assert (made.probes, made.assurance) == ((), None)


def test_the_verified_fields_are_those_with_a_probe():
    made = Gate.model_validate({
        "evidence_schema": {"a": {"verify": LOOK}, "b": {}, "c": {"required": False, "verify": ASK}}
    })  # fmt: skip

    assert list(made.verified_fields) == ["a", "c"]
    assert made.required_fields == ("a", "b")


def test_neither_verify_nor_assurance_is_taken_for_a_keyword_of_json_schema():
    made = EvidenceField.model_validate({
        "type": "integer", "minimum": 1, "verify": RUN, "assurance": "executed",
    })  # fmt: skip
    assert made.json_schema == {"type": "integer", "minimum": 1}


@pytest.mark.parametrize("verify", [LOOK, [RUN, LOOK], {"json": {"path": "b"}}], ids=str)
def test_what_is_verified_survives_being_written_and_read(verify):
    gate = {"evidence_schema": {"a": {"verify": verify, "assurance": "observed"}}}

    dumped = Gate.model_validate(gate).model_dump(mode="json")

    assert dumped["evidence_schema"]["a"]["verify"] == verify
    assert dumped["evidence_schema"]["a"]["assurance"] == "observed"
    again = Gate.model_validate(dumped)
    assert again.model_dump(mode="json") == dumped
    assert again.evidence_schema["a"].probes == EvidenceField(verify=verify).probes


GIVEN = {
    "observed": (LOOK, [Known.CLAIMED, Known.OBSERVED]),
    "executed": (RUN, [Known.CLAIMED, Known.OBSERVED, Known.EXECUTED]),
    "approved": (ASK, list(Known)),
    "the strongest of a list": (
        [LOOK, RUN, LOOK], [Known.CLAIMED, Known.OBSERVED, Known.EXECUTED],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("verify", "possible"), GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize("least", Known)
def test_an_assurance_needs_a_probe_that_gives_it(verify, possible, least):
    if least in possible:
        made = EvidenceField.model_validate({"verify": verify, "assurance": str(least)})
        assert made.assurance is least
    else:
        assert refusal_of(verify=verify, assurance=str(least)) == (
            "evidence_schema.a",
            f"Value error, assurance {least} needs a probe that gives it, in verify",
        )


@pytest.mark.parametrize("least", ["observed", "executed", "approved"])
def test_an_assurance_without_a_probe_is_refused(least):
    assert refusal_of(assurance=least)[1] == (
        f"Value error, assurance {least} needs a probe that gives it, in verify"
    )


PROBES = "approval, command, count, coverage, file, git, json, junit, text, toml, yaml"
UNSOUND = {
    "unknown assurance": (
        {"verify": RUN, "assurance": "proven"}, "'proven' is not a valid Known",
    ),
    "assurance of another case": (
        {"verify": RUN, "assurance": "Executed"}, "'Executed' is not a valid Known",
    ),
    "no assurance": ({"verify": RUN, "assurance": None}, "None is not a valid Known"),
    "no probes": ({"verify": []}, "verify is empty"),
    "unknown probe": (
        {"verify": {"crystal_ball": "a"}},
        f"unknown probe in verify: ['crystal_ball']; one of {PROBES}",
    ),
    "unknown probe after a known one": (
        {"verify": [LOOK, {"oracle": 1}]}, f"unknown probe in verify: ['oracle']; one of {PROBES}",
    ),
    "text": ({"verify": "a.json"}, "verify takes a probe, such as {file: path}, not 'a.json'"),
    "true": ({"verify": True}, "verify takes a probe, such as {file: path}, not True"),
    "misspelt verify": ({"verifiy": LOOK}, "unknown key 'verifiy': did you mean verify?"),
    "misspelt assurance": (
        {"verify": LOOK, "asurance": "observed"}, "unknown key 'asurance': did you mean assurance?",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "reason"), UNSOUND.values(), ids=UNSOUND)
def test_a_field_whose_probes_make_no_sense_cannot_exist(written, reason):
    assert refusal_of(**written) == ("evidence_schema.a", f"Value error, {reason}")


@pytest.mark.parametrize("path", ["../a.json", "/etc/passwd", "a/../../b", "~/a", "C:/a", "a\\b"])
def test_a_probe_that_would_leave_the_project_cannot_exist(path):
    assert "leaves the project; write it relative, with /" in refusal_of(verify={"json": path})[1]


def test_an_unknown_setting_of_a_probe_is_refused():
    assert "Extra inputs are not permitted" in refusal_of(verify={"file": "a", "min_sise": 9})[1]


LONG = "a" * (MAX_PATTERN + 1)
EXPLODING = "(((a{99}){99}){99})"
PATTERNS = {
    "too long": (LONG, f"a pattern of {MAX_PATTERN + 1} characters is over {MAX_PATTERN}"),
    "repetitions": (
        EXPLODING, f"the repetitions in {EXPLODING!r} come to over {MAX_EXPANDED} parts",
    ),
}  # fmt: skip
PLACES = {
    "field": lambda pattern: {"pattern": pattern},
    "items": lambda pattern: {"items": {"pattern": pattern}},
    "list of schemas": lambda pattern: {"anyOf": [{}, {"pattern": pattern}]},
    "properties": lambda pattern: {"properties": {"b": {"pattern": pattern}}},
    "names": lambda pattern: {"patternProperties": {pattern: {}}},
    "names inside": lambda pattern: {"items": {"patternProperties": {pattern: {}}}},
    "definitions": lambda pattern: {"$defs": {"b": {"pattern": pattern}}, "$ref": "#/$defs/b"},
}


@pytest.mark.parametrize(("pattern", "reason"), PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_pattern_that_nobody_can_match_in_time_is_refused_wherever_it_stands(
    place, pattern, reason
):
    assert refusal_of(**place(pattern)) == ("evidence_schema.a", f"Value error, {reason}")


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_pattern_is_kept_as_it_is_written(place):
    made = EvidenceField.model_validate({"type": "string", **place("^a{2,9}$")})
    assert made.json_schema == {"type": "string", **place("^a{2,9}$")}


def test_a_property_may_be_called_pattern():
    made = EvidenceField.model_validate({"properties": {"pattern": {"type": "string"}}})
    assert made.json_schema == {"properties": {"pattern": {"type": "string"}}}
