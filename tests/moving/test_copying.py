"""Sessions carried between files and a database, both ways."""

from contextlib import closing

import pytest

from mcp_server.config import STATE_DIR
from mcp_server.core.file_store import FileStore
from mcp_server.core.state_manager import StateManager
from mcp_server.errors import DamagedStateError
from mcp_server.moving.copying import Move, MovedSession, MoveOutcome
from mcp_server.moving.sides import Side, Sides
from tests.builders import Clock, definition, tree
from tests.core.session_builders import LARGE, complete, digest_of, noted
from tests.postgres_server import open_new

SHOP = "a" * 40
clock = Clock()


@pytest.fixture
def files(tmp_path):
    return Side(FileStore(tmp_path / STATE_DIR, lock_timeout=0.1), is_shared=False)


@pytest.fixture
def database():
    with closing(open_new(lock=0.3)) as opened:
        yield Side(opened, is_shared=True)


@pytest.fixture(params=["into a database", "into files"])
def sides(request, files, database):
    """The two places, empty yet."""
    places = (files, database) if request.param == "into a database" else (database, files)
    return Sides(*places, project=None)


def sessions_in(side, project=SHOP):
    return StateManager(side.store, max_active=50, clock=clock, project=lambda: project)


def start(side, project=SHOP):
    """Start a session as a server does, with its definition pinned; return its last record."""
    created = sessions_in(side, project).create(definition(), "src/a.py", {})
    return side.store.read(created.session_id)


def change(side, session_id, note):
    with sessions_in(side).edit(session_id) as draft:
        draft.record(noted(draft.state, note))


def move(sides, *, apply=True):
    run = Move(sides, apply=apply)
    return [run.session(found) for found in run.found()]


def outcomes(sides, *, apply=True):
    return [str(moved.outcome) for moved in move(sides, apply=apply)]


def test_every_session_arrives_with_lines_evidence_and_definition(sides):
    begun, done = start(sides.source), start(sides.source)
    done = complete(sides.source.store, done, LARGE)
    assert outcomes(sides) == ["copied", "copied"]
    source, target = sides.source.store, sides.target.store
    for last in (begun, done):
        session_id, pinned = last.state.session_id, last.state.definition.digest
        assert target.lines(session_id) == source.lines(session_id)
        assert target.pinned(pinned) == source.pinned(pinned)
    assert target.blob(done.state.session_id, digest_of(done)) == source.blob(
        done.state.session_id, digest_of(done)
    )
    assert sorted(target.summaries(), key=lambda one: one.order) == sorted(
        source.summaries(), key=lambda one: one.order
    )


def test_an_arrived_session_is_continued_as_if_it_had_always_been_there(sides):
    session_id = start(sides.source).state.session_id
    move(sides)
    change(sides.target, session_id, "here")
    assert sessions_in(sides.target).verify(session_id).lines == 2


def test_a_session_goes_there_and_back_again(sides):
    session_id = start(sides.source).state.session_id
    move(sides)
    change(sides.target, session_id, "there")
    back = Sides(sides.target, sides.source, project=None)
    assert outcomes(back) == ["extended"]
    assert sides.source.store.lines(session_id) == sides.target.store.lines(session_id)


def test_what_is_there_is_done_and_what_was_added_meanwhile_is_carried_over(sides):
    first, second = start(sides.source), start(sides.source)
    move(sides)
    change(sides.source, second.state.session_id, "meanwhile")
    assert outcomes(sides, apply=False) == ["already there", "would be extended"]
    assert outcomes(sides) == ["already there", "extended"]
    assert outcomes(sides) == ["already there", "already there"]
    assert sides.target.store.read(first.state.session_id) == first


def test_a_run_that_was_broken_off_goes_on_where_it_stopped(sides):
    for _ in range(3):
        start(sides.source)
    run = Move(sides, apply=True)
    run.session(run.found()[0])
    assert outcomes(sides) == ["already there", "copied", "copied"]


def test_a_session_that_went_on_at_the_target_is_done(sides):
    session_id = start(sides.source).state.session_id
    move(sides)
    change(sides.target, session_id, "there")
    assert move(sides) == [
        MovedSession(session_id, MoveOutcome.ALREADY, note="it has gone on there")
    ]


def test_a_session_that_went_two_ways_is_left_at_both_places(sides):
    session_id = start(sides.source).state.session_id
    move(sides)
    for side in (sides.source, sides.target):
        change(side, session_id, f"{side.is_shared}")
    before = [side.store.lines(session_id) for side in (sides.source, sides.target)]
    assert move(sides) == [
        MovedSession(
            session_id, MoveOutcome.CONFLICT, "what is there under its id has another history"
        )
    ]
    assert before == [side.store.lines(session_id) for side in (sides.source, sides.target)]


def test_a_dry_run_stores_nothing(sides):
    start(sides.source)
    assert outcomes(sides, apply=False) == ["would be copied"]
    assert list(sides.target.store.summaries()) == []


def test_a_dry_run_touches_no_file(files, database, tmp_path):
    start(files)
    before = tree(tmp_path)
    assert outcomes(Sides(files, database, project=None), apply=False) == ["would be copied"]
    start(database)
    move(Sides(database, files, project=None), apply=False)
    assert tree(tmp_path) == before


def test_the_source_stays_as_it_is(sides):
    session_id = start(sides.source).state.session_id
    before = sides.source.store.lines(session_id)
    move(sides)
    assert sides.source.store.lines(session_id) == before


def test_a_session_whose_phase_is_being_verified_is_left(sides):
    session_id = start(sides.source).state.session_id
    with sides.source.store.verifying(session_id):
        assert move(sides) == [
            MovedSession(session_id, MoveOutcome.IN_USE, "a phase of it is being verified")
        ]
    assert outcomes(sides) == ["copied"]


def test_a_session_that_somebody_holds_is_left_and_the_rest_goes(files, database, tmp_path):
    held, other = start(files), start(files)
    elsewhere = FileStore(tmp_path / STATE_DIR)
    with elsewhere.locked(held.state.session_id):
        first, second = move(Sides(files, database, project=None))
    assert (first.outcome, second.outcome) == (MoveOutcome.IN_USE, MoveOutcome.COPIED)
    assert "is locked by process" in first.reason
    assert second.session_id == other.state.session_id


def test_a_session_that_was_deleted_since_it_was_listed_is_left(sides):
    last = start(sides.source)
    run = Move(sides, apply=True)
    (found,) = run.found()
    with sides.source.store.locked(last.state.session_id):
        sides.source.store.delete(last, None, last.state.created_at)
    assert run.session(found) == MovedSession(
        last.state.session_id, MoveOutcome.IN_USE, f"no session {last.state.session_id}"
    )


def damage_line(path, last):
    journal = path / f"{last.state.session_id}.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"src/a.py", b"src/b.py"))


def damage_evidence(path, last):
    (path / "finished" / f"{last.state.session_id}.evidence" / digest_of(last)).write_bytes(b"x")


def damage_definition(path, last):
    (path / "definitions" / f"{last.state.definition.digest}.json").unlink()


@pytest.mark.parametrize("damage", [damage_line, damage_evidence, damage_definition])
@pytest.mark.parametrize("apply", [False, True])
def test_a_damaged_session_is_left_and_named(files, database, tmp_path, damage, apply):
    last = start(files)
    if damage is damage_evidence:
        last = complete(files.store, last, LARGE)
    damage(tmp_path / STATE_DIR, last)
    (moved,) = move(Sides(files, database, project=None), apply=apply)
    assert (moved.session_id, moved.outcome) == (last.state.session_id, MoveOutcome.DAMAGED)
    assert moved.reason
    assert list(database.store.summaries()) == []


def test_the_rest_goes_when_one_is_damaged(files, database, tmp_path):
    damaged, _sound = start(files), start(files)
    damage_line(tmp_path / STATE_DIR, damaged)
    assert outcomes(Sides(files, database, project=None)) == ["damaged", "copied"]


def test_what_was_altered_at_the_target_is_found(files, database, tmp_path):
    last = complete(database.store, start(database), LARGE)
    sides = Sides(database, files, project=None)
    move(sides)
    damage_evidence(tmp_path / STATE_DIR, last)
    (moved,) = move(sides)
    assert moved.outcome is MoveOutcome.DAMAGED
    assert "at the target, evidence log of phase 1 is missing or altered" in moved.reason


def test_a_definition_that_was_altered_at_the_target_is_found(files, database, tmp_path):
    last = start(database)
    sides = Sides(database, files, project=None)
    move(sides)
    damage_definition(tmp_path / STATE_DIR, last)
    assert outcomes(sides) == ["damaged"]
    with pytest.raises(DamagedStateError):
        files.store.pinned(last.state.definition.digest)


def test_out_of_a_database_come_the_sessions_of_one_project(files, database):
    mine = start(database, SHOP).state.session_id
    start(database, "b" * 40)
    start(database, None)
    sides = Sides(database, files, project=SHOP)
    assert [moved.session_id for moved in move(sides)] == [mine]


def test_a_session_without_a_project_arrives_as_it_is_and_is_told_of(files, database):
    last = start(files, None)
    (moved,) = move(Sides(files, database, project=None))
    assert moved == MovedSession(
        last.state.session_id,
        MoveOutcome.COPIED,
        note="it names no project: a shared database shows it among those of all projects",
    )
    assert database.store.read(last.state.session_id).state.project is None


def test_the_limit_of_active_sessions_refuses_nothing_that_arrives(sides):
    for _ in range(3):
        start(sides.source)
    move(sides)
    counted = StateManager(sides.target.store, max_active=1, project=lambda: SHOP).counted()
    assert counted == 3
