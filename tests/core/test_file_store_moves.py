"""Sessions that move to the finished and back: interrupted, refused, or read on the way."""

import errno
import os

import pytest

from mcp_server.core import durable
from mcp_server.core.encoding import digest
from mcp_server.core.lifecycle import roll_back
from mcp_server.core.selection import Order, Selection
from mcp_server.core.transitions import Status
from mcp_server.errors import ConflictError, DiskRefusedError, NotFoundError
from tests.builders import NOON, tree
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    chain_is_unbroken,
    complete,
    digest_of,
    disk,
    follow,
    lines_of,
    passed,
    refusing,
    stored,
)
from tests.core.test_durable import failing_write


def test_a_completed_session_moves_to_finished_and_is_found_there(store, folder):
    done = complete(store, stored(store), LARGE)
    assert store.read(ID) == done
    assert {path.name for path in folder.iterdir()} == {
        "definitions", "finished", f"{ID}.lock", "sessions.lock",
    }  # fmt: skip
    assert {path.name for path in (folder / "finished").iterdir()} == {
        f"{ID}.jsonl", f"{ID}.evidence",
    }  # fmt: skip
    assert digest(store.blob(ID, digest_of(done))) == digest_of(done)
    assert (list(store.summaries()), list(store.summaries(live_only=True))) == (
        [done.state.summary],
        [],
    )


def test_a_rollback_moves_a_completed_session_back(store, folder):
    done = complete(store, stored(store), LARGE)
    back = follow(store, roll_back(done.state, 1, NOON), done)
    assert list((folder / "finished").iterdir()) == []
    assert (folder / f"{ID}.evidence" / digest_of(back)).is_file()
    assert list(store.summaries(live_only=True)) == [back.state.summary]
    assert chain_is_unbroken(lines_of(folder / f"{ID}.jsonl"))


def test_a_session_stands_among_the_live_whenever_its_line_is_written(
    store, folder, journal, monkeypatch
):
    last = stored(store, phases=(1,))
    written: list[tuple[bool, bool]] = []

    def sync(descriptor):
        os.fsync(descriptor)
        written.append((journal.is_file(), (folder / "finished" / journal.name).is_file()))

    monkeypatch.setattr(durable, "_sync", sync)
    done = follow(store, passed(last.state), last)
    assert not journal.exists()
    follow(store, roll_back(done.state, 1, NOON), done)
    assert written == [(True, False), (True, False)]


def test_what_never_was_is_not_moved(store, folder):
    done = complete(store, stored(store))
    stale = done.model_copy(update={"hash": "f" * 64})
    before = tree(folder)
    with pytest.raises(ConflictError):
        follow(store, roll_back(done.state, 1, NOON), stale)
    assert tree(folder) == before


@pytest.mark.parametrize("half", [".jsonl", ".evidence"])
def test_a_move_that_was_interrupted_loses_nothing(store, folder, half):
    done = complete(store, stored(store), LARGE)
    key, content = digest_of(done), store.blob(ID, digest_of(done))
    (folder / "finished" / f"{ID}{half}").rename(folder / f"{ID}{half}")

    assert (store.read(ID), list(store.summaries()), store.blob(ID, key)) == (
        done,
        [done.state.summary],
        content,
    )
    back = follow(store, roll_back(done.state, 1, NOON), done)
    assert (list(store.summaries(live_only=True)), store.blob(ID, key)) == (
        [back.state.summary],
        content,
    )

    again = complete(store, back, {"log": "y" * 2_000})
    assert (store.read(ID), list(store.summaries(live_only=True))) == (again, [])
    assert {path.name for path in (folder / "finished").iterdir()} == {
        f"{ID}.jsonl", f"{ID}.evidence",
    }  # fmt: skip
    assert not (folder / f"{ID}.evidence").exists()
    for phase in (1, 2):
        assert digest(store.blob(ID, digest_of(again, phase=phase))) == digest_of(
            again, phase=phase
        )
    assert store.blob(ID, key) == content


def test_a_move_back_that_was_interrupted_leaves_a_completed_session(store, folder, monkeypatch):
    done = complete(store, stored(store), LARGE)
    change = roll_back(done.state, 1, NOON)
    with disk(monkeypatch, write=failing_write(10)), pytest.raises(DiskRefusedError):
        follow(store, change, done)
    assert (store.read(ID), list(store.summaries())) == (done, [done.state.summary])
    assert store.read(ID).state.status is Status.COMPLETED
    back = follow(store, change, done)
    assert list(store.summaries(live_only=True)) == [back.state.summary]


def test_a_session_whose_move_fails_is_completed_all_the_same(store, folder, monkeypatch):
    last = stored(store, phases=(1,))
    with monkeypatch.context() as patch:
        patch.setattr(store._evidence, "move", refusing(errno.EACCES))
        done = follow(store, passed(last.state, LARGE), last)
    assert (store.read(ID), list(store.summaries())) == (done, [done.state.summary])
    assert (folder / f"{ID}.jsonl").is_file()
    assert digest(store.blob(ID, digest_of(done))) == digest_of(done)


def test_a_session_that_moves_while_it_is_looked_for_is_found(store, folder, journal, monkeypatch):
    done = complete(store, stored(store), LARGE)
    finished = folder / "finished" / journal.name
    finished.rename(journal)

    def moved_away(path, *arguments):
        if journal.exists():
            journal.rename(finished)
        return os.open(path, *arguments)

    with disk(monkeypatch, open=moved_away):
        assert store.read(ID) == done


def test_a_session_that_is_deleted_while_it_is_read_is_not_found(store, journal, monkeypatch):
    stored(store)

    def deleted(path, *arguments):
        journal.unlink(missing_ok=True)
        return os.open(path, *arguments)

    with disk(monkeypatch, open=deleted), pytest.raises(NotFoundError):
        store.read(ID)


def test_a_session_that_is_gone_each_time_it_is_opened_is_not_found(store, monkeypatch):
    stored(store)
    with disk(monkeypatch, open=refusing(errno.ENOENT)), pytest.raises(NotFoundError):
        store.read(ID)


def test_a_session_that_moves_while_all_are_listed_is_listed_once(store, folder, journal):
    done = complete(store, stored(store))
    listing = store.summaries()
    (folder / "finished" / journal.name).rename(journal)
    found = [next(listing)]
    journal.rename(folder / "finished" / journal.name)
    assert [*found, *listing] == [done.state.summary]


LISTS = {
    "all": ("_look", lambda store: list(store.summaries())),
    "by change": (
        "journals",
        lambda store: store.page(Selection(), 9, by=Order.CHANGE, counted=False).sessions,
    ),
    "by id": ("journals", lambda store: store.page(Selection(beginning=ID[:9]), 9).sessions),
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("way", ["is completed", "is opened again"])
def test_a_session_that_moves_between_two_looks_is_in_the_list(store, way, kind):
    last = stored(store, phases=(1,))
    if way == "is opened again":
        last = complete(store, last)
    name, read = LISTS[kind]
    summaries = store._summaries
    listing = summaries._done if way == "is opened again" else summaries._live
    looked = getattr(listing, name)

    def move_then_look(*asked):
        found = looked(*asked)
        if way == "is completed":
            complete(store, last)
        return found

    def move_before_looking(*asked):
        follow(store, roll_back(last.state, 1, NOON), last)
        return looked(*asked)

    once = [move_before_looking if way == "is opened again" else move_then_look]

    def look(*asked):
        return once.pop()(*asked) if once else looked(*asked)

    setattr(listing, name, look)
    assert [found.session_id for found in read(store)] == [ID]


@pytest.mark.parametrize("kind", LISTS)
def test_a_session_that_is_gone_when_its_turn_comes_is_left_out(store, monkeypatch, kind):
    stored(store)
    stored(store, OTHER_ID)

    def deleted(path, *arguments):
        if path.name.endswith(f"{ID}.jsonl"):
            path.unlink(missing_ok=True)
        return os.open(path, *arguments)

    with disk(monkeypatch, open=deleted):
        found = LISTS[kind][1](store)
    assert [one.session_id for one in found] == [OTHER_ID]
