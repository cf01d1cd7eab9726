"""The expression subset: what it computes, what it refuses, and that it always ends."""

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


ESCAPES = {
    "dunder class": "lambda x: x.__class__",
    "dunder class called": "lambda x: x.__class__()",
    "subclasses": "lambda x: ().__class__.__bases__[0].__subclasses__()",
    "mro": "lambda x: ''.__class__.__mro__[1]",
    "globals of a function": "lambda x: len.__globals__",
    "self of a built-in": "lambda x: len.__self__",
    "code object": "lambda x: x.__init__.__code__",
    "getattribute": "lambda x: x.__getattribute__('y')",
    "dunder dict": "lambda x: x.__dict__['y']",
    "dunder import": "lambda x: __import__('os')",
    "import and call": "lambda x: __import__('os').system('true')",
    "builtins name": "lambda x: __builtins__",
    "builtins subscript": "lambda x: __builtins__['eval']('1')",
    "dunder loop variable": "lambda x: [__builtins__ for __builtins__ in x]",
    "dunder parameter": "lambda __import__: __import__('os')",
    "eval": "lambda x: eval('1')",
    "exec": "lambda x: exec('1')",
    "compile": "lambda x: compile('1', '', 'eval')",
    "open": "lambda x: open('/etc/passwd')",
    "getattr": "lambda x: getattr(x, 'y')",
    "setattr": "lambda x: setattr(x, 'y', 1)",
    "type": "lambda x: type(x)",
    "type with three arguments": "lambda x: type('A', (), {})",
    "object": "lambda x: object()",
    "globals": "lambda x: globals()",
    "locals": "lambda x: locals()",
    "vars": "lambda x: vars(x)",
    "dir": "lambda x: dir(x)",
    "breakpoint": "lambda x: breakpoint()",
    "input": "lambda x: input()",
    "chr": "lambda x: chr(95)",
    "map": "lambda x: map(len, x)",
    "print": "lambda x: print(x)",
    "super": "lambda x: super()",
    "memoryview": "lambda x: memoryview(x)",
    "function as a value": "lambda x: [len][0](x)",
    "function as an argument": "lambda x: all(len)",
    "parameter called": "lambda x: x(1)",
    "subscript of a built-in": "lambda x: len['__globals__']",
    "call of a call": "lambda x: str(x)()",
    "call of a subscript": "lambda x: x[0]()",
    "lambda in lambda": "lambda x: (lambda y: y)(x)",
    "lambda returned": "lambda x: lambda y: y",
    "lambda in a default": "lambda x, y=lambda: 1: y",
    "walrus": "lambda x: (y := x)",
    "walrus in a loop": "lambda x: [(y := i) for i in x]",
    "f-string": "lambda x: f'{x}'",
    "f-string with an attribute": "lambda x: f'{x.__class__}'",
    "format method": "lambda x: '{0.__class__}'.format(x)",
    "format_map": "lambda x: '{a.__class__}'.format_map(x)",
    "format function": "lambda x: format(x, 'd')",
    "join": "lambda x: ''.join(x)",
    "encode": "lambda x: x.encode()",
    "translate": "lambda x: x.translate({})",
    "star argument": "lambda x: max(*x)",
    "double star argument": "lambda x: max(**x)",
    "starred list": "lambda x: [*x]",
    "double star in a dict": "lambda x: {**x}",
    "star parameter": "lambda *x: x",
    "double star parameter": "lambda **x: x",
    "keyword-only parameter": "lambda x, *, y: x",
    "default": "lambda x, y=1: x",
    "key function": "lambda x: sorted(x, key=len)",
    "await": "lambda x: await x",
    "yield": "lambda x: (yield)",
    "yield from": "lambda x: (yield from x)",
    "async comprehension": "lambda x: [i async for i in x]",
    "dict comprehension": "lambda x: {i: i for i in x}",
    "generator frame": "lambda x: (i for i in x).gi_frame",
    "generator frame back": "lambda x: (i for i in x).gi_frame.f_back.f_globals",
    "generator code": "lambda x: (i for i in x).gi_code",
    "loop over an attribute": "lambda x: [1 for i.y in x]",
    "loop over a subscript": "lambda x: [1 for x['k'] in [2]]",
    "loop over a nested pattern": "lambda x: [1 for a, (b, c) in x]",
    "loop over a starred pattern": "lambda x: [1 for a, *b in x]",
    "loop over a list pattern": "lambda x: [1 for [a, b] in x]",
    "attribute without call": "lambda x: x.keys",
    "method object passed on": "lambda x: any(x.keys for i in x)",
    "unknown method": "lambda x: x.pop()",
    "list mutation": "lambda x: x.append(1)",
    "dict mutation": "lambda x: x.update({})",
    "power": "lambda x: 9 ** 9 ** 9",
    "power function": "lambda x: pow(9, 9)",
    "left shift": "lambda x: 1 << 10",
    "bit operator": "lambda x: x | 1",
    "bit inversion": "lambda x: ~x",
    "matrix product": "lambda x: x @ x",
    "bytes": "lambda x: b'x'",
    "bytes formatting": "lambda x: b'%900000000d' % 1",
    "complex": "lambda x: 1j",
    "ellipsis": "lambda x: ...",
    "unknown name": "lambda x: y",
    "no lambda": "x > 0",
    "constant": "True",
    "no parameter": "lambda: True",
    "the same parameter twice": "lambda x, x: x",
    "statement": "import os",
    "two lines": "lambda x: x\nimport os",
    "two expressions": "lambda x: x; 1",
    "not Python": "lambda x: x >",
    "empty": "",
    "null byte": "lambda x: x\0",
    "lone surrogate": "lambda x: '\ud800'",
}


@pytest.mark.parametrize("source", ESCAPES.values(), ids=ESCAPES)
def test_what_is_outside_the_subset_is_refused_when_it_is_parsed(source):
    with pytest.raises(ExpressionError):
        Expression(source)


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


REFUSED = {
    "no lambda": ("x > 0", "must be a lambda, such as: lambda x: x > 0"),
    "default": (
        "lambda x, y=1: x", "a lambda takes plain parameters only, without defaults or stars",
    ),
    "parameter": ("lambda: 1", "the lambda needs a parameter for the value to judge"),
    "twice": ("lambda x, x: x", "two parameters of the lambda have the same name"),
    "node": ("lambda x: f'{x}'", "JoinedStr is not allowed in a gate expression"),
    "attribute": ("lambda x: x.y", "attribute 'y' is not allowed"),
    "name": ("lambda x: y", "name 'y' is not a parameter"),
    "dunder": ("lambda x: __y", "name '__y' is not allowed"),
    "literal": ("lambda x: b'y'", "a literal of bytes is not allowed"),
    "call": ("lambda x: x[0]()", "only named functions and methods can be called"),
    "key": ("lambda x: min(x, key=1)", "** and key= are not allowed in a call"),
    "dict": ("lambda x: {**x}", "** in a dict is not allowed"),
    "async": ("lambda x: [i async for i in x]", "async comprehensions are not allowed"),
    "binding": ("lambda x: [1 for x[0] in x]", "a comprehension binds names only"),
    "length": (
        "lambda x: x" + " " * MAX_SOURCE,
        f"expression of {MAX_SOURCE + 11} characters is over {MAX_SOURCE}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refused_expression_says_why(source, message):
    with pytest.raises(ExpressionError) as raised:
        Expression(source)

    assert str(raised.value) == message


def test_an_unknown_function_is_answered_with_those_that_exist():
    with pytest.raises(ExpressionError) as raised:
        Expression("lambda x: hash(x)")

    assert str(raised.value) == (
        "function 'hash' is not one of abs, all, any, bool, float, int, len, list, max, min, range,"
        " round, set, sorted, str, sum"
    )


def test_an_evaluation_leaves_what_was_submitted_as_it_was():
    value = {"files": ["b", "a"], "sizes": {"a": 1}}

    Expression("lambda x: sorted(x['files']) + x['sizes'].keys() + x['files'] * 2")(value)

    assert value == {"files": ["b", "a"], "sizes": {"a": 1}}


def test_the_steps_of_one_run_are_not_charged_to_the_next():
    expression = Expression("lambda x: all(n >= 0 for n in range(15000))")

    assert [expression(0), expression(0)] == [True, True]
