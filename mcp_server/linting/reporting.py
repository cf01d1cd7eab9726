"""How problems are told: as lines for people, as JSON, and as annotations of GitHub's.

Names and texts come from files that anybody may have written: nothing that a terminal or a runner
would obey gets through.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from mcp_server.core.visible import visible
from mcp_server.linting.problems import Problem, plural


class Format(StrEnum):
    """What the problems are printed as."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def told(problems: Sequence[Problem], definitions: int, form: Format) -> str:
    """Return the report on a number of definitions, ending in a line break."""
    if form is Format.JSON:
        return _as_json(problems, definitions)
    if form is Format.GITHUB:
        lines = [_annotation(problem) for problem in problems]
    else:
        lines = [_lines(problem) for problem in problems]
    return "\n".join([*lines, _counts(problems, definitions)]) + "\n"


def _counts(problems: Sequence[Problem], definitions: int) -> str:
    errors = sum(problem.is_error for problem in problems)
    warnings = plural(len(problems) - errors, "warning")
    return f"{plural(errors, 'error')}, {warnings} in {plural(definitions, 'definition')}."


def _lines(problem: Problem) -> str:
    at = f"{problem.file}:{problem.line}" if problem.line else problem.file
    first = visible(f"{at}: {problem.severity}: {problem.message} ({problem.code})")
    return f"{first}\n    {visible(problem.remedy)}"


def _as_json(problems: Sequence[Problem], definitions: int) -> str:
    errors = sum(problem.is_error for problem in problems)
    report = {
        "definitions": definitions,
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": [_as_data(problem) for problem in problems],
    }
    return json.dumps(report, indent=2) + "\n"


def _as_data(problem: Problem) -> dict[str, Any]:
    return {
        "severity": str(problem.severity),
        "file": problem.file,
        "line": problem.line,
        "code": problem.code,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _annotation(problem: Problem) -> str:
    properties = {"file": problem.file, "line": problem.line, "title": problem.code}
    told_of = ",".join(
        f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None
    )
    message = "%0A".join(_data(text) for text in (problem.message, problem.remedy))
    return f"::{problem.severity} {told_of}::{message}"


def _data(text: str) -> str:
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
