"""Session files that are torn, altered, foreign or linked: named, left alone, never followed."""

import pytest

from mcp_server.core.encoding import digest
from mcp_server.core.file_store import FileStore
from mcp_server.core.journal import encode_line
from mcp_server.core.lifecycle import roll_back
from mcp_server.core.models import Damage
from mcp_server.errors import (
    ConflictError,
    DamagedStateError,
    DiskRefusedError,
    InvalidArgumentError,
)
from tests.builders import NOON, tree
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    birth,
    chain_is_unbroken,
    complete,
    digest_of,
    disk,
    follow,
    lines_of,
    noted,
    passed,
    stored,
)

LEFT_ALONE = (
    "Its files were left as they are. Restore them from a backup, or start a new session; all other"
    " sessions go on working."
)


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

    found = sorted(store.summaries(), key=lambda item: isinstance(item, Damage))
    assert found == [other.state.summary, Damage(session_id=ID, reason=refusal.value.message)]
    assert tree(folder) == before


def test_a_journal_that_is_a_folder_stops_nothing_else(store, folder):
    other = stored(store)
    (folder / f"{OTHER_ID}.jsonl").mkdir()
    found = sorted(store.summaries(), key=lambda item: isinstance(item, Damage))
    reason = "the state folder refused: Is a directory"
    assert found == [other.state.summary, Damage(session_id=OTHER_ID, reason=reason)]


def test_a_journal_whose_name_is_no_id_is_reported_and_never_opened(store, folder):
    stored(store)
    (folder / "Upper Case.jsonl").write_bytes((folder / f"{ID}.jsonl").read_bytes())
    damage = [found for found in store.summaries() if isinstance(found, Damage)]
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
        store.create([birth()])
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


def test_a_damaged_line_before_the_last_one_does_not_stop_the_session(store, folder, journal):
    last = complete(store, stored(store), LARGE)
    back = follow(store, roll_back(last.state, 1, NOON), last)
    first, second, *others = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + second.replace(b"passed", b"PASSED") + b"".join(others))
    evidence = sorted(path.name for path in (folder / f"{ID}.evidence").iterdir())

    other = FileStore(folder)
    assert follow(other, noted(back.state, "on"), back).seq == back.seq + 1
    assert sorted(path.name for path in (folder / f"{ID}.evidence").iterdir()) == evidence
