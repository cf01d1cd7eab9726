"""The expression subset: what it computes, and what it says when that goes wrong."""

import pytest

from mcp_server.gates.expressions import Expression, ExpressionError

EVIDENCE = {
    "tests": 7,
    "failed": 0,
    "ratio": 0.5,
    "done": True,
    "name": "Report.md",
    "text": "one\ntwo\nthree",
    "files": ["a.py", "b.py", "c.md"],
    "rows": [{"id": 1, "tags": ["x", "y"]}, {"id": 2, "tags": []}],
    "sizes": {"a": 1, "b": 22},
    "nothing": None,
    "empty": [],
}

# Each is also a valid Python expression, which is what it is compared with.
USEFUL = {
    "comparison": "lambda e: e['tests'] > 6",
    "equality": "lambda e: e['name'] == 'Report.md'",
    "inequality": "lambda e: e['name'] != 'other'",
    "less or equal": "lambda e: e['tests'] <= 6",
    "chain": "lambda e: 0 <= e['failed'] < e['tests'] <= 7",
    "chain that breaks": "lambda e: 0 < e['failed'] < 1 / e['failed']",
    "membership": "lambda e: 'a.py' in e['files']",
    "absence": "lambda e: 'z.py' not in e['files']",
    "key membership": "lambda e: 'tests' in e and 'other' not in e",
    "substring": "lambda e: 'port' in e['name']",
    "identity": "lambda e: e['nothing'] is None and e['tests'] is not None",
    "and gives the last": "lambda e: e['tests'] and e['name']",
    "and stops": "lambda e: e['failed'] and 1 / 0",
    "or gives the first": "lambda e: e['empty'] or e['files']",
    "or stops": "lambda e: e['tests'] or 1 / 0",
    "not": "lambda e: not e['empty']",
    "arithmetic": "lambda e: (e['tests'] - 1) * 2 + 7 // 2 - 7 % 4 + 1 / 4",
    "signs": "lambda e: -e['tests'] + +1",
    "text sum": "lambda e: e['name'] + '!'",
    "repetition": "lambda e: 'ab' * 3",
    "repetition of a list": "lambda e: 2 * [0]",
    "conditional": "lambda e: 'yes' if e['done'] else 1 / 0",
    "conditional other": "lambda e: 1 / 0 if e['empty'] else 'no'",
    "subscript": "lambda e: e['rows'][0]['tags'][-1]",
    "slice": "lambda e: e['files'][1:]",
    "slice to": "lambda e: e['files'][:2]",
    "slice with step": "lambda e: e['name'][::-1]",
    "slice with bounds": "lambda e: e['files'][e['failed']:2:1]",
    "list": "lambda e: [e['tests'], 'x']",
    "tuple": "lambda e: (e['tests'], 'x')",
    "set": "lambda e: {1, 1, 2}",
    "dict": "lambda e: {'a': e['tests'], 'b': [1]}",
    "all with a generator": "lambda e: all(f.endswith('.py') for f in e['files'])",
    "any with a generator": "lambda e: any(f.endswith('.md') for f in e['files'])",
    "filter": "lambda e: [f for f in e['files'] if f.endswith('.py') if f != 'b.py']",
    "set comprehension": "lambda e: {len(f) for f in e['files']}",
    "two loops": "lambda e: [t for r in e['rows'] for t in r['tags']]",
    "nested generators": "lambda e: all(any(t == 'x' for t in r['tags']) for r in e['rows'][:1])",
    "comprehension in comprehension": "lambda e: [[t + '!' for t in r['tags']] for r in e['rows']]",
    "unpacking": "lambda e: [k + str(v) for k, v in e['sizes'].items()]",
    "pair in items": "lambda e: ('a', 1) in e['sizes'].items()",
    "pair not in items": "lambda e: ('a', 1) not in e['sizes'].items()",
    "tuple is no list": "lambda e: e['empty'] == ()",
    "one of several": "lambda e: e['name'] in ('Report.md', 'other')",
    "dict get": "lambda e: e.get('tests')",
    "dict get default": "lambda e: e.get('other', 3)",
    "dict keys": "lambda e: sorted(e['sizes'].keys())",
    "dict values": "lambda e: sum(e['sizes'].values())",
    "isinstance": "lambda e: isinstance(e['tests'], int)",
    "isinstance of several": "lambda e: isinstance(e['name'], (int, str))",
    "not isinstance": "lambda e: isinstance(e['name'], dict)",
    "len": "lambda e: len(e['files'])",
    "min and max": "lambda e: [min(1, 2), max(e['sizes'].values())]",
    "max default": "lambda e: max(e['empty'], default=0)",
    "sorted": "lambda e: sorted(e['files'], reverse=True)",
    "conversion": "lambda e: [int('3'), float('1.5'), str(4), bool(0), list('ab'), abs(-2)]",
    "set function": "lambda e: len(set(e['files'])) == len(e['files'])",
    "range": "lambda e: [n for n in range(1, 7, 2)]",
    "round": "lambda e: [round(2.567, 1), round(2.5)]",
    "sum from a start": "lambda e: sum([1, 2], 10)",
    "text methods": "lambda e: e['name'].strip().lower().startswith('rep')",
    "one of several prefixes": "lambda e: e['name'].startswith(('Rep', 'http://'))",
    "count and index": "lambda e: [e['files'].count('a.py'), e['files'].index('b.py')]",
    "split": "lambda e: e['text'].splitlines() + 'a,b'.split(',')",
    "positional only": "lambda e, /: e['tests']",
    "parameter named as a function": "lambda len: len['tests']",
}


@pytest.mark.parametrize("source", USEFUL.values(), ids=USEFUL)
def test_the_useful_subset_computes_what_python_computes(source):
    # The sources stand above; Python itself is the reference.
    expected = eval(source)(EVIDENCE)  # noqa: S307

    result = Expression(source)(EVIDENCE)

    # A generator's place is taken by a list, which is the only difference.
    assert (result, type(result)) == (expected, type(expected))


def test_parameters_are_bound_by_position_and_by_name():
    expression = Expression("lambda x, least: least <= x")

    assert expression.parameters == ("x", "least")
    assert expression(3, least=2) is True
    assert expression(3, 4) is False


def test_a_parameter_without_a_value_is_an_error():
    with pytest.raises(ExpressionError, match=r"^no value for parameter least, most$"):
        Expression("lambda x, least, most: least <= x <= most")(1)


def test_a_generator_gives_a_list():
    assert Expression("lambda x: (i + 1 for i in x)")([1, 2]) == [2, 3]


def test_a_loop_variable_ends_with_its_loop():
    with pytest.raises(ExpressionError, match=r"^KeyError: 'i'$"):
        Expression("lambda x: all(i for i in x) and i")([1])


def test_a_loop_variable_hides_a_parameter_in_its_loop_only():
    assert Expression("lambda x: [[x for x in x], x]")([1, 2]) == [[1, 2], [1, 2]]


FAILING = {
    "missing key": ("lambda x: x['a']", {}, "KeyError: 'a'"),
    "index out of range": ("lambda x: x[9]", [], "IndexError: list index out of range"),
    "division by zero": ("lambda x: 1 / x", 0, "ZeroDivisionError: division by zero"),
    "not a number": (
        "lambda x: int(x)", "a", "ValueError: invalid literal for int() with base 10: 'a'",
    ),
    "types that do not compare": (
        "lambda x: x > 0",
        "a",
        "TypeError: '>' not supported between instances of 'str' and 'int'",
    ),
    "method of another type": ("lambda x: x.lower()", 1, "int has no method 'lower' here"),
    "dict method of a list": ("lambda x: x.keys()", [], "list has no method 'keys' here"),
    "text method of a dict": ("lambda x: x.lower()", {}, "dict has no method 'lower' here"),
    "formatting": ("lambda x: x % 1", "%d", "% formatting is not allowed"),
    "type as a value": ("lambda x: x == int", 1, "KeyError: 'int'"),
    "isinstance of one": ("lambda x: isinstance(x)", 1, "isinstance takes a value and a type"),
    "isinstance by name": (
        "lambda x: isinstance(x, int, y=1)", 1, "isinstance takes a value and a type",
    ),
    "isinstance of no type": (
        "lambda x: isinstance(x, x)", 1,
        "isinstance knows the types bool, dict, float, int, list, str",
    ),
    "isinstance of a literal": (
        "lambda x: isinstance(x, (int, 1))", 1,
        "isinstance knows the types bool, dict, float, int, list, str",
    ),
    "unpacking too much": (
        "lambda x: [a for a, b in x]", [[1, 2, 3]],
        "ValueError: zip() argument 2 is longer than argument 1",
    ),
    "rounding": ("lambda x: round(1.5, 101)", 0, "round to 101 digits is over 100"),
    "sum": ("lambda x: sum(x)", ["a"], "sum adds numbers only"),
    "range": ("lambda x: range(x)", 100_001, "range of 100001 numbers is over 100000"),
    "repetition": ("lambda x: 'ab' * x", 50_001, "repetition to 100002 is over 100000"),
    "large number": ("lambda x: x * x", 2**2100, "a number grew too large"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "value", "message"), FAILING.values(), ids=FAILING)
def test_an_evaluation_that_goes_wrong_says_how(source, value, message):
    with pytest.raises(ExpressionError) as raised:
        Expression(source)(value)

    assert str(raised.value) == message


def test_an_evaluation_leaves_what_was_submitted_as_it_was():
    value = {"files": ["b", "a"], "sizes": {"a": 1}}

    Expression("lambda x: sorted(x['files']) + x['sizes'].keys() + x['files'] * 2")(value)

    assert value == {"files": ["b", "a"], "sizes": {"a": 1}}


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("lambda x: re.match('[a-z]+', x)", "abc1", True),
        ("lambda x: re.match('[a-z]+', x)", "1abc", None),
        ("lambda x: re.match('a|b', x) is not None", "cb", False),
        ("lambda x: re.search('b', x) is not None", "abc", True),
        ("lambda x: re.search('z', x) is None", "abc", True),
        ("lambda x: bool(re.fullmatch('[0-9]{4}', x))", "2026", True),
        ("lambda x: bool(re.fullmatch('[0-9]{4}', x))", "2026\n", False),
        ("lambda x: all(re.match('TC-', y) for y in x)", ["TC-1", "TC-2"], True),
        ("lambda x: all(re.match('TC-', y) for y in x)", ["TC-1", "2"], False),
    ],
)
def test_patterns_say_whether_they_match(source, value, expected):
    assert Expression(source)(value) is expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("lambda x: re", "name 're' is not a parameter"),
        ("lambda x: re.compile(x)", "attribute 'compile' is not allowed"),
        ("lambda x: re.match(x, 'a')", "the pattern of re.match must be a literal"),
        ("lambda x: re.match('a')", "re.match takes a pattern and a text"),
        ("lambda x: re.match('a', x).string", "attribute 'string' is not allowed"),
        ("lambda x: re.match('(', x)", "'(' is not a regular expression: missing )"),
        ("lambda re: re.match('a', 'a')", "a parameter cannot be called re"),
    ],
)
def test_what_patterns_do_not_offer_is_refused_when_it_is_read(source, reason):
    with pytest.raises(ExpressionError) as refusal:
        Expression(source)
    assert str(refusal.value).startswith(reason)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (3, "re.search judges text, not int"),
        ("a" * 3_000 + "b", "the pattern '(a|aa)+$' takes too long on this text"),
    ],
)
def test_a_pattern_that_cannot_be_matched_is_an_error(value, reason):
    with pytest.raises(ExpressionError) as refusal:
        Expression("lambda x: re.search('(a|aa)+$', x)")(value)
    assert str(refusal.value) == reason
