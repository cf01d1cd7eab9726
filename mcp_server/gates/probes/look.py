"""What a probe has to work with while the server looks: files, the session, the field, the phase.

A probe is a function from its settings and a `Look` to a `Found`. It raises `LookFailedError` when
what it looked at is not as it must be, and `LookUnavailableError` when it could not look at all;
`observing` makes an observation of either. It never guesses: what it cannot read it does not pass.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mcp_server.gates.evaluation import filled
from mcp_server.gates.observation import Known, LookFailedError, Source
from mcp_server.gates.patterns import PatternBudget
from mcp_server.gates.probe_settings import PLACEHOLDER, ProbeSettings, session_values
from mcp_server.gates.probes.files import ProjectFiles, TargetFile

MATCHING_TIME = 1.0
"""Seconds that one look may spend on matching an author's patterns."""


@dataclass(frozen=True, slots=True)
class Found:
    """The value that a probe found, and the files that show it."""

    value: Any
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Approved:
    """What a person approved of a field: the digests of files by path, as they were then."""

    field: str
    by: str
    time: datetime
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """The session and the phase that are judged."""

    session_id: str
    target_file: str
    options: Mapping[str, Any]
    phase: int
    attempt: int
    started: datetime
    """When the phase was begun, or taken up again: reports from before are stale."""
    commit: str | None = None
    """The commit that was checked out when the phase began, in a git repository."""
    first_commit: str | None = None
    """The commit that was checked out when the session began."""
    approvals: tuple[Approved, ...] = ()
    """What a person has approved of the phase."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one field."""

    files: ProjectFiles
    facts: PhaseFacts
    claims: Mapping[str, Any]
    """All that the agent submitted."""
    name: str = ""
    """The field's name."""
    type: str | None = None
    """The field's type: a probe that can give several kinds of value gives what fits."""
    written_since: datetime | None = None
    """Files that were last written before this are stale, whatever the settings say."""
    shared: dict[str, Any] = field(default_factory=dict)
    """What looks of one verification share, such as the run of a command that two fields need."""
    budget: PatternBudget = field(default_factory=lambda: PatternBudget(MATCHING_TIME))

    @property
    def claim(self) -> Any:
        """What the agent claims of this field, None if nothing."""
        return self.claims.get(self.name)

    def filled(self, template: str) -> str:
        """Return `template` with its placeholders filled; raises LookFailedError."""
        return PLACEHOLDER.sub(lambda found: self._value_of(found["name"]), template)

    def glob(self, template: str) -> str:
        """Return `template` filled, the signs of a glob in what is filled in taken as they are."""
        return PLACEHOLDER.sub(
            lambda found: re.sub(r"([*?[])", r"[\1]", self._value_of(found["name"])), template
        )

    def shown(self, text: str) -> str:
        """Return `text` with the placeholders filled that every session fills, for a message."""
        return filled(text, session_values(self.facts.target_file, self.facts.session_id))

    def read(self, settings: Any) -> list[TargetFile]:
        """Read the files that `settings.path` names, at least one; raises LookFailedError.

        With `settings.fresh` each must have been written since the phase began.
        """
        since = self.written_since or (self.facts.started if settings.fresh else None)
        return [
            file
            for template in settings.path
            for file in self.files.read_all(self.glob(template), since=since)
        ]

    def _value_of(self, name: str) -> str:
        values = session_values(self.facts.target_file, self.facts.session_id)
        if name in values:
            return values[name]
        place, _, key = name.partition(".")
        value = (self.facts.options if place == "options" else self.claims).get(key)
        if not isinstance(value, str) or not value.strip():
            where = f"submit {key}" if place == "evidence" else f"start with options.{key}"
            raise LookFailedError(f"{{{name}}} is not filled: {where} as text")
        return value


Probe = Callable[[Any, Look], Found]
"""Looks, as its settings say."""


@dataclass(frozen=True, slots=True)
class ProbeKind:
    """A probe as it is registered: what an author may write, and what then looks."""

    settings: type[ProbeSettings]
    look: Probe

    @property
    def gives(self) -> Known:
        """How a value is known that this probe found."""
        return self.settings.gives
