"""A session as one Markdown page for people: where it stands, and how each thing is known. Pure.

What agents and authors wrote goes through `escaping`. The page is bounded, however much was
submitted: every part has a budget, and says how much it leaves out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from mcp_server.core import views
from mcp_server.core.artifacts import DIGEST_SHOWN, MAX_VALUE
from mcp_server.core.definitions import Definition
from mcp_server.core.models import ErrorEntry, EvidenceItem, PhaseAttempt, SessionState
from mcp_server.core.transitions import Status
from mcp_server.pages.escaping import code, markdown
from mcp_server.pages.tables import bounded_list, bounded_table, lasting, when
from mcp_server.pages.words import heading, plural

PHASES_BUDGET = 8_000
EVIDENCE_BUDGET = 16_000
REFUSALS_BUDGET = 6_000
WORDS_BUDGET = 4_000

_MAX_TITLE = 120
_MAX_VALUE = 160
_MAX_NOTE = 1_000
_MAX_REFUSAL = 600
_MAX_PROBLEMS = 10


def session_page(
    state: SessionState, definition: Definition, standing: Mapping[str, Any] | None = None
) -> str:
    """Return the page of a session; `standing` is what is known of a running verification."""
    parts = [
        f"# {markdown(definition.name, _MAX_TITLE)}: {markdown(state.target_file, _MAX_TITLE)}",
        _standing(state, standing or {}),
        _facts(state),
        *_next_step(state, definition),
        "## Phases",
        *_phases(state, definition),
        *_evidence(state),
        *_words(state),
        *_refusals(state),
    ]
    return "\n\n".join(parts) + "\n"


def _standing(state: SessionState, standing: Mapping[str, Any]) -> str:
    place = (
        f"phase {state.current_phase}, {len(state.completed_phases)} of {state.total_phases} done"
    )
    match state.status:
        case Status.COMPLETED:
            said = "**Completed.** Every gate let it through, or a person did."
        case Status.PAUSED:
            since = f" since {when(state.paused_at)}" if state.paused_at else ""
            said = f"**Paused**{since}: {place}."
        case Status.FAILED:
            said = f"**Refused by the gate**: {place}."
        case Status.ACTIVE:
            said = f"**At work**: {place}, attempt {state.attempt}."
    if standing.get("verification") == "running":
        said += " A verification is running."
    return said


def _facts(state: SessionState) -> str:
    pinned = state.definition
    version = f"{markdown(pinned.version)} ({pinned.digest[:DIGEST_SHOWN]})"
    facts = [
        ("Session", code(state.session_id)),
        ("Workflow", f"{code(state.workflow_type)}, version {version}"),
        ("Target", code(state.target_file)),
        ("Started", when(state.created_at)),
        ("Last change", when(state.last_updated)),
    ]
    if state.owner:
        facts.append(("Started by", markdown(state.owner, _MAX_TITLE)))
    if state.checkpoint_note:
        facts.append(("Note", markdown(state.checkpoint_note, _MAX_NOTE)))
    return "\n".join(f"- **{name}:** {value}" for name, value in facts)


def _next_step(state: SessionState, definition: Definition) -> Iterator[str]:
    yield "## Next step"
    if state.status is Status.COMPLETED:
        yield "Nothing is left to do."
        return
    yield f"```text\n{views.next_step(state, definition.phase(state.current_phase))}\n```"


def _phases(state: SessionState, definition: Definition) -> list[str]:
    lines = []
    for phase in definition.phases:
        number = phase.phase_number
        done = number in state.completed_phases
        here = number == state.current_phase and not done
        title = markdown(heading(phase), _MAX_TITLE)
        notes = list(_phase_notes(state, number, is_here=here))
        shown = f"**{title}**" if here else title
        lines.append(f"- [{'x' if done else ' '}] {shown}"
                     + (f" ({'; '.join(notes)})" if notes else ""))  # fmt: skip
    return bounded_list(lines, PHASES_BUDGET)


def _phase_notes(state: SessionState, number: int, *, is_here: bool) -> Iterator[str]:
    attempts = [attempt for attempt in state.history if attempt.phase == number]
    if is_here:
        yield {Status.FAILED: "the gate refused", Status.PAUSED: "paused"}.get(state.status, "now")
    if attempts:
        yield from _attempt_notes(attempts[-1])
    if is_here and (kept := state.evidence.get(number)):
        yield f"{plural(len(kept), 'field')} kept from earlier attempts"


def _attempt_notes(last: PhaseAttempt) -> Iterator[str]:
    if last.status == "overridden":
        yield "waved through by a person"
    if last.attempt > 1:
        yield f"attempt {last.attempt}"
    if last.duration_seconds is not None:
        yield lasting(last.duration_seconds)


def _evidence(state: SessionState) -> Iterator[str]:
    rows = [
        (str(number), code(name, in_cell=True), *_known(item))
        for number, items in sorted(state.evidence.items())
        for name, item in items.items()
    ]
    if rows:
        yield "## Evidence"
        headings = ("phase", "field", "value", "how it is known", "where the server looked")
        yield from bounded_table(headings, rows, EVIDENCE_BUDGET)


def _known(item: EvidenceItem) -> tuple[str, str, str]:
    value = f"({item.size} bytes, {item.sha256[:DIGEST_SHOWN]})"
    if item.inline and item.size <= MAX_VALUE:
        value = code(to_json(item.value, fallback=str).decode(), _MAX_VALUE, in_cell=True)
    return value, f"**{item.known}**", _looked(item)


def _looked(item: EvidenceItem) -> str:
    seen = item.observation
    if seen is None:
        return "nowhere: the agent says so" if item.known == "claimed" else ""
    files = [
        f"{code(source.path, _MAX_VALUE, in_cell=True)} {source.sha256[:DIGEST_SHOWN]}"
        for source in seen.sources[: views.MAX_SOURCES]
    ]
    more = len(seen.sources) - len(files) + seen.more_sources
    files += [f"{more} more"] if more else []
    looked = f"{markdown(seen.probe, _MAX_VALUE)}, {when(seen.time)}"
    return f"{looked}: {', '.join(files)}" if files else looked


def _words(state: SessionState) -> Iterator[str]:
    """Yield what persons said."""
    said = [
        f"- {when(word.time)}, phase {word.phase}: {markdown(word.by, _MAX_TITLE)} approved"
        f" {code(word.field)} through {markdown(word.via, _MAX_TITLE)}"
        for word in state.approvals
    ]
    said += [
        f"- {when(word.time)}, phase {word.phase}: {markdown(word.by, _MAX_TITLE)} waved it through"
        f" by {markdown(word.via, _MAX_TITLE)}: {markdown(word.reason)}"
        for word in state.overrides
    ]
    if said:
        yield "## What people said"
        yield from bounded_list(said, WORDS_BUDGET)


def _refusals(state: SessionState) -> Iterator[str]:
    if not state.errors:
        return
    yield "## Refusals"
    yield from bounded_list(list(map(_refusal, reversed(state.errors))), REFUSALS_BUDGET)
    earlier = state.error_count - len(state.errors)
    if earlier > 0:
        yield f"{plural(earlier, 'earlier one')} in the history."


def _refusal(entry: ErrorEntry) -> str:
    problems = [*(f"missing: {name}" for name in entry.details.get("missing_evidence", ())),
                *entry.details.get("validation_errors", ())]  # fmt: skip
    place = f"{when(entry.timestamp)}, phase {entry.phase}, {markdown(entry.error_type)}"
    lines = [
        f"- {place}: {markdown(entry.message, _MAX_REFUSAL)}",
        *(f"  - {markdown(str(problem), _MAX_VALUE)}" for problem in problems[:_MAX_PROBLEMS]),
        *([f"  - ... and {more} more"] if (more := len(problems) - _MAX_PROBLEMS) > 0 else []),
        f"  - To do: {markdown(entry.remediation, _MAX_REFUSAL)}",
    ]
    return "\n".join(lines)
