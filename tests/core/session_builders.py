"""Sessions and definitions to be broken in one place, and what disk and processes do to them."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mcp_server.core import durable, lifecycle
from mcp_server.core.file_store import FileStore
from mcp_server.core.models import NO_HASH, Change, DefinitionRef, ErrorEntry, Record, SessionState
from mcp_server.core.state_manager import StateManager
from mcp_server.core.store import SessionStore
from mcp_server.core.transitions import Action
from mcp_server.errors import DefinitionError, LimitError
from tests.builders import NOON, definition, library
from tests.core.test_durable import System

ID = "small_v1_a_py_20260314_120000_0000aa"
OTHER_ID = "small_v1_b_py_20260314_120000_0000bb"
LARGE = {"log": "x" * 2_000}
"""Evidence that is too large to be carried along."""

PHASE = "shelf/small_v1/phases/1"
"""The first phase of a definition on a shelf, as a refusal names it."""

ERROR = ErrorEntry(
    phase=1,
    timestamp=NOON,
    error_type="ValidationError",
    message="the gate said no",
    remediation="Do better.",
)


def birth(session_id: str = ID, *, phases: tuple[int, ...] = (1, 2), **changes: Any) -> Change:
    """The first change of a session."""
    made = {
        "workflow_type": "small_v1",
        "target_file": "src/a.py",
        "definition": DefinitionRef(version="1.0.0", digest="d" * 64),
        "options": {},
        "now": NOON,
    }
    return lifecycle.begin(session_id=session_id, phases=phases, **{**made, **changes})


def state(**changes: Any) -> SessionState:
    """The state of a session that was just born, with fields replaced."""
    return birth().state.model_copy(update=changes)


def noted(before: SessionState, note: str) -> Change:
    """A change that only sets the note, and so is legal in every status."""
    after = before.model_copy(update={"checkpoint_note": note})
    done = birth()
    return Change(action=Action.PAUSE, outcome=done.outcome, phase=after.current_phase, state=after)


def passed(before: SessionState, evidence: Mapping[str, Any] | None = None) -> Change:
    """The change that lets the current phase pass."""
    return lifecycle.pass_phase(before, lifecycle.prepare(evidence or {"tests": 3}), NOON)


def stored(store: SessionStore, session_id: str = ID, **changes: Any) -> Record:
    """A session just born into `store`."""
    with store.exclusive():
        return store.create([birth(session_id, **changes)])


def follow(store: SessionStore, change: Change, last: Record) -> Record:
    """Append `change` under the session's lock."""
    with store.locked(change.state.session_id):
        return store.append(change, last)


def complete(
    store: SessionStore, last: Record, evidence: Mapping[str, Any] | None = None
) -> Record:
    """Let all phases that are left pass."""
    while last.state.current_phase not in last.state.completed_phases:
        last = follow(store, passed(last.state, evidence), last)
    return last


def digest_of(last: Record, name: str = "log", phase: int = 1) -> str:
    """The digest of a piece of evidence."""
    return last.state.evidence[phase][name].sha256


def add_notes(folder: Path, session_id: str, count: int, barrier: Any) -> None:
    """In a process of its own: edit one session `count` times, adding a line to its note."""
    sessions = StateManager(FileStore(folder, lock_timeout=30), max_active=100)
    barrier.wait()
    for number in range(count):
        with sessions.edit(session_id) as draft:
            note = f"{draft.state.checkpoint_note or ''}{os.getpid()}:{number}\n"
            draft.record(noted(draft.state, note))


def start_one(folder: Path, limit: int, suffix: str, barrier: Any, results: Any) -> None:
    """In a process of its own: start a session where only one more may be."""
    sessions = StateManager(
        FileStore(folder, lock_timeout=30), max_active=limit, new_suffix=lambda: suffix
    )
    barrier.wait()
    try:
        results.put(sessions.create(definition(), "src/a.py", {}).session_id)
    except LimitError as error:
        results.put(error.error_type)


def hold(folder: Path, session_id: str, held: Any, enough: Any) -> None:
    """In a process of its own: hold a session's lock until told otherwise."""
    with FileStore(folder).locked(session_id):
        held.put(os.getpid())
        enough.wait(60)


def now() -> datetime:
    """The time as the system says it."""
    return datetime.now(UTC)


def chain_is_unbroken(lines: list[dict[str, Any]]) -> bool:
    """Tell whether each line follows the one before it."""
    numbers = [line["seq"] for line in lines]
    hashes = [NO_HASH, *(line["hash"] for line in lines)]
    return (
        numbers == list(range(1, len(lines) + 1))
        and [line["previous"] for line in lines] == hashes[:-1]
    )


def lines_of(path: Path) -> list[Any]:
    """The lines of a journal or a log."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@contextmanager
def disk(monkeypatch: pytest.MonkeyPatch, **broken: Any) -> Iterator[None]:
    """Replace calls to the operating system while files are read and written."""
    with monkeypatch.context() as patch:
        patch.setattr(durable, "os", System(**broken))
        yield


def refusing(number: int) -> Callable[..., NoReturn]:
    """A call to the operating system that is refused with `number`."""

    def refuse(*_args: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return refuse


def refusal(shelf: Path, name: str = "small_v1") -> str:
    """What loading a definition is refused with."""
    with pytest.raises(DefinitionError) as raised:
        library(shelf).load(name)
    assert str(shelf.parent) not in raised.value.message + raised.value.remediation
    return raised.value.message


def put(folder: Path, relative: str, text: str) -> Path:
    """Write `text` as it is into a file of a definition."""
    path = folder / relative
    path.write_text(text, encoding="utf-8", newline="")
    return path


def link(path: Path, target: Path | str, *, is_folder: bool = False) -> None:
    """Make `path` a link, where links can be made."""
    if sys.platform == "win32":
        pytest.skip("links need a privilege on Windows")
    path.symlink_to(target, target_is_directory=is_folder)
