"""What answers show of the evidence of phases, as far as they have room for it.

All that has room is shown. Otherwise the newest phases come first: a value that is too long for
what is left goes, then fields, which are counted, and those of all older phases with them. Every
phase is named as long as the names have room; then the newest are, and the others counted. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any

from mcp_server.core.halves import NOTHING, Halves, size_around, size_of
from mcp_server.core.models import EvidenceItem

View = dict[str, Any]
Evidence = Mapping[int, Mapping[str, EvidenceItem]]

MAX_VALUE = 200
"""Bytes of a small value that an answer repeats."""

DIGEST_SHOWN = 12

_FEW = 50
"""Fields that may have room all together."""

MORE_PHASES, MORE_FIELDS = "more_phases", "more_fields"


def artifacts(evidence: Evidence, room: Halves, depth: int = 1) -> tuple[View, bool]:
    """Show evidence by phase within `room`, and tell whether that is all of it.

    A field is shown by how it is known, its size, and its value or digest. Phases are nested
    `depth` deep in the answer.
    """
    if sum(map(len, evidence.values())) <= _FEW:
        whole = {str(number): _in_full(items) for number, items in sorted(evidence.items())}
        # Most often that is it, and measured once.
        if room.holds(size_of(whole, depth)):
            return whole, True
    places = {number: _Place.of(number, items, depth) for number, items in evidence.items()}
    named = _with_a_place(places, room, depth)
    room -= _sum(places[number].whole for number in named)
    view: View = {}
    if unnamed := len(evidence) - len(named):
        view[MORE_PHASES] = unnamed
        room -= size_of(view, depth)
    shown: dict[int, View] = {number: _counted(evidence[number]) for number in named}
    is_all = not unnamed
    for number in named:
        # What was kept for the count of its fields may be taken by the fields now.
        room += places[number].counted
        shown[number], used = _fields(evidence[number], room, places[number].counted, depth + 1)
        room -= used
        is_all = is_all and shown[number] == _in_full(evidence[number])
        if MORE_FIELDS in shown[number]:
            # Single fields of older phases would say little: those stay counted.
            break
    return {str(number): shown[number] for number in sorted(shown)} | view, is_all


@dataclass(frozen=True, slots=True)
class _Place:
    """What it takes to name a phase, and to count its fields."""

    named: Halves
    counted: Halves

    @classmethod
    def of(cls, number: int, items: Mapping[str, EvidenceItem], depth: int) -> "_Place":
        if not items:
            return cls(size_of({str(number): {}}, depth), NOTHING)
        return cls(size_around(str(number), depth), size_of(_counted(items), depth + 1))

    @property
    def whole(self) -> Halves:
        return self.named + self.counted


def _counted(items: Mapping[str, EvidenceItem]) -> View:
    return {MORE_FIELDS: len(items)} if items else {}


def _with_a_place(places: Mapping[int, _Place], room: Halves, depth: int) -> list[int]:
    """Return the phases that can at least be named, newest first."""
    newest = sorted(places, reverse=True)
    sizes = [places[number].whole for number in newest]
    if room.holds(_sum(sizes)):
        return newest
    room -= size_of({MORE_PHASES: len(newest)}, depth)
    return newest[: sum(1 for _ in takewhile(room.holds, accumulate(sizes)))]


def _fields(
    items: Mapping[str, EvidenceItem], room: Halves, counted: Halves, depth: int
) -> tuple[View, Halves]:
    """Return the fields of a phase that `room` holds, and what they take of it."""
    shown: View = {}
    used = NOTHING
    for name, item in items.items():
        is_last = len(shown) == len(items) - 1
        left = room - used - (NOTHING if is_last else counted)
        for view in _from_long_to_short(item):
            size = size_of({name: view}, depth)
            if left.holds(size):
                shown[name] = view
                used += size
                break
        else:
            shown[MORE_FIELDS] = len(items) - len(shown)
            return shown, used + counted
    return shown, used


def in_full(item: EvidenceItem) -> View:
    """Show one field with all that is shown of a field."""
    return _from_long_to_short(item)[0]


def _in_full(items: Mapping[str, EvidenceItem]) -> View:
    return {name: in_full(item) for name, item in items.items()}


def _from_long_to_short(item: EvidenceItem) -> tuple[View, ...]:
    short: View = {"known": str(item.known), "size": item.size}
    if item.inline and item.size <= MAX_VALUE:
        return {**short, "value": item.value}, short
    return ({**short, "sha256": item.sha256[:DIGEST_SHOWN]},)


def _sum(sizes: Iterable[Halves]) -> Halves:
    return sum(sizes, NOTHING)
