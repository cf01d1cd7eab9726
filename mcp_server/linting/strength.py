"""How much a sound gate proves: warnings of gates that take an agent's word, or little more."""

import ast
import re
from collections.abc import Collection, Iterator
from typing import Any

from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.linting.gates import Sheet
from mcp_server.linting.problems import listed

_EVIDENCE = re.compile(r"\{evidence\.([^{}.\s]+)\}")


def check_strength(sheet: Sheet, gate: Gate) -> None:
    """Warn of what makes a gate that can be read a weak one."""
    _check_leniency(sheet, gate)
    _check_proof(sheet, gate)
    _check_validators(sheet, gate)
    for name, field in gate.evidence_schema.items():
        _check_field(sheet, name, field)
    _check_references(sheet, gate)


def _check_leniency(sheet: Sheet, gate: Gate) -> None:
    if not gate.checkpoint.strict:
        sheet.warn(("checkpoint", "strict"), "gate/lenient",
                   "a lenient gate: a value of the wrong kind passes",
                   "Write strict: true.")  # fmt: skip


def _check_proof(sheet: Sheet, gate: Gate) -> None:
    if not gate.evidence_schema or gate.verified_fields:
        return
    at = ("evidence_schema",)
    if all(field.must_be_true for field in gate.evidence_schema.values() if field.required):
        sheet.warn(at, "gate/proves-nothing",
                   "the gate proves nothing: it asks for nothing but an agent's yes",
                   "Ask for values that a lazy agent does not have, and verify them.")  # fmt: skip
    else:
        sheet.warn(at, "gate/claims-only", "claims only: the server verifies nothing",
                   "Give at least one field a probe, under verify.")  # fmt: skip


def _check_validators(sheet: Sheet, gate: Gate) -> None:
    used = {field.validator for field in gate.evidence_schema.values()}
    for name in gate.validators:
        if name not in used:
            sheet.warn(("validators", name), "gate/unused-validator",
                       f"no field uses the validator {name!r}",
                       "Name it in a field, or remove it.")  # fmt: skip


def _check_field(sheet: Sheet, name: str, field: EvidenceField) -> None:
    at = ("evidence_schema", name)
    if not field.description:
        sheet.warn(at, "gate/no-description", f"{name}: there is no description",
                   "Say in a line what to submit: agents are shown it.")  # fmt: skip
    if field.type is None and not field.json_schema:
        sheet.warn(at, "gate/no-type", f"{name}: there is no type, so anything fits",
                   "Give it a type, such as string.")  # fmt: skip


def _check_references(sheet: Sheet, gate: Gate) -> None:
    known = gate.evidence_schema.keys()
    for name in gate.verified_fields:
        written = (gate.evidence_schema[name].model_extra or {})["verify"]
        missing = [found for text in _texts(written) for found in _EVIDENCE.findall(text)
                   if found not in known]  # fmt: skip
        _tell_missing(sheet, ("evidence_schema", name, "verify"), name, missing)
    for index, rule in enumerate(gate.cross_field_validation):
        at = ("cross_field_validation", index, "rule")
        missing = [found for found in _fields_of(rule.rule) if found not in known]
        _tell_missing(sheet, at, "the rule", missing)


def _tell_missing(
    sheet: Sheet, at: tuple[str | int, ...], name: str, missing: Collection[str]
) -> None:
    if missing:
        sheet.warn(at, "gate/unknown-evidence",
                   f"{name} looks at {listed(dict.fromkeys(missing))}, which is no field",
                   "Name a field of the gate, or add the field.")  # fmt: skip


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _fields_of(rule: str) -> Iterator[str]:
    """Yield the names by which a rule indexes the evidence."""
    tree = ast.parse(rule.strip(), mode="eval").body
    parameters = {argument.arg for argument in ast.walk(tree) if isinstance(argument, ast.arg)}
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)) if (
                name in parameters
            ):
                yield key
