"""Python expressions of gate files, parsed and evaluated by a small interpreter; never `eval`.

Existing definitions write validators as `lambda x: x > 0`. This module accepts one lambda over a
fixed subset (comparisons, boolean and arithmetic operators, conditional expressions, subscripts,
literals, comprehensions, a few functions and methods) and refuses everything else when the
definition is loaded. Evaluation works on JSON values under limits of steps and size, so an
expression ends, one way or the other, in bounded time and memory.

Attribute access exists only as the name of an allowed method in a call, names resolve only to
parameters, loop variables and the function table, and values are only ever JSON-like, so that no
path leads from an expression to an object of the interpreter.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAX_SOURCE = 2_000
MAX_NODES = 300
MAX_STEPS = 100_000
MAX_SIZE = 100_000
MAX_INTEGER_BITS = 4_096

Environment = Mapping[str, Any]


class ExpressionError(Exception):
    """An expression is outside the subset, or its evaluation failed or passed a limit."""


def _bounded_range(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > MAX_SIZE:
        raise ExpressionError(f"range of {len(numbers)} numbers is over {MAX_SIZE}")
    return list(numbers)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "range": _bounded_range,
    "round": round,
    "set": set,
    "sorted": sorted,
    "str": str,
    "sum": sum,
}

TYPES: Mapping[str, type] = {
    "bool": bool,
    "dict": dict,
    "float": float,
    "int": int,
    "list": list,
    "str": str,
}

METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        {
            "count",
            "endswith",
            "find",
            "isalnum",
            "isalpha",
            "isdigit",
            "islower",
            "isupper",
            "lower",
            "lstrip",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "upper",
        }
    ),
    list: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}

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
    ast.comprehension,
)  # fmt: skip


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
            result = evaluation.value(self._body, environment)
            return list(result) if isinstance(result, Iterator) else result
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
    _check(tree.body, parameters)
    return tree.body, parameters


def _check(body: ast.expr, parameters: tuple[str, ...]) -> None:
    nodes = list(ast.walk(body))
    if len(nodes) > MAX_NODES:
        raise ExpressionError(f"expression of {len(nodes)} parts is over {MAX_NODES}")
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    bound = {*parameters} | {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in nodes:
        if not isinstance(node, _ALLOWED_NODES):
            raise ExpressionError(f"{type(node).__name__} is not allowed in a gate expression")
        if isinstance(node, ast.Attribute):
            if id(node) not in called or node.attr not in _METHOD_NAMES:
                raise ExpressionError(f"attribute {node.attr!r} is not allowed")
        elif isinstance(node, ast.Name):
            _check_name(node, bound, is_called=id(node) in called)
        elif isinstance(node, ast.Call):
            _check_call(node)
        elif isinstance(node, ast.comprehension) and node.is_async:
            raise ExpressionError("async comprehensions are not allowed")
        elif isinstance(node, ast.Dict) and None in node.keys:
            raise ExpressionError("** in a dict is not allowed")


def _check_name(node: ast.Name, bound: set[str], *, is_called: bool) -> None:
    if node.id.startswith("__"):
        raise ExpressionError(f"name {node.id!r} is not allowed")
    if is_called:
        if node.id not in FUNCTIONS and node.id != "isinstance":
            raise ExpressionError(f"function {node.id!r} is not one of {', '.join(FUNCTIONS)}")
    elif node.id not in bound and node.id not in TYPES:
        raise ExpressionError(f"name {node.id!r} is not a parameter")


def _check_call(node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name | ast.Attribute):
        raise ExpressionError("only named functions and methods can be called")
    if any(keyword.arg is None or keyword.arg == "key" for keyword in node.keywords):
        raise ExpressionError("** and key= are not allowed in a call")


class _Evaluation:
    """One run of one expression, which counts its steps."""

    def __init__(self) -> None:
        self._steps = 0

    def value(self, node: ast.expr, names: Environment) -> Any:
        self._spend(1)
        result = _RULES[type(node)](self, node, names)
        # What was submitted may be large; what an expression builds from it may not.
        if not isinstance(node, ast.Name | ast.Subscript | ast.IfExp | ast.BoolOp):
            _refuse_large(result)
        return result

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
            _refuse_large_repeat(left, right)
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            raise ExpressionError("% formatting is not allowed")
        return _BINARY[type(node.op)](left, right)

    def unary_op(self, node: ast.UnaryOp, names: Environment) -> Any:
        return _UNARY[type(node.op)](self.value(node.operand, names))

    def compare(self, node: ast.Compare, names: Environment) -> bool:
        left = self.value(node.left, names)
        for comparison, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, names)
            self._spend(_size(left) + _size(right))
            if not _COMPARE[type(comparison)](left, right):
                return False
            left = right
        return True

    def if_exp(self, node: ast.IfExp, names: Environment) -> Any:
        return self.value(node.body if self.value(node.test, names) else node.orelse, names)

    def sequence(self, node: ast.List | ast.Tuple | ast.Set, names: Environment) -> Any:
        items = [self.value(item, names) for item in node.elts]
        return set(items) if isinstance(node, ast.Set) else items

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
            return container[slice(*(part and self.value(part, names) for part in parts))]
        return container[self.value(node.slice, names)]

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, names: Environment
    ) -> Any:
        found: list[Any] = []
        for inner in self._rows(node.generators, names):
            found.append(self.value(node.elt, inner))
            if len(found) > MAX_SIZE:
                raise ExpressionError(f"a comprehension made more than {MAX_SIZE} elements")
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
        self._spend(sum(map(_size, arguments)))
        if isinstance(node.func, ast.Name):
            return FUNCTIONS[node.func.id](*arguments, **named)
        attribute = node.func
        if not isinstance(attribute, ast.Attribute):
            raise ExpressionError("only named functions and methods can be called")
        target = self.value(attribute.value, names)
        if attribute.attr not in METHODS.get(type(target), frozenset()):
            raise ExpressionError(f"{type(target).__name__} has no method {attribute.attr!r} here")
        self._spend(_size(target))
        result = getattr(target, attribute.attr)(*arguments, **named)
        return list(result) if isinstance(target, dict) and attribute.attr != "get" else result

    def _is_instance(self, node: ast.Call, names: Environment) -> bool:
        if len(node.args) != 2 or node.keywords:  # noqa: PLR2004 - a value and its type
            raise ExpressionError("isinstance takes a value and a type")
        subject, kind = node.args
        options = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        types = [TYPES.get(option.id) for option in options if isinstance(option, ast.Name)]
        if len(types) != len(options) or None in types:
            raise ExpressionError(f"isinstance knows the types {', '.join(TYPES)}")
        return isinstance(self.value(subject, names), tuple(t for t in types if t))


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | set | dict) else 1


def _refuse_large(value: Any) -> None:
    if isinstance(value, int):
        if value.bit_length() > MAX_INTEGER_BITS:
            raise ExpressionError("a number grew too large")
    elif _size(value) > MAX_SIZE:
        raise ExpressionError(f"a value of {_size(value)} elements is over {MAX_SIZE}")


def _refuse_large_repeat(left: Any, right: Any) -> None:
    for sequence, count in ((left, right), (right, left)):
        if (
            isinstance(sequence, str | list)
            and isinstance(count, int)
            and len(sequence) * count > MAX_SIZE
        ):
            raise ExpressionError(f"repetition to {len(sequence) * count} is over {MAX_SIZE}")


def _bind(target: ast.expr, item: Any) -> dict[str, Any]:
    if isinstance(target, ast.Name):
        return {target.id: item}
    if isinstance(target, ast.Tuple) and all(isinstance(part, ast.Name) for part in target.elts):
        names = [part.id for part in target.elts if isinstance(part, ast.Name)]
        return dict(zip(names, item, strict=True))
    raise ExpressionError("a comprehension binds names only")


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
