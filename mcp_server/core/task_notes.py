"""What the items of a list become: criteria and steps, with what is nested below them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mcp_server.core.task_list import Criterion
from mcp_server.core.task_wording import tidy

INLINE = -1
"""The depth of a note that stands on the line of its label; a list below takes its place."""


@dataclass(slots=True)
class Note:
    """One item; `lead` is the label of the list that it stands in, if that says something."""

    text: str
    line: int
    depth: int
    boxed: bool
    lead: str = ""
    below: list["Note"] = field(default_factory=list)


def criteria(notes: list[Note]) -> tuple[Criterion, ...]:
    """Return what the items demand.

    A check box is a demand of its own. A plain item is one unless check boxes stand below it, to
    which it is the heading then. Plain items below a demand are part of it.
    """
    found = (Criterion(text, note.line) for root in _trees(notes)
             for text, note in _demands(root, root.lead))  # fmt: skip
    return tuple(one for one in found if one.text)


def texts(notes: list[Note]) -> tuple[str, ...]:
    """Return the same as text only."""
    return tuple(one.text for one in criteria(notes))


def _trees(notes: list[Note]) -> list[Note]:
    roots: list[Note] = []
    path: list[Note] = []
    for note in notes:
        while path and (path[-1].depth >= note.depth or path[-1].depth == INLINE):
            path.pop()
        (path[-1].below if path else roots).append(note)
        path.append(note)
    return roots


def _demands(note: Note, lead: str) -> Iterator[tuple[str, Note]]:
    text = _joined(lead, tidy(note.text))
    if not note.boxed and any(_has_box(below) for below in note.below):
        for below in note.below:
            yield from _demands(below, text)
        return
    details = [_flat(below) for below in note.below if not _has_box(below)]
    yield _joined(text, "; ".join(filter(None, details))), note
    for below in note.below:
        if _has_box(below):
            yield from _demands(below, lead)


def _has_box(note: Note) -> bool:
    return note.boxed or any(_has_box(below) for below in note.below)


def _flat(note: Note) -> str:
    return _joined(tidy(note.text), "; ".join(filter(None, map(_flat, note.below))))


def _joined(lead: str, text: str) -> str:
    if not lead or not text:
        return lead or text
    return f"{lead} {text}" if lead.endswith(":") else f"{lead}: {text}"
