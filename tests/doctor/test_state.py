"""What is found about the state folder and the sessions in it."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from mcp_server.config import STATE_DIR
from mcp_server.core.encoding import encode
from mcp_server.core.file_store import FileStore
from mcp_server.doctor.state import check_state
from tests.core.session_builders import ID, LARGE, OTHER_ID, follow, passed, stored
from tests.doctor.subjects import notes, problems, sound, subject

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture
def store(project):
    """The state of the project, with two sessions."""
    store = FileStore(project / STATE_DIR, lock_timeout=0.05)
    record = stored(store)
    follow(store, passed(record.state, LARGE), record)
    stored(store, OTHER_ID)
    return store


@pytest.fixture
def there(project, tmp_path):
    return subject(project, tmp_path)


@pytest.fixture
def folder(project, store):
    return project / STATE_DIR


def test_a_project_without_sessions_is_well(there, project):
    assert sound(list(check_state(there))) == ["no session was ever started here"]
    assert list(project.iterdir()) == []


def test_sessions_are_counted(there, folder):
    assert sound(list(check_state(there))) == ["2 sessions: 2 active"]


def test_a_damaged_session_is_told_and_the_others_are_counted(there, folder):
    (folder / f"{ID}.jsonl").write_bytes(b"{}\n")
    found = list(check_state(there))
    assert found[0].what == "1 session: 1 active"
    ((what, remedy),) = problems(found)
    assert what.startswith(f"session {ID} cannot be read: ")
    assert remedy.startswith(f"aos-workflow verify {ID}, ")


def test_evidence_that_is_missing_is_told(there, folder):
    shutil.rmtree(folder / f"{ID}.evidence")
    ((what, remedy),) = problems(check_state(there))
    assert what == f"evidence of session {ID} is missing: phase 1, log"
    assert remedy == f"Restore .evidence from a backup; aos-workflow verify {ID} says all of it."


@posix_only
@pytest.mark.parametrize(("name", "wide"), [(f"{ID}.jsonl", 0o644), ("", 0o755)])
def test_what_others_may_read_is_told_with_the_command_that_mends_it(there, folder, name, wide):
    (folder / name).chmod(wide)
    assert problems(check_state(there)) == [
        (f"others may read or write {folder / name}", f"chmod -R go= {folder / name}")
    ]


@posix_only
def test_a_folder_that_cannot_be_written_is_told(there, folder, monkeypatch):
    # The user who runs these tests may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert problems(check_state(there)) == [
        (f"{folder} cannot be read and written", f"chmod u+rwx {folder}")
    ]


def test_a_file_in_the_place_of_the_folder_is_told(there, project):
    (project / ".praxis-os").write_text("", encoding="utf-8")
    path = project / ".praxis-os"
    assert problems(check_state(there)) == [
        (f"{path} is no folder", "Move it away: sessions are kept there.")
    ]


@posix_only
def test_a_link_out_of_the_project_is_told(project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (project / STATE_DIR).parent.mkdir(parents=True)
    (project / STATE_DIR).symlink_to(tmp_path / "elsewhere")
    ((what, _),) = problems(check_state(subject(project, tmp_path)))
    assert what == f"{STATE_DIR.as_posix()} leads out of the project through a link"


def test_a_full_disk_is_told(there, folder, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000))
    assert problems(check_state(there)) == [
        ("only 1,000 bytes are free on its disk", "Free some space.")
    ]


def test_a_lock_that_is_held_is_worth_knowing_and_a_problem_when_it_is_held_for_long(
    there, folder, store
):
    with store.locked(ID):
        ((what, _),) = notes(check_state(there))
        assert what.startswith(f"process {os.getpid()} holds the lock of {ID} since 2")
        long_ago = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
        (folder / f"{ID}.lock").write_bytes(encode({"pid": 42, "since": long_ago}))
        ((_, remedy),) = problems(check_state(there))
    assert remedy == "Look at it and end it: kill 42"


def test_a_verification_may_take_longer_than_a_lock(there, folder, store):
    with store.verifying(ID):
        ages = {}
        for age in (timedelta(hours=1), timedelta(days=2)):
            since = (datetime.now(UTC) - age).isoformat()
            (folder / "verifying" / f"{ID}.lock").write_bytes(encode({"pid": 42, "since": since}))
            ages[age] = len(problems(check_state(there)))
    assert list(ages.values()) == [0, 1]


def test_what_crashes_left_is_worth_knowing(there, folder):
    (folder / "gone_v1.lock").touch()
    assert notes(check_state(there)) == [
        (
            "1 file left over from interrupted calls",
            "None needed: the next start removes them.",
        )
    ]


def test_without_a_project_there_is_nothing_to_look_at(tmp_path):
    nowhere = subject(None, tmp_path, AOS_WORKFLOW_PROJECT=str(tmp_path / "none"))
    assert list(check_state(nowhere)) == []
