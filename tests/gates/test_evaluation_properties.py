"""Whatever is drawn: right evidence passes, wrong or raising evidence never does."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Judgement
from tests.builders import gate
from tests.gates.gate_builders import judged

# Gates and evidence are drawn together, evidence such that it passes.

_properties = settings(deadline=None, database=None, max_examples=60)

_NAMES = st.text("abcdefg_", min_size=1, max_size=6)
_INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)

_JSON = st.recursive(
    st.none() | st.booleans() | _INTEGERS | st.floats(-1e18, 1e18) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=10,
)

# What a field says, values that pass it, and a value that does not.
_KINDS = (
    ({"type": "boolean"}, st.just(True), False),  # noqa: FBT003
    ({"type": "boolean", "const": False}, st.just(False), True),  # noqa: FBT003
    ({"type": "integer", "minimum": 1}, st.integers(1, 99), 0),
    ({"type": "integer"}, _INTEGERS, True),
    ({"type": "number", "maximum": 100}, st.floats(0, 100), 100.5),
    ({"type": "string", "pattern": "^a+$"}, st.text("a", min_size=1, max_size=5), "b"),
    ({"type": "string", "enum": ["x", "y"]}, st.sampled_from(["x", "y"]), "z"),
    ({"type": "list", "minItems": 1}, st.lists(_INTEGERS, min_size=1, max_size=3), []),
    ({"type": "dict", "required": True}, st.dictionaries(_NAMES, _INTEGERS, max_size=3), [1]),
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

    assert judged(made, passing).outcome is Judgement.PASS
    assert passing == before


@_properties
@given(_gates_with_evidence(strict=True), st.data())
def test_breaking_one_thing_in_passing_evidence_fails_a_strict_gate(drawn, data):
    made, passing, wrong = drawn
    name = data.draw(st.sampled_from(sorted(passing)))

    verdict = judged(made, {**passing, name: wrong[name]})

    assert verdict.outcome is Judgement.FAIL
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

    assert verdict.outcome is Judgement.FAIL
    assert name in verdict.missing


@_properties
@given(_gates_with_evidence(strict=True), st.dictionaries(_NAMES, _JSON, max_size=6))
def test_no_evidence_whatever_raises_and_each_refusal_has_a_reason(drawn, evidence):
    made, _, _ = drawn

    verdict = judged(made, evidence)

    assert (verdict.outcome is Judgement.FAIL) == bool(verdict.missing or verdict.problems)


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

    assert verdict.outcome is Judgement.FAIL
    assert "failed on" in verdict.problems[0] or "could not be applied" in verdict.problems[0]


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, 2, 3], True),
        ([1, 1.0], False),
        ([1, True], True),
        ([0, False], True),
        ([[1, True], [1, 1]], True),
        (["a", "a"], False),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
        ([{"a": [1]}, {"a": [1.0]}], False),
        ([None, None], False),
        ([[], {}], True),
        ([["a"], "a"], True),
    ],
    ids=str,
)
def test_items_are_unique_where_json_schema_says_so(items, unique):
    asked = gate(evidence_schema={"a": {"type": "list", "uniqueItems": True}})
    passes = evaluate(asked, {"a": items}, {}).outcome is Judgement.PASS
    assert passes is unique


def test_thousands_of_unique_items_are_judged_at_once():
    asked = gate(evidence_schema={"a": {"type": "list", "uniqueItems": True}})
    many = [{"id": number, "name": f"test {number}"} for number in range(50_000)]
    assert evaluate(asked, {"a": many}, {}).outcome is Judgement.PASS
    assert evaluate(asked, {"a": [*many, many[0]]}, {}).outcome is Judgement.FAIL
