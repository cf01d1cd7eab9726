"""The stored session: its state, its evidence, its history and its errors.

Models are frozen: a change makes a new state. Unknown fields are kept, so that a session written by
a newer server of the same schema version survives being written by this one. Times are aware and in
UTC; whoever builds a model passes them in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mcp_server.core.transitions import Action, Outcome, PersonAction, Status
from mcp_server.gates.observation import Known

MAX_ERRORS = 16
"""How many error entries a state carries; older ones remain in the journal's earlier lines."""

_IN_SHORT = {"missing_evidence": 8, "validation_errors": 4}
_SHORT_TEXT = 120
"""How many texts of a refusal a state carries once another one follows, and how long they are."""

AND_SOME = "... and "
"""What the last text begins with where others are left out, for whatever reason."""

AND_MORE = f"{AND_SOME}more"
"""That it is in a refusal that another one follows; how many there were, its message says."""

MAX_HISTORY = 64
"""How many attempts a state carries; older ones remain in the journal's earlier lines."""

NO_HASH = "0" * 64
"""What the first record of a session names as its predecessor."""


class Model(BaseModel):
    """What all stored models share."""

    model_config = ConfigDict(extra="allow", frozen=True)


class DefinitionRef(Model):
    """The pinned definition that a session follows, by content."""

    version: str
    digest: str


class SourceRecord(Model):
    """A file that showed a value, as it was when the server looked."""

    path: str
    size: int
    sha256: str
    modified: AwareDatetime


class ObservationRecord(Model):
    """How the server found a value out: what it looked at, when, and the files that showed it."""

    probe: str
    time: AwareDatetime
    sources: tuple[SourceRecord, ...] = ()
    more_sources: int = 0


class Approval(Model):
    """A person's yes: who, when, how they were asked, and the digests of the files approved."""

    phase: int
    field: str
    by: str
    via: str
    time: AwareDatetime
    files: dict[str, str] = Field(default_factory=dict)


class Override(Model):
    """A gate's no that a person waved through, and why."""

    phase: int
    by: str
    via: str
    time: AwareDatetime
    reason: str


class Conclusion(Model):
    """The submission that the last change judged, so that who sent it can ask again."""

    phase: int
    evidence: str
    """The digest of what was submitted."""
    warnings: tuple[str, ...] = ()

    def is_of(self, phase: int, evidence: str) -> bool:
        """Tell whether this is the submission of `evidence`, a digest, for `phase`."""
        return (self.phase, self.evidence) == (phase, evidence)


class EvidenceItem(Model):
    """One piece of evidence: how it is known, its size in bytes of JSON, its digest.

    A small value is carried along; a large one is stored under its digest.
    """

    known: Known
    size: int
    sha256: str
    inline: bool
    value: Any = None
    observation: ObservationRecord | None = None


class PhaseAttempt(Model):
    """One attempt at one phase.

    `status` is in_progress, passed, failed, overridden or rolled_back.
    """

    phase: int
    attempt: int
    status: str
    started_at: AwareDatetime
    completed_at: AwareDatetime | None = None

    @property
    def duration_seconds(self) -> float | None:
        """How long the attempt took, if it has ended."""
        if self.completed_at is None:
            return None
        return round((self.completed_at - self.started_at).total_seconds(), 3)


class ErrorEntry(Model):
    """A recorded refusal: a gate's no, or an attempt to skip ahead."""

    phase: int
    timestamp: AwareDatetime
    error_type: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)
    remediation: str

    @property
    def in_short(self) -> "ErrorEntry":
        """What is carried along of the entry once another one follows; its own line has it all."""
        short = {name: _few(self.details[name], number) for name, number in _IN_SHORT.items()
                 if isinstance(self.details.get(name), list)}  # fmt: skip
        return self.model_copy(update={"details": self.details | short})


def _few(texts: list[Any], number: int) -> list[str]:
    """Return the first of some texts, cut; what says that there were more is one more of them."""
    shown = [text if len(text) <= _SHORT_TEXT else f"{text[: _SHORT_TEXT - 1]}…"
             for text in map(str, texts[:number])]  # fmt: skip
    return [*shown, AND_MORE] if len(texts) > number else shown


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What lists and limits need of a session; light, for there may be many thousands."""

    session_id: str
    workflow_type: str
    target_file: str
    status: Status
    current_phase: int
    total_phases: int
    created_at: datetime
    last_updated: datetime
    definition: str
    owner: str | None = None
    project: str | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        """What sorts sessions from oldest to newest."""
        return self.created_at, self.session_id


class SessionState(Model):
    """All the server knows of a session, but for large evidence and the pinned definition."""

    session_id: str
    workflow_type: str
    target_file: str
    definition: DefinitionRef
    options: dict[str, Any] = Field(default_factory=dict)
    status: Status
    phases: tuple[int, ...]
    current_phase: int
    completed_phases: tuple[int, ...] = ()
    evidence: dict[int, dict[str, EvidenceItem]] = Field(default_factory=dict)
    history: tuple[PhaseAttempt, ...]
    errors: tuple[ErrorEntry, ...] = ()
    error_count: int = 0
    created_at: AwareDatetime
    last_updated: AwareDatetime
    paused_at: AwareDatetime | None = None
    checkpoint_note: str | None = None
    first_commit: str | None = None
    phase_commit: str | None = None
    approvals: tuple[Approval, ...] = ()
    overrides: tuple[Override, ...] = ()
    concluded: Conclusion | None = None
    owner: str | None = None
    """Who started the session."""
    project: str | None = None
    """Which repository the session works on, whatever folder a clone of it lies in."""

    @property
    def phase_started(self) -> datetime:
        """When the current phase was begun, or taken up again."""
        return max(
            (a.started_at for a in self.history if a.phase == self.current_phase),
            default=self.created_at,
        )

    @property
    def summary(self) -> SessionSummary:
        """The part of the state that lists show."""
        return SessionSummary(
            session_id=self.session_id,
            workflow_type=self.workflow_type,
            target_file=self.target_file,
            status=self.status,
            current_phase=self.current_phase,
            total_phases=self.total_phases,
            created_at=self.created_at,
            last_updated=self.last_updated,
            definition=self.definition.digest,
            owner=self.owner,
            project=self.project,
        )

    @property
    def total_phases(self) -> int:
        """How many phases the session has."""
        return len(self.phases)

    @property
    def attempt(self) -> int:
        """The number of the attempt at the current phase."""
        return max((a.attempt for a in self.history if a.phase == self.current_phase), default=1)

    @property
    def resume_capable(self) -> bool:
        """Whether work on the session can go on."""
        return self.status is not Status.COMPLETED


class Change(BaseModel):
    """A state that is to follow, with what led to it and the large evidence that it refers to."""

    model_config = ConfigDict(frozen=True)

    action: Action | PersonAction
    outcome: Outcome
    phase: int
    state: SessionState
    blobs: Mapping[str, bytes] = Field(default_factory=dict)
    principal: str | None = None
    """Who made the change; the state manager fills it in."""

    @property
    def time(self) -> datetime:
        """When the change happened."""
        return self.state.last_updated


class Record(BaseModel):
    """One accepted change as it is stored; the last one of a session is the truth."""

    model_config = ConfigDict(frozen=True)

    seq: int
    previous: str
    hash: str
    action: Action | PersonAction
    outcome: Outcome
    phase: int
    state: SessionState
    principal: str | None = None


class Damage(BaseModel):
    """A stored session that cannot be read, and why."""

    model_config = ConfigDict(frozen=True)

    session_id: str
    reason: str
