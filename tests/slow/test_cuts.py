"""A journal that ends anywhere in its last two lines is the session as the whole lines say it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.lifecycle import roll_back
from mcp_server.core.models import Record
from mcp_server.core.state_manager import StateManager
from mcp_server.core.verification import verify
from tests.builders import NOON
from tests.core.session_builders import ID, complete, follow, noted, passed, stored
from tests.slow.kills import leftovers

LOGS = [{"log": letter * 2_000} for letter in "abc"]


def with_evidence(store: FileStore) -> list[Record]:
    """A session whose last three lines name large evidence each."""
    records = [stored(store, phases=(1, 2, 3, 4))]
    for evidence in LOGS:
        records.append(follow(store, passed(records[-1].state, evidence), records[-1]))
    return records


def finished_and_opened_again(store: FileStore) -> list[Record]:
    """A session whose last two lines end it and open it again."""
    first = stored(store)
    second = follow(store, passed(first.state, LOGS[0]), first)
    third = complete(store, second, LOGS[1])
    return [first, second, third, follow(store, roll_back(third.state, 1, NOON), third)]


def cuts(journal: Path, records: list[Record]) -> Iterator[Record]:
    """Cut `journal` at every byte of its last two lines; give what is left to be read."""
    whole = journal.read_bytes()
    *earlier, before_last, last = whole.splitlines(keepends=True)
    start = sum(map(len, earlier))
    assert len(earlier) == len(records) - 2
    for end in range(len(whole) - 1, start - 1, -1):
        journal.write_bytes(whole[:end])
        yield records[-2] if end >= start + len(before_last) else records[-3]
    assert len(before_last) > 500
    assert len(last) > 500


@pytest.mark.parametrize("make", [with_evidence, finished_and_opened_again])
def test_every_cut_of_the_last_two_lines_is_the_state_before(
    folder: Path, make: Callable[[FileStore], list[Record]]
) -> None:
    records = make(FileStore(folder))
    reader = FileStore(folder)
    for expected in cuts(folder / f"{ID}.jsonl", records):
        assert reader.read(ID) == expected
        assert FileStore(folder).read(ID) == expected
        assert list(reader.summaries()) == [expected.state.summary]
        audit = verify(ID, reader.lines(ID), lambda key: reader.blob(ID, key), expected.hash)
        assert audit.holds, audit
        assert audit.lines == expected.seq


@pytest.mark.parametrize("make", [with_evidence, finished_and_opened_again])
def test_the_next_writer_cuts_off_every_torn_line_and_what_it_named(
    folder: Path, make: Callable[[FileStore], list[Record]]
) -> None:
    live, finished = folder / f"{ID}.jsonl", folder / "finished" / f"{ID}.jsonl"
    records = make(FileStore(folder))
    evidence = {path: path.read_bytes() for path in folder.rglob(f"{ID}.evidence/*")}
    for expected in cuts(live, records):
        for path, content in evidence.items():
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                path.write_bytes(content)
        store = FileStore(folder)
        with store.exclusive():
            pass
        with StateManager(store, max_active=1).edit(ID) as draft:
            assert draft.stored == expected
            draft.record(noted(draft.state, "after the cut"))
        journal = finished if finished.exists() else live
        *before, new = journal.read_bytes().splitlines(keepends=True)
        assert store.read(ID).previous == expected.hash
        assert (len(before), new[-1:]) == (expected.seq, b"\n")
        assert leftovers(folder) == []
        shutil.rmtree(finished.with_suffix(".evidence"), ignore_errors=True)
        finished.unlink(missing_ok=True)
