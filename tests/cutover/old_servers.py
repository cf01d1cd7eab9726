"""Texts of old servers, made by us, and a host that records what a text registers."""

import sys
import textwrap
import types
from collections.abc import Callable, Iterable
from typing import Any

from mcp_server.cutover.findings import OLD_TOOLS
from mcp_server.cutover.python_plan import PythonPlan, plan_python

BRIDGE = "def register_aos_workflow(host): ...\n"
MODULE = "server/tools.py"


class Host:
    """Takes registrations in every spelling, and remembers the names."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.names: list[str] = []

    def tool(self, given: Any = None, name: str | None = None) -> Any:
        if callable(given):
            return self._add(given, name)
        return lambda function: self._add(function, name or given)

    def add_tool(self, given: Any, name: str | None = None) -> None:
        self._add(given, name)

    def _add(self, function: Any, name: str | None) -> Any:
        self.names.append(name or getattr(function, "name", None) or function.__name__)
        return function


class Tool:
    """What wraps a function on some hosts."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None) -> None:
        self.fn = fn
        self.name = name or fn.__name__

    @classmethod
    def from_function(cls, fn: Callable[..., Any], name: str | None = None) -> "Tool":
        return cls(fn, name)


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def text(block: str) -> str:
    return textwrap.dedent(block).lstrip("\n")


def plan(
    source: str | dict[str, str],
    old: Iterable[str] = OLD_TOOLS,
    *,
    style: str = "import",
) -> PythonPlan:
    sources = {MODULE: source} if isinstance(source, str) else source
    return plan_python(sources, tuple(old), style=style, bridge=BRIDGE)


def rewritten(source: str, **how: Any) -> str:
    """The new text of a lone module; nothing may be left to do and nothing else may change."""
    planned = plan(source, **how)
    assert planned.left == ()
    assert set(planned.files) == {MODULE}
    return planned.files[MODULE]


def left(source: str | dict[str, str]) -> list[tuple[int, str]]:
    return [(place.line, place.what) for place in plan(source).left]


def run(source: str, given: dict[str, Any]) -> dict[str, Any]:
    """Execute a module that registers on the hosts it is given, with a bridge that says so."""
    bridge = types.ModuleType("aos_workflow_bridge")
    bridge.register_aos_workflow = lambda host: host.names.append("aos_workflow")
    before = sys.modules.get("aos_workflow_bridge")
    sys.modules["aos_workflow_bridge"] = bridge
    try:
        space = {"Tool": Tool, "traced": traced, "Host": Host, "__name__": "old", **given}
        exec(compile(source, "old.py", "exec"), space)  # noqa: S102
    finally:
        sys.modules.pop("aos_workflow_bridge")
        if before is not None:
            sys.modules["aos_workflow_bridge"] = before
    return space
