"""Python expressions of gate files, parsed and evaluated by a small interpreter; never `eval`.

Existing definitions write validators as `lambda x: x > 0`. This module accepts one lambda over a
fixed subset (comparisons, boolean and arithmetic operators, conditional expressions, subscripts,
literals, comprehensions, a few functions and methods) and refuses everything else when the
definition is loaded. Evaluation works on JSON values under limits of steps and size, so an
expression ends, one way or the other, in bounded time and memory.

Attribute access exists only as the name of an allowed method in a call, names resolve only to
parameters, loop variables and the function table, and values are only ever JSON-like (and tuples
and sets of such), so that no path leads from an expression to an object of the interpreter.

What was submitted may be large; what an expression builds may not, and whatever is looked at as a
whole is paid for in steps, nested parts included: a list that repeats a list that repeats a list is
small in memory and endless to compare.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from mcp_server.gates.expression_patterns import MATCHERS, matches, rewrite
from mcp_server.gates.patterns import PatternBudget
from mcp_server.gates.vocabulary import (
    FREE,
    FUNCTIONS,
    METHODS,
    SHALLOW,
    TYPES,
    ExpressionError,
    refuse_large_repeat,
    weight,
)

MAX_SOURCE = 2_000
MAX_NODES = 300
MAX_STEPS = 100_000
MAX_INTEGER_BITS = 4_096

_PARTS_IN_A_STEP = 4

Environment = Mapping[str, Any]

_METHOD_NAMES = frozenset().union(*METHODS.values())

_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}

_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}

_ALLOWED_NODES: tuple[type[ast.AST], ...] = (
    ast.BoolOp, ast.And, ast.Or, ast.BinOp, *_BINARY, ast.UnaryOp, *_UNARY, ast.Compare, *_COMPARE,
    ast.IfExp, ast.Call, ast.Constant, ast.Name, ast.Load, ast.Store, ast.Attribute, ast.Subscript,
    ast.Slice, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.GeneratorExp,
    ast.comprehension, ast.keyword,
)  # fmt: skip

_BUILDING = (ast.BinOp, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp,
             ast.GeneratorExp)  # fmt: skip


class Expression:
    """One parsed lambda, ready to be called with JSON values."""

    def __init__(self, source: str) -> None:
        """Parse `source`; raises ExpressionError for anything outside the subset."""
        self.source = source
        self._body, self.parameters = _parse(source)

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Evaluate with the parameters bound; raises ExpressionError when it cannot be done."""
        environment = dict(zip(self.parameters, values, strict=False)) | named
        unbound = [name for name in self.parameters if name not in environment]
        if unbound:
            raise ExpressionError(f"no value for parameter {', '.join(unbound)}")
        evaluation = _Evaluation()
        try:
            return evaluation.value(self._body, environment)
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise ExpressionError(f"{type(error).__name__}: {error}") from error


def _parse(source: str) -> tuple[ast.expr, tuple[str, ...]]:
    if len(source) > MAX_SOURCE:
        raise ExpressionError(f"expression of {len(source)} characters is over {MAX_SOURCE}")
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"not a Python expression: {error}") from error
    if not isinstance(tree, ast.Lambda):
        raise ExpressionError("must be a lambda, such as: lambda x: x > 0")
    arguments = tree.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
        raise ExpressionError("a lambda takes plain parameters only, without defaults or stars")
    parameters = tuple(argument.arg for argument in (*arguments.posonlyargs, *arguments.args))
    if not parameters:
        raise ExpressionError("the lambda needs a parameter for the value to judge")
    if len(set(parameters)) < len(parameters):
        raise ExpressionError("two parameters of the lambda have the same name")
    if "re" in parameters:
        raise ExpressionError("a parameter cannot be called re, which names the patterns")
    parts = sum(1 for _ in ast.walk(tree.body))
    if parts > MAX_NODES:
        raise ExpressionError(f"expression of {parts} parts is over {MAX_NODES}")
    body = rewrite(tree.body)
    _check(body, parameters)
    return body, parameters


def _check(body: ast.expr, parameters: tuple[str, ...]) -> None:
    nodes = list(ast.walk(body))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    bound = {*parameters} | {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in nodes:
        if not isinstance(node, _ALLOWED_NODES):
            raise ExpressionError(f"{type(node).__name__} is not allowed in a gate expression")
        if isinstance(node, ast.Attribute):
            _check_attribute(node, is_called=id(node) in called)
        elif isinstance(node, ast.Name):
            _check_name(node, bound, is_called=id(node) in called)
        elif type(node) in _CHECKS:
            _CHECKS[type(node)](node)


def _check_attribute(node: ast.Attribute, *, is_called: bool) -> None:
    if not is_called or node.attr not in _METHOD_NAMES:
        raise ExpressionError(f"attribute {node.attr!r} is not allowed")


def _check_name(node: ast.Name, bound: set[str], *, is_called: bool) -> None:
    if node.id.startswith("__"):
        raise ExpressionError(f"name {node.id!r} is not allowed")
    if is_called:
        if node.id not in FUNCTIONS and node.id not in MATCHERS and node.id != "isinstance":
            raise ExpressionError(f"function {node.id!r} is not one of {', '.join(FUNCTIONS)}")
    elif node.id not in bound and node.id not in TYPES:
        raise ExpressionError(f"name {node.id!r} is not a parameter")


def _check_literal(node: ast.Constant) -> None:
    if not isinstance(node.value, str | int | float | None):
        raise ExpressionError(f"a literal of {type(node.value).__name__} is not allowed")


def _check_dict(node: ast.Dict) -> None:
    if None in node.keys:
        raise ExpressionError("** in a dict is not allowed")


def _check_comprehension(node: ast.comprehension) -> None:
    if node.is_async:
        raise ExpressionError("async comprehensions are not allowed")
    targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
    if not all(isinstance(target, ast.Name) for target in targets):
        raise ExpressionError("a comprehension binds names only")


def _check_call(node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name | ast.Attribute):
        raise ExpressionError("only named functions and methods can be called")
    if any(keyword.arg is None or keyword.arg == "key" for keyword in node.keywords):
        raise ExpressionError("** and key= are not allowed in a call")


_CHECKS: Mapping[type[ast.AST], Callable[[Any], None]] = {
    ast.Call: _check_call,
    ast.Constant: _check_literal,
    ast.Dict: _check_dict,
    ast.comprehension: _check_comprehension,
}


class _Evaluation:
    """One run of one expression, which counts its steps."""

    def __init__(self) -> None:
        self._steps = 0
        self._patterns = PatternBudget()

    def value(self, node: ast.expr, names: Environment) -> Any:
        self._spend(1)
        result = _RULES[type(node)](self, node, names)
        return self._built(result) if isinstance(node, _BUILDING) else result

    def _built(self, value: Any) -> Any:
        if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
            raise ExpressionError("a number grew too large")
        self._look_at(value)
        return value

    def _look_at(self, *values: Any) -> None:
        self._spend(sum(map(weight, values)) // _PARTS_IN_A_STEP)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise ExpressionError(f"took more than {MAX_STEPS} steps")

    def constant(self, node: ast.Constant, _names: Environment) -> Any:
        return node.value

    def name(self, node: ast.Name, names: Environment) -> Any:
        return names[node.id]

    def bool_op(self, node: ast.BoolOp, names: Environment) -> Any:
        result: Any = None
        for operand in node.values:
            result = self.value(operand, names)
            if bool(result) is isinstance(node.op, ast.Or):
                break
        return result

    def bin_op(self, node: ast.BinOp, names: Environment) -> Any:
        left, right = self.value(node.left, names), self.value(node.right, names)
        if isinstance(node.op, ast.Mult):
            refuse_large_repeat(left, right)
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            raise ExpressionError("% formatting is not allowed")
        return _BINARY[type(node.op)](left, right)

    def unary_op(self, node: ast.UnaryOp, names: Environment) -> Any:
        return _UNARY[type(node.op)](self.value(node.operand, names))

    def compare(self, node: ast.Compare, names: Environment) -> bool:
        left = self.value(node.left, names)
        for comparison, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, names)
            if not _is_cheap(comparison, left, right):
                self._look_at(left, right)
            if not _COMPARE[type(comparison)](left, right):
                return False
            left = right
        return True

    def if_exp(self, node: ast.IfExp, names: Environment) -> Any:
        return self.value(node.body if self.value(node.test, names) else node.orelse, names)

    def sequence(self, node: ast.List | ast.Tuple | ast.Set, names: Environment) -> Any:
        items = [self.value(item, names) for item in node.elts]
        makes = {ast.Set: set, ast.Tuple: tuple}.get(type(node), list)
        return makes(items)

    def mapping(self, node: ast.Dict, names: Environment) -> dict[Any, Any]:
        return {
            self.value(key, names): self.value(item, names)
            for key, item in zip(node.keys, node.values, strict=True)
            if key is not None
        }

    def subscript(self, node: ast.Subscript, names: Environment) -> Any:
        container = self.value(node.value, names)
        if isinstance(node.slice, ast.Slice):
            parts = (node.slice.lower, node.slice.upper, node.slice.step)
            bounds = slice(*(part and self.value(part, names) for part in parts))
            return self._built(container[bounds])
        return container[self.value(node.slice, names)]

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, names: Environment
    ) -> Any:
        # Each row costs steps, so that the number of elements is bounded as well.
        found = [self.value(node.elt, inner) for inner in self._rows(node.generators, names)]
        return set(found) if isinstance(node, ast.SetComp) else found

    def _rows(
        self, generators: list[ast.comprehension], names: Environment
    ) -> Iterator[Environment]:
        head, *tail = generators
        for item in self.value(head.iter, names):
            self._spend(1)
            inner = {**names, **_bind(head.target, item)}
            if all(self.value(condition, inner) for condition in head.ifs):
                yield from self._rows(tail, inner) if tail else iter((inner,))

    def call(self, node: ast.Call, names: Environment) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            return self._is_instance(node, names)
        arguments = [self.value(argument, names) for argument in node.args]
        named = {k.arg: self.value(k.value, names) for k in node.keywords if k.arg is not None}
        if isinstance(node.func, ast.Name):
            return self._function(node.func.id, arguments, named)
        # _check_call lets nothing else through.
        method = cast("ast.Attribute", node.func)
        return self._method(self.value(method.value, names), method.attr, arguments, named)

    def _function(self, name: str, arguments: list[Any], named: Mapping[str, Any]) -> Any:
        if name in MATCHERS:
            return matches(self._patterns, name, *arguments)
        if name in SHALLOW:
            self._spend(sum(map(len, filter(_has_parts, arguments))) // _PARTS_IN_A_STEP)
        elif name not in FREE:
            self._look_at(*arguments, *named.values())
        result = FUNCTIONS[name](*arguments, **named)
        # What these return is a part of what was submitted.
        return result if name in {"max", "min"} else self._built(result)

    def _method(self, target: Any, name: str, arguments: list[Any], named: Any) -> Any:
        if name not in METHODS.get(type(target), frozenset()):
            raise ExpressionError(f"{type(target).__name__} has no method {name!r} here")
        if isinstance(target, dict):
            result = getattr(target, name)(*arguments, **named)
            if name == "get":
                return result
            self._spend(len(target) // _PARTS_IN_A_STEP)
            return list(result)
        self._look_at(target, *arguments, *named.values())
        return self._built(getattr(target, name)(*arguments, **named))

    def _is_instance(self, node: ast.Call, names: Environment) -> bool:
        if len(node.args) != 2 or node.keywords:  # noqa: PLR2004 - a value and its type
            raise ExpressionError("isinstance takes a value and a type")
        subject, kind = node.args
        options = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        types = [TYPES.get(option.id) for option in options if isinstance(option, ast.Name)]
        if len(types) != len(options) or None in types:
            raise ExpressionError(f"isinstance knows the types {', '.join(TYPES)}")
        return isinstance(self.value(subject, names), tuple(t for t in types if t))


def _is_cheap(comparison: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(comparison, ast.In | ast.NotIn):
        return isinstance(right, dict | set)
    if isinstance(comparison, ast.Is | ast.IsNot):
        return True
    return not (_has_parts(left) and _has_parts(right))


def _has_parts(value: Any) -> bool:
    return isinstance(value, str | list | tuple | set | dict)


def _bind(target: ast.expr, item: Any) -> dict[str, Any]:
    if isinstance(target, ast.Tuple):
        names = [part.id for part in target.elts if isinstance(part, ast.Name)]
        return dict(zip(names, item, strict=True))
    return {cast("ast.Name", target).id: item}


_RULES: Mapping[type[ast.expr], Callable[[_Evaluation, Any, Environment], Any]] = {
    ast.Constant: _Evaluation.constant,
    ast.Name: _Evaluation.name,
    ast.BoolOp: _Evaluation.bool_op,
    ast.BinOp: _Evaluation.bin_op,
    ast.UnaryOp: _Evaluation.unary_op,
    ast.Compare: _Evaluation.compare,
    ast.IfExp: _Evaluation.if_exp,
    ast.List: _Evaluation.sequence,
    ast.Tuple: _Evaluation.sequence,
    ast.Set: _Evaluation.sequence,
    ast.Dict: _Evaluation.mapping,
    ast.Subscript: _Evaluation.subscript,
    ast.ListComp: _Evaluation.comprehension,
    ast.SetComp: _Evaluation.comprehension,
    ast.GeneratorExp: _Evaluation.comprehension,
    ast.Call: _Evaluation.call,
}
