"""Submissions that no gate may let through: what would pass it, with one thing broken in each.

`submissions` only builds them. What is to be looked for in a project says so by `project`: the
self-test lays that project out, and lets the real probes of `asked` look there. Pure.

A field may be broken in its claim, or, where the server looks for it, in what is found. What a
field leaves open is not tried: a field without a type has no wrong type, and an optional one may be
missing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any

from mcp_server.gates.model import TYPE_NAMES, EvidenceField, Gate
from mcp_server.gates.observation import Known, Observation
from mcp_server.gates.plausible import UNASKED, Plausible, seen
from mcp_server.gates.probe_settings import (
    ApprovalSettings,
    CommandSettings,
    CountSettings,
    CoverageSettings,
    FileSettings,
    JsonSettings,
    JUnitSettings,
    ProbeSettings,
    TextSettings,
    TomlSettings,
    YamlSettings,
)

MANY = 200_000
"""Items of a list that nobody would read."""
ENORMOUS = 10**400

_READERS = (
    CountSettings,
    CoverageSettings,
    FileSettings,
    JsonSettings,
    JUnitSettings,
    TextSettings,
    TomlSettings,
    YamlSettings,
)
_WITHOUT_FIELDS: Mapping[str, Any] = {UNASKED: "done"}

_SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "boolean": (True, False),
    "integer": (3,),
    "number": (0.5,),
    "string": ("true", "3", ""),
    "array": ([], [True], ["3"]),
    "object": ({}, {"value": 3}),
}
"""Values by JSON Schema's names of types; each is a wrong one for the other types."""


class Kind(StrEnum):
    """In what a submission is hostile."""

    EMPTY = "empty"
    MISSING = "missing"
    WRONG_TYPE = "wrong type"
    FALSE = "false"
    NULL = "null"
    NOT_FINITE = "not finite"
    HUGE = "huge"
    DIFFERS = "claim differs"
    WEAK = "known too weakly"
    NO_TARGET = "target missing"
    STALE = "stale"
    UNREADABLE = "unreadable"
    UNTRUSTED = "untrusted"
    UNAPPROVED = "unapproved"


class Project(StrEnum):
    """What lies where probes look."""

    EMPTY = "nothing is there"
    STALE = "the work of before the phase"
    FOLDERS = "folders in place of files"
    RUBBISH = "binary rubbish"
    DONE = "all the work is there"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One submission; `field` is empty where the whole is hostile."""

    kind: Kind
    field: str
    what: str
    evidence: Mapping[str, Any]
    observations: Mapping[str, Observation]
    """What the server is to have seen, unless it looks for itself."""
    project: Project | None = None
    """Where the server looks for itself; None where it does not look."""
    asked: Mapping[str, EvidenceField] | None = None
    """The fields that it looks for."""


def submissions(gate: Gate, good: Plausible, limit: int) -> Iterator[Hostile]:
    """Yield what `gate` may not let through; `limit` is the size of evidence in bytes."""
    yield from _of_the_whole(gate, good, limit)
    for name, field in gate.evidence_schema.items():
        broken = _Broken(name, field, good)
        yield from broken.looks() if field.probes else broken.claims()
    # To compare long lists takes its time, and is the same for each field.
    lists = (name for name, field in gate.verified_fields.items() if field.type in {"list", None})
    for name in islice(lists, 1):
        yield _Broken(name, gate.evidence_schema[name], good).bulky()


def _of_the_whole(gate: Gate, good: Plausible, limit: int) -> Iterator[Hostile]:
    verified = gate.verified_fields

    def whole(kind: Kind, what: str, evidence: Mapping[str, Any], **given: Any) -> Hostile:
        return Hostile(kind, "", what, evidence, **{"observations": {}, **given})

    nothing: dict[str, Any] = {"project": Project.EMPTY, "asked": verified}
    yield whole(Kind.EMPTY, "no evidence at all", {}, **nothing)
    nulls = dict.fromkeys(gate.evidence_schema or _WITHOUT_FIELDS)
    yield whole(Kind.EMPTY, "nothing but nulls", nulls, **nothing)
    if gate.evidence_schema:
        # Longer than each of the gate's names, and so none of them.
        beside = {UNASKED.ljust(max(map(len, gate.evidence_schema)) + 1, "_"): "done"}
        yield whole(Kind.EMPTY, "nothing that the gate asks for", beside, **nothing)
    if any(field.required for field in verified.values()):
        yield whole(Kind.NO_TARGET, "all claimed, none of it done", good.claims, **nothing)
    bulk = {**good.claims, UNASKED: "x" * (limit + 1)}
    yield whole(Kind.HUGE, "text over the size of evidence", bulk, observations=good.observations)
    if not gate.evidence_schema:
        for kind, what, value in (*_not_finite(None), *_huge(None)):
            yield whole(kind, what, {UNASKED: value})


class _Broken:
    """One field, to be broken in a submission that is plausible otherwise."""

    def __init__(self, name: str, field: EvidenceField, good: Plausible) -> None:
        self._name = name
        self._field = field
        self._value = good.values[name]
        self._claims = {**good.claims, name: self._value}
        found = {name: seen(field, self._value)} if field.probes else {}
        self._seen = {**good.observations, **found}

    def claims(self) -> Iterator[Hostile]:
        """Yield submissions with a broken claim, for a field that nobody verifies."""
        if self._field.required:
            yield self._hostile(Kind.MISSING, "left out", self._without_claim())
            yield self._claimed(Kind.NULL, "null", None)
        if self._field.must_be_true:
            yield self._claimed(Kind.FALSE, "false", value=False)
        for value in _wrong_types(self._field, self._value):
            yield self._claimed(Kind.WRONG_TYPE, _told(value), value)
        for kind, what, value in (*_not_finite(self._value), *_huge(self._value)):
            yield self._claimed(kind, what, value)

    def looks(self) -> Iterator[Hostile]:
        """Yield submissions for a field that the server looks for."""
        unseen = {name: look for name, look in self._seen.items() if name != self._name}
        yield replace(self._hostile(Kind.MISSING, "claimed, not looked for", self._claims),
                      observations=unseen)  # fmt: skip
        yield self._found(Kind.NULL, "nothing is found", None, self._value)
        yield from self._of_what_is_found()
        for value in _others(self._value):
            yield self._claimed(Kind.DIFFERS, f"claims {_told(value)}", value)
        yield from self._weak()
        yield from self._of_probes()

    def _of_what_is_found(self) -> Iterator[Hostile]:
        """Yield submissions in which the server finds, and the agent says, what is wrong."""
        if self._field.must_be_true:
            yield self._found(Kind.FALSE, "false is found", value=False, claim=False)
        for value in _wrong_types(self._field, self._value):
            yield self._found(Kind.WRONG_TYPE, f"{_told(value)} is found", value, value)
        for kind, what, value in _not_finite(self._value):
            yield self._found(kind, f"{what} is found", value, None)
            yield self._claimed(kind, f"claims {what}", value)
        yield self._found(Kind.HUGE, "10 to the power of 400 is found", ENORMOUS, ENORMOUS)
        yield self._claimed(Kind.HUGE, "claims 10 to the power of 400", ENORMOUS)

    def bulky(self) -> Hostile:
        """Return the submission that claims a long list of what the server looks for."""
        return self._claimed(Kind.HUGE, f"claims a list of {MANY:,}", [0] * MANY)

    def _weak(self) -> Iterator[Hostile]:
        least = self._field.assurance
        for known in Known:
            if least is not None and known.strength < least.strength:
                look = replace(self._seen[self._name], known=known)
                hostile = self._hostile(Kind.WEAK, f"is {known} only", self._claims)
                yield replace(hostile, observations={**self._seen, self._name: look})

    def _of_probes(self) -> Iterator[Hostile]:
        yield self._looked(Kind.NO_TARGET, Project.EMPTY, self._field)
        if self._field.required:
            yield replace(self._looked(Kind.NO_TARGET, Project.EMPTY, self._field),
                          evidence=self._without_claim())  # fmt: skip
        for settings, alone in _probe_by_probe(self._field):
            if len(self._field.probes) > 1:
                yield self._looked(Kind.NO_TARGET, Project.EMPTY, alone)
            if isinstance(settings, CommandSettings):
                yield self._looked(Kind.UNTRUSTED, Project.DONE, alone)
            elif isinstance(settings, ApprovalSettings):
                yield self._looked(Kind.UNAPPROVED, Project.DONE, alone)
            elif isinstance(settings, _READERS):
                if settings.fresh:
                    yield self._looked(Kind.STALE, Project.STALE, alone)
                yield self._looked(Kind.UNREADABLE, Project.FOLDERS, alone)
                # Whatever is in it, a file that is there is there.
                if not isinstance(settings, FileSettings):
                    yield self._looked(Kind.UNREADABLE, Project.RUBBISH, alone)

    def _looked(self, kind: Kind, project: Project, asked: EvidenceField) -> Hostile:
        what = f"{project} ({', '.join(probe.described for probe in asked.probes)})"
        hostile = self._hostile(kind, what, self._claims)
        return replace(hostile, project=project, asked={self._name: asked})

    def _claimed(self, kind: Kind, what: str, value: Any) -> Hostile:
        return self._hostile(kind, what, {**self._claims, self._name: value})

    def _found(self, kind: Kind, what: str, value: Any, claim: Any) -> Hostile:
        look = replace(self._seen[self._name], value=value)
        hostile = self._claimed(kind, what, claim)
        return replace(hostile, observations={**self._seen, self._name: look})

    def _hostile(self, kind: Kind, what: str, evidence: Mapping[str, Any]) -> Hostile:
        return Hostile(kind, self._name, what, evidence, self._seen)

    def _without_claim(self) -> dict[str, Any]:
        return {name: value for name, value in self._claims.items() if name != self._name}


def _probe_by_probe(field: EvidenceField) -> Iterator[tuple[ProbeSettings, EvidenceField]]:
    """Yield each probe that may answer for a field, and the field with that probe alone."""
    written = (field.model_extra or {})["verify"]
    least = field.assurance.strength if field.assurance else 0
    for raw, settings in zip(written if isinstance(written, list | tuple) else [written],
                             field.probes, strict=True):  # fmt: skip
        if settings.gives.strength >= least:
            yield settings, EvidenceField.model_validate({**field.model_dump(), "verify": raw})


def _wrong_types(field: EvidenceField, good: Any) -> Iterator[Any]:
    """Yield values of each type that the field has not, the good one in other clothes first."""
    if field.type is None:
        return
    kind = TYPE_NAMES[field.type]
    if kind in {"boolean", "integer", "number"}:
        yield str(good).lower()
    if kind == "array" and isinstance(good, list) and good and not isinstance(good[0], list):
        yield good[0]
    else:
        yield [good] if kind != "array" else {"items": good}
    for other, samples in _SAMPLES.items():
        # An integer is a number, and a boolean is neither.
        if other != kind and (other, kind) != ("integer", "number"):
            yield from samples


def _others(value: Any) -> Iterator[Any]:
    """Yield claims that say something else than `value`, of its type and of others."""
    match value:
        case bool():
            yield from (not value, str(value).lower(), int(value))
        case int() | float():
            yield from (value + max(1, abs(value)), str(value), [value], True)
        case str():
            yield from (f"{value}, and more", f" {value}", [value], True)
        case list():
            yield from ([*value, "and more"], str(value), len(value), True)
            if value:
                yield value[1:]
        case dict():
            yield from ({**value, "and": "more"}, str(value), [value], True)
        case _:
            yield from (str(value), [value], True)


def _not_finite(good: Any) -> Iterator[tuple[Kind, str, Any]]:
    for number in (math.nan, math.inf, -math.inf):
        yield Kind.NOT_FINITE, str(number), number
    if isinstance(good, list):
        yield Kind.NOT_FINITE, "a list with nan", [*good, math.nan]
    if isinstance(good, dict):
        yield Kind.NOT_FINITE, "an object with nan", {**good, "and": math.nan}


def _huge(good: Any) -> Iterator[tuple[Kind, str, Any]]:
    yield Kind.HUGE, "10 to the power of 400", ENORMOUS
    item = good[0] if isinstance(good, list) and good else 0
    yield Kind.HUGE, f"a list of {MANY:,}", [item] * MANY


def _told(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"  # noqa: PLR2004 - what a line has room for
