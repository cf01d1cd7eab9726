"""Links in place of the folders of a store: refused before anything is written through them."""

import pytest

from mcp_server.core.encoding import digest
from mcp_server.core.file_store import FileStore
from mcp_server.errors import DiskRefusedError
from tests.core.session_builders import ID, LARGE, birth, complete, digest_of, link, stored

FOLDERS = ("finished", "definitions")


@pytest.mark.parametrize("act", ["start", "hold", "pin", "restore"])
@pytest.mark.parametrize("goal", ["a folder", "nothing"])
@pytest.mark.parametrize("there", [FOLDERS, ()], ids=["beside the other", "alone"])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_link_in_place_of_a_folder_is_refused(folder, tmp_path, name, there, goal, act):
    whole = FileStore(tmp_path / "whole")
    stored(whole)
    lines = whole.lines(ID)
    elsewhere = tmp_path / "elsewhere"
    if goal == "a folder":
        elsewhere.mkdir()
    folder.mkdir(parents=True)
    for other in {*there} - {name}:
        (folder / other).mkdir()
    link(folder / name, elsewhere, is_folder=True)
    before = sorted(folder.rglob("*"))

    store = FileStore(folder)
    acts = {
        "start": lambda: store.create([birth()]),
        "hold": lambda: store.exclusive().__enter__(),
        "pin": lambda: store.pin(digest(b"{}"), b"{}"),
        "restore": lambda: store.restore(ID, lines, {}),
    }
    with pytest.raises(DiskRefusedError) as refusal:
        acts[act]()
    assert refusal.value.message == "the state folder refused: a link stands in its place"
    assert sorted(folder.rglob("*")) == before
    assert sorted(tmp_path.rglob("elsewhere/*")) == []
    assert elsewhere.exists() is (goal == "a folder")


def test_a_completed_session_does_not_leave_through_a_link(store, folder, tmp_path):
    last = stored(store)
    elsewhere = tmp_path / "elsewhere"
    (folder / "finished").rename(elsewhere)
    link(folder / "finished", elsewhere, is_folder=True)
    done = complete(store, last, LARGE)
    assert (store.read(ID), sorted(elsewhere.iterdir())) == (done, [])
    assert digest(store.blob(ID, digest_of(done))) == digest_of(done)

    (folder / "finished").unlink()
    with FileStore(folder).exclusive():
        assert store.read(ID) == done
    assert (folder / "finished" / f"{ID}.jsonl").is_file()
    assert not (folder / f"{ID}.jsonl").exists()


@pytest.mark.parametrize(
    "act",
    [lambda store: store.verifying(ID).__enter__(), lambda store: store.is_verifying(ID)],
    ids=["verify", "look"],
)
def test_a_verification_is_not_said_through_a_link(store, folder, tmp_path, act):
    stored(store)
    with store.verifying(ID):
        pass
    elsewhere = tmp_path / "elsewhere"
    (folder / "verifying").rename(elsewhere)
    link(folder / "verifying", elsewhere, is_folder=True)
    before = {path: path.stat().st_mtime_ns for path in elsewhere.iterdir()}
    with pytest.raises(DiskRefusedError) as refusal:
        act(store)
    assert refusal.value.message == "the state folder refused: a link stands in its place"
    assert {path: path.stat().st_mtime_ns for path in elsewhere.iterdir()} == before
