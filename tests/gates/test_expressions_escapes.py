"""What is outside the expression subset: refused when it is parsed, and told why."""

import pytest

from mcp_server.gates.expressions import MAX_SOURCE, Expression, ExpressionError

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
