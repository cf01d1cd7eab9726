"""What the cutover would do to the files of a project, as bytes. Pure."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mcp_server.cutover.findings import Place

Style = Literal["import", "bridge"]
"""How a server gets `aos_workflow`: by importing our package, or by the bridge."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after; without a `before` it is new."""

    path: str
    before: bytes | None
    after: bytes
    mode: int

    def diff(self) -> list[str]:
        """Return the change as a unified diff, without line ends."""
        return diff_of(self.path, self.before, self.after)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a cutover would do, and all that it found."""

    changes: tuple[Change, ...]
    registrations: tuple[Place, ...] = ()
    rewritten: tuple[Place, ...] = ()
    left: tuple[Place, ...] = ()
    unparsed: tuple[Place, ...] = ()
    skipped: tuple[Place, ...] = ()
    style: Style | None = None

    @property
    def changes_python(self) -> bool:
        """Whether source code would change."""
        return any(change.path.endswith(".py") for change in self.changes)

    @property
    def doubts_python(self) -> bool:
        """Whether source code is left in which old tools may be registered."""
        return any(place.path.endswith(".py") for place in (*self.left, *self.skipped))


def diff_of(path: str, before: bytes | None, after: bytes | None) -> list[str]:
    """Return a unified diff of two contents of a file, without line ends."""
    lines = difflib.unified_diff(
        _lines(before),
        _lines(after),
        "/dev/null" if before is None else f"a/{path}",
        "/dev/null" if after is None else f"b/{path}",
        lineterm="",
        n=2,
    )
    return list(lines)


NEW_FILE = 0o644
"""The mode of a file that the cutover adds."""


def _lines(data: bytes | None) -> Sequence[str]:
    text = (data or b"").decode("utf-8", "replace")
    # Only \n ends a line: other separators are content, and shown as such.
    lines = text.split("\n")
    return lines[:-1] if lines and not lines[-1] else lines
