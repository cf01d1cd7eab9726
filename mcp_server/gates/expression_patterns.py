"""`re.match`, `re.search` and `re.fullmatch` in gate expressions: yes or no, within a time limit.

Existing validators call them, and ask `is not None` of what they give. They are rewritten to
functions whose names no author can write, so that the interpreter needs no module and no attribute
for them. The pattern is a literal, checked when the definition is loaded; what comes back is
whether it matches, and no match object.
"""

import ast
from typing import Any, Literal

from mcp_server.gates.patterns import PatternBudget, PatternError, compiled
from mcp_server.gates.vocabulary import ExpressionError

MATCHERS = {"re.match": (r"\A(?:", ")"), "re.search": ("", ""), "re.fullmatch": (r"\A(?:", r")\Z")}
"""What each function puts around a pattern."""

_ARGUMENTS = 2


class _Rewriting(ast.NodeTransformer):
    """Makes `re.match(...)` a call of one name; raises ExpressionError where that is not sound."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
            return node
        name = f"{function.value.id}.{function.attr}"
        if name not in MATCHERS:
            return node
        if len(node.args) != _ARGUMENTS or node.keywords:
            raise ExpressionError(f"{name} takes a pattern and a text")
        pattern = node.args[0]
        if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
            raise ExpressionError(f"the pattern of {name} must be a literal")
        try:
            compiled(pattern.value)
            compiled(_anchored(name, pattern.value))
        except PatternError as error:
            raise ExpressionError(str(error)) from error
        node.func = ast.copy_location(ast.Name(name, ast.Load()), function)
        return node


def _anchored(name: str, pattern: str) -> str:
    before, after = MATCHERS[name]
    return f"{before}{pattern}{after}"


def rewrite(body: ast.expr) -> ast.expr:
    """Return `body` with its calls of `re` as calls of one name each; raises ExpressionError."""
    rewritten: ast.expr = _Rewriting().visit(body)
    return rewritten


def matches(budget: PatternBudget, name: str, pattern: str, text: Any) -> Literal[True] | None:
    """Return True if `text` matches, else None, which validators compare with.

    Raises ExpressionError for what is no text, and when it takes too long.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"{name} judges text, not {type(text).__name__}")
    try:
        return budget.search(compiled(_anchored(name, pattern)), text) and True
    except PatternError as error:
        raise ExpressionError(str(error)) from error
