"""What a session of the older server of this kind becomes: its state file's JSON, as `Change`s.

The older server kept one JSON object a session: a UUID, the current and the completed phases, what
was submitted to each (`phase_artifacts`), a word for each checkpoint, and `metadata` with the
number of phases and the options. The history is told from it, with the times that stand in it (a
time without a zone is UTC) and with nothing that does not stand in it:

1. Optional keys may be missing or null: completed_phases, phase_artifacts and what is in them,
   checkpoints, updated_at.
2. What contradicts itself, or is larger than an agent may submit, is refused whole with a
   `LegacyError` that names the key. Nothing is guessed and nothing is left out.
3. All evidence is `claimed`: the older server only ever recorded what it was told.

Pure. Where the file is, whether its target lies inside the project, and which definition it gets,
is `importing`'s business.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from mcp_server.core import lifecycle, views
from mcp_server.core.definitions import Definition
from mcp_server.core.encoding import encode_submitted
from mcp_server.core.identifiers import make_session_id
from mcp_server.core.models import Change, DefinitionRef, ErrorEntry, SessionState
from mcp_server.core.transitions import Action, Status
from mcp_server.errors import InvalidArgumentError
from mcp_server.gates.evaluation import shorten

OUTPUTS = "imported_outputs"
COMMANDS = "imported_commands"
"""The fields that hold what the older server kept beside the evidence."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_WORKFLOW = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)
_TOTAL = "total_phases"
_PASSED, _FAILED, _PENDING = "passed", "failed", "pending"
_COMPLETED, _CURRENT, _LATER = "completed", "not completed yet", "not reached yet"
_POSSIBLE_WORDS: Mapping[str, tuple[str, ...]] = {
    _COMPLETED: (_PASSED,),
    _CURRENT: (_FAILED, _PENDING),
    _LATER: (_PENDING,),
}
"""What the checkpoint of a phase can say, by where the phase stands."""

_KINDS: Mapping[type, str] = {dict: "an object", list: "a list", str: "text", int: "a whole number"}
_Kind = TypeVar("_Kind", dict[str, Any], list[Any], str, int)


class LegacyError(Exception):
    """A file does not hold a session of the older server; the message names the key."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a file may hold: what an agent may submit, in bytes of JSON where it is a size.

    `all_fields` counts the fields of all phases: each line of a journal describes those before it,
    so that a small file with many phases of many fields would make a huge journal.
    """

    phases: int
    fields: int
    field_name: int
    evidence: int
    options: int
    all_fields: int = 2_048


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was submitted to one phase, and when, where the file says so."""

    evidence: Mapping[str, Any]
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class OldSession:
    """A session as the older server left it, found free of contradictions."""

    uuid: str
    workflow_type: str
    target_file: str
    options: Mapping[str, Any]
    phases: tuple[int, ...]
    completed: tuple[int, ...]
    has_failed: bool
    submitted: Mapping[int, Submitted]
    created_at: datetime
    updated_at: datetime

    @property
    def session_id(self) -> str:
        """The id that the session gets, the same each time it is imported."""
        suffix = self.uuid[:6].lower()
        return make_session_id(self.workflow_type, self.target_file, self.created_at, suffix)

    @property
    def status(self) -> Status:
        """The status that the session gets."""
        if self.completed == self.phases:
            return Status.COMPLETED
        return Status.FAILED if self.has_failed else Status.ACTIVE


def read_old(document: Any, bounds: Bounds) -> OldSession:
    """Return the session that a file's JSON holds; raises LegacyError."""
    if not isinstance(document, dict):
        raise LegacyError(f"the file must hold one object, got {shorten(document)}")
    workflow_type = _matching(document, "workflow_type", _WORKFLOW, "the name of a workflow")
    uuid = _matching(document, "session_id", _UUID, "a UUID")
    target_file = _value(document, "target_file", str)
    metadata = _value(document, "metadata", dict)
    phases, completed = _phases(document, metadata, bounds)
    has_failed = _has_failed(document, phases, completed)
    submitted = _submitted(document, phases, completed, bounds, has_failed=has_failed)
    created_at, updated_at = _times(document, submitted)
    options = {name: value for name, value in metadata.items() if name != _TOTAL}
    _require_size("metadata", options, bounds.options)
    return OldSession(
        uuid=uuid,
        workflow_type=workflow_type,
        target_file=target_file,
        options=options,
        phases=phases,
        completed=completed,
        has_failed=has_failed,
        submitted=submitted,
        created_at=created_at,
        updated_at=updated_at,
    )


def history(old: OldSession, definition: Definition, remedy: str | None = None) -> list[Change]:
    """Return what happened to the session, as far as its file tells, under `definition`.

    `remedy` is what to do about a failed checkpoint, where that is not to retry the phase.
    """
    now = old.created_at
    changes = [
        lifecycle.begin(
            session_id=old.session_id,
            workflow_type=old.workflow_type,
            target_file=old.target_file,
            definition=DefinitionRef(version=definition.version, digest=definition.digest),
            phases=old.phases,
            options=old.options,
            now=now,
        )
    ]
    nothing = Submitted({})
    for phase in old.completed:
        submitted = old.submitted.get(phase, nothing)
        now = submitted.time or now
        submission = lifecycle.prepare(submitted.evidence)
        changes.append(lifecycle.pass_phase(changes[-1].state, submission, now))
    if old.has_failed:
        state = changes[-1].state
        submitted = old.submitted.get(state.current_phase, nothing)
        now = submitted.time or old.updated_at
        submission = lifecycle.prepare(submitted.evidence)
        error = _imported_failure(state, now, remedy)
        changes.append(lifecycle.refuse_phase(state, submission, error, now))
    # The file was last written a little after what it tells of; lists and pruning go by that.
    state = changes[-1].state.model_copy(update={"last_updated": old.updated_at})
    changes[-1] = changes[-1].model_copy(update={"state": state})
    return changes


def _imported_failure(state: SessionState, now: datetime, remedy: str | None) -> ErrorEntry:
    session = {"session_id": state.session_id, "phase": state.current_phase}
    return ErrorEntry(
        phase=state.current_phase,
        timestamp=now,
        error_type="ValidationError",
        message="imported: the older server recorded that the checkpoint of phase"
        f" {state.current_phase} failed",
        details={"imported": True},
        remediation=remedy or "Call " + views.call(Action.RETRY_PHASE, **session),
    )


def _phases(
    document: Mapping[str, Any], metadata: Mapping[str, Any], bounds: Bounds
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the phases, numbered from 0 or from 1 as fits, and those that are completed."""
    total = _value(metadata, _TOTAL, int, "metadata.")
    if not 1 <= total <= bounds.phases:
        raise LegacyError(f"metadata.{_TOTAL}: must be 1 to {bounds.phases}, got {shorten(total)}")
    current = _value(document, "current_phase", int)
    listed = _value(document, "completed_phases", list, default=[])
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in listed):
        raise LegacyError(f"completed_phases: must be whole numbers, got {shorten(listed)}")
    completed = tuple(listed)
    numberings = [
        phases
        for phases in (tuple(range(total)), tuple(range(1, total + 1)))
        if completed == phases[: len(completed)]
    ]
    if not numberings:
        raise LegacyError(
            f"completed_phases: {shorten(listed)} are not the first of {total} phases in their"
            " order, numbered from 0 or from 1"
        )
    for phases in numberings:
        if current in _possible_current(phases, completed):
            return phases, completed
    raise LegacyError(
        f"current_phase: {shorten(current)} does not follow the completed phases"
        f" {shorten(listed)} of {total}"
    )


def _possible_current(phases: tuple[int, ...], completed: tuple[int, ...]) -> tuple[int, ...]:
    if completed == phases:
        return phases[-1], phases[-1] + 1
    return (phases[len(completed)],)


def _has_failed(
    document: Mapping[str, Any], phases: tuple[int, ...], completed: tuple[int, ...]
) -> bool:
    """Tell whether the checkpoint of the current phase failed; no other may contradict it."""
    has_failed = False
    for key, word in _value(document, "checkpoints", dict, default={}).items():
        number = _phase_number("checkpoints", key, phases)
        if word not in (_PASSED, _FAILED, _PENDING):
            raise LegacyError(f"checkpoints.{key}: must be passed or failed, got {shorten(word)}")
        position = _position(number, phases, completed)
        if word not in _POSSIBLE_WORDS[position]:
            raise LegacyError(f"checkpoints.{key}: {word}, but phase {number} is {position}")
        has_failed = has_failed or word == _FAILED
    return has_failed


def _position(number: int, phases: tuple[int, ...], completed: tuple[int, ...]) -> str:
    if number in completed:
        return _COMPLETED
    return _CURRENT if number == phases[len(completed)] else _LATER


def _submitted(
    document: Mapping[str, Any],
    phases: tuple[int, ...],
    completed: tuple[int, ...],
    bounds: Bounds,
    *,
    has_failed: bool,
) -> dict[int, Submitted]:
    found: dict[int, Submitted] = {}
    artifacts = _value(document, "phase_artifacts", dict, default={})
    for key in artifacts:
        number = _phase_number("phase_artifacts", key, phases)
        position = _position(number, phases, completed)
        if position == _LATER or (position == _CURRENT and not has_failed):
            raise LegacyError(
                f"phase_artifacts.{key}: phase {number} is {position}"
                f"{'' if position == _LATER else ' and its checkpoint has not failed'}"
            )
        artifact = _value(artifacts, key, dict, "phase_artifacts.")
        stated = _value(artifact, "phase_number", int, f"phase_artifacts.{key}.", default=number)
        if stated != number:
            raise LegacyError(f"phase_artifacts.{key}.phase_number: is {shorten(stated)}")
        found[number] = _read_artifact(artifact, f"phase_artifacts.{key}", bounds)
    fields = sum(len(submitted.evidence) for submitted in found.values())
    if fields > bounds.all_fields:
        raise LegacyError(f"phase_artifacts: {fields} fields, at most {bounds.all_fields}")
    return found


def _read_artifact(artifact: Mapping[str, Any], where: str, bounds: Bounds) -> Submitted:
    evidence = dict(_value(artifact, "evidence", dict, f"{where}.", default={}))
    beside = {
        OUTPUTS: _value(artifact, "outputs", dict, f"{where}.", default={}),
        COMMANDS: _value(artifact, "commands_executed", list, f"{where}.", default=[]),
    }
    for name, value in beside.items():
        if value and name in evidence:
            raise LegacyError(f"{where}.evidence.{name}: the name is needed for what is beside it")
        if value:
            evidence[name] = value
    longest = max(map(len, evidence), default=0)
    if len(evidence) > bounds.fields or longest > bounds.field_name:
        raise LegacyError(
            f"{where}.evidence: too large: {len(evidence)} fields with names of up to {longest}"
            f" characters; at most {bounds.fields}, of {bounds.field_name}"
        )
    _require_size(f"{where}.evidence", evidence, bounds.evidence)
    return Submitted(evidence, _time(artifact, "timestamp", f"{where}."))


def _times(
    document: Mapping[str, Any], submitted: Mapping[int, Submitted]
) -> tuple[datetime, datetime]:
    """Return when the session began and when its file was last written; time never runs back."""
    created_at = _time(document, "created_at")
    if created_at is None:
        raise LegacyError("created_at: missing")
    told = [(f"phase_artifacts.{number}.timestamp", submitted[number].time)
            for number in sorted(submitted)]  # fmt: skip
    told.append(("updated_at", _time(document, "updated_at")))
    last_key, last = "created_at", created_at
    for key, time in told:
        if time is not None:
            if time < last:
                raise LegacyError(f"{key}: {time.isoformat()} is earlier than {last_key}")
            last_key, last = key, time
    return created_at, last


def _time(parent: Mapping[str, Any], key: str, where: str = "") -> datetime | None:
    if parent.get(key) is None:
        return None
    text = _value(parent, key, str, where)
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise LegacyError(f"{where}{key}: {shorten(text)} is not a time") from error


def _phase_number(where: str, key: str, phases: tuple[int, ...]) -> int:
    if not _NUMBER.fullmatch(key) or int(key) not in phases:
        raise LegacyError(
            f"{where}: {shorten(key)} is not one of the phases {phases[0]} to {phases[-1]}"
        )
    return int(key)


def _require_size(name: str, value: Mapping[str, Any], limit: int) -> None:
    try:
        size = len(encode_submitted(name, value))
    except InvalidArgumentError as error:
        raise LegacyError(error.message) from error
    if size > limit:
        raise LegacyError(f"{name}: too large: {size} bytes of JSON, at most {limit}")


def _matching(parent: Mapping[str, Any], key: str, pattern: re.Pattern[str], what: str) -> str:
    text = _value(parent, key, str)
    if not pattern.fullmatch(text):
        raise LegacyError(f"{key}: {shorten(text)} is not {what}")
    return text


def _value(
    parent: Mapping[str, Any],
    key: str,
    kind: type[_Kind],
    where: str = "",
    *,
    default: _Kind | None = None,
) -> _Kind:
    """Return the value of a key; null is missing, and true is no number."""
    value = parent.get(key)
    if value is None:
        if default is None:
            raise LegacyError(f"{where}{key}: missing")
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise LegacyError(f"{where}{key}: must be {_KINDS[kind]}, got {shorten(value)}")
    return value
