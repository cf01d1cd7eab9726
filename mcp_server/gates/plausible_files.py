"""Files in which probes find what they look for, as far as that can be made up. Pure.

Made for the self-test, which gives them an old time: a probe that does not look at the time must
be tempted by what is in them. Where a pattern asks for more than the value itself, they hold
nothing that fits it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from pydantic_core import to_json

from mcp_server.gates.patterns import PatternBudget, PatternError, compiled
from mcp_server.gates.probe_settings import (
    CountSettings,
    CoverageSettings,
    FileSettings,
    JUnitSettings,
    ProbeSettings,
    TextSettings,
    TomlSettings,
)

MAX_SIZE = 1024 * 1024
MAX_FILES = 100

_CLASS = re.compile(r"\[(?P<not>!?)(?P<first>[^]])[^]]*\]")
_LEADS = ("", "- ", "* ", "# ", "## ", "### ", "| ", "- [ ] ", "- [x] ")


def paths(settings: Any, filled: Callable[[str], str]) -> Iterator[str]:
    """Yield the paths of files that the settings of a reading probe name, globs made definite."""
    wanted = min(max(getattr(settings, "minimum", 1) or 1, 1), MAX_FILES)
    for template in settings.path:
        glob = filled(template)
        for number in range(wanted if re.search(r"[*?[]", glob) else 1):
            path = _CLASS.sub(_one_of, glob.replace("**/", "").replace("**", "*"))
            yield path.replace("*", f"file-{number}").replace("?", "a")


def _one_of(found: re.Match[str]) -> str:
    return "_" if found["not"] else found["first"]


def content(settings: ProbeSettings, value: Any, filled: Callable[[str], str]) -> str:
    """Return a text in which a reading probe finds `value`, or something like it."""
    match settings:
        case FileSettings():
            line = "Work was done here.\n"
            return line * (min(settings.min_size, MAX_SIZE) // len(line) + 1)
        case JUnitSettings():
            return _junit(settings, value, filled)
        case CoverageSettings():
            return _coverage(filled(settings.of or "{target_file}"), value)
        case TextSettings() | CountSettings():
            return _text(settings, value)
        case TomlSettings():
            return "".join(_toml(_tokens(settings.pointer), value))
    nested = value
    for token in reversed(_tokens(getattr(settings, "pointer", ""))):
        nested = {token: nested}
    return _plain(nested)


def _tokens(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _plain(value: Any) -> str:
    return to_json(value, fallback=str).decode("utf-8")


def _toml(tokens: list[str], value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _toml([*tokens, name], part)
    elif tokens:
        yield f"{'.'.join(map(_plain, tokens))} = {_plain(value)}\n"


def _junit(settings: JUnitSettings, value: Any, filled: Callable[[str], str]) -> str:
    names = [*settings.tests, *(item for item in value if isinstance(item, str))] if isinstance(
        value, list) else [*settings.tests]  # fmt: skip
    number = value if isinstance(value, int) and not isinstance(value, bool) else 1
    names += [f"test_{n}" for n in range(len(names), min(number, MAX_FILES))]
    place = f" file={quoteattr(filled(settings.of))}" if settings.of else ""
    cases = "".join(f"<testcase name={quoteattr(name)}{place}/>" for name in names or ["test_it"])
    return f"<testsuites><testsuite name='all'>{cases}</testsuite></testsuites>"


def _coverage(file: str, value: Any) -> str:
    percent = value if isinstance(value, int | float) and 0 <= value <= 100 else 100  # noqa: PLR2004
    lines = "".join(
        f"<line number='{n}' hits='{int(n <= percent * 10)}' branch='true'"
        f" condition-coverage='{'100% (2/2)' if n <= percent * 10 else '0% (0/2)'}'/>"
        for n in range(1, 1001)
    )
    return (
        f"<coverage version='1' line-rate='{percent / 100}' branch-rate='1'><packages><package"
        f" name='all'><classes><class name='it' filename={quoteattr(file)}><methods/>"
        f"<lines>{lines}</lines></class></classes></package></packages></coverage>"
    )


def _text(settings: TextSettings | CountSettings, value: Any) -> str:
    """Return lines with each value, led in by what lets the pattern match, if anything does."""
    contains = getattr(settings, "contains", None) or ""
    values = value if isinstance(value, list) else [value]
    wanted = max(settings.minimum or 1, 1) if isinstance(settings, CountSettings) else 1
    number = value if isinstance(value, int) and not isinstance(value, bool) else wanted
    if settings.pattern is None or number > MAX_FILES:
        return f"{contains}\n" if contains else _line(value)
    if not isinstance(value, list) and not isinstance(value, str):
        values = [f"{_literal(settings.pattern)} {n + 1}" for n in range(max(number, wanted))]
    leads = (lead for lead in _LEADS if _matches(settings.pattern, f"{lead}{_line(values[:1])}"))
    lead = next(leads, "")
    return "".join(f"{lead}{_line(item)}" for item in values) + contains


def _line(value: Any) -> str:
    if isinstance(value, list):
        return _line(value[0]) if value else "\n"
    return f"{value if isinstance(value, str) else _plain(value)}\n"


def _literal(pattern: str) -> str:
    """Return what a pattern begins with, as far as it says so letter by letter."""
    found = re.match(r"(?:[\w #:.-](?![*+?{])|\\[.\-# ](?![*+?{]))*", pattern.lstrip("^("))
    return found[0].replace("\\", "") if found else ""


def _matches(pattern: str, text: str) -> bool:
    try:
        return bool(PatternBudget().search(compiled(pattern, by_line=True), text))
    except PatternError:
        return False
