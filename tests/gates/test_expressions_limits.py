"""How much an expression may be and do: it always ends, and large evidence is no offence."""

import time

import pytest

from mcp_server.gates.expressions import (
    MAX_INTEGER_BITS,
    MAX_NODES,
    MAX_SOURCE,
    Expression,
    ExpressionError,
)

LARGE = 2_000_000


TOO_LONG = {
    "characters": "lambda x: x == '" + "a" * MAX_SOURCE + "'",
    "parts": "lambda x: [" + "1," * MAX_NODES + "]",
    "parentheses": "lambda x: " + "(" * 900 + "x" + ")" * 900,
    "brackets": "lambda x: " + "[" * 900 + "x" + "]" * 900,
    "signs": "lambda x: " + "-" * 1900 + "1",
    "negations": "lambda x: " + "not " * 450 + "x",
    "subscripts": "lambda x: x" + "[0]" * 600,
    "calls": "lambda x: " + "len(" * 450 + "x" + ")" * 450,
}


@pytest.mark.parametrize("source", TOO_LONG.values(), ids=TOO_LONG)
def test_a_source_that_is_long_or_deep_is_refused_when_it_is_parsed(source):
    with pytest.raises(ExpressionError):
        Expression(source)


def test_the_longest_source_and_the_most_parts_are_accepted():
    padded = "lambda x: x == 'a'".ljust(MAX_SOURCE)
    # One part each for the list, its context and every element.
    full = "lambda x: [" + "1," * (MAX_NODES - 2) + "]"

    assert Expression(padded)("a") is True
    assert Expression(full)(0) == [1] * (MAX_NODES - 2)


_REPEATED = "for a in [[0] * 1000] for b in [[a] * 1000] for c in [[b] * 1000]"
_DOUBLED_TUPLES = " ".join(
    f"for t{n} in {{t{n - 1}: t{n - 1}}}.items()" for n in range(1, 25)
)  # fmt: skip

ATTACKS = {
    "long text": ("lambda x: 'x' * 10000000000", 0),
    "long text by steps": ("lambda x: ('x' * 90000) * 90000", 0),
    "count before text": ("lambda x: 10000000000 * 'x'", 0),
    "long list": ("lambda x: [0] * 10000000000", 0),
    "long tuple": ("lambda x: (0, 0) * 10000000000", 0),
    "long pair": ("lambda x: x.items()[0] * 10000000000", {"a": 1}),
    "many long lists": ("lambda x: [[0] * 90000 for i in range(90000)]", 0),
    "many long texts": ("lambda x: ['x' * 90000 + str(i) for i in range(90000)]", 0),
    "many slices": ("lambda x: [x[1:] for i in range(90000)]", [0] * 90_000),
    "many copies": ("lambda x: all(list(x) for i in range(90000))", [0] * 90_000),
    "many sorts": ("lambda x: all(sorted(x) for i in range(90000))", [0] * 90_000),
    "many searches": ("lambda x: all(x.count(i) for i in range(90000))", [1] * 90_000),
    "many memberships": ("lambda x: all(i not in x for i in range(1, 9000))", [0] * 90_000),
    "many text searches": (
        "lambda x: all(x.find('b') for i in range(90000))",
        "a" * LARGE,
    ),
    "many looks at all": ("lambda x: any(all(x) and i < 0 for i in range(9000))", [1] * LARGE),
    "many values": (
        "lambda x: any(x.values() == [i] for i in range(9000))",
        {str(i): i for i in range(90_000)},
    ),
    "many lists of keys": (
        "lambda x: any(len(x.keys()) < 0 for i in range(9000))",
        {str(i): i for i in range(90_000)},
    ),
    "huge range": ("lambda x: range(10000000000)", 0),
    "astronomic range": (f"lambda x: range({'9' * 40})", 0),
    "nested comprehensions": (
        "lambda x: [a + b + c for a in range(9999) for b in range(9999) for c in range(9999)]",
        0,
    ),
    "nested generators": (
        "lambda x: all(all(all(1 for c in range(9999)) for b in range(9999)) for a in range(9999))",
        0,
    ),
    "loops over what was submitted": ("lambda x: all(1 for a in x for b in x)", [0] * 90_000),
    "text of a repeated list": (f"lambda x: all(str(c) {_REPEATED})", 0),
    "comparison of repeated lists": (
        f"lambda x: all(c == d {_REPEATED} {_REPEATED.replace('c in', 'd in')})",
        0,
    ),
    "doubled tuples": (f"lambda x: {{t24 for t0 in ['a'] {_DOUBLED_TUPLES}}}", 0),
    "growing number": ("lambda x: " + "*".join([str(10**60)] * 25), 0),
    "number from text": (f"lambda x: int('9' * {MAX_INTEGER_BITS})", 0),
    "number out of text of any length": ("lambda x: int('9' * 90000)", 0),
    "rounding": ("lambda x: round(1, -10000000000)", 0),
    "sum of lists": ("lambda x: sum([[i, i] for i in range(12000)], [])", 0),
    "sum from a list": ("lambda x: sum([], [])", 0),
    "padding": ("lambda x: x % 1", "%2000000000d"),
    "comparison of what was submitted": ("lambda x: x == [x, x]", [0] * LARGE),
    "text of what was submitted": ("lambda x: str(x)", [[0] * 1000] * 1000),
    "set of what was submitted": ("lambda x: len(set(x)) > 0", [0] * LARGE),
}


@pytest.mark.parametrize(("source", "value"), ATTACKS.values(), ids=ATTACKS)
def test_an_expression_that_would_take_all_time_or_memory_ends_quickly(source, value):
    expression = Expression(source)
    begin = time.perf_counter()

    with pytest.raises(ExpressionError):
        expression(value)

    assert time.perf_counter() - begin < 2


LARGE_BUT_FINE = {
    "length of a list": ("lambda x: len(x) > 0", [0] * LARGE),
    "length of a text": ("lambda x: len(x) > 0", "a" * 10_000_000),
    "truth": ("lambda x: bool(x) and not not x", [0] * LARGE),
    "last element": ("lambda x: x[-1] == 0", [0] * LARGE),
    "key": ("lambda x: 'a' in x and x.get('a')[0] == 0", {"a": [0] * LARGE}),
    "identity": ("lambda x: x is not None", [0] * LARGE),
    "comparison with a number": ("lambda x: x != 1", [0] * LARGE),
    "type": ("lambda x: isinstance(x, list)", [0] * LARGE),
    "search in a text": ("lambda x: 'b' not in x and x.strip() != ''", "a" * 1_000_000),
    "each of many": ("lambda x: all(n >= 0 for n in x)", [0] * 15_000),
    "largest": ("lambda x: max(x) == 0 and sum(x) == 0", [0] * 90_000),
}


@pytest.mark.parametrize(("source", "value"), LARGE_BUT_FINE.values(), ids=LARGE_BUT_FINE)
def test_what_was_submitted_may_be_large(source, value):
    assert Expression(source)(value) is True


def test_the_steps_of_one_run_are_not_charged_to_the_next():
    expression = Expression("lambda x: all(n >= 0 for n in range(15000))")

    assert [expression(0), expression(0)] == [True, True]
