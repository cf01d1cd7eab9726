"""`aos-workflow migrate-state`: carries sessions over, or shows what would be, and tells of it."""

from collections import Counter

from rich.console import Console
from rich.progress import Progress

from mcp_server.core.visible import visible
from mcp_server.moving.copying import LEFT, Move, MovedSession, MoveOutcome
from mcp_server.moving.sides import Wish, open_sides
from mcp_server.viewing.printing import line, print_json
from mcp_server.viewing.shapes import Migration

_SHOWN = 20

_STAYS = (
    "The source is as it was. Once the servers use the new place, run this again: it carries over"
    " what was stored meanwhile. Then the old one may go: with `aos-workflow prune`, or by hand."
)


def migrate_state(wish: Wish, console: Console, *, apply: bool, as_json: bool = False) -> int:
    """Carry sessions from one place to another, or only show it; return the exit code."""
    move = Move(open_sides(wish), apply=apply)
    found = move.found()
    silent = as_json or not console.is_terminal
    with Progress(console=console, disable=silent) as progress:
        moved = [move.session(each) for each in progress.track(found, description="Copying")]
    if as_json:
        print_json(console, _as_data(moved, apply=apply))
    else:
        _tell(moved, console, apply=apply)
    return 1 if any(session.outcome in LEFT for session in moved) else 0


def _as_data(moved: list[MovedSession], *, apply: bool) -> Migration:
    return {
        "applied": apply,
        "sessions": [
            {"session_id": session.session_id, "outcome": str(session.outcome),
             "reason": session.reason, "note": session.note}
            for session in moved
        ],
        "count": _carried(moved),
        "already": sum(session.outcome is MoveOutcome.ALREADY for session in moved),
        "left": sum(session.outcome in LEFT for session in moved),
    }  # fmt: skip


def _tell(moved: list[MovedSession], console: Console, *, apply: bool) -> None:
    told = [session for session in moved if session.outcome in LEFT]
    rest = [session for session in moved if session.outcome not in LEFT]
    for session in told:
        text = f"{session.session_id}: {session.outcome}: {session.reason}"
        console.print(line((visible(text), "red")))
    for session in rest[:_SHOWN] if not apply else ():
        console.print(line(f"{session.session_id}: {session.outcome}"))
    if not apply and len(rest) > _SHOWN:
        console.print(f"... and {len(rest) - _SHOWN} more")
    for note, number in Counter(session.note for session in rest if session.note).items():
        console.print(f"Of {number}: {note}.")
    count, left = _carried(moved), len(told)
    already = len(rest) - count
    if apply:
        console.print(
            f"{count} copied and checked, {already} already there and checked, {left} left."
        )
        console.print(_STAYS)
    else:
        console.print(
            f"{count} sessions would be copied, {already} are already there, {left} would be left;"
            " add --apply to copy them."
        )


def _carried(moved: list[MovedSession]) -> int:
    return sum(session.outcome not in LEFT | {MoveOutcome.ALREADY} for session in moved)
