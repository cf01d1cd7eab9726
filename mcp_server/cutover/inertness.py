"""Whether taking something away can change more than the names it binds.

What runs code of its own when it is imported, called or defined stays where it is unless it is
known to do nothing but make a value. Pure.
"""

import re

import libcst as cst

from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import dotted_name

_MAKERS = frozenset(
    (
        *("frozenset", "set", "dict", "list", "tuple", "str", "int", "float", "bool", "bytes"),
        *("len", "sorted", "min", "max", "range", "zip", "object"),
        *("logging.getLogger", "re.compile", "textwrap.dedent", "string.Template"),
        *("typing.TypeVar", "typing.NewType", "typing.cast", "dataclasses.field", "enum.auto"),
        *("pathlib.Path", "os.path.join", "os.path.dirname", "os.path.abspath", "os.path.basename"),
        *("os.getenv", "os.environ.get", "datetime.timedelta", "decimal.Decimal"),
        *("collections.OrderedDict", "collections.defaultdict", "collections.Counter"),
        *("collections.deque", "collections.namedtuple", "types.MappingProxyType"),
        *("asyncio.Lock", "asyncio.Semaphore", "threading.Lock", "threading.RLock"),
        "contextvars.ContextVar",
    )
)
"""Calls that make a value and do nothing else."""

_DECORATORS = frozenset(
    (
        *("staticmethod", "classmethod", "property", "abc.abstractmethod", "enum.unique"),
        *("functools.lru_cache", "functools.cache", "functools.wraps", "functools.cached_property"),
        *("functools.singledispatch", "functools.total_ordering", "dataclasses.dataclass"),
        *("contextlib.contextmanager", "contextlib.asynccontextmanager"),
        *("typing.final", "typing.overload", "typing.no_type_check", "typing.runtime_checkable"),
    )
)
"""Decorators that make what they stand on known to nothing else."""

_BASES = frozenset(
    (
        *("object", "Exception", "ValueError", "RuntimeError", "TypeError", "KeyError"),
        *("LookupError", "dict", "list", "str", "int", "abc.ABC", "pydantic.BaseModel"),
        *("typing.TypedDict", "typing.NamedTuple", "typing.Protocol", "typing.Generic"),
        *("typing_extensions.TypedDict", "typing_extensions.Protocol"),
        *("enum.Enum", "enum.StrEnum", "enum.IntEnum", "enum.Flag", "enum.IntFlag"),
    )
)
"""Bases that keep no list of the classes made from them."""

_REGISTERING = frozenset(
    (
        *("get", "post", "put", "delete", "patch", "head", "options", "route", "websocket"),
        *("command", "group", "callback", "task", "event", "on", "on_event", "register"),
        *("resource", "prompt", "tool", "subscribe", "listener", "handler", "errorhandler"),
        *("exception_handler", "middleware", "custom_route", "before", "after", "hook"),
    )
)
"""Last words of decorators that make a function known to something."""

_WRAPPING = re.compile(
    r"trac|span|instrument|observ|monitor|time|measure|metric|retry|limit|cache|catch|log|auth"
    r"|require|valid|wrap|guard|safe",
    re.IGNORECASE,
)
"""Last words of methods that change how a function runs."""


def is_inert(node: cst.CSTNode, module: ParsedModule) -> bool:
    """Whether evaluating an expression does nothing but make a value."""
    match node:
        case cst.Await() | cst.Yield() | cst.NamedExpr() | cst.FormattedString():
            return False
        case cst.Lambda():
            return True
        case cst.Call(func=function):
            if not _known(function, module, _MAKERS):
                return False
    return all(is_inert(child, module) for child in node.children)


def can_go(definition: cst.FunctionDef | cst.ClassDef, module: ParsedModule) -> bool:
    """Whether nothing happens when a function or class is defined, but that its name is bound."""
    if not all(_is_plain(decorator, module) for decorator in definition.decorators):
        return False
    if isinstance(definition, cst.FunctionDef):
        return True
    bases = [arg.value for arg in definition.bases]
    plain = [base.value if isinstance(base, cst.Subscript) else base for base in bases]
    return not definition.keywords and all(_known(base, module, _BASES) for base in plain)


def _is_plain(decorator: cst.Decorator, module: ParsedModule) -> bool:
    expression = decorator.decorator
    called = expression.func if isinstance(expression, cst.Call) else expression
    return _known(called, module, _DECORATORS)


def only_wraps(decorator: cst.Decorator, module: ParsedModule) -> bool:
    """Whether a decorator changes how a function runs, and makes it known to nothing else."""
    expression = decorator.decorator
    called = expression.func if isinstance(expression, cst.Call) else expression
    owner, _, last = dotted_name(called).rpartition(".")
    if last in _REGISTERING:
        return False
    if not owner or _WRAPPING.search(last):
        return True
    sources = module.root_referents(called)
    return bool(sources) and all(
        isinstance(getattr(source, "node", None), cst.Import | cst.ImportFrom) for source in sources
    )


def _known(node: cst.BaseExpression, module: ParsedModule, names: frozenset[str]) -> bool:
    scope = module.scope(node)
    found = scope.get_qualified_names_for(node) if scope else ()
    return bool(found) and all(name.name.removeprefix("builtins.") in names for name in found)
