"""The gate at the end of a phase that was read from a task list. Pure.

Each criterion of the phase's validation gate is a required boolean: its name is a slug of the text,
its description the text itself. A phase without criteria asks for one, `phase_completed`. The gates
are strict.

What can be looked up need not be claimed: a `gates.yaml` beside the list says how.

    validators:
      none: "lambda x: x == 0"
    phases:
      1:
        all_unit_tests_pass:               # the slug, or the words that the criterion begins with
          type: integer
          validator: none
          verify: {junit: reports/junit.xml, count: failed}
        The endpoint answers:
          verify: {command: smoke-test}

Settings are those of an evidence field but for `required` and `description`, which stand in the
list. A key that fits no criterion, or several, is an error; so is a type other than boolean that
nothing judges, for any value would do then.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mcp_server.core.task_list import Criterion, TaskList, TaskListError
from mcp_server.core.task_wording import spoken
from mcp_server.gates.model import Gate
from mcp_server.gates.yaml_source import Path, SourceError, YamlSource

MAX_SLUG = 60
COMPLETED = Criterion("All tasks of this phase are done and meet their acceptance criteria", 0)
"""What a phase without a validation gate asks for."""

_COMPLETED_NAME = "phase_completed"
_NAMELESS = "criterion"
_FIXED = frozenset({"required", "description"})
_NO_JUDGE = frozenset({"type", "verify", "assurance", "title", "$comment", "examples", "default"})
_SHOWN = 3

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Gates:
    """The content of a gates.yaml: settings by phase and key, and validators by name."""

    phases: Mapping[int, Settings] = field(default_factory=dict)
    validators: Mapping[str, str] = field(default_factory=dict)


def slugs(criteria: Iterable[Criterion]) -> dict[str, Criterion]:
    """Return the criteria by the names that their fields bear."""
    named: dict[str, Criterion] = {}
    for criterion in criteria:
        slug, number = _slug(criterion.text), 1
        name = slug
        while name in named:
            number += 1
            ending = f"_{number}"
            name = slug[: MAX_SLUG - len(ending)].rstrip("_") + ending
        named[name] = criterion
    return named or {_COMPLETED_NAME: COMPLETED}


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold()).lower()
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    words = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in kept).split()
    slug = ""
    for word in words:
        longer = f"{slug}_{word}" if slug else word[:MAX_SLUG]
        if len(longer) > MAX_SLUG:
            break
        slug = longer
    return slug or _NAMELESS


def criteria_gate(
    criteria: Iterable[Criterion],
    extra: Settings | None = None,
    validators: Mapping[str, str] | None = None,
) -> Gate:
    """Return the gate of a phase; `extra` is what gates.yaml says of it, by slug or first words.

    Raises TaskListError, without a line, for settings that fit no criterion or make no sense.
    """
    fields: dict[str, dict[str, Any]] = {
        name: {"type": "boolean", "required": True, "description": criterion.text}
        for name, criterion in slugs(criteria).items()
    }
    named: dict[str, str] = {}
    for key, settings in (extra or {}).items():
        name = _field_of(key, fields)
        if name in named:
            raise TaskListError(f"{named[name]!r} and {key!r} are the same criterion, {name}")
        named[name] = key
        _require_settings(key, settings)
        fields[name] |= settings
    used = {settings.get("validator") for settings in fields.values()}
    known = {name: source for name, source in (validators or {}).items() if name in used}
    try:
        return Gate.model_validate(
            {
                "checkpoint": {"strict": True},
                "evidence_schema": fields,
                "validators": known,
            }
        )
    except ValidationError as error:
        raise TaskListError(first_problem(error)) from error


def _field_of(key: str, fields: Mapping[str, Mapping[str, Any]]) -> str:
    if key in fields:
        return key
    words = spoken(key)
    fitting = [
        name
        for name, settings in fields.items()
        if words and f"{spoken(settings['description'])} ".startswith(f"{words} ")
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise TaskListError(f"{key!r} fits several criteria: {', '.join(fitting[:_SHOWN])}")
    close = difflib.get_close_matches(key, fields, n=1, cutoff=0)
    hint = f"; the closest is {close[0]}" if close else ""
    raise TaskListError(f"{key!r} is no criterion of this phase{hint}")


def _require_settings(key: str, settings: Any) -> None:
    if not isinstance(settings, Mapping) or not settings:
        raise TaskListError(f"{key!r} needs settings such as 'verify: {{file: path}}'")
    fixed = sorted(_FIXED & settings.keys())
    if fixed:
        raise TaskListError(f"{key!r}: {fixed[0]} is not for gates.yaml; the list of tasks says it")
    if settings.get("type") not in {None, "boolean", "bool"} and not settings.keys() - _NO_JUDGE:
        raise TaskListError(f"{key!r}: nothing says which values pass; add a validator or a bound")


def first_problem(error: ValidationError) -> str:
    """Say in one line what a model refused first."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]


def parse_gates(text: str) -> Gates:
    """Read a gates.yaml; raises TaskListError with the line at fault."""
    try:
        source = YamlSource(text)
    except SourceError as error:
        raise TaskListError(str(error), error.line) from error
    data = {} if source.data is None else source.data
    _require_mapping(source, data, ())
    _require_known(source, data, ("phases", "validators"))
    phases = data.get("phases") or {}
    validators = data.get("validators") or {}
    _require_mapping(source, phases, ("phases",))
    _require_mapping(source, validators, ("validators",))
    for number, settings in phases.items():
        if not isinstance(number, int) or isinstance(number, bool):
            where = ("phases", str(number))
            raise TaskListError(f"{number!r} is no phase number", source.line_of(where))
        _require_mapping(source, {} if settings is None else settings, ("phases", str(number)))
    try:
        Gate.model_validate({"validators": validators})
    except ValidationError as error:
        raise TaskListError(first_problem(error), source.line_of(("validators",))) from error
    return Gates({number: settings or {} for number, settings in phases.items()}, validators)


def _require_mapping(source: YamlSource, value: Any, path: Path) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(key, str | int) for key in value):
        what = path[-1] if path else "the file"
        raise TaskListError(f"{what} must be a mapping of names", source.line_of(path))


def _require_known(source: YamlSource, data: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for key in data:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1, cutoff=0)
            raise TaskListError(
                f"unknown key {key!r}; did you mean {close[0]}?", source.line_of((str(key),))
            )


def gates_of(tasks: TaskList, text: str | None = None) -> dict[int, Gate]:
    """Return the gates of all phases of a list; `text` is the gates.yaml beside it.

    Raises TaskListError, its line being one of gates.yaml.
    """
    extra = Gates() if text is None else parse_gates(text)
    source = None if text is None else YamlSource(text)
    numbers = [phase.number for phase in tasks.phases]
    for number in extra.phases:
        if number not in numbers:
            _, close = min((abs(known - number), known) for known in numbers)
            line = source.line_of(("phases", str(number))) if source else None
            raise TaskListError(
                f"phase {number} is not in the list of tasks; the closest is {close}", line
            )
    made: dict[int, Gate] = {}
    for phase in tasks.phases:
        settings = extra.phases.get(phase.number)
        try:
            made[phase.number] = criteria_gate(phase.criteria, settings, extra.validators)
        except TaskListError as error:
            line = _line_of_key(source, phase.number, settings or {}, error) if source else None
            raise TaskListError(f"phase {phase.number}: {error.reason}", line) from error
    return made


def _line_of_key(
    source: YamlSource, number: int, settings: Settings, error: TaskListError
) -> int | None:
    """Return the line of the key that a refusal speaks of, or of its phase."""
    where: Path = ("phases", str(number))
    key = next((key for key in settings if repr(key) in error.reason), None)
    return source.line_of(where if key is None else (*where, str(key)))
