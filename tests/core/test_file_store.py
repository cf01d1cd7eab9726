"""Sessions as files: torn, altered, foreign, linked, moved halfway, contended and refused."""

import errno
import json
import multiprocessing
import os
import stat
from contextlib import contextmanager

import pytest

from mcp_server.core import durable, file_store
from mcp_server.core.encoding import digest
from mcp_server.core.file_store import FileStore
from mcp_server.core.journal import encode_line
from mcp_server.core.lifecycle import pause, resume, roll_back
from mcp_server.core.models import Damage, Record
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Status
from mcp_server.errors import (
    ConflictError,
    DamagedStateError,
    DiskRefusedError,
    InvalidArgumentError,
    LimitError,
    NotFoundError,
)
from tests.builders import NOON, tree
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    add_notes,
    birth,
    chain_is_unbroken,
    complete,
    digest_of,
    follow,
    hold,
    noted,
    now,
    passed,
    start_one,
    stored,
)
from tests.core.test_durable import System, failing_write

SPAWN = multiprocessing.get_context("spawn")
LEFT_ALONE = (
    "Its files were left as they are. Restore them from a backup, or start a new session; all other"
    " sessions go on working."
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "project" / ".praxis-os" / "state" / "workflows"


@pytest.fixture
def store(folder):
    return FileStore(folder)


@pytest.fixture
def journal(folder):
    return folder / f"{ID}.jsonl"


@contextmanager
def disk(monkeypatch, **broken):
    """Replace calls to the operating system while files are read and written."""
    with monkeypatch.context() as patch:
        patch.setattr(durable, "os", System(**broken))
        yield


def refusing(number):
    def refuse(*_args):
        raise OSError(number, os.strerror(number))

    return refuse


def lines_of(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def start_together(target, arguments):
    """Run `target` in one process for each of `arguments`, at the same time."""
    together = SPAWN.Barrier(len(arguments))
    workers = [SPAWN.Process(target=target, args=(*given, together)) for given in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)


def test_reading_an_empty_project_makes_no_folder(store, folder):
    assert list(store.records()) == []
    with pytest.raises(NotFoundError), store.locked(ID):
        pytest.fail("locked a session that is not there")
    assert not folder.parent.parent.exists()


def test_a_session_is_a_journal_of_one_line_a_change(store, folder, journal):
    first = stored(store)
    second = follow(store, passed(first.state), first)
    lines = lines_of(journal)
    assert [line["hash"] for line in lines] == [first.hash, second.hash]
    assert chain_is_unbroken(lines)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert names == {"definitions", "finished", f"{ID}.jsonl", f"{ID}.lock", "sessions.lock"}


def test_state_keeps_itself_out_of_commits(store, folder):
    stored(store)
    assert (folder.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_files_are_private_whatever_the_umask_says(store, folder):
    before = os.umask(0)
    try:
        first = stored(store)
        store.pin(digest(b"{}"), b"{}")
        last = follow(store, passed(first.state, LARGE), first)
        store.delete(stored(store, OTHER_ID), None, NOON)
        complete(store, last)
    finally:
        os.umask(before)
    modes = {
        path.relative_to(folder.parent).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (folder.parent, *folder.parent.rglob("*"))
    }
    folders = {".", "workflows", "workflows/finished", "workflows/definitions",
               f"workflows/finished/{ID}.evidence"}  # fmt: skip
    assert {name for name, mode in modes.items() if mode == 0o700} == folders
    assert {mode for name, mode in modes.items() if name not in folders} == {0o600}
    assert len(modes) == len(folders) + 7


def test_a_torn_last_line_is_ignored_and_cut_off_by_the_next_writer(store, journal):
    first = stored(store)
    line, _ = encode_line(noted(first.state, "torn"), first)
    whole = journal.read_bytes()
    for length in range(len(line)):
        journal.write_bytes(whole + line[:length])
        assert store.read(ID) == first
        follow(store, noted(first.state, "next"), first)
        lines = lines_of(journal)
        assert [entry["state"]["checkpoint_note"] for entry in lines] == [None, "next"]
        assert chain_is_unbroken(lines)


def test_an_altered_byte_in_the_last_line_is_damage_and_left_as_it_is(store, journal):
    first = stored(store)
    follow(store, noted(first.state, "x"), first)
    whole = journal.read_bytes()
    start = whole.index(b"\n") + 1
    for place in range(start, len(whole) - 1, 7):
        altered = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        journal.write_bytes(altered)
        with pytest.raises(DamagedStateError, match=rf"\Asession {ID} cannot be read: "):
            store.read(ID)
        with pytest.raises(DamagedStateError):
            follow(store, noted(first.state, "y"), first)
        assert journal.read_bytes() == altered


def damaged(content: bytes) -> bytes:
    return content.replace(b'"schema_version":1', b'"schema_version":2')


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda _: b"", "the last line is not a record"),
        (lambda _: b"\n", "the last line is not a record"),
        (lambda _: b"not json\n", "the last line is not a record"),
        (lambda line: line.rstrip(b"\n"), "the last line is not a record"),
        (lambda line: line + b"\n", "the last line is not a record"),
        (lambda line: line.replace(b"a.py", b"b.py"), "line 1 is not what its hash says"),
        (damaged, "written by a newer server (schema 2, this one knows 1)"),
        (lambda _: encode_line(birth(OTHER_ID), None)[0], f"it holds session {OTHER_ID}"),
    ],
    ids=["empty", "blank", "not json", "torn", "blank end", "altered", "newer", "foreign"],
)
def test_a_damaged_session_is_named_left_alone_and_stops_nothing_else(
    store, folder, journal, spoil, reason
):
    first, other = stored(store), stored(store, "small_v1_c_py_20260314_120000_0000cc")
    journal.write_bytes(spoil(journal.read_bytes()))
    before = tree(folder)

    with pytest.raises(DamagedStateError) as refusal:
        store.read(ID)
    assert refusal.value.message == f"session {ID} cannot be read: {reason}"
    assert refusal.value.remediation == LEFT_ALONE
    with pytest.raises(DamagedStateError):
        follow(store, noted(first.state, "x"), first)

    found = sorted(store.records(), key=lambda item: isinstance(item, Damage))
    assert found == [other, Damage(session_id=ID, reason=refusal.value.message)]
    assert tree(folder) == before


def test_a_journal_that_is_a_folder_stops_nothing_else(store, folder):
    other = stored(store)
    (folder / f"{OTHER_ID}.jsonl").mkdir()
    found = sorted(store.records(), key=lambda item: isinstance(item, Damage))
    reason = "the state folder refused: Is a directory"
    assert found == [other, Damage(session_id=OTHER_ID, reason=reason)]


def test_a_journal_whose_name_is_no_id_is_reported_and_never_opened(store, folder):
    stored(store)
    (folder / "Upper Case.jsonl").write_bytes((folder / f"{ID}.jsonl").read_bytes())
    damage = [found for found in store.records() if isinstance(found, Damage)]
    reason = "Invalid session_id format: 'Upper Case'"
    assert damage == [Damage(session_id="Upper Case", reason=reason)]


@pytest.mark.parametrize("name", ["../escape", "a/b", "A", ID + "\n", ""])
def test_no_file_is_named_by_what_is_no_id(store, folder, name):
    stored(store)
    for touch in (store.read, lambda wrong: store.blob(wrong, "0" * 64)):
        with pytest.raises(InvalidArgumentError):
            touch(name)
    with pytest.raises(InvalidArgumentError), store.locked(name):
        pytest.fail("locked")


@pytest.mark.parametrize("goal", ["elsewhere", "nothing"])
def test_a_link_in_place_of_a_journal_is_refused(store, journal, tmp_path, goal):
    first = stored(store)
    elsewhere = tmp_path / "elsewhere"
    journal.rename(elsewhere)
    journal.symlink_to(tmp_path / goal)
    content = elsewhere.read_bytes()
    for touch in (
        lambda: store.read(ID),
        lambda: follow(store, noted(first.state, "x"), first),
    ):
        with pytest.raises(DiskRefusedError) as refusal:
            touch()
        assert refusal.value.message == "the state folder refused: a link stands in its place"
    with pytest.raises(ConflictError):
        store.append(birth(), None)
    assert (elsewhere.read_bytes(), journal.is_symlink()) == (content, True)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("goal", ["elsewhere", "nothing"])
@pytest.mark.parametrize("name", [f"{ID}.lock", "sessions.lock"])
def test_a_link_in_place_of_a_lock_is_refused(store, folder, tmp_path, goal, name):
    stored(store)
    (tmp_path / "elsewhere").write_text("precious", encoding="utf-8")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / goal)
    with (
        pytest.raises(DiskRefusedError, match="a link stands in its place"),
        store.exclusive() if name == "sessions.lock" else store.locked(ID),
    ):
        pytest.fail("a link was locked")
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == "precious"
    assert not (tmp_path / "nothing").exists()


def test_a_link_in_place_of_a_piece_of_evidence_is_refused(store, folder, tmp_path):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    key = digest_of(last)
    blob = folder / f"{ID}.evidence" / key
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DiskRefusedError, match="a link stands in its place"):
        store.blob(ID, key)


def test_evidence_takes_the_place_of_a_link(store, folder, tmp_path):
    first = stored(store)
    change = passed(first.state, LARGE)
    [(key, content)] = change.blobs.items()
    (tmp_path / "elsewhere").write_bytes(content)
    (folder / f"{ID}.evidence").mkdir()
    (folder / f"{ID}.evidence" / key).symlink_to(tmp_path / "elsewhere")
    follow(store, change, first)
    assert store.blob(ID, key) == content


def test_a_link_in_place_of_the_evidence_folder_is_refused(store, folder, tmp_path):
    first = stored(store)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / f"{ID}.evidence").symlink_to(elsewhere)
    change = passed(first.state, LARGE)
    with pytest.raises(DiskRefusedError, match="a link stands in its place"):
        follow(store, change, first)
    [(key, content)] = change.blobs.items()
    assert (store.read(ID), list(elsewhere.iterdir())) == (first, [])
    (elsewhere / key).write_bytes(content)
    with pytest.raises(DiskRefusedError, match="a link stands in its place"):
        store.blob(ID, key)
    assert store.delete(first, None, NOON) is True
    assert (elsewhere / key).read_bytes() == content


def test_altered_evidence_is_damage(store, folder):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    key = digest_of(last)
    (folder / f"{ID}.evidence" / key).write_bytes(b"something better")
    with pytest.raises(DamagedStateError) as refusal:
        store.blob(ID, key)
    assert refusal.value.message == (
        f"session {ID} cannot be read: evidence {key[:12]} is missing or altered"
    )


@pytest.mark.parametrize("key", ["/dev/zero", "../../secret", f"../{ID}.jsonl"])
def test_no_file_is_named_by_what_is_no_digest(store, folder, monkeypatch, key):
    stored(store)
    opened: list[object] = []
    with disk(monkeypatch, open=lambda path, *_: opened.append(path)):
        for touch in (lambda: store.blob(ID, key), lambda: store.pinned(key)):
            with pytest.raises(DamagedStateError):
                touch()
    assert opened == []


def test_an_altered_definition_is_damage(store, folder):
    key = digest(b"definition")
    store.pin(key, b"definition")
    (folder / "definitions" / f"{key}.json").write_bytes(b"a milder definition")
    with pytest.raises(DamagedStateError) as refusal:
        store.pinned(key)
    assert refusal.value.message == f"the pinned definition {key[:12]} is missing or altered"
    assert refusal.value.remediation == (
        "Restore the state folder from a backup, or delete the session and start again."
    )


def test_evidence_is_durable_before_the_line_that_names_it(store, folder, journal, monkeypatch):
    first = stored(store)
    synced: list[tuple[int, int]] = []

    def sync(descriptor):
        os.fsync(descriptor)
        evidence = len(list((folder / f"{ID}.evidence").iterdir()))
        synced.append((evidence, journal.read_bytes().count(b"\n")))

    monkeypatch.setattr(durable, "_sync", sync)
    follow(store, passed(first.state, LARGE), first)
    assert synced == [(1, 1), (1, 2)]


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
    assert (list(store.records()), list(store.records(live_only=True))) == ([done], [])


def test_a_rollback_moves_a_completed_session_back(store, folder):
    done = complete(store, stored(store), LARGE)
    back = follow(store, roll_back(done.state, 1, NOON), done)
    assert list((folder / "finished").iterdir()) == []
    assert (folder / f"{ID}.evidence" / digest_of(back)).is_file()
    assert list(store.records(live_only=True)) == [back]
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

    assert (store.read(ID), list(store.records()), store.blob(ID, key)) == (done, [done], content)
    back = follow(store, roll_back(done.state, 1, NOON), done)
    assert (list(store.records(live_only=True)), store.blob(ID, key)) == ([back], content)

    again = complete(store, back, {"log": "y" * 2_000})
    assert (store.read(ID), list(store.records(live_only=True))) == (again, [])
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
    assert (store.read(ID), list(store.records())) == (done, [done])
    assert store.read(ID).state.status is Status.COMPLETED
    back = follow(store, change, done)
    assert list(store.records(live_only=True)) == [back]


def test_a_session_whose_move_fails_is_completed_all_the_same(store, folder, monkeypatch):
    last = stored(store, phases=(1,))
    with monkeypatch.context() as patch:
        patch.setattr(file_store, "_move", refusing(errno.EACCES))
        done = follow(store, passed(last.state, LARGE), last)
    assert (store.read(ID), list(store.records())) == (done, [done])
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
    listing = store.records()
    (folder / "finished" / journal.name).rename(journal)
    found = [next(listing)]
    journal.rename(folder / "finished" / journal.name)
    assert [*found, *listing] == [done]


def test_a_session_that_is_deleted_while_all_are_listed_is_left_out(store, folder, monkeypatch):
    stored(store)
    stored(store, OTHER_ID)

    def deleted(path, *arguments):
        if path.name.endswith(f"{ID}.jsonl"):
            path.unlink(missing_ok=True)
        return os.open(path, *arguments)

    with disk(monkeypatch, open=deleted):
        found = [
            record.state.session_id for record in store.records() if isinstance(record, Record)
        ]
    assert found == [OTHER_ID]


def test_deleting_leaves_nothing_but_a_line_in_the_log(store, folder):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    with store.locked(ID):
        store.delete(last, "a \u201creason\u201d\nof two lines", NOON)
    assert lines_of(folder / "deletions.log") == [
        {
            "session_id": ID,
            "time": "2026-03-14T12:00:00+00:00",
            "reason": "a \u201creason\u201d\nof two lines",
            "last_hash": last.hash,
        }
    ]
    assert {path.name for path in folder.iterdir()} == {
        "definitions", "finished", "deletions.log", "sessions.lock",
    }  # fmt: skip


def test_a_deletion_that_cannot_be_logged_does_not_happen(store, folder, monkeypatch):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    with disk(monkeypatch, write=failing_write(0)), pytest.raises(DiskRefusedError):
        store.delete(last, None, NOON)
    assert store.read(ID) == last
    assert digest(store.blob(ID, digest_of(last))) == digest_of(last)


def test_deleting_removes_evidence_from_both_places(store, folder):
    done = complete(store, stored(store), LARGE)
    (folder / f"{ID}.evidence").mkdir()
    (folder / f"{ID}.evidence" / ("0" * 64)).write_bytes(b"left by a crash")
    store.delete(done, None, NOON)
    assert list(folder.rglob("*.evidence")) == []


@pytest.mark.parametrize("room", [0, 1, 100, 2_100])
def test_a_full_disk_leaves_the_state_as_it_was(store, folder, monkeypatch, room):
    first = stored(store)
    before = tree(folder)[f"{ID}.jsonl"]
    with disk(monkeypatch, write=failing_write(room)), pytest.raises(DiskRefusedError) as refusal:
        follow(store, passed(first.state, LARGE), first)
    assert refusal.value.message == "the state folder refused: No space left on device"
    assert refusal.value.remediation == (
        "Make .praxis-os/state writable, with free space, then send the same call again; nothing"
        " was changed."
    )
    assert tree(folder)[f"{ID}.jsonl"] == before
    assert store.read(ID) == first
    assert follow(store, passed(first.state, LARGE), first).seq == 2


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS], ids=["denied", "read-only"])
def test_a_folder_that_cannot_be_written_is_a_refusal(store, folder, monkeypatch, number):
    first = stored(store)
    before = tree(folder)

    def read_only(path, flags, *mode):
        if flags & (os.O_WRONLY | os.O_RDWR):
            refusing(number)()
        return os.open(path, flags, *mode)

    with disk(monkeypatch, open=read_only):
        for touch in (
            lambda: follow(store, noted(first.state, "x"), first),
            lambda: stored(store, OTHER_ID),
            lambda: store.pin("0" * 64, b""),
            lambda: store.delete(first, None, NOON),
        ):
            with pytest.raises(DiskRefusedError) as refusal:
                touch()
            assert refusal.value.message == f"the state folder refused: {os.strerror(number)}"
        assert store.read(ID) == first
    assert tree(folder) == before


def test_a_lock_that_cannot_be_written_is_a_refusal(store, folder, monkeypatch):
    stored(store)
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def refuse(*_args, **_options):
        raise denied

    with monkeypatch.context() as patch:
        patch.setattr(file_store.FileLock, "acquire", refuse)
        with pytest.raises(DiskRefusedError, match="Permission denied"), store.locked(ID):
            pytest.fail("locked")


def test_a_lock_holds_without_its_note(store, folder, monkeypatch):
    first = stored(store)
    with monkeypatch.context() as patch:
        patch.setattr(file_store.os, "ftruncate", refusing(errno.ENOSPC))
        with store.locked(ID), pytest.raises(ConflictError), other_lock(folder):
            pytest.fail("two held it")
    assert store.read(ID) == first


def other_lock(folder):
    return FileStore(folder, lock_timeout=0.02).locked(ID)


@pytest.mark.parametrize("note", [b"", b"not json", b"[]", b'{"pid": "x", "since": 1}', b"{}"])
def test_a_holder_that_left_no_note_is_another_process(store, folder, note):
    stored(store)
    with store.locked(ID):
        (folder / f"{ID}.lock").write_bytes(note)
        with pytest.raises(ConflictError) as refusal, other_lock(folder):
            pytest.fail("two held it")
    assert refusal.value.message == (
        f"Session modified by another operation: session {ID} is locked by another process"
    )


def test_a_state_folder_that_is_a_file_is_a_refusal(folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("", encoding="utf-8")
    store = FileStore(folder)
    with pytest.raises(DiskRefusedError, match="File exists"):
        stored(store)
    with pytest.raises(DiskRefusedError, match="Not a directory"):
        list(store.records())


def test_a_lock_that_another_process_holds_names_it(store, folder):
    first = stored(store)
    held, enough = SPAWN.Queue(), SPAWN.Event()
    began = now().isoformat(timespec="seconds")
    holder = SPAWN.Process(target=hold, args=(folder, ID, held, enough))
    holder.start()
    try:
        pid = held.get(timeout=60)
        with pytest.raises(ConflictError) as refusal, other_lock(folder):
            pytest.fail("two processes held one session")
        since = json.loads((folder / f"{ID}.lock").read_bytes())["since"]
        assert began <= since <= now().isoformat(timespec="seconds")
        assert refusal.value.message == (
            f"Session modified by another operation: session {ID} is locked by process"
            f" {pid} since {since}"
        )
        assert refusal.value.remediation == "Wait a moment and send the same call again."

        holder.kill()
        holder.join(60)
        assert follow(store, noted(first.state, "after the kill"), first).seq == 2
    finally:
        holder.kill()
        holder.join(60)


def test_processes_that_edit_one_session_lose_nothing(store, folder, journal):
    stored(store)
    start_together(add_notes, [(folder, ID, 25)] * 4)
    lines = lines_of(journal)
    assert len(lines) == 101
    assert chain_is_unbroken(lines)
    written = [entry.split(":") for entry in store.read(ID).state.checkpoint_note.split()]
    workers = {pid for pid, _ in written}
    assert len(workers) == 4
    for worker in workers:
        assert [number for pid, number in written if pid == worker] == [str(n) for n in range(25)]


def test_of_processes_that_start_at_the_limit_exactly_one_succeeds(store, folder):
    stored(store)
    results = SPAWN.Queue()
    together = SPAWN.Barrier(4)
    workers = [
        SPAWN.Process(target=start_one, args=(folder, 2, f"00000{n}", together, results))
        for n in range(4)
    ]
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert sorted(answers)[:3] == ["LimitError"] * 3
    live = {record.state.session_id for record in store.records(live_only=True)}
    assert live == {ID, sorted(answers)[3]}


def test_a_session_that_is_paused_makes_room_and_counts_again_when_resumed(store):
    sessions = StateManager(store, max_active=1)
    first = stored(store)
    paused = follow(store, pause(first.state, None, NOON), first)
    stored(store, OTHER_ID)
    with pytest.raises(LimitError), sessions.edit(ID, activates=True) as draft:
        draft.record(resume(draft.state, NOON))
    assert store.read(ID) == paused


def test_unknown_fields_of_a_stored_session_survive_the_next_change(store, journal):
    first = stored(store)
    state = first.state.model_copy(update={"later": {"kept": [1]}})
    second = follow(store, noted(state, "newer"), first)
    follow(store, noted(store.read(ID).state, "older"), second)
    assert [line["state"].get("later") for line in lines_of(journal)] == [
        None, {"kept": [1]}, {"kept": [1]},
    ]  # fmt: skip
