"""What is wrong with a gate: each part is read by itself, so that all that is wrong is told.

How much a sound gate proves is `strength`'s business.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mcp_server.gates.expressions import Expression
from mcp_server.gates.model import Checkpoint, CrossFieldRule, EvidenceField, Gate
from mcp_server.gates.probe_settings import KNOWN_PROBES, parse_probe
from mcp_server.gates.vocabulary import ExpressionError
from mcp_server.gates.yaml_source import SourceError, YamlSource
from mcp_server.linting.gate_schema import NESTED_KEYS, gate_keys, keys_of
from mcp_server.linting.ground import Ground
from mcp_server.linting.json_keywords import nested
from mcp_server.linting.problems import closest, listed

FILE = "gate-definition.yaml"

At = tuple[str | int, ...]

_SECTIONS: dict[str, TypeAdapter[Any]] = {
    "checkpoint": TypeAdapter(Checkpoint),
    "evidence_schema": TypeAdapter(dict[str, EvidenceField]),
    "cross_field_validation": TypeAdapter(tuple[CrossFieldRule, ...]),
}

_KINDS = (
    ("nothing fills", "gate/placeholder", "Use one of the placeholders that are filled."),
    ("unknown type", "gate/type", "Use one of the types that are named."),
    ("unknown probe", "gate/unknown-probe", "Use one of the probes that are named."),
    ("not a JSON Schema", "gate/schema", "Give the keyword a value of its kind."),
)


@dataclass(slots=True)
class Sheet:
    """One gate file being checked."""

    ground: Ground
    path: Path
    source: YamlSource
    is_sound: bool = True

    def error(self, at: At, code: str, message: str, remedy: str) -> None:
        """Keep an error of the part at `at`."""
        self.is_sound = False
        self.ground.error(self.path, code, message, remedy, self.source.line_of(at))

    def warn(self, at: At, code: str, message: str, remedy: str) -> None:
        """Keep a warning of the part at `at`."""
        self.ground.warn(self.path, code, message, remedy, self.source.line_of(at))

    def section(self, name: str) -> dict[str, Any]:
        """Return a section that is a mapping, or an empty one; keys that are no text left out."""
        data = self.source.data.get(name)
        if not isinstance(data, dict):
            return {}
        return {key: value for key, value in data.items() if isinstance(key, str)}


def check_gate(ground: Ground, path: Path, text: str) -> tuple[Sheet, Gate | None] | None:
    """Check a gate file and return it, with the gate if it is sound; None if it has no parts."""
    try:
        source = YamlSource(text)
    except SourceError as error:
        ground.error(path, "gate/not-yaml", str(error),
                     "Mend the syntax at this place.", error.line)  # fmt: skip
        return None
    sheet = Sheet(ground, path, source)
    if not isinstance(source.data, dict) or "evidence_schema" not in source.data:
        sheet.error((), "gate/no-evidence", "a gate needs the key evidence_schema",
                    "Write it, with one entry for each piece of evidence.")  # fmt: skip
    if not isinstance(source.data, dict):
        return None
    _check_keys(sheet)
    for name in sheet.section("evidence_schema"):
        _check_verify(sheet, name)
        _check_validator(sheet, name)
    _check_expressions(sheet)
    for section in _SECTIONS:
        _check_section(sheet, section)
    return sheet, _whole(sheet)


def _check_keys(sheet: Sheet) -> None:
    data = sheet.source.data
    _check_known(sheet, (), data, gate_keys())
    _check_known(sheet, ("checkpoint",), data.get("checkpoint"), keys_of("Checkpoint"))
    for name, field in sheet.section("evidence_schema").items():
        at = ("evidence_schema", name)
        _check_known(sheet, at, field, keys_of("EvidenceField"))
        _check_nested(sheet, at, field)
    rules = data.get("cross_field_validation")
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        _check_known(sheet, ("cross_field_validation", index), rule, keys_of("CrossFieldRule"))


def _check_nested(sheet: Sheet, at: At, schema: Any) -> None:
    for path, inner in nested(schema) if isinstance(schema, dict) else ():
        _check_known(sheet, (*at, *path), inner, NESTED_KEYS)
        _check_nested(sheet, (*at, *path), inner)


def _check_known(sheet: Sheet, at: At, data: Any, known: frozenset[str]) -> None:
    for key in data if isinstance(data, dict) else ():
        if not isinstance(key, str) or key in known:
            continue
        meant = closest(key, known)
        if meant:
            sheet.error((*at, key), "gate/unknown-key",
                        f"unknown key {key!r}: did you mean {meant}?",
                        f"Rename it to {meant}: as it is, it does nothing.")  # fmt: skip
        else:
            sheet.warn((*at, key), "gate/unknown-key", f"unknown key {key!r}: it does nothing",
                       "Remove it, or make it a comment.")  # fmt: skip


def _check_verify(sheet: Sheet, name: str) -> None:
    field = sheet.section("evidence_schema")[name]
    if not isinstance(field, dict) or "verify" not in field:
        return
    at = ("evidence_schema", name, "verify")
    if field["verify"] == []:
        sheet.error(at, "gate/invalid", f"{name}: verify is empty", "Name a probe, or remove it.")
    items = field["verify"] if isinstance(field["verify"], list) else [field["verify"]]
    for index, item in enumerate(items):
        where = (*at, index) if isinstance(field["verify"], list) else at
        try:
            parse_probe(item)
        except ValidationError as error:
            for found in error.errors(include_url=False, include_context=False):
                _tell_setting(sheet, where, item, name, found)
        except ValueError as error:
            _tell(sheet, where, f"{name}: {error}")


def _tell_setting(sheet: Sheet, at: At, item: dict[str, Any], name: str, found: Any) -> None:
    key = str(found["loc"][0]) if found["loc"] else ""
    probes = [probe for probe in item if probe in KNOWN_PROBES]
    inner = [probe for probe in probes if isinstance(item[probe], dict) and key in item[probe]]
    where = (*at, inner[0], key) if inner and key not in item else (*at, key)
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        named = [probe for probe in probes if probe != "count"] or probes
        known = KNOWN_PROBES[named[0]].model_fields
        meant = closest(key, known)
        hint = f"did you mean {meant}?" if meant else f"there are {listed(known, 12)}"
        sheet.error(where, "gate/unknown-key", f"{name}: unknown setting {key!r}: {hint}",
                    f"Rename it to {meant}." if meant else "Remove it.")  # fmt: skip
    else:
        _tell(sheet, where, f"{name}: verify: {f'{key}: ' if key else ''}{message}")


def _check_validator(sheet: Sheet, name: str) -> None:
    field = sheet.section("evidence_schema")[name]
    wanted = field.get("validator") if isinstance(field, dict) else None
    if not isinstance(wanted, str):
        return
    at, validators = ("evidence_schema", name, "validator"), sheet.section("validators")
    if wanted not in validators:
        meant = closest(wanted, validators)
        hint = f"did you mean {meant}?" if meant else listed(validators) or "none is defined"
        sheet.error(at, "gate/unknown-validator", f"{name}: unknown validator {wanted!r}: {hint}",
                    "Name one that stands under validators, or add it there.")  # fmt: skip
        return
    takes = _parameters(validators[wanted])
    given = field.get("validator_params")
    given = {} if given is None and "validator_params" not in field else given
    if takes is not None and isinstance(given, dict) and set(takes) != set(given):
        sheet.error(
            at, "gate/validator-params",
            f"{name}: validator {wanted!r} takes the parameters {list(takes)}, not {list(given)}",
            "Give exactly these under validator_params.",
        )  # fmt: skip


def _parameters(source: Any) -> tuple[str, ...] | None:
    try:
        return Expression(source).parameters[1:] if isinstance(source, str) else None
    except ExpressionError:
        return None


def _check_expressions(sheet: Sheet) -> None:
    for name, source in sheet.section("validators").items():
        at = ("validators", name)
        if not isinstance(source, str):
            sheet.error(at, "gate/validator", f"validator {name!r} is not a text",
                        'Write a lambda in quotes, such as "lambda x: x > 0".')  # fmt: skip
            continue
        try:
            Expression(source)
        except ExpressionError as error:
            sheet.error(at, "gate/validator", f"validator {name!r}: {error}",
                        "Write it as a lambda within the subset that gates know.")  # fmt: skip


def _check_section(sheet: Sheet, section: str) -> None:
    data = sheet.source.data.get(section)
    if data is None:
        return
    try:
        _SECTIONS[section].validate_python(_without_known_errors(sheet, section, data))
    except ValidationError as error:
        for found in error.errors(include_url=False, include_context=False):
            at = (section, *found["loc"])
            if at[-1] == "[key]":
                sheet.error(at, "gate/invalid", f"the name {at[-2]} is no text",
                            "Put it in quotes.")  # fmt: skip
                continue
            name = ".".join(str(step) for step in found["loc"])
            message = str(found["msg"]).removeprefix("Value error, ")
            _tell(sheet, at, f"{name}: {message}" if name else f"{section}: {message}")


def _without_known_errors(sheet: Sheet, section: str, data: Any) -> Any:
    """Return a section without the parts that are refused in better words elsewhere."""
    if section == "checkpoint":
        return _without_slips(data, keys_of("Checkpoint"))
    if section == "cross_field_validation" and isinstance(data, list):
        return [_without_slips(rule, keys_of("CrossFieldRule")) for rule in data]
    if not isinstance(data, dict):
        return data
    refused = () if sheet.is_sound else ("verify", "assurance")
    return {
        name: _without_slips(field, keys_of("EvidenceField"), refused)
        for name, field in data.items()
    }


def _without_slips(part: Any, known: frozenset[str], refused: tuple[str, ...] = ()) -> Any:
    if not isinstance(part, dict):
        return part
    return {
        key: value
        for key, value in part.items()
        if key not in refused and (not isinstance(key, str) or key in known)
    }


def _tell(sheet: Sheet, at: At, message: str) -> None:
    for fragment, code, remedy in _KINDS:
        if fragment in message:
            sheet.error(at, code, message, remedy)
            return
    sheet.error(at, "gate/invalid", message, "Write it as is asked for.")


def _whole(sheet: Sheet) -> Gate | None:
    try:
        return Gate.model_validate(sheet.source.data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)[0]
        message = str(found["msg"]).removeprefix("Value error, ")
        if sheet.is_sound:
            _tell(sheet, found["loc"], message)
        return None
