"""Probes that read documents: files that exist, matches and text in them, values at a pointer.

What is read was perhaps written to hurt: each kind of document has a size, and where that is not
enough a shape, above which it is refused before anything is built from it. Lists, texts and values
that would swamp the agent are refused as well; none is ever cut short, since half a value is
another value.
"""

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import date, time
from itertools import islice
from typing import Any

from mcp_server.errors import quoted
from mcp_server.gates.observation import LookFailedError, Source
from mcp_server.gates.patterns import PatternError, compiled
from mcp_server.gates.probe_settings import (
    CountSettings,
    FileSettings,
    JsonSettings,
    TextSettings,
    TomlSettings,
    YamlSettings,
)
from mcp_server.gates.probes.files import TargetFile
from mcp_server.gates.probes.look import Found, Look
from mcp_server.gates.probes.values import by_type
from mcp_server.gates.yaml_source import SourceError, YamlSource

MAX_SOURCES = 20
"""Files that one finding names."""
MAX_SEARCHED = 500_000
"""Characters of a file that patterns are matched in: a matcher remembers a lot of each."""
MAX_TEXT = 4_000
"""Characters of one text that is a value."""
MAX_VALUES = 1_000
"""Matches that a list holds."""
MAX_SEEN = 8_000_000
"""What may be remembered to tell equal matches apart, in characters."""
MAX_JSON = 8 * 1024 * 1024
MAX_YAML = MAX_TOML = 1024 * 1024
MAX_PARTS = 250_000
"""Members and elements of a JSON document: each takes many times its length when it is read."""
MAX_VALUE = 64 * 1024
"""Bytes of a value at a pointer, written as JSON."""
MAX_NAMES = 8

_SEEN_EACH = 40

# The reader takes time that grows with the square of the parts of a dotted key, at least.
_LONG_KEY = re.compile(
    r"(?<![\w.\\-])"
    r"""(?:(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}"""
)


def look_file(settings: FileSettings, look: Look) -> Found:
    """Look for files of at least some size."""
    files = _read(settings, look)
    for file in files:
        if file.source.size < settings.min_size:
            raise LookFailedError(
                f"{file.path} has {file.source.size} bytes, at least {settings.min_size} are asked"
                " for",
                file.source,
            )
    if len(files) < settings.minimum:
        raise LookFailedError(
            f"there are {len(files)} files {', '.join(settings.path)}, at least"
            f" {settings.minimum} are asked for",
            *_sources(files),
        )
    return Found(by_type(look, names=[file.path for file in files]), _sources(files))


def look_count(settings: CountSettings, look: Look) -> Found:
    """Count the matches of a pattern in files, or list them."""
    files = _read(settings, look)
    sources = _sources(files)
    try:
        number, values = _tally(settings, look, files)
    except PatternError as error:
        raise LookFailedError(str(error), *sources) from error
    sought = f"matches of {settings.pattern[:200]} in {', '.join(settings.path)}"
    if settings.minimum is not None and number < settings.minimum:
        raise LookFailedError(
            f"there are {number} {sought}, at least {settings.minimum} are asked for", *sources
        )
    if look.type == "list" and number > MAX_VALUES:
        raise LookFailedError(
            f"there are {number} {sought}, a list has at most {MAX_VALUES}", *sources
        )
    if look.type == "string" and not number:
        raise LookFailedError(f"there are no {sought}", *sources)
    match look.type:
        case "list":
            return Found(values, sources)
        case "string":
            return Found(values[0], sources)
        case "boolean":
            return Found(number > 0, sources)
        case _:
            return Found(number, sources)


def look_text(settings: TextSettings, look: Look) -> Found:
    """Look up the text of a file, or the first match of a pattern in it."""
    file = _only(settings, look)
    text = _text(file)
    if settings.contains is not None and settings.contains not in text:
        raise LookFailedError(
            f"{file.path} does not contain {settings.contains[:200]!r}", file.source
        )
    if settings.pattern is not None:
        value = _first(settings.pattern, look, file)
        return Found(True if look.type == "boolean" else value, (file.source,))
    value = text.strip()
    if look.type == "boolean":
        return Found(bool(value), (file.source,))
    if len(value) > MAX_TEXT:
        raise LookFailedError(
            f"{file.path} has {len(value)} characters, as a value at most {MAX_TEXT}", file.source
        )
    return Found(value, (file.source,))


def look_json(settings: JsonSettings, look: Look) -> Found:
    """Look up a value in a JSON file."""
    return _look_up(settings, look, _json)


def look_yaml(settings: YamlSettings, look: Look) -> Found:
    """Look up a value in a YAML file."""
    return _look_up(settings, look, _yaml)


def look_toml(settings: TomlSettings, look: Look) -> Found:
    """Look up a value in a TOML file."""
    return _look_up(settings, look, _toml)


def _read(settings: Any, look: Look) -> list[TargetFile]:
    # Two globs may find the same file: it is one all the same.
    return list({file.path: file for file in look.read(settings)}.values())


def _only(settings: Any, look: Look) -> TargetFile:
    files = _read(settings, look)
    if len(files) > 1:
        raise LookFailedError(
            f"there are {len(files)} files {', '.join(settings.path)}, there must be one",
            *_sources(files),
        )
    return files[0]


def _sources(files: list[TargetFile]) -> tuple[Source, ...]:
    return tuple(file.source for file in files[:MAX_SOURCES])


def _text(file: TargetFile) -> str:
    return file.text().replace("\r\n", "\n")


def _searched(file: TargetFile) -> str:
    text = _text(file)
    if len(text) > MAX_SEARCHED:
        raise LookFailedError(
            f"{file.path} has {len(text)} characters, patterns are matched in at most"
            f" {MAX_SEARCHED}",
            file.source,
        )
    return text


def _tally(settings: CountSettings, look: Look, files: list[TargetFile]) -> tuple[int, list[str]]:
    """Return how many matches there are, and the first of their values where these matter."""
    pattern = compiled(settings.pattern, by_line=True)
    matches = (match for file in files for match in look.budget.finditer(pattern, _searched(file)))
    if not settings.distinct and look.type not in {"list", "string"}:
        return sum(1 for _ in matches), []
    values = (_value(match) for match in matches)
    counted = _once(values) if settings.distinct else values
    kept = list(islice(counted, MAX_VALUES))
    return len(kept) + sum(1 for _ in counted), kept


def _once(values: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    room = MAX_SEEN
    for value in values:
        if value not in seen:
            room -= len(value) + _SEEN_EACH
            if room < 0:
                raise PatternError(f"there are over {len(seen)} distinct matches, too many")
            seen.add(value)
            yield value


def _value(match: Any) -> str:
    groups = range(1, match.re.groups + 1)
    group = next((number for number in groups if match.start(number) >= 0), 0)
    # A pattern that looks ahead can match all the rest at each place: measure before copying.
    length = match.end(group) - match.start(group)
    if length > MAX_TEXT:
        raise PatternError(
            f"a match of {match.re.pattern[:200]} has {length} characters, as a value at most"
            f" {MAX_TEXT}"
        )
    value: str = match[group]
    return value


def _first(pattern: str, look: Look, file: TargetFile) -> str:
    try:
        match = look.budget.search(compiled(pattern, by_line=True), _searched(file))
        if match is not None:
            return _value(match)
    except PatternError as error:
        raise LookFailedError(str(error), file.source) from error
    raise LookFailedError(f"nothing in {file.path} matches {pattern[:200]}", file.source)


def _look_up(settings: Any, look: Look, parse: Callable[[TargetFile], Any]) -> Found:
    file = _only(settings, look)
    try:
        data = parse(file)
        value = _plain(file, _at(file, data, settings.pointer))
    except (ValueError, RecursionError) as error:
        reason = "it nests too deep" if isinstance(error, RecursionError) else _reason(error)
        raise LookFailedError(
            f"{file.path} cannot be read as {settings.probe.upper()}: {reason}", file.source
        ) from error
    return Found(value, (file.source,))


def _reason(error: ValueError) -> str:
    return str(error).partition(";")[0][:200]


def _require_size(file: TargetFile, limit: int) -> None:
    if file.source.size > limit:
        raise ValueError(f"it has {file.source.size} bytes, at most {limit} are read")


def _json(file: TargetFile) -> Any:
    _require_size(file, MAX_JSON)
    text = file.text()
    if sum(map(text.count, ",[{")) > MAX_PARTS:
        raise ValueError(f"it has more than {MAX_PARTS} parts")
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"duplicate key {quoted(name)}")
        made[name] = value
    return made


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:60]} is not a finite number")
    return number


def _yaml(file: TargetFile) -> Any:
    _require_size(file, MAX_YAML)
    try:
        return YamlSource(file.text()).data
    except SourceError as error:
        where = f", line {error.line}" if error.line else ""
        raise ValueError(f"{error}{where}") from error


def _toml(file: TargetFile) -> Any:
    _require_size(file, MAX_TOML)
    text = file.text()
    if _LONG_KEY.search(text):
        raise ValueError("a dotted key has more than 64 parts")
    return tomllib.loads(text)


def _at(file: TargetFile, data: Any, pointer: str) -> Any:
    """Return the part of `data` at a JSON pointer (RFC 6901)."""
    place = ""
    for token in pointer.split("/")[1:]:
        members = _members(data)
        name = token.replace("~1", "/").replace("~0", "~")
        if name not in members:
            raise LookFailedError(
                f"{file.path} has no {pointer[:200]}: {quoted(name)} is missing"
                f" {'at ' + place[:200] if place else 'at the top'}, {_shape(data, members)}",
                file.source,
            )
        data, place = members[name], f"{place}/{token}"
    return data


def _members(data: Any) -> dict[str, Any]:
    if isinstance(data, dict):
        # YAML has keys that are no text; JSON writes these as text.
        return {key if isinstance(key, str) else json.dumps(key): data[key] for key in data}
    return {str(index): item for index, item in enumerate(data)} if isinstance(data, list) else {}


def _shape(data: Any, members: dict[str, Any]) -> str:
    if isinstance(data, list):
        return f"where a list of {len(data)} is"
    if not isinstance(data, dict):
        return f"where {'null' if data is None else 'the value ' + quoted(data)} is"
    if not members:
        return "where nothing is"
    more = len(members) - MAX_NAMES
    names = ", ".join(map(quoted, islice(members, MAX_NAMES)))
    return f"where {names}{f' and {more} more' if more > 0 else ''} are"


def _plain(file: TargetFile, value: Any) -> Any:
    """Return `value` as JSON has it, so that dates are text and no part is shared."""
    chunks: list[str] = []
    room = MAX_VALUE
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_iso)
    # Chunk by chunk: aliases make a small document write out as a huge one.
    for chunk in encoder.iterencode(value):
        room -= len(chunk.encode())
        if room < 0:
            raise LookFailedError(
                f"the value in {file.path} is over {MAX_VALUE} bytes; point to a part of it",
                file.source,
            )
        chunks.append(chunk)
    return json.loads("".join(chunks))


def _iso(value: Any) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    raise ValueError(f"a {type(value).__name__} is not plain data")
