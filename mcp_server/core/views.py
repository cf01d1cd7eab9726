"""What answers show of definitions and sessions: small dicts, with long things left out by size.

Pure: the engine and the state manager decide, these functions only say.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mcp_server.core.artifacts import DIGEST_SHOWN, MAX_VALUE, artifacts
from mcp_server.core.definitions import Metadata, Phase, Task
from mcp_server.core.encoding import encode
from mcp_server.core.halves import NOTHING, Halves
from mcp_server.core.models import (
    AND_SOME,
    ErrorEntry,
    EvidenceItem,
    ObservationRecord,
    PhaseAttempt,
    SessionState,
    SessionSummary,
)
from mcp_server.core.transitions import Action, Status
from mcp_server.gates.evaluation import filled
from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.gates.observation import Observation
from mcp_server.gates.probe_settings import session_values

View = dict[str, Any]

MAX_TEXT = 300
MAX_OBSERVED = 1_800
"""Bytes that an answer spends on what the server looked at, if its caller says nothing else."""

BESIDE_CONTENT = 880
"""Bytes of JSON that an answer has beside its content; the text half of it is somewhat longer."""

_PREVIOUS = Halves(480, 620)
"""What a phase tells of the artifacts of those before it."""

MAX_REPEATED = 400
MAX_SOURCES = 2

_NOT_SHOWN = frozenset({"title", "default", "examples", "$comment", "verify"})


def call(action: Action, **arguments: Any) -> str:
    """Return the exact next call as text."""
    shown = {"action": str(action), **arguments}
    values = (f"{name}={encode(value).decode()}" for name, value in shown.items())
    return f"aos_workflow({', '.join(values)})"


def timestamp(time: datetime | None) -> str | None:
    """Return a time as answers show it: UTC, to the millisecond."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """Return at most `limit` characters of `text`."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def bounded(texts: Iterable[str], budget: int) -> list[str]:
    """Return as many of `texts` as fit into `budget` bytes, and a last one that counts the rest."""
    everything = list(texts)
    shown: list[str] = []
    for text in everything:
        budget -= _json_size(text) + 1
        if budget < 0:
            return [*shown, f"{AND_SOME}{len(everything) - len(shown)} more"]
        shown.append(text)
    return shown


def newest(items: list[View], budget: int) -> list[View]:
    """Return the last of `items` that fit into `budget` bytes, at least one."""
    shown: list[View] = []
    for item in reversed(items):
        budget -= _json_size(item) + 1
        if shown and budget < 0:
            break
        shown.append(item)
    return shown[::-1]


def workflow(metadata: Metadata, phases: int | str, source: str) -> View:
    """Show a definition in a list."""
    shown: View = {
        "workflow_type": metadata.workflow_type,
        "name": clip(metadata.name or metadata.workflow_type),
        "version": metadata.version,
        "category": metadata.category,
        "description": clip(metadata.description),
        "phases": phases,
        "estimated_duration": clip(metadata.estimated_duration),
        "source": source,
    }
    return shown | ({"tags": list(metadata.tags)} if metadata.tags else {})


def phase_content(phase: Phase, state: SessionState, taken: Halves = NOTHING) -> View:
    """Show a phase: its text, its tasks, and what its gate asks for.

    What earlier phases submitted has less room by what something else of the answer has `taken`.
    """
    previous = {number: items for number, items in state.evidence.items()
                if number < phase.phase_number and number in state.completed_phases}  # fmt: skip
    return {
        "phase_number": phase.phase_number,
        "title": phase.title,
        "description": clip(phase.description),
        "content": phase.content,
        "tasks": [
            {"task_number": task.task_number, "title": task.title, "file": task.file}
            for task in phase.tasks
        ],
        "checkpoint": _checkpoint(phase, state),
        "artifacts_from_previous_phases": artifacts(previous, _PREVIOUS - taken, depth=2)[0],
    }


def _checkpoint(phase: Phase, state: SessionState) -> View:
    gate = phase.gate
    names = session_values(state.target_file, state.session_id)
    shown: View = {
        "strict": gate.checkpoint.strict,
        "required_evidence": list(gate.required_fields),
        "evidence": {
            name: _field(gate, field, names) for name, field in gate.evidence_schema.items()
        },
    }
    rules = [rule.error_message or rule.rule for rule in gate.cross_field_validation]
    return shown | ({"rules": rules} if rules else {})


def _field(gate: Gate, field: EvidenceField, names: Mapping[str, str]) -> View:
    shown: View = {"type": field.type or "any", "required": field.required}
    if field.description:
        shown["description"] = clip(filled(field.description, names))
    if field.must_be_true:
        shown["const"] = True
    if field.probes:
        shown["verified_by"] = _verified_by(field, names)
    if field.assurance:
        shown["assurance"] = str(field.assurance)
    # Whatever a gate compares is shown: who cannot see it can only guess.
    keywords = {k: v for k, v in field.json_schema.items() if k not in _NOT_SHOWN and k != "type"}
    shown |= keywords
    if field.validator:
        shown["validator"] = f"{field.validator}: {gate.validators[field.validator]}"
    return shown | ({"validator_params": field.validator_params} if field.validator_params else {})


def _verified_by(field: EvidenceField, names: Mapping[str, str]) -> str:
    return filled(", or ".join(clip(probe.described, 160) for probe in field.probes), names)


def task_content(task: Task) -> View:
    """Show a task."""
    return {
        "title": task.title,
        "content": task.content,
        "execution_steps": list(task.execution_steps),
        "estimated_duration": task.estimated_duration,
    }


def accepted(items: Mapping[str, EvidenceItem], budget: int = MAX_OBSERVED) -> View:
    """Show how each accepted field is known, and what the server looked at to know it.

    Where `budget` bytes do not hold all that it looked at, they hold the values that it found.
    """
    shown: View = {name: {"known": str(item.known)} for name, item in items.items()}
    for name, item in items.items():
        if item.observation is None:
            continue
        value = item.value if item.inline else None
        for view in (_observation(value, item.observation), _value(value)):
            if view and (size := _json_size({"observed": view})) <= budget:
                shown[name]["observed"] = view
                budget -= size
                break
    return shown


def room_in(answer: View) -> int:
    """Return how many bytes an answer may still have beside its content."""
    return BESIDE_CONTENT - _json_size(answer)


def observed(looks: Mapping[str, Observation], budget: int = MAX_OBSERVED) -> View:
    """Show what the server found, field by field, as far as it is short."""
    shown: View = {}
    for name, look in looks.items():
        files = [
            {"path": source.path, "size": source.size, "sha256": source.sha256[:DIGEST_SHOWN]}
            for source in look.sources[:MAX_SOURCES]
        ]
        view = {
            "known": str(look.known),
            **_value(look.value),
            **({"files": files} if files else {}),
        }
        budget -= _json_size({name: view})
        if budget < 0:
            return shown | {"more_fields": len(looks) - len(shown)}
        shown[name] = view
    return shown


def _observation(value: Any, record: ObservationRecord) -> View:
    view = {"by": clip(record.probe, 120), "at": timestamp(record.time), **_value(value)}
    files = [
        {
            "path": source.path,
            "size": source.size,
            "sha256": source.sha256[:DIGEST_SHOWN],
            "modified": timestamp(source.modified),
        }
        for source in record.sources[:MAX_SOURCES]
    ]
    return view | ({"files": files} if files else {})


def _value(value: Any) -> View:
    return {"value": value} if value is not None and _json_size(value) <= MAX_VALUE else {}


def overridden(state: SessionState) -> View:
    """Show that a person waved a phase through."""
    override = state.overrides[-1]
    shown: View = {
        "phase_completed": override.phase,
        "checkpoint_passed": False,
        "overridden": {"by": override.by, "via": override.via, "reason": clip(override.reason)},
    }
    if state.status is Status.COMPLETED:
        shown["workflow_complete"] = True
    else:
        shown["current_phase"] = state.current_phase
    return shown | {"next": next_step(state)}


def repeated(evidence: Mapping[str, Any]) -> Any:
    """Return evidence as a next call repeats it: whole if it is short."""
    return evidence if _json_size(evidence) <= MAX_REPEATED else {"...": "the same evidence"}


def session_summary(state: SessionSummary) -> View:
    """Show a session in a list."""
    return {
        "session_id": state.session_id,
        "workflow_type": state.workflow_type,
        "target_file": state.target_file,
        "current_phase": state.current_phase,
        "total_phases": state.total_phases,
        "status": str(state.status),
        "created_at": timestamp(state.created_at),
        "last_updated": timestamp(state.last_updated),
    }


def session_anywhere(state: SessionSummary) -> View:
    """Show a session in a list of several projects."""
    return {**session_summary(state), "project": clip(state.project or "", 80)}


def session_details(state: SessionState) -> View:
    """Show a session with its history, options and note."""
    return {
        **session_summary(state.summary),
        "completed_phases": list(state.completed_phases),
        "definition": definition(state),
        "phase_history": newest(_history(state.history), 2_500),
        "options": _options(state.options),
        "checkpoint_note": state.checkpoint_note,
        "error_count": state.error_count,
    }


def definition(state: SessionState) -> View:
    """Show which pinned definition a session follows."""
    return {
        "version": state.definition.version,
        "digest": state.definition.digest[:DIGEST_SHOWN],
    }


def _history(attempts: Iterable[PhaseAttempt]) -> list[View]:
    return [
        {
            "phase": attempt.phase,
            "attempt": attempt.attempt,
            "status": attempt.status,
            "started_at": timestamp(attempt.started_at),
            "completed_at": timestamp(attempt.completed_at),
            "duration_seconds": attempt.duration_seconds,
        }
        for attempt in attempts
    ]


def _options(options: Mapping[str, Any], budget: int = 1_200) -> View:
    shown: View = {}
    for name, value in options.items():
        view = value if _json_size(value) <= MAX_VALUE else f"({_json_size(value)} bytes)"
        budget -= _json_size({name: view})
        if budget < 0:
            return shown | {"...": f"{len(options) - len(shown)} more"}
        shown[name] = view
    return shown


def error(entry: ErrorEntry) -> View:
    """Show a recorded refusal."""
    return {
        "phase": entry.phase,
        "timestamp": timestamp(entry.timestamp),
        "error_type": entry.error_type,
        "message": entry.message,
        "details": entry.details,
        "remediation": entry.remediation,
    }


def errors(entries: Sequence[ErrorEntry]) -> list[View]:
    """Show recorded refusals, oldest first; a remedy that many have is told with the last."""
    told: dict[str, str | None] = {}
    shown: list[View] = []
    for entry in reversed(entries):
        view = error(entry)
        if (last := told.setdefault(entry.remediation, view["timestamp"])) != view["timestamp"]:
            view["remediation"] = f"as for that of {last}"
        shown.append(view)
    return shown[::-1]


def unlike(entries: Iterable[ErrorEntry]) -> list[View]:
    """Show what refusals said, oldest first; what several said alike is told once, as the last."""
    shown: list[View] = []
    alike: list[tuple[str, View]] = []
    for entry in reversed(list(entries)):
        said = (entry.message, entry.in_short.details)
        if said in alike:
            view = shown[alike.index(said)]
            view["times"] = view.get("times", 1) + 1
            continue
        alike.append(said)
        shown.append({"timestamp": timestamp(entry.timestamp), "message": entry.message,
                      "details": entry.details})  # fmt: skip
    return shown[::-1]


def next_step(state: SessionState, phase: Phase | None = None) -> str:
    """Return the call that takes the session on; `phase` is the current one, where it is known."""
    session = {"session_id": state.session_id}
    here = {**session, "phase": state.current_phase}
    match state.status:
        case Status.PAUSED:
            return call(Action.RESUME, **session)
        case Status.FAILED:
            return call(Action.RETRY_PHASE, **here)
        case Status.COMPLETED:
            return call(Action.LIST_WORKFLOWS)
        case Status.ACTIVE if phase is not None and phase.tasks:
            return call(Action.GET_TASK, **here, task_number=phase.tasks[0].task_number)
        case Status.ACTIVE if phase is not None:
            return call(Action.COMPLETE_PHASE, **here, evidence={"...": "..."})
        case _:
            return call(Action.GET_PHASE, **session)


def _json_size(value: Any) -> int:
    return len(encode(value))
