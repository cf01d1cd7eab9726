"""What would pass a gate, and what no gate may let through."""

import math
from collections import Counter

import pytest

from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.hostile import ENORMOUS, MANY, Kind, Project, submissions
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Judgement, Known, Observation
from mcp_server.gates.plausible import plausible
from tests.builders import gate
from tests.gates.gate_builders import one

LIMIT = 1_000


def hostile(made: Gate) -> list:
    return list(submissions(made, plausible(made), LIMIT))


def of(made: Gate, kind: Kind, name: str = "a") -> list:
    return [one for one in hostile(made) if (one.kind, one.field) == (kind, name)]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"type": "boolean"}, True),
        ({"type": "boolean", "const": False}, False),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "integer", "exclusiveMinimum": 7}, 8),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "multipleOf": 6, "minimum": 1}, 6),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 7}, "text text"),
        ({"type": "string", "minLength": 6, "maxLength": 6}, "text t"),
        ({"type": "string", "pattern": "^reports/"}, "reports/report.md"),
        ({"type": "string", "enum": ["low", "high"]}, "low"),
        ({"type": "string", "default": "as ever"}, "as ever"),
        ({"type": "string", "examples": ["x", "long enough"], "minLength": 5}, "long enough"),
        ({"type": "list"}, ["text"]),
        ({"type": "list", "minItems": 2, "items": {"type": "integer"}}, [1, 1]),
        ({"type": "list", "minItems": 3, "uniqueItems": True, "items": {"type": "boolean"},
          "maxItems": 2}, [True, False]),
        ({"type": "list", "maxItems": 0}, []),
        ({"type": "list", "items": {"type": "array"}}, [["text"]]),
        ({"type": "dict"}, {"key 1": "value"}),
        ({"type": "object", "properties": {"n": {"type": "integer", "minimum": 2}}}, {"n": 2}),
        ({}, "text"),
    ],
)  # fmt: skip
def test_a_value_that_a_field_accepts_is_found_or_made_up(field, expected):
    made = plausible(one(**field))
    assert made.values == {"a": expected}


@pytest.mark.parametrize("length", [2, 9])
def test_items_that_must_differ_do(length):
    made = plausible(one(type="list", minItems=length, uniqueItems=True))
    assert made.passes
    assert len(set(made.values["a"])) == length


def test_what_the_server_looks_for_is_seen_by_the_strongest_probe():
    field = {"type": "integer", "minimum": 3, "examples": [5],
             "verify": [{"command": "test"}, {"junit": "reports/junit.xml"}]}  # fmt: skip
    made = plausible(one(**field))
    assert made.passes
    assert made.observations == {"a": Observation(Known.EXECUTED, value=5, probe="command test")}


def test_a_rule_about_optional_fields_leaves_them_out_where_they_break_it():
    fields = {"a": {"type": "integer"}, "b": {"type": "integer", "required": False, "const": 9}}
    rule = {"rule": "lambda e: e['a'] > e.get('b', 0)"}
    made = plausible(gate(evidence_schema=fields, cross_field_validation=[rule]))
    assert (made.passes, made.claims, made.values) == (True, {"a": 1}, {"a": 1, "b": 9})


def test_a_gate_that_nothing_passes_has_no_passing_example():
    assert not plausible(one(type="integer", minimum=2, maximum=1)).passes


def test_a_claim_is_broken_in_every_way():
    made = one(type="boolean")
    kinds = Counter(broken.kind for broken in hostile(made) if broken.field)
    assert kinds == {Kind.MISSING: 1, Kind.NULL: 1, Kind.FALSE: 1, Kind.WRONG_TYPE: 12,
                     Kind.NOT_FINITE: 3, Kind.HUGE: 2}  # fmt: skip
    wrong = [broken.evidence["a"] for broken in of(made, Kind.WRONG_TYPE)]
    assert wrong[:2] == ["true", [True]]
    assert not any(isinstance(value, bool) for value in wrong)
    finite = [broken.evidence["a"] for broken in of(made, Kind.NOT_FINITE)]
    assert math.isnan(finite[0])
    assert finite[1:] == [math.inf, -math.inf]
    number, items = (broken.evidence["a"] for broken in of(made, Kind.HUGE))
    assert (number, len(items)) == (ENORMOUS, MANY)


@pytest.mark.parametrize("name", ["integer", "number", "string", "list", "dict"])
def test_a_value_of_a_wrong_type_is_of_no_other(name):
    made = one(type=name)
    values = [broken.evidence for broken in of(made, Kind.WRONG_TYPE)]
    assert len(values) > 5
    assert {evaluate(made, value, {}).outcome for value in values} == {Judgement.FAIL}


def test_an_optional_field_may_be_missing_and_one_without_a_type_has_no_wrong_one():
    kinds = {broken.kind for broken in hostile(one(required=False)) if broken.field}
    assert kinds == {Kind.NOT_FINITE, Kind.HUGE}


def test_the_whole_is_broken_too():
    made = one(type="integer", verify={"count": "a.md", "pattern": "x"})
    whole = [broken for broken in hostile(made) if not broken.field]
    assert [(broken.kind, dict(broken.evidence)) for broken in whole[:4]] == [
        (Kind.EMPTY, {}),
        (Kind.EMPTY, {"a": None}),
        (Kind.EMPTY, {"work": "done"}),
        (Kind.NO_TARGET, {"a": 1}),
    ]
    assert {broken.project for broken in whole[:4]} == {Project.EMPTY}
    assert len(whole[4].evidence["work"]) == LIMIT + 1


def test_what_is_found_is_broken_in_every_way():
    made = one(type="integer", verify={"junit": "a.xml"})
    found = [broken for broken in hostile(made) if broken.kind is Kind.WRONG_TYPE]
    assert all(broken.observations["a"].value == broken.evidence["a"] for broken in found)
    assert [broken.evidence["a"] for broken in of(made, Kind.DIFFERS)] == [2, "1", [1], True]
    (unseen,) = of(made, Kind.MISSING)
    assert (unseen.evidence, unseen.observations) == ({"a": 1}, {})
    (nothing,) = of(made, Kind.NULL)
    assert nothing.observations["a"].value is None


@pytest.mark.parametrize(
    ("field", "differ"),
    [
        ({"type": "boolean"}, [False, "true", 1]),
        ({"type": "string"}, ["text, and more", " text", ["text"], True]),
        ({"type": "list"}, [["text", "and more"], "['text']", 1, True, []]),
        ({"type": "dict", "const": {"k": 1}},
         [{"k": 1, "and": "more"}, "{'k': 1}", [{"k": 1}], True]),
    ],
)  # fmt: skip
def test_a_claim_differs_in_value_and_in_type(field, differ):
    made = one(**field, verify={"json": "a.json"})
    assert [broken.evidence["a"] for broken in of(made, Kind.DIFFERS)] == differ


def test_each_probe_of_a_list_is_asked_alone_too():
    probes = [{"command": "test"}, {"git": "clean"}, {"junit": "a.xml"}, {"file": "a.xml"}]
    made = one(verify=probes)
    asked = [(broken.kind, broken.project, [probe.probe for probe in broken.asked["a"].probes])
             for broken in hostile(made) if broken.project and broken.field]  # fmt: skip
    every = ["command", "git", "junit", "file"]
    assert asked == [
        (Kind.NO_TARGET, Project.EMPTY, every),
        (Kind.NO_TARGET, Project.EMPTY, every),
        (Kind.NO_TARGET, Project.EMPTY, ["command"]),
        (Kind.UNTRUSTED, Project.DONE, ["command"]),
        (Kind.NO_TARGET, Project.EMPTY, ["git"]),
        (Kind.NO_TARGET, Project.EMPTY, ["junit"]),
        (Kind.STALE, Project.STALE, ["junit"]),
        (Kind.UNREADABLE, Project.FOLDERS, ["junit"]),
        (Kind.UNREADABLE, Project.RUBBISH, ["junit"]),
        (Kind.NO_TARGET, Project.EMPTY, ["file"]),
        (Kind.UNREADABLE, Project.FOLDERS, ["file"]),
    ]


def test_a_person_is_asked_for_and_what_is_known_too_weakly_is_not_enough():
    made = one(type="boolean", assurance="approved",
               verify=[{"approval": "Is it good?"}, {"file": "a.md"}])  # fmt: skip
    weak = [broken.observations["a"].known for broken in of(made, Kind.WEAK)]
    assert weak == [Known.CLAIMED, Known.OBSERVED, Known.EXECUTED]
    (unapproved,) = of(made, Kind.UNAPPROVED)
    assert [probe.probe for probe in unapproved.asked["a"].probes] == ["approval"]
    assert not of(made, Kind.UNREADABLE), "the file alone may not answer"


def test_a_gate_without_fields_is_given_what_nobody_should_take():
    made = gate(evidence_schema={})
    given = [(broken.kind, broken.what) for broken in hostile(made)]
    assert given == [
        (Kind.EMPTY, "no evidence at all"),
        (Kind.EMPTY, "nothing but nulls"),
        (Kind.HUGE, "text over the size of evidence"),
        (Kind.NOT_FINITE, "nan"),
        (Kind.NOT_FINITE, "inf"),
        (Kind.NOT_FINITE, "-inf"),
        (Kind.HUGE, "10 to the power of 400"),
        (Kind.HUGE, "a list of 200,000"),
    ]
