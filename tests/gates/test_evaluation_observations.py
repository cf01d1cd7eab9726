"""The judgement of what the server saw: a claim alone never passes where there is a look."""

from dataclasses import replace

import pytest

from mcp_server.gates.evaluation import SHORT, Verdict, evaluate
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Judgement, Known, Observation
from tests.builders import gate
from tests.gates.gate_builders import one

PASS, FAIL, COULD_NOT = Judgement.PASS, Judgement.FAIL, Judgement.COULD_NOT_VERIFY

LOOK = {"json": "a.json"}
RUN = {"command": "test", "report": {"junit": "a.xml"}}

FAILED = Observation(Known.OBSERVED, None, FAIL, "a.json is not there", probe="json a.json")
UNAVAILABLE = Observation(
    Known.EXECUTED, None, COULD_NOT, "nobody trusts test", "A person trusts it.", "command test"
)
EMPTY = Observation(Known.OBSERVED, None, probe="json a.json")


def found(value, known=Known.OBSERVED):
    return Observation(known, value, probe="json a.json")


def verified(**field):
    """A gate with the one field `a`, which the server looks for."""
    return one(**{"verify": LOOK, **field})


def relaxed(made):
    return Gate.model_validate({**made.model_dump(mode="json"), "checkpoint": {"strict": False}})


def test_what_was_found_passes_without_a_claim():
    assert evaluate(verified(type="integer"), {}, {"a": found(3)}) == Verdict(
        PASS, known={"a": Known.OBSERVED}, values={"a": 3}
    )


@pytest.mark.parametrize("known", Known)
def test_a_value_is_known_as_the_look_gives_it(known):
    verdict = evaluate(verified(), {"a": 3}, {"a": found(3, known)})

    assert (verdict.outcome, verdict.known) == (PASS, {"a": known})


@pytest.mark.parametrize("value", [0, False, "", [], {}], ids=repr)
def test_a_value_that_counts_as_nothing_in_python_is_found_all_the_same(value):
    assert evaluate(verified(required=False), {}, {"a": found(value)}) == Verdict(
        PASS, known={"a": Known.OBSERVED}, values={"a": value}
    )


AGREEING = {
    "integer": (3, 3),
    "whole float": (3.0, 3),
    "integer for a float": (87, 87.0),
    "last digit of a float": (0.1 + 0.2, 0.3),
    "tiny": (0, 1e-12),
    "true": (True, True),
    "false": (False, False),
    "text": ("a", "a"),
    "list": ([1, 2], [1, 2]),
    "list in another order": (["b", "a", "c"], ["a", "b", "c"]),
    "numbers in another order": ([10, 9, 1.0], [1, 9.0, 10]),
    "mixed list in another order": ([True, "a", 1], [1, True, "a"]),
    "empty list": ([], []),
    "list of lists": ([[2, 1], [3]], [[1, 2], [3]]),
    "dict": ({"a": 1, "b": [2, 1]}, {"b": [1, 2.0], "a": 1}),
    "empty dict": ({}, {}),
}


@pytest.mark.parametrize(("claim", "value"), AGREEING.values(), ids=AGREEING)
def test_a_claim_that_says_what_was_found_passes_with_what_was_found(claim, value):
    verdict = evaluate(verified(), {"a": claim}, {"a": found(value)})

    assert verdict == Verdict(PASS, known={"a": Known.OBSERVED}, values={"a": value})
    assert verdict.values["a"] is value


DIFFERING = {
    "more": (4, 3, "4", "3"),
    "slightly more": (3.000001, 3, "3.000001", "3"),
    "true for one": (True, 1, "true", "1"),
    "one for true": (1, True, "1", "true"),
    "true for false": (True, False, "true", "false"),
    "zero for false": (0, False, "0", "false"),
    "false for zero": (False, 0.0, "false", "0.0"),
    "text for a number": ("3", 3, '"3"', "3"),
    "number for a text": (3, "3", "3", '"3"'),
    "text for true": ("true", True, '"true"', "true"),
    "one item more": ([1, 2, 3], [1, 2], "[1,2,3]", "[1,2]"),
    "one item less": ([1], [1, 2], "[1]", "[1,2]"),
    "another item": (["a", "b"], ["a", "c"], '["a","b"]', '["a","c"]'),
    "as many, but others": ([1, 1, 2], [1, 2, 2], "[1,1,2]", "[1,2,2]"),
    "true for one inside": ([True], [1], "[true]", "[1]"),
    "item for its list": (1, [1], "1", "[1]"),
    "text for a list": ("ab", ["a", "b"], '"ab"', '["a","b"]'),
    "list for a dict": ([], {}, "[]", "{}"),
    "order of lists": ([[1], [2]], [[2], [1]], "[[1],[2]]", "[[2],[1]]"),
    "key less": ({"a": 1}, {"a": 1, "b": 2}, '{"a":1}', '{"a":1,"b":2}'),
    "key more": ({"a": 1, "b": 2}, {"a": 1}, '{"a":1,"b":2}', '{"a":1}'),
    "deep inside": ({"a": [{"b": 1}]}, {"a": [{"b": True}]}, '{"a":[{"b":1}]}',
                    '{"a":[{"b":true}]}'),
    "not a number": (float("nan"), 3, "NaN", "3"),
}  # fmt: skip


@pytest.mark.parametrize(("claim", "value", "said", "seen"), DIFFERING.values(), ids=DIFFERING)
@pytest.mark.parametrize("made", [verified(), relaxed(verified())], ids=["strict", "lenient"])
def test_a_claim_that_differs_from_what_was_found_refuses_in_every_gate(
    made, claim, value, said, seen
):
    said = f"a: claimed {said}, but json a.json shows {seen};"

    assert evaluate(made, {"a": claim}, {"a": found(value)}) == Verdict(
        FAIL,
        problems=(f"{said} leave the field out, or submit what is true",),
        known={"a": Known.OBSERVED},
        values={"a": value},
    )


def test_what_differs_is_shown_in_short_and_without_a_probe_the_server_shows_it():
    looks = {"a": Observation(Known.OBSERVED, 1)}

    [problem] = evaluate(verified(), {"a": "x" * 999}, looks).problems

    assert problem == (
        f'a: claimed "{"x" * (SHORT - 2)}…, but the server shows 1;'
        " leave the field out, or submit what is true"
    )


REFUSED = {
    "failed": (FAILED, "a: a.json is not there"),
    "failed, though with a value": (replace(FAILED, value=3), "a: a.json is not there"),
    "nothing found": (EMPTY, "a: nothing was found (json a.json)"),
}
UNVERIFIED = {
    "could not": (UNAVAILABLE, "a: nobody trusts test", ("A person trusts it.",)),
    "could not, though with a value": (
        replace(UNAVAILABLE, value=3), "a: nobody trusts test", ("A person trusts it.",),
    ),
    "could not, and nobody can mend it": (
        replace(UNAVAILABLE, remedy=""), "a: nobody trusts test", (),
    ),
    "not looked": (None, "a: the server has not looked", ()),
}  # fmt: skip
EVERY_GATE = pytest.mark.parametrize(
    "made",
    [verified(), relaxed(verified()), verified(type="integer", minimum=1)],
    ids=["strict", "lenient", "typed"],
)


def observed(look):
    return {} if look is None else {"a": look}


@EVERY_GATE
@pytest.mark.parametrize(("look", "problem"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("claims", [{}, {"a": None}, {"a": 3}], ids=["no claim", "null", "claim"])
def test_a_look_that_found_nothing_refuses_whatever_is_claimed(made, look, problem, claims):
    assert evaluate(made, claims, observed(look)) == Verdict(
        FAIL,
        problems=(problem,),
        known={"a": Known.CLAIMED} if claims.get("a") else {},
        values={"a": 3} if claims.get("a") else {},
    )


@EVERY_GATE
@pytest.mark.parametrize(("look", "reason", "remedies"), UNVERIFIED.values(), ids=UNVERIFIED)
@pytest.mark.parametrize("claims", [{}, {"a": None}, {"a": 3}], ids=["no claim", "null", "claim"])
def test_what_could_not_be_looked_at_is_unverified_whatever_is_claimed(
    made, look, reason, remedies, claims
):
    assert evaluate(made, claims, observed(look)) == Verdict(
        COULD_NOT,
        known={"a": Known.CLAIMED} if claims.get("a") else {},
        values={"a": 3} if claims.get("a") else {},
        unverified=(reason,),
        remedies=remedies,
    )


NOT_SEEN = {name: case[0] for name, case in (REFUSED | UNVERIFIED).items()}


@pytest.mark.parametrize("look", NOT_SEEN.values(), ids=NOT_SEEN)
def test_an_optional_field_that_nobody_claims_need_not_be_seen(look):
    made = gate(evidence_schema={"a": {"required": False, "verify": LOOK}, "b": {}})
    look = look and replace(look, remedy="")

    assert evaluate(made, {"a": None, "b": 1}, observed(look)) == Verdict(
        PASS, known={"b": Known.CLAIMED}, values={"b": 1}
    )


@pytest.mark.parametrize("look", NOT_SEEN.values(), ids=NOT_SEEN)
def test_an_optional_field_that_is_claimed_must_be_seen(look):
    optional = evaluate(verified(required=False), {"a": 3}, observed(look))

    assert optional.outcome is not PASS
    assert optional == evaluate(verified(), {"a": 3}, observed(look))


def test_an_optional_field_that_was_found_has_that_value_and_is_judged():
    made = verified(required=False, type="integer", minimum=1)

    assert evaluate(made, {}, {"a": found(3)}).values == {"a": 3}
    assert evaluate(made, {}, {"a": found(0)}).problems == ("a: expected minimum 1, got 0",)


STRENGTHS = [(least, known) for least in Known for known in Known]


@pytest.mark.parametrize(("least", "known"), STRENGTHS, ids=str)
@pytest.mark.parametrize("claims", [{}, {"a": 3}], ids=["no claim", "claim"])
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
def test_what_is_known_less_surely_than_the_field_asks_is_unverified(strict, claims, least, known):
    made = gate(
        checkpoint={"strict": strict},
        evidence_schema={"a": {"verify": [{"approval": "Yes?"}, LOOK], "assurance": str(least)}},
    )
    enough = list(Known).index(known) >= list(Known).index(least)

    assert evaluate(made, claims, {"a": found(3, known)}) == Verdict(
        PASS if enough else COULD_NOT,
        known={"a": known},
        values={"a": 3},
        unverified=() if enough else (f"a: is {known} only, and must be {least}",),
    )


def test_a_value_that_is_known_too_weakly_and_differs_from_the_claim_fails():
    made = verified(verify=[RUN, LOOK], assurance="executed")

    verdict = evaluate(made, {"a": 4}, {"a": found(3)})

    assert (verdict.outcome, len(verdict.problems)) == (FAIL, 1)
    assert verdict.unverified == ("a: is observed only, and must be executed",)


FOUND_WRONG = {
    "type": (verified(type="integer"), "3", 'a: expected type "integer", got "3"'),
    "keyword": (verified(minimum=5), 3, "a: expected minimum 5, got 3"),
    "boolean is no integer": (verified(type="integer"), True,
                              'a: expected type "integer", got true'),
    "must be true": (verified(type="boolean"), False, "a: must be true, got false"),
    "description": (verified(type="integer", description="Passing tests"), "x",
                    'a: expected type "integer", got "x"; needed: Passing tests'),
    "validator": (
        gate(evidence_schema={"a": {"verify": LOOK, "validator": "v"}},
             validators={"v": "lambda x: x > 3"}),
        3, "a: expected v (lambda x: x > 3), got 3",
    ),
    "rule": (
        gate(evidence_schema={"a": {"verify": LOOK}},
             cross_field_validation=[{"rule": "lambda e: e['a'] > 3"}]),
        3, "rule not met: lambda e: e['a'] > 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "value", "problem"), FOUND_WRONG.values(), ids=FOUND_WRONG)
@pytest.mark.parametrize("claimed", [False, True], ids=["no claim", "claim"])
def test_what_was_found_is_judged_as_a_claim_is(made, value, problem, claimed):
    claims = {"a": value} if claimed else {}
    looks = {"a": found(value)}
    seen = {"known": {"a": Known.OBSERVED}, "values": {"a": value}}

    assert evaluate(made, claims, looks) == Verdict(FAIL, problems=(problem,), **seen)
    assert evaluate(relaxed(made), claims, looks) == Verdict(
        PASS, warnings=(f"not enforced, the gate is lenient: {problem}",), **seen
    )


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 2**63, [{"a": 10**400}]], ids=repr)
@pytest.mark.parametrize("made", [verified(), relaxed(verified())], ids=["strict", "lenient"])
def test_a_number_that_counts_nothing_is_refused_where_it_was_found_too(made, value):
    verdict = evaluate(made, {}, {"a": found(value)})

    assert (verdict.outcome, verdict.problems) == (
        FAIL, ("a: a number is not finite, or is 9223372036854775808 or more",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("look", "problem"),
    [(FAILED, "a: a.json is not there; needed: Passing tests"),
     (EMPTY, "a: nothing was found (json a.json); needed: Passing tests")],
    ids=["failed", "nothing found"],
)  # fmt: skip
def test_a_refusal_of_what_was_seen_says_what_is_needed(look, problem):
    made = verified(description="Passing tests")
    assert evaluate(made, {}, {"a": look}).problems == (problem,)


BOTH = {"a": {"verify": LOOK}, "b": {"type": "integer"}}
WORSE = {
    "failed look": (
        {"a": {"verify": LOOK}, "b": {"verify": LOOK}}, {}, {"b": FAILED}, (),
        ("b: a.json is not there",),
    ),
    "missing field": (BOTH, {}, {}, ("b",), ()),
    "wrong type": (BOTH, {"b": "x"}, {}, (), ('b: expected type "integer", got "x"',)),
    "no number": (
        BOTH, {"b": float("nan")}, {}, (),
        ("b: a number is not finite, or is 9223372036854775808 or more",),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "claims", "looks", "missing", "problems"), WORSE.values(),
                         ids=WORSE)  # fmt: skip
def test_a_failure_weighs_more_than_what_could_not_be_verified(
    fields, claims, looks, missing, problems
):
    verdict = evaluate(gate(evidence_schema=fields), claims, {"a": UNAVAILABLE, **looks})

    assert (verdict.outcome, verdict.missing, verdict.problems) == (FAIL, missing, problems)
    assert (verdict.unverified, verdict.remedies) == (
        ("a: nobody trusts test",), ("A person trusts it.",),
    )  # fmt: skip


def test_rules_see_what_was_found_and_not_what_was_claimed():
    made = gate(
        evidence_schema={"a": {"verify": LOOK}, "b": {}},
        cross_field_validation=[{"rule": "lambda e: e['a'] == 3 and e['b'] == 1"}],
    )

    assert evaluate(made, {"b": 1}, {"a": found(3)}).outcome is PASS
    assert evaluate(made, {"a": 3.0000000001, "b": 1}, {"a": found(3)}).outcome is PASS
    assert evaluate(made, {"b": 1}, {"a": found(4)}).problems == (
        "rule not met: lambda e: e['a'] == 3 and e['b'] == 1",
    )


def test_rules_wait_until_everything_is_verified():
    made = gate(
        evidence_schema={"a": {"verify": LOOK}},
        cross_field_validation=[{"rule": "lambda e: e['a'] > 3"}],
    )

    assert evaluate(made, {"a": 3}, {"a": UNAVAILABLE}).problems == ()
    assert evaluate(made, {"a": 4}, {"a": found(3)}).problems[1:] == ()


def test_a_look_at_what_wants_no_look_changes_nothing():
    looks = {"a": found(3), "z": found(1)}

    assert evaluate(one(), {"a": 4}, looks) == evaluate(one(), {"a": 4}, {})
    assert evaluate(one(), {}, looks).missing == ("a",)
    assert evaluate(one(), {"a": 4}, {"a": FAILED}).outcome is PASS


MANY = {name: {"verify": LOOK} for name in "abc"}


def test_nothing_submitted_passes_when_everything_was_found():
    assert evaluate(gate(evidence_schema=MANY), {}, {n: found(n) for n in MANY}) == Verdict(
        PASS, known=dict.fromkeys(MANY, Known.OBSERVED), values={n: n for n in MANY}
    )


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize("required", [True, False], ids=["required", "optional"])
@pytest.mark.parametrize("look", NOT_SEEN.values(), ids=NOT_SEEN)
def test_nothing_submitted_and_nothing_found_never_passes(look, required, strict):
    made = gate(
        checkpoint={"strict": strict},
        evidence_schema={name: {**field, "required": required} for name, field in MANY.items()},
    )
    looks = {} if look is None else dict.fromkeys(MANY, look)

    verdict = evaluate(made, {"a": None}, looks)

    assert verdict.outcome is not PASS
    if not required:
        assert verdict.problems == ("evidence is empty: submit at least one field",)


def test_each_remedy_is_told_once_in_the_order_of_the_fields():
    other = replace(UNAVAILABLE, remedy="A person approves it.")
    looks = {"c": UNAVAILABLE, "b": other, "a": UNAVAILABLE}

    verdict = evaluate(gate(evidence_schema=MANY), {}, looks)

    assert verdict.remedies == ("A person trusts it.", "A person approves it.")
    assert verdict.unverified == tuple(f"{name}: nobody trusts test" for name in MANY)
