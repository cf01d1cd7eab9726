"""The judgement: what passes, what does not, and that nothing that goes wrong ever passes."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.gates.evaluation import (
    SHORT,
    Known,
    Observation,
    Outcome,
    Verdict,
    evaluate,
    shorten,
)
from mcp_server.gates.model import Gate, presence_gate
from tests.builders import EVIDENCE, gate

ABSENT = object()


def lenient(**changes):
    """The small gate, not strict."""
    return gate(checkpoint={"strict": False}, **changes)


def one(required=True, **field):
    """A gate with the one field `a`."""
    return gate(evidence_schema={"a": {"required": required, **field}})


def judged(made, evidence):
    return evaluate(made, evidence, {})


def test_evidence_that_satisfies_everything_passes():
    assert judged(gate(), EVIDENCE) == Verdict(
        outcome=Outcome.PASS,
        known={"tests": Known.CLAIMED, "report": Known.CLAIMED},
    )


def test_what_the_server_saw_is_known_by_how_it_saw_it():
    observations = {
        "tests": Observation(Known.EXECUTED, 3),
        "other": Observation(Known.OBSERVED, 1),
    }

    verdict = evaluate(gate(), EVIDENCE, observations)

    assert verdict.known == {"tests": Known.EXECUTED, "report": Known.CLAIMED}


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

    assert (verdict.outcome, verdict.missing, verdict.problems) == (Outcome.FAIL, (name,), ())


def test_an_optional_field_may_be_absent_but_not_wrong():
    made = one(required=False, type="integer")

    assert judged(made, {"a": None, "b": 1}).outcome is Outcome.PASS
    assert judged(made, {"b": 1}).outcome is Outcome.PASS
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
    assert judged(made, evidence).outcome is Outcome.FAIL


def test_a_gate_without_fields_takes_anything_and_says_that_it_is_claimed():
    assert judged(presence_gate(()), {"note": "done"}) == Verdict(
        Outcome.PASS, known={"note": Known.CLAIMED}
    )


def test_empty_evidence_says_what_to_do():
    assert judged(presence_gate(()), {}).problems == (
        "evidence is empty: submit at least one field",
    )


def test_fields_that_the_gate_does_not_know_are_kept_and_reported():
    verdict = judged(gate(), {**EVIDENCE, "note": "x"})

    assert verdict.outcome is Outcome.PASS
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
        "a: expected small (lambda x, most: x < most), got 5",
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
        one(**{"$ref": "#"}), 1, "a: its schema cannot be applied (RecursionError)",
    ),
    "number beyond a float": (
        one(type="integer", multipleOf=0.5),
        10**400,
        "a: its schema cannot be applied (OverflowError)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "value", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_value_that_is_not_as_the_gate_says_refuses_and_teaches(made, value, problem):
    verdict = judged(made, {"a": value})

    assert (verdict.outcome, verdict.missing, verdict.problems, verdict.warnings) == (
        Outcome.FAIL, (), (problem,), (),
    )  # fmt: skip


@pytest.mark.parametrize(("made", "value", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_lenient_gate_only_warns_of_it(made, value, problem):
    relaxed = Gate.model_validate({**made.model_dump(mode="json"), "checkpoint": {"strict": False}})

    verdict = judged(relaxed, {"a": value})

    assert (verdict.outcome, verdict.missing, verdict.problems, verdict.warnings) == (
        Outcome.PASS, (), (), (f"not enforced, the gate is lenient: {problem}",),
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
    assert judged(made, {"a": value}) == Verdict(Outcome.PASS, known={"a": Known.CLAIMED})


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

    assert (verdict.outcome, verdict.problems) == (Outcome.FAIL, (problem,))


def test_a_rule_that_does_not_hold_is_a_warning_in_a_lenient_gate():
    made = lenient(cross_field_validation=[{"rule": "lambda e: False"}])

    verdict = judged(made, EVIDENCE)

    assert (verdict.outcome, verdict.warnings) == (
        Outcome.PASS,
        ("not enforced, the gate is lenient: rule not met: lambda e: False",),
    )


def test_a_rule_that_holds_passes():
    assert judged(ruled("lambda e: e['tests'] == 3"), EVIDENCE).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "evidence",
    [{"report": "x"}, {"tests": "3", "report": "x"}],
    ids=["a field missing", "a field of a wrong type"],
)
def test_rules_wait_until_every_field_can_be_compared(evidence):
    verdict = judged(ruled("lambda e: e['tests'] > 5"), evidence)

    assert verdict.outcome is Outcome.FAIL
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


# Property tests: gates and evidence are drawn together, evidence such that it passes.

_properties = settings(deadline=None, database=None, max_examples=60)

_NAMES = st.text("abcdefg_", min_size=1, max_size=6)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=10,
)

# What a field says, values that pass it, and a value that does not.
_KINDS = (
    ({"type": "boolean"}, st.just(True), False),  # noqa: FBT003
    ({"type": "boolean", "const": False}, st.just(False), True),  # noqa: FBT003
    ({"type": "integer", "minimum": 1}, st.integers(1, 99), 0),
    ({"type": "integer"}, st.integers(), True),
    ({"type": "number", "maximum": 100}, st.floats(0, 100), 100.5),
    ({"type": "string", "pattern": "^a+$"}, st.text("a", min_size=1, max_size=5), "b"),
    ({"type": "string", "enum": ["x", "y"]}, st.sampled_from(["x", "y"]), "z"),
    ({"type": "list", "minItems": 1}, st.lists(st.integers(), min_size=1, max_size=3), []),
    ({"type": "dict", "required": True}, st.dictionaries(_NAMES, st.integers(), max_size=3), [1]),
    ({"validator": "positive"}, st.integers(1, 99), -1),
    ({"validator": "over", "validator_params": {"least": 5}}, st.integers(6, 99), 5),
)
_VALIDATORS = {"positive": "lambda x: x > 0", "over": "lambda x, least: x > least"}


@st.composite
def _gates_with_evidence(draw, **checkpoint):
    names = draw(st.lists(_NAMES, min_size=1, max_size=5, unique=True))
    kinds = [draw(st.sampled_from(_KINDS)) for _ in names]
    made = Gate.model_validate({
        "checkpoint": checkpoint,
        "evidence_schema": {
            name: kind[0] for name, kind in zip(names, kinds, strict=True)
        },
        "validators": _VALIDATORS,
        "cross_field_validation": [
            {"rule": f"lambda e: e[{name!r}] is not None"} for name in names[:2]
        ],
    })  # fmt: skip
    passing = {name: draw(kind[1]) for name, kind in zip(names, kinds, strict=True)}
    wrong = {name: kind[2] for name, kind in zip(names, kinds, strict=True)}
    return made, passing, wrong


@_properties
@given(_gates_with_evidence(strict=True))
def test_any_passing_evidence_passes_and_is_left_as_it_was(drawn):
    made, passing, _ = drawn
    before = copy.deepcopy(passing)

    assert judged(made, passing).outcome is Outcome.PASS
    assert passing == before


@_properties
@given(_gates_with_evidence(strict=True), st.data())
def test_breaking_one_thing_in_passing_evidence_fails_a_strict_gate(drawn, data):
    made, passing, wrong = drawn
    name = data.draw(st.sampled_from(sorted(passing)))

    verdict = judged(made, {**passing, name: wrong[name]})

    assert verdict.outcome is Outcome.FAIL
    assert [problem.partition(":")[0] for problem in verdict.problems] == [name]


@_properties
@given(st.booleans().flatmap(lambda strict: _gates_with_evidence(strict=strict)), _JSON, st.data())
def test_no_evidence_that_lacks_a_required_field_passes_any_gate(drawn, anything, data):
    made, passing, _ = drawn
    name = data.draw(st.sampled_from(sorted(passing)))
    evidence = {**passing, **(anything if isinstance(anything, dict) else {"extra": anything})}
    lacking = data.draw(st.sampled_from([{}, {name: None}]))
    evidence = {key: value for key, value in evidence.items() if key != name} | lacking

    verdict = judged(made, evidence)

    assert verdict.outcome is Outcome.FAIL
    assert name in verdict.missing


@_properties
@given(_gates_with_evidence(strict=True), st.dictionaries(_NAMES, _JSON, max_size=6))
def test_no_evidence_whatever_raises_and_each_refusal_has_a_reason(drawn, evidence):
    made, _, _ = drawn

    verdict = judged(made, evidence)

    assert (verdict.outcome is Outcome.FAIL) == bool(verdict.missing or verdict.problems)


# Each of these raises inside for the values drawn.
_RAISING = (
    "lambda x: 1 / 0",
    "lambda x: [][0]",
    "lambda x: {}['a']",
    "lambda x: 1 > 'a'",
    "lambda x: int('a')",
    "lambda x: x.lower()",
    "lambda x: all(sorted(range(90000)) for i in range(9))",
    "lambda x: 'x' * 999999",
    "lambda x: 1 * int",
    "lambda x: " + "-" * 125 + "'a'",
)


@pytest.mark.parametrize("value", [0, True, [], [1]], ids=repr)
@pytest.mark.parametrize("source", _RAISING)
@pytest.mark.parametrize("place", ["validator", "rule"])
def test_nothing_raised_inside_is_a_pass(source, place, value):
    if place == "validator":
        made = gate(evidence_schema={"a": {"validator": "v"}}, validators={"v": source})
    else:
        made = gate(evidence_schema={"a": {}}, cross_field_validation=[{"rule": source}])

    verdict = judged(made, {"a": value})

    assert verdict.outcome is Outcome.FAIL
    assert "failed on" in verdict.problems[0] or "could not be applied" in verdict.problems[0]
