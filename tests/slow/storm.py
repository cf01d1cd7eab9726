"""What the servers of a storm do, and how they are killed and replaced."""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from mcp_server.core.verification import verify
from mcp_server.errors import WorkflowError
from tests.postgres_server import Database
from tests.slow.processes import FORKS, PATIENCE
from tests.slow.writers import Server, noted, server, steps_of

Token = tuple[str, str]
"""A session, and what an acknowledged change left in its note."""


def rage(place: Database, root: Path, seed: str, send: Any) -> None:
    """Change whatever session there is, in any way, until killed; say what was stored."""
    served, chance = server(place, root), random.Random(seed)  # noqa: S311
    ids = sorted(found.session_id for found in served.store.summaries())
    send.send(None)
    for number in count():
        session_id, token = chance.choice(ids), f"{seed}.{number}."
        # Others are at it as well: what is refused is as good as what is done.
        with suppress(WorkflowError):
            if chance.random() < 0.5:
                with served.sessions.edit(session_id) as draft:
                    draft.record(noted(draft.state, token))
                send.send((session_id, token))
            else:
                _act(served, session_id, token, chance)


def _act(served: Server, session_id: str, token: str, chance: random.Random) -> None:
    state = served.sessions.load(session_id)
    steps = list(steps_of(served, state, token, chance))
    if steps:
        chance.choice(steps)[1]()


class Storm:
    """Servers on the same sessions, of which one after the other is killed and replaced."""

    def __init__(self, place: Database, root: Path, chance: random.Random) -> None:
        """Begin without any."""
        self._place = place
        self._root = root
        self._chance = chance
        self._servers: list[tuple[Any, Any]] = []
        self.stored: list[Token] = []

    @contextmanager
    def of(self, servers: int) -> Iterator["Storm"]:
        """Let so many servers rage meanwhile; kill them all in the end."""
        try:
            for _ in range(servers):
                self._begin()
            yield self
        finally:
            while self._servers:
                self._end(0)

    def kill_one(self) -> None:
        """Kill a server at whatever it is doing, and start another."""
        self._end(self._chance.randrange(len(self._servers)))
        self._begin()

    def require_going_on(self) -> None:
        """Wait until each server has stored something more."""
        for _, ear in self._servers:
            self._hear(ear)
        for _, ear in self._servers:
            assert ear.poll(PATIENCE), "a server did not go on"

    def _begin(self) -> None:
        ear, mouth = FORKS.Pipe(duplex=False)
        seed = f"{self._chance.randrange(2**32):08x}"
        given = (self._place, self._root, seed, mouth)
        process = FORKS.Process(target=rage, args=given, daemon=True)
        process.start()
        mouth.close()
        assert ear.poll(PATIENCE), "a server did not begin"
        ear.recv()
        self._servers.append((process, ear))

    def _end(self, index: int) -> None:
        process, ear = self._servers.pop(index)
        self._hear(ear)
        process.kill()
        process.join(PATIENCE)
        # Only its death may end a server: what it raises itself is a failure of its own.
        assert process.exitcode == -9
        self._hear(ear)

    def _hear(self, ear: Any) -> None:
        with suppress(EOFError, OSError):
            while ear.poll():
                self.stored.append(ear.recv())


def require_sound(served: Server, stored: list[Token]) -> int:
    """Check that each session is a chain and holds what was acknowledged, once; count lines."""
    acknowledged: dict[str, list[str]] = defaultdict(list)
    for session_id, token in stored:
        acknowledged[session_id].append(token)
    total = 0
    for session_id in [found.session_id for found in served.store.summaries()]:
        lines = served.store.lines(session_id)
        audit = verify(
            session_id, lines, lambda key, session_id=session_id: served.store.blob(session_id, key)
        )
        assert audit.holds, audit
        assert served.store.read(session_id).seq == len(lines)
        notes = [f'"checkpoint_note":"{token}"'.encode() for token in acknowledged[session_id]]
        told = [line for line in lines if b'"action":"pause"' in line]
        for note in notes:
            assert sum(note in line for line in told) == 1, note
        total += len(lines)
    return total
