"""Kills writers at random instants, and checks what they leave against what they acknowledged."""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_server.core.encoding import digest, encode
from mcp_server.core.file_store import FileStore
from mcp_server.core.journal import decode_line
from mcp_server.core.models import Damage, Record
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Action, Outcome, Status
from mcp_server.core.verification import verify
from tests.slow.processes import FORKS, PATIENCE
from tests.slow.writers import Ack, Step, log, noted

LONGEST_LIFE = 0.1
"""Seconds that a writer lives at most after its first step; it takes dozens more in that time."""


@dataclass
class Ledger:
    """What the writers of one state folder acknowledged, and what came of their deaths."""

    folder: Path
    root: Path
    known: dict[str, Ack] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def adopt(self, record: Record) -> None:
        """Take a session on that another wrote."""
        session_id = record.state.session_id
        self.known[session_id] = Ack(session_id, record.seq, record.hash)

    def kill_one(self, writer: Callable[..., None], chance: random.Random) -> None:
        """Let `writer` work, kill it, and check all there is before and after the next one."""
        step = self._run(writer, chance)
        self.counts["kills"] += 1
        if step is None:
            self.counts["between two steps"] += 1
        self.check(step)

    def check(self, step: Step | None) -> None:
        """Check all there is after the death of a writer in `step`, and after the next writer."""
        remains = leftovers(self.folder)
        self.counts["with something left to sweep"] += bool(remains)
        self._check_against(step)
        self._let_the_next_writer_in(step)
        assert leftovers(self.folder) == []

    def _run(self, writer: Callable[..., None], chance: random.Random) -> Step | None:
        ear, mouth = FORKS.Pipe(duplex=False)
        seed = f"{chance.randrange(2**32):08x}"
        process = FORKS.Process(
            target=writer, args=(self.folder, self.root, seed, mouth), daemon=True
        )
        process.start()
        mouth.close()
        try:
            assert ear.poll(PATIENCE), "the writer did not begin"
            # What it says is read after its death: the instant must not depend on it.
            process.join(chance.uniform(0, LONGEST_LIFE))
        finally:
            process.kill()
            process.join(PATIENCE)
        # Only its death may end a writer: what it raises itself is a failure of its own.
        assert process.exitcode == -9
        step = None
        while (message := _rest(ear)) is not None:
            step = self._heard(message, step)
        return step

    def _heard(self, message: Step | Ack, step: Step | None) -> Step | None:
        if isinstance(message, Step):
            return message
        self.counts["acknowledged"] += 1
        if message.hash:
            self.known[message.session_id] = message
        else:
            del self.known[message.session_id]
        assert step is not None
        return None

    def _check_against(self, step: Step | None) -> None:
        store = FileStore(self.folder)
        found = {summary.session_id: summary for summary in store.summaries()}
        assert not [damage for damage in found.values() if isinstance(damage, Damage)]
        live = {summary.session_id for summary in store.summaries(live_only=True)}
        finished = {key for key in found if found[key].status is Status.COMPLETED}
        assert found.keys() - finished <= live, "a live session is not among the live"
        for session_id in found:
            blob = lambda key, session_id=session_id: store.blob(session_id, key)  # noqa: E731
            audit = verify(session_id, store.lines(session_id), blob)
            assert audit.holds, audit
        new, gone = found.keys() - self.known, self.known.keys() - found.keys()
        for session_id in new:
            assert step is not None
            assert step.action is Action.START
            assert found[session_id].target_file == f"{step.token}py"
        for session_id in gone:
            assert step is not None
            assert (step.action, step.session_id) == (Action.DELETE_SESSION, session_id)
            self._require_logged(step)
        assert len(new) + len(gone) <= 1
        happened = bool(new or gone)
        for session_id in found:
            happened |= self._moved_on(store.read(session_id), step)
        for session_id in gone:
            del self.known[session_id]
        if step is not None:
            self.counts["after the step" if happened else "before the step"] += 1

    def _moved_on(self, record: Record, step: Step | None) -> bool:
        """Tell whether the session is past its acknowledged state; it must be in one of the two."""
        session_id = record.state.session_id
        before = self.known.get(session_id, Ack(session_id))
        if record.hash == before.hash:
            return False
        assert step is not None
        assert step.session_id in {session_id, ""}
        assert record.seq == before.seq + 1
        assert before.hash in {record.previous, ""}
        state = record.state
        assert (record.action, record.outcome) == (step.action, step.outcome)
        assert (state.status, state.current_phase) == (step.status, step.phase)
        if step.action is Action.PAUSE:
            assert state.checkpoint_note == step.token
        elif step.action is Action.COMPLETE_PHASE and step.outcome is not Outcome.SKIPPED:
            content = encode(log(step.token))
            assert state.evidence[record.phase]["log"].sha256 == digest(content)
        self.adopt(record)
        return True

    def _require_logged(self, step: Step) -> None:
        logged = (self.folder / "deletions.log").read_bytes().splitlines()
        last = json.loads(logged[-1])
        assert last["last_hash"] == self.known[step.session_id].hash
        assert last["reason"] == step.token

    def _let_the_next_writer_in(self, step: Step | None) -> None:
        """Take what the next start takes, and write to the session that was being written."""
        store = FileStore(self.folder)
        with store.exclusive():
            pass
        if step is not None and step.session_id in self.known:
            with StateManager(store, max_active=100).edit(step.session_id) as draft:
                draft.record(noted(draft.state, "after the kill"))
            record = store.read(step.session_id)
            assert record.previous == self.known[step.session_id].hash
            self.adopt(record)


def _rest(ear: Any) -> Any:
    """Return what was still on the way, None at the end or where death tore a message."""
    try:
        return ear.recv()
    except (EOFError, OSError):
        return None


def leftovers(folder: Path) -> list[str]:
    """Return what crashes left over in a state folder that nobody is writing to."""
    finished = folder / "finished"
    found = [path.name for path in folder.rglob("*.new")]
    named: dict[str, set[str]] = {}
    for path in (*folder.glob("*.jsonl"), *finished.glob("*.jsonl")):
        *lines, torn = path.read_bytes().split(b"\n")
        records = [decode_line(line) for line in lines]
        is_finished = records[-1].state.status is Status.COMPLETED
        if torn or is_finished != (path.parent == finished):
            found.append(path.name)
        named[path.stem] = {
            item.sha256
            for record in records
            for items in record.state.evidence.values()
            for item in items.values()
        }
    for evidence in (*folder.glob("*.evidence"), *finished.glob("*.evidence")):
        wanted = named.get(evidence.stem)
        if wanted is None:
            found.append(evidence.name)
        else:
            found += [path.name for path in evidence.iterdir() if path.name not in wanted]
    locks = {path.stem for path in folder.glob("*.lock")} - {"sessions"}
    return found + [f"{name}.lock" for name in locks - named.keys()]
