"""YAML as definitions use it: plain JSON-like data, with the line of every part.

The safe loader only, without its timestamps (a date in a gate is text). Refused: duplicate keys,
and keys that are equal once they are read (`yes` and `true`, `16` and `0x10`), which YAML libraries
resolve silently, documents that nest deep or grow large through aliases, tags beyond plain data,
numbers that are long (reading them takes time with the square of their length) and numbers that
are not finite (no bound holds against them).
"""

import math
from typing import Any, ClassVar

import yaml

MAX_PARTS = 20_000
MAX_DEPTH = 64
_TOO_DEEP = f"nested deeper than {MAX_DEPTH}"
MAX_NUMBER = 100
"""Characters of a number."""

Path = tuple[str | int, ...]

_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("bool", "float", "int", "map", "merge", "null", "seq", "str", "value")
)

_NUMBERS = frozenset({"tag:yaml.org,2002:float", "tag:yaml.org,2002:int"})
_READ_KEYS = _NUMBERS | {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"}

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SourceError(Exception):
    """A YAML text that cannot be used; `line` counts from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.line = line


class _Loader(_Base):  # type: ignore[misc]
    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }


def _finite_number(loader: _Loader, node: yaml.Node) -> float:
    number: float = loader.construct_yaml_float(node)
    if not math.isfinite(number):
        reason = f"{node.value} is not a finite number"
        raise yaml.constructor.ConstructorError(None, None, reason, node.start_mark)
    return number


_Loader.add_constructor("tag:yaml.org,2002:float", _finite_number)


class YamlSource:
    """One parsed YAML document: `data`, and where its parts stand."""

    def __init__(self, text: str) -> None:
        """Parse `text`; raises SourceError."""
        self._lines: dict[Path, int] = {}
        self._parts = 0
        try:
            _refuse_large(text)
            self.data: Any = self._load(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = mark.line + 1 if mark else None
            # Newer parsers look ahead, and meet a limit of their own before ours.
            too_deep = "maximum nesting depth" in str(error.problem)
            reason = _TOO_DEEP if too_deep else f"not YAML: {error.problem}"
            raise SourceError(reason, line) from error
        except (
            yaml.YAMLError,
            LookupError,
            OverflowError,
            RecursionError,
            ValueError,
        ) as error:
            raise SourceError(f"not YAML: {type(error).__name__}") from error

    def _load(self, text: str) -> Any:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            self._survey(loader, node, ())
            return loader.construct_document(node)
        finally:
            loader.dispose()

    def line_of(self, path: Path) -> int | None:
        """Return the line of the part at `path`, or of the nearest part around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)

    def _survey(self, loader: _Loader, node: yaml.Node, path: Path) -> None:
        self._parts += 1
        line = node.start_mark.line + 1
        if self._parts > MAX_PARTS:
            raise SourceError(f"more than {MAX_PARTS} parts", line)
        _require_plain(node)
        self._lines.setdefault(path, line)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._survey(loader, item, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            seen: set[Any] = set()
            for key, value in node.value:
                name = str(key.value)
                meanings = {name, _meaning(loader, key)}
                if meanings & seen:
                    raise SourceError(f"duplicate key {name!r}", key.start_mark.line + 1)
                seen |= meanings
                self._lines[*path, name] = key.start_mark.line + 1
                self._survey(loader, value, (*path, name))


def _require_plain(node: yaml.Node) -> None:
    line = node.start_mark.line + 1
    if node.tag not in _TAGS:
        raise SourceError(f"the tag {node.tag!r} is not for plain data", line)
    if node.tag in _NUMBERS and len(node.value) > MAX_NUMBER:
        raise SourceError(f"a number of {len(node.value)} characters is over {MAX_NUMBER}", line)


def _meaning(loader: _Loader, key: yaml.Node) -> Any:
    """Return what a key is once it is read."""
    _require_plain(key)
    if not isinstance(key, yaml.ScalarNode):
        raise SourceError("not YAML: found unhashable key", key.start_mark.line + 1)
    return loader.construct_object(key) if key.tag in _READ_KEYS else key.value


def _refuse_large(text: str) -> None:
    # The C loader recurses without a limit: a deep document would end the process.
    depth = parts = 0
    for event in yaml.parse(text, Loader=_Base):
        line = event.start_mark.line + 1 if event.start_mark else None
        parts += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise SourceError(_TOO_DEEP, line)
        if parts > MAX_PARTS:
            raise SourceError(f"more than {MAX_PARTS} parts", line)
