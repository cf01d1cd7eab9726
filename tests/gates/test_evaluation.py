"""The judgement: what passes, what does not, and what a refusal teaches."""

import pytest

from mcp_server.gates.evaluation import (
    SHORT,
    Judgement,
    Known,
    Verdict,
    evaluate,
    shorten,
)
from mcp_server.gates.model import Gate, presence_gate
from tests.builders import EVIDENCE, gate
from tests.gates.gate_builders import judged, lenient, one
from tests.gates.test_evaluation_observations import FAILED, verified

ABSENT = object()


def test_evidence_that_satisfies_everything_passes():
    assert judged(gate(), EVIDENCE) == Verdict(
        outcome=Judgement.PASS,
        known={"tests": Known.CLAIMED, "report": Known.CLAIMED},
        values=EVIDENCE,
    )


def test_ways_to_know_are_ordered_from_the_weakest():
    assert [known.value for known in Known] == ["claimed", "observed", "executed", "approved"]


@pytest.mark.parametrize("name", EVIDENCE)
@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
@pytest.mark.parametrize("made", [gate(), lenient()], ids=["strict", "lenient"])
def test_a_missing_required_field_refuses_in_every_gate(made, name, value):
    evidence = {key: item for key, item in EVIDENCE.items() if key != name}
    if value is None:
        evidence[name] = None

    verdict = judged(made, evidence)

    assert (verdict.outcome, verdict.missing, verdict.problems) == (Judgement.FAIL, (name,), ())


def test_an_optional_field_may_be_absent_but_not_wrong():
    made = one(required=False, type="integer")

    assert judged(made, {"a": None, "b": 1}).outcome is Judgement.PASS
    assert judged(made, {"b": 1}).outcome is Judgement.PASS
    assert judged(made, {"a": "x"}).problems == ('a: expected type "integer", got "x"',)


NOTHING = {
    "strict": gate(),
    "lenient": lenient(),
    "without fields": Gate(),
    "lenient without fields": Gate.model_validate({"checkpoint": {"strict": False}}),
    "with optional fields": one(required=False),
    "of names only": presence_gate(("a",)),
    "of no names": presence_gate(()),
}


@pytest.mark.parametrize("made", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("evidence", [{}, {"z": None}], ids=["empty", "null only"])
def test_nothing_at_all_never_passes(made, evidence):
    assert judged(made, evidence).outcome is Judgement.FAIL


def test_a_gate_without_fields_takes_anything_and_says_that_it_is_claimed():
    assert judged(presence_gate(()), {"note": "done"}) == Verdict(
        Judgement.PASS, known={"note": Known.CLAIMED}, values={"note": "done"}
    )


def test_empty_evidence_says_what_to_do():
    assert judged(presence_gate(()), {}).problems == (
        "evidence is empty: submit at least one field",
    )


def test_fields_that_the_gate_does_not_know_are_kept_and_reported():
    verdict = judged(gate(), {**EVIDENCE, "note": "x"})

    assert verdict.outcome is Judgement.PASS
    assert verdict.warnings == ("note: not a field of this gate; kept",)
    assert verdict.known == dict.fromkeys((*EVIDENCE, "note"), Known.CLAIMED)


SMALL = gate(
    evidence_schema={"a": {"validator": "small", "validator_params": {"most": 3}}},
    validators={"small": "lambda x, most: x < most"},
)

BROKEN = {
    "type": (one(type="integer"), "3", 'a: expected type "integer", got "3"'),
    "boolean is no integer": (one(type="integer"), True, 'a: expected type "integer", got true'),
    "boolean is no number": (one(type="number"), True, 'a: expected type "number", got true'),
    "integer is no boolean": (one(type="boolean"), 1, 'a: expected type "boolean", got 1'),
    "fraction is no integer": (one(type="integer"), 3.5, 'a: expected type "integer", got 3.5'),
    "list": (one(type="list"), {"a": 1}, 'a: expected type "array", got {"a":1}'),
    "dict": (one(type="dict"), [1], 'a: expected type "object", got [1]'),
    "must be true": (one(type="boolean"), False, "a: must be true, got false"),
    "const": (one(type="boolean", const=False), True, "a: expected const false, got true"),
    "const is no number": (one(const=True), 1, "a: expected const true, got 1"),
    "enum": (one(enum=["x", "y"]), "z", 'a: expected enum ["x","y"], got "z"'),
    "minimum": (one(type="integer", minimum=1), 0, "a: expected minimum 1, got 0"),
    "pattern": (one(type="string", pattern="^x"), "y", 'a: expected pattern "^x", got "y"'),
    "inside": (
        one(type="list", items={"type": "object", "required": ["id"]}),
        [{"id": 1}, {}],
        'a: expected required ["id"] at [1], got {}',
    ),
    "deep inside": (
        one(type="dict", properties={"b": {"items": {"type": "string"}}}),
        {"b": ["x", 2]},
        "a: expected type \"string\" at ['b'][1], got 2",
    ),
    "validator": (
        SMALL,
        5,
        'a: expected small (lambda x, most: x < most) with {"most":3}, got 5',
    ),
    "validator that cannot be applied": (
        gate(evidence_schema={"a": {"validator": "v"}}, validators={"v": "lambda x: x['b'] > 0"}),
        {"c": 1},
        'a: validator v failed on {"c":1} (KeyError: \'b\')',
    ),
    "validator that never ends": (
        gate(
            evidence_schema={"a": {"validator": "v"}},
            validators={"v": "lambda x: all(i >= 0 for i in range(90000) if i >= x)"},
        ),
        0,
        "a: validator v failed on 0 (took more than 100000 steps)",
    ),
    "validator that gives nothing": (
        gate(evidence_schema={"a": {"validator": "v"}}, validators={"v": "lambda x: x.strip()"}),
        " ",
        'a: expected v (lambda x: x.strip()), got " "',
    ),
    "description": (
        one(type="string", description="Path of the report"),
        1,
        'a: expected type "string", got 1; submit: Path of the report',
    ),
    "reference to elsewhere": (
        one(**{"$ref": "https://example.invalid/schema.json"}),
        1,
        "a: its schema cannot be applied (_WrappedReferencingError)",
    ),
    "reference to itself": (
        one(**{"$ref": "#"}), 1, "a: its schema leads through references 100 deep",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "value", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_value_that_is_not_as_the_gate_says_refuses_and_teaches(made, value, problem):
    verdict = judged(made, {"a": value})

    assert (verdict.outcome, verdict.missing, verdict.problems, verdict.warnings) == (
        Judgement.FAIL, (), (problem,), (),
    )  # fmt: skip


@pytest.mark.parametrize(("made", "value", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_lenient_gate_only_warns_of_it(made, value, problem):
    relaxed = Gate.model_validate({**made.model_dump(mode="json"), "checkpoint": {"strict": False}})

    verdict = judged(relaxed, {"a": value})

    assert (verdict.outcome, verdict.missing, verdict.problems, verdict.warnings) == (
        Judgement.PASS, (), (), (f"not enforced, the gate is lenient: {problem}",),
    )  # fmt: skip


RIGHT = {
    "whole float": (one(type="integer"), 3.0),
    "empty text": (one(type="string"), ""),
    "zero": (one(type="integer"), 0),
    "empty list": (one(type="list"), []),
    "false that is meant": (one(type="boolean", const=False), False),
    "optional false": (one(type="boolean", required=False), False),
    "false with a validator": (
        gate(evidence_schema={"a": {"type": "boolean", "validator": "v"}},
             validators={"v": "lambda x: x is False"}),
        False,
    ),
    "validator with parameters": (
        SMALL,
        2,
    ),
    "local reference": (
        one(**{"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}),
        2,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "value"), RIGHT.values(), ids=RIGHT)
def test_a_value_that_is_as_the_gate_says_passes(made, value):
    assert judged(made, {"a": value}) == Verdict(
        Judgement.PASS, known={"a": Known.CLAIMED}, values={"a": value}
    )


@pytest.mark.parametrize(
    "value", [10**400, 2**63, -(2**63), float("nan"), float("inf"), [{"a": 1e19}]]
)
@pytest.mark.parametrize(
    "made", [one(), lenient(evidence_schema={"a": {}})], ids=["strict", "lenient"]
)
def test_a_number_that_counts_nothing_never_passes(made, value):
    problem = "a: a number is not finite, or is 9223372036854775808 or more"
    assert judged(made, {"a": value}).problems == (problem,)


def test_every_field_that_is_wrong_is_named():
    verdict = judged(gate(), {"tests": 0, "report": 1})

    assert verdict.problems == (
        "tests: expected minimum 1, got 0; submit: Tests",
        'report: expected type "string", got 1; submit: Path of the report',
    )


def ruled(rule, **more):
    return gate(cross_field_validation=[{"rule": rule, **more}])


RULES = {
    "not met": (
        ruled("lambda e: e['tests'] > 5", error_message="at least six tests"),
        "rule not met: at least six tests",
    ),
    "without a message": (
        ruled("lambda e: e['tests'] > 5"),
        "rule not met: lambda e: e['tests'] > 5",
    ),
    "absent field": (
        ruled("lambda e: e['other'] > 5", error_message="other is large"),
        "rule could not be applied: other is large (KeyError: 'other')",
    ),
    "empty answer": (ruled("lambda e: []"), "rule not met: lambda e: []"),
}


@pytest.mark.parametrize(("made", "problem"), RULES.values(), ids=RULES)
def test_a_rule_that_does_not_hold_refuses(made, problem):
    verdict = judged(made, EVIDENCE)

    assert (verdict.outcome, verdict.problems) == (Judgement.FAIL, (problem,))


def test_a_rule_that_does_not_hold_is_a_warning_in_a_lenient_gate():
    made = lenient(cross_field_validation=[{"rule": "lambda e: False"}])

    verdict = judged(made, EVIDENCE)

    assert (verdict.outcome, verdict.warnings) == (
        Judgement.PASS,
        ("not enforced, the gate is lenient: rule not met: lambda e: False",),
    )


def test_a_rule_that_holds_passes():
    assert judged(ruled("lambda e: e['tests'] == 3"), EVIDENCE).outcome is Judgement.PASS


@pytest.mark.parametrize(
    "evidence",
    [{"report": "x"}, {"tests": "3", "report": "x"}],
    ids=["a field missing", "a field of a wrong type"],
)
def test_rules_wait_until_every_field_can_be_compared(evidence):
    verdict = judged(ruled("lambda e: e['tests'] > 5"), evidence)

    assert verdict.outcome is Judgement.FAIL
    assert not any("rule" in problem for problem in verdict.problems)


def test_a_long_value_is_repeated_in_short():
    [problem] = judged(one(type="integer"), {"a": "x" * 1000}).problems

    assert problem == f'a: expected type "integer", got "{"x" * (SHORT - 2)}…'


SHORTENED = {
    "text": ("é", '"é"'),
    "exact": ("x" * (SHORT - 2), f'"{"x" * (SHORT - 2)}"'),
    "one too many": ("x" * (SHORT - 1), f'"{"x" * (SHORT - 2)}…'),
    "structure": ({"a": [1, None]}, '{"a":[1,null]}'),
}


@pytest.mark.parametrize(("value", "expected"), SHORTENED.values(), ids=SHORTENED)
def test_a_value_is_shown_as_short_json(value, expected):
    assert shorten(value) == expected


def _nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [_nested(300), "\ud800"], ids=["deep", "lone surrogate"])
def test_a_value_that_cannot_be_shown_is_judged_all_the_same(value):
    verdict = judged(one(type="integer"), {"a": value})

    kind = type(value).__name__
    assert verdict.problems == (f'a: expected type "integer", got a {kind} that cannot be shown',)


def test_what_is_needed_is_told_with_its_placeholders_filled():
    made = verified(description="{target_file}/a.json, of {options.kind}")
    verdict = evaluate(made, {}, {"a": FAILED}, {"target_file": "specs/pay"})
    assert verdict.problems == (
        "a: a.json is not there; needed: specs/pay/a.json, of {options.kind}",
    )
