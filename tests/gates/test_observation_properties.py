"""Whatever is drawn: words do not pass where the server looks, and only what is worthy passes."""

import copy
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Judgement, Known, Observation

_properties = settings(deadline=None, database=None, max_examples=80)

_NAMES = st.text("abcdefg_", min_size=1, max_size=6)
_NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(-1e18, 1e18)

_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.sampled_from(["", "x", "true", "3"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=8,
)

# What a field says, and values of which some pass it.
_KINDS = (
    ({"type": "boolean"}, st.just(True)),  # noqa: FBT003
    ({"type": "integer", "minimum": 1}, st.integers(1, 9)),
    ({"type": "number", "maximum": 100}, st.floats(0, 100)),
    ({"type": "string", "enum": ["x", "y"]}, st.sampled_from(["x", "y"])),
    ({"type": "list", "minItems": 1}, st.lists(st.integers(0, 9), min_size=1, max_size=3)),
    ({"type": "dict"}, st.dictionaries(_NAMES, st.integers(0, 9), max_size=3)),
    ({"validator": "positive"}, st.integers(1, 9)),
)
_WRONG = {"boolean": False, "integer": 0, "number": 100.5, "string": "z", "list": [], "dict": [1],
          None: -1}  # fmt: skip
_VERIFY = [{"approval": "Yes?"}, {"command": "test"}, {"json": "a.json"}]


@st.composite
def _cases(draw, strict=None):
    """A gate whose field `seen` is required and verified, and what passes it: claims and looks."""
    fields, claims, looks = {}, {}, {}
    for name in ("seen", *draw(st.lists(_NAMES, max_size=3, unique=True))):
        spec, values = draw(st.sampled_from(_KINDS))
        value = draw(values)
        least = draw(st.sampled_from([None, *Known]))
        if name == "seen" or draw(st.booleans()):
            spec = {**spec, "verify": _VERIFY} | ({"assurance": str(least)} if least else {})
            weakest = (least or Known.OBSERVED).strength
            enough = [known for known in Known if known.strength >= weakest]
            looks[name] = Observation(draw(st.sampled_from(enough)), value, probe="json a.json")
        if name not in looks or draw(st.booleans()):
            claims[name] = value
        fields[name] = spec
    made = Gate.model_validate({
        "checkpoint": {"strict": draw(st.booleans()) if strict is None else strict},
        "evidence_schema": fields,
        "validators": {"positive": "lambda x: x > 0"},
    })  # fmt: skip
    return made, claims, looks


def _not_passing(look, least):
    """What the server may have seen instead of `look` that is no pass, None for no look at all."""
    cases = [
        None,
        replace(look, judgement=Judgement.FAIL, reason="it is not there"),
        replace(look, judgement=Judgement.COULD_NOT_VERIFY, reason="nobody trusts it"),
        replace(look, value=None),
    ]
    weaker = [known for known in Known if least and known.strength < least.strength]
    return st.sampled_from([*cases, *(replace(look, known=known) for known in weaker)])


@_properties
@given(_cases())
def test_what_was_found_passes_and_leaves_what_was_given_as_it_was(case):
    made, claims, looks = case
    before = copy.deepcopy((claims, looks))

    verdict = evaluate(made, claims, looks)

    assert verdict.outcome is Judgement.PASS
    assert verdict.known == {
        name: looks[name].known if name in looks else Known.CLAIMED
        for name in made.evidence_schema
    }  # fmt: skip
    assert (claims, looks) == before


@_properties
@given(_cases(), st.data(), st.dictionaries(_NAMES, _JSON, max_size=4))
def test_no_evidence_passes_a_gate_unless_the_look_at_its_verified_field_does(case, data, others):
    made, claims, looks = case
    least = made.evidence_schema["seen"].assurance
    look = data.draw(_not_passing(looks["seen"], least))
    looks = {**looks, "seen": look} if look else {n: o for n, o in looks.items() if n != "seen"}
    claim = data.draw(_JSON | st.just(case[2]["seen"].value))

    for evidence in (claims, {**claims, "seen": claim}, {**claims, **others, "seen": claim}, {}):
        assert evaluate(made, evidence, looks).outcome is not Judgement.PASS


@_properties
@given(_cases(strict=True), st.data())
def test_breaking_one_thing_in_what_passes_is_never_a_pass(case, data):
    made, claims, looks = case
    name = data.draw(st.sampled_from(sorted(made.evidence_schema)))
    spec = made.evidence_schema[name]
    wrong = _WRONG[spec.type]

    if name not in looks:
        broken = data.draw(st.sampled_from([{name: wrong}, {name: None}, {name: float("nan")}]))
        assert evaluate(made, claims | broken, looks).outcome is Judgement.FAIL
        return
    changed = data.draw(
        _not_passing(looks[name], spec.assurance) | st.just(replace(looks[name], value=wrong))
    )
    kept = {n: look for n, look in looks.items() if n != name}
    broken = kept | ({name: changed} if changed else {})
    assert evaluate(made, claims, broken).outcome is not Judgement.PASS
    assert evaluate(made, claims | {name: wrong}, looks).outcome is Judgement.FAIL


def _is_whole(value, least):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and least <= value < 2**63 and value == value // 1


# What a field says, and by other means than the gate's which values are worth a pass.
_WORTH = (
    ({"type": "boolean"}, lambda value: value is True),
    ({"type": "integer", "minimum": 1}, lambda value: _is_whole(value, 1)),
    ({"type": "string", "minLength": 1}, lambda value: isinstance(value, str) and value != ""),
    ({"enum": [1, "x"]},
     lambda value: value in ("x", 1) and not isinstance(value, bool | Decimal)),
    ({"type": "list", "maxItems": 0}, lambda value: value == []),
    ({"type": "dict", "maxProperties": 0}, lambda value: value == {}),
    ({"const": True}, lambda value: value is True),
)  # fmt: skip
_ODD = st.sampled_from([
    float("nan"), float("inf"), 2**63, -(2**63), 10**400, 1e308, "\ud800", "x" * 100_000, "True",
    b"x", (), (1,), {1}, frozenset(), Decimal(2), object(), Ellipsis, int, len, 1j, range(3),
])  # fmt: skip
_ANYTHING = _JSON | _ODD | st.lists(_ODD, max_size=2) | st.sampled_from([1, "x", True, [], {}])


@_properties
@given(st.sampled_from(_WORTH), _ANYTHING)
def test_of_anything_that_is_claimed_or_found_only_what_is_worth_it_passes(kind, value):
    spec, is_worthy = kind
    claimed = Gate.model_validate({"evidence_schema": {"a": spec}})
    looked = Gate.model_validate({"evidence_schema": {"a": {**spec, "verify": {"json": "a.json"}}}})
    worthy = value is not None and is_worthy(value)

    by_claim = evaluate(claimed, {"a": value}, {}).outcome
    by_look = evaluate(looked, {}, {"a": Observation(Known.OBSERVED, value)}).outcome

    assert (by_claim is Judgement.PASS) is worthy
    assert (by_look is Judgement.PASS) is worthy
    assert evaluate(looked, {"a": value}, {}).outcome is Judgement.COULD_NOT_VERIFY or not worthy


@_properties
@given(_JSON, _JSON)
def test_a_claim_passes_beside_another_value_only_where_the_two_are_the_same(claim, value):
    made = Gate.model_validate({"evidence_schema": {"a": {"verify": {"json": "a.json"}}}})
    looks = {"a": Observation(Known.OBSERVED, value)}

    assert evaluate(made, {"a": value}, looks).outcome is (
        Judgement.FAIL if value is None else Judgement.PASS
    )
    if _types(claim) != _types(value) and claim is not None:
        assert evaluate(made, {"a": claim}, looks).outcome is Judgement.FAIL


def _types(value):
    """Tell what kind of value it is, as JSON has kinds."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if number else type(value).__name__


@_properties
@given(_ODD | st.lists(_ODD, min_size=1, max_size=2), st.sampled_from([3, 0.5, [3], {"b": 3}, "x"]))
def test_an_odd_claim_beside_what_was_found_is_refused(claim, value):
    made = Gate.model_validate({"evidence_schema": {"a": {"verify": {"json": "a.json"}}}})

    verdict = evaluate(made, {"a": claim}, {"a": Observation(Known.OBSERVED, value)})

    assert (verdict.outcome, verdict.values) == (Judgement.FAIL, {"a": value})
