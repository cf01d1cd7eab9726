"""The state folders that measurements compare, and how calls in them are timed.

Two things that are compared are measured in turn, call by call, so that whatever else the machine
does falls on both.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.builders import EVIDENCE, library, write_workflow
from tests.slow.finished import add_finished
from tests.slow.writers import WORKFLOW, Server, server

Act = Callable[[], Any]


@dataclass
class Place:
    """A project, a server on it, and the seconds that calls took there."""

    root: Path
    phases: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the workflow."""
        self.root.mkdir(parents=True)
        write_workflow(self.root / "shelf", WORKFLOW, phases=self.phases)
        self.server: Server = server(self.folder, self.root)

    @property
    def folder(self) -> Path:
        """Where the state is."""
        return self.root / ".praxis-os" / "state" / "workflows"

    def add_finished(self, number: int) -> None:
        """Fill the place with finished sessions."""
        add_finished(self.folder, library(self.root / "shelf").load(WORKFLOW), number)

    def start(self) -> str:
        """Begin a session."""
        return str(self.server.engine.start(WORKFLOW, "src/a.py")["session_id"])

    def complete(self, session_id: str, phase: int, **more: Any) -> None:
        """Let a phase pass."""
        self.server.engine.complete_phase(session_id, phase, {**EVIDENCE, **more})

    def timed(self, name: str, act: Act) -> Any:
        """Return what `act` returns, and note how long it took under `name`."""
        began = time.perf_counter()
        result = act()
        self.seconds.setdefault(name, []).append(time.perf_counter() - began)
        return result

    def median(self, name: str) -> float:
        """How long calls of that name took, in seconds."""
        return median(self.seconds[name])


@dataclass(frozen=True)
class Row:
    """One figure of the report, with the limit that it must not pass."""

    name: str
    value: float
    limit: float
    unit: str
    detail: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the figure is on the right side of its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def verdict(self) -> str:
        """What the report says of it."""
        return "holds" if self.holds else "MISSED"


def ratios(limits: Iterable[tuple[str, float]], base: Place, other: Place) -> list[Row]:
    """Compare the medians of two places."""
    rows = []
    for name, limit in limits:
        before, after = base.median(name) * 1_000, other.median(name) * 1_000
        detail = f"{before:.2f} ms, {after:.2f} ms"
        rows.append(Row(name, after / before, limit, "times", detail))
    return rows
