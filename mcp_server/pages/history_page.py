"""A session's journal as a table for people, newest change first. Pure."""

from collections.abc import Sequence

from mcp_server.core.artifacts import DIGEST_SHOWN
from mcp_server.core.models import Record
from mcp_server.core.transitions import Action, Outcome, PersonAction
from mcp_server.pages.escaping import code, markdown
from mcp_server.pages.tables import bounded_table, when
from mcp_server.pages.words import plural

BUDGET = 24_000

_MAX_NOTE = 200
_HEADINGS = ("change", "when", "action", "phase", "came to", "then", "by", "note", "hash")


def history_page(session_id: str, newest: Sequence[Record | str], total: int) -> str:
    """Return the page of a journal of `total` lines, the last of which are `newest`.

    A line that cannot be read is what is wrong with it.
    """
    rows = [
        _row(record) if isinstance(record, Record) else _unreadable(record)
        for record in reversed(newest)
    ]
    audit = f"`aos-workflow verify {session_id}`"
    parts = [
        f"# History of {code(session_id)}",
        f"{plural(total, 'change')}, newest first; {audit} tells whether the chain holds.",
        *bounded_table(_HEADINGS, rows, BUDGET),
    ]
    earlier = total - len(rows)
    if earlier > 0:
        parts.append(f"{plural(earlier, 'earlier change')} not shown.")
    return "\n\n".join(parts) + "\n"


def _row(record: Record) -> tuple[str, ...]:
    state = record.state
    return (
        str(record.seq),
        when(state.last_updated),
        str(record.action),
        str(record.phase),
        str(record.outcome),
        f"{state.status}, phase {state.current_phase}",
        markdown(record.principal or "", _MAX_NOTE),
        markdown(_note(record), _MAX_NOTE),
        record.hash[:DIGEST_SHOWN],
    )


def _note(record: Record) -> str:
    state = record.state
    if record.outcome in {Outcome.REFUSED, Outcome.SKIPPED} and state.errors:
        return state.errors[-1].message
    match record.action:
        case PersonAction.APPROVE if state.approvals:
            return f"{state.approvals[-1].by} approved {state.approvals[-1].field}"
        case PersonAction.OVERRIDE if state.overrides:
            return f"{state.overrides[-1].by}: {state.overrides[-1].reason}"
        case Action.PAUSE if state.checkpoint_note:
            return state.checkpoint_note
        case _:
            return ""


def _unreadable(problem: str) -> tuple[str, ...]:
    return ("?", "", "", "", "", "", "", markdown(f"cannot be read: {problem}", _MAX_NOTE), "")
