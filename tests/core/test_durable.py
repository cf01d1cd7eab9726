"""Bytes on disk: what is written, what is left when writing fails, and with which modes."""

import errno
import os
import stat

import pytest

from mcp_server.core import durable

NOTHING = b""


class System:
    """The operating system, but for the calls that a test replaces."""

    def __init__(self, **replaced):
        self.__dict__.update(replaced)

    def __getattr__(self, name):
        return getattr(os, name)


def failing_write(after: int, number: int = errno.ENOSPC):
    """A disk with room for `after` more bytes."""
    left = after

    def write(descriptor, content):
        nonlocal left
        if left <= 0:
            raise OSError(number, os.strerror(number))
        written = os.write(descriptor, bytes(content)[:left])
        left -= written
        return written

    return write


def refused(*_args):
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def accept(_line: bytes) -> None:
    """Find nothing wrong with the last line."""


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"one\ntwo\n")
    return path


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", b""),
        (b"\n", b""),
        (b"torn", b""),
        (b"one\n", b"one"),
        (b"one\ntwo\n", b"two"),
        (b"one\ntwo\nto", b"two"),
        (b"one\n\n", b""),
        (b"one\ntwo\r\n", b"two\r"),
    ],
)
def test_the_last_whole_line_is_read(tmp_path, content, line):
    path = tmp_path / "journal"
    path.write_bytes(content)
    assert durable.last_line(path) == line


@pytest.mark.parametrize("before", [0, 1, 70_000, 600_000])
@pytest.mark.parametrize("length", [1, 65_534, 65_535, 65_536, 65_537, 600_000])
@pytest.mark.parametrize("torn", [0, 1, 65_536, 70_000])
def test_the_last_whole_line_is_found_however_long_it_and_its_neighbours_are(
    tmp_path, before, length, torn
):
    path = tmp_path / "journal"
    path.write_bytes(b"b" * before + b"\n" + b"l" * length + b"\n" + b"t" * torn)
    assert durable.last_line(path) == b"l" * length


def test_a_line_is_added_to_what_is_there(journal):
    seen: list[bytes] = []
    durable.append_line(journal, b"three\n", seen.append)
    assert (seen, journal.read_bytes()) == ([b"two"], b"one\ntwo\nthree\n")


@pytest.mark.parametrize("torn", [b"t", b"torn", b"\0" * 100, b"t" * 200_000])
def test_a_torn_line_is_cut_off_by_the_next_writer(journal, torn):
    journal.write_bytes(journal.read_bytes() + torn)
    seen: list[bytes] = []
    durable.append_line(journal, b"three\n", seen.append)
    assert (seen, journal.read_bytes()) == ([b"two"], b"one\ntwo\nthree\n")


def test_what_the_check_raises_leaves_even_a_torn_line_alone(journal):
    journal.write_bytes(b"one\ntor")

    def check(line: bytes) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError, match="one"):
        durable.append_line(journal, b"two\n", check)
    assert journal.read_bytes() == b"one\ntor"


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_line_that_does_not_fit_is_taken_back(journal, monkeypatch, after):
    monkeypatch.setattr(durable, "os", System(write=failing_write(after)))
    with pytest.raises(OSError, match="No space left"):
        durable.append_line(journal, b"three\n", accept)
    assert journal.read_bytes() == b"one\ntwo\n"


def test_a_line_that_cannot_be_synced_is_taken_back(journal, monkeypatch):
    monkeypatch.setattr(durable, "_sync", refused)
    with pytest.raises(OSError, match="Input/output"):
        durable.append_line(journal, b"three\n", accept)
    assert journal.read_bytes() == b"one\ntwo\n"


def test_a_failure_that_cannot_be_taken_back_leaves_a_torn_line(journal, monkeypatch):
    cuts: list[int] = []

    def cut(descriptor, size):
        cuts.append(size)
        refused()

    monkeypatch.setattr(durable, "os", System(write=failing_write(3), ftruncate=cut))
    with pytest.raises(OSError, match="No space left"):
        durable.append_line(journal, b"three\n", accept)
    assert (cuts, journal.read_bytes()) == ([8], b"one\ntwo\nthr")
    assert durable.last_line(journal) == b"two"


def test_short_writes_are_finished(journal, monkeypatch):
    one_byte = System(write=lambda descriptor, view: os.write(descriptor, bytes(view)[:1]))
    monkeypatch.setattr(durable, "os", one_byte)
    durable.append_line(journal, b"three\n", accept)
    assert journal.read_bytes() == b"one\ntwo\nthree\n"


def test_short_reads_are_finished(journal, monkeypatch):
    one_byte = System(read=lambda descriptor, _size: os.read(descriptor, 1))
    monkeypatch.setattr(durable, "os", one_byte)
    assert durable.last_line(journal) == b"two"


def test_a_file_that_shrinks_while_it_is_read_ends_the_reading(journal, monkeypatch):
    monkeypatch.setattr(durable, "os", System(read=lambda *_: NOTHING))
    assert durable.last_line(journal) == b""


def test_every_line_is_synced_before_it_counts(journal, monkeypatch):
    synced: list[bytes] = []
    monkeypatch.setattr(durable, "_sync", lambda _: synced.append(journal.read_bytes()))
    durable.append_line(journal, b"three\n", accept)
    assert synced == [b"one\ntwo\nthree\n"]


def test_a_line_is_not_added_to_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        durable.append_line(tmp_path / "journal", b"one\n", accept)
    assert list(tmp_path.iterdir()) == []


def test_a_log_is_created_and_added_to(tmp_path):
    durable.append_note(tmp_path / "log", b"one\n")
    durable.append_note(tmp_path / "log", b"two\n")
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"


def test_a_whole_file_replaces_the_one_before(tmp_path):
    for content in (b"long content", b"short", b""):
        durable.write_whole(tmp_path / "file", content)
        assert durable.read_file(tmp_path / "file") == content
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "broken",
    [{"write": failing_write(3)}, {"open": refused}],
    ids=["full", "cannot be opened"],
)
def test_a_whole_file_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch, broken):
    durable.write_whole(tmp_path / "file", b"before")
    monkeypatch.setattr(durable, "os", System(**broken))
    with pytest.raises(OSError, match=r"No space left|Input/output"):
        durable.write_whole(tmp_path / "file", b"after")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"before"}


def test_a_whole_file_that_cannot_be_synced_leaves_the_one_before(tmp_path, monkeypatch):
    durable.write_whole(tmp_path / "file", b"before")
    monkeypatch.setattr(durable, "_sync", refused)
    with pytest.raises(OSError, match="Input/output"):
        durable.write_whole(tmp_path / "file", b"after")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"before"}


def test_a_whole_file_takes_the_place_of_a_link_and_not_of_its_goal(tmp_path):
    (tmp_path / "goal").write_bytes(b"goal")
    (tmp_path / "file").symlink_to("goal")
    durable.write_whole(tmp_path / "file", b"content")
    assert durable.read_file(tmp_path / "file") == b"content"
    assert (tmp_path / "goal").read_bytes() == b"goal"


def test_a_new_file_never_replaces_one(journal):
    with pytest.raises(FileExistsError):
        durable.write_new(journal, b"other")
    assert journal.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(
    "touch",
    [
        durable.read_file,
        durable.last_line,
        lambda path: durable.append_line(path, b"x\n", accept),
        lambda path: durable.append_note(path, b"x\n"),
        lambda path: durable.write_new(path, b"x\n"),
    ],
    ids=["read_file", "last_line", "append_line", "append_note", "write_new"],
)
@pytest.mark.parametrize("goal", ["journal", "nothing"])
def test_a_link_is_never_followed(tmp_path, journal, touch, goal):
    (tmp_path / "link").symlink_to(goal)
    with pytest.raises(OSError) as refusal:  # noqa: PT011 - the errno tells
        touch(tmp_path / "link")
    assert refusal.value.errno in {errno.ELOOP, errno.EEXIST}
    assert journal.read_bytes() == b"one\ntwo\n"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("make", [durable.write_new, durable.write_whole, durable.append_note])
def test_a_file_is_private_from_birth(tmp_path, monkeypatch, make):
    modes: list[int] = []

    def opened(path, flags, mode=0o777):
        descriptor = os.open(path, flags, mode)
        if flags & os.O_CREAT:
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(durable, "os", System(open=opened))
    before = os.umask(0)
    try:
        make(tmp_path / "file", b"content\n")
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_no_descriptor_is_left_open(tmp_path, journal, monkeypatch):
    opened: list[int] = []
    closed: list[int] = []

    def open_(*arguments):
        opened.append(os.open(*arguments))
        return opened[-1]

    def close(descriptor):
        closed.append(descriptor)
        os.close(descriptor)

    monkeypatch.setattr(durable, "os", System(open=open_, close=close, write=failing_write(4)))
    with pytest.raises(OSError, match="No space left"):
        durable.append_line(journal, b"three\n", accept)
    with pytest.raises(OSError, match="No space left"):
        durable.write_whole(tmp_path / "file", b"content")
    durable.sync_folder(tmp_path)
    durable.last_line(journal)
    assert opened == closed
    assert len(opened) == 4


def test_a_folder_that_cannot_be_opened_for_syncing_is_let_be(tmp_path, monkeypatch):
    def denied(*_args):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(durable, "os", System(open=denied))
    assert durable.sync_folder(tmp_path) is None


def test_a_folder_that_cannot_be_synced_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "os", System(fsync=refused))
    with pytest.raises(OSError, match="Input/output"):
        durable.sync_folder(tmp_path)


def test_a_note_after_a_torn_one_stands_on_a_line_of_its_own(tmp_path):
    log = tmp_path / "log"
    durable.append_note(log, b"one\n")
    with log.open("ab") as file:
        file.write(b"tor")
    durable.append_note(log, b"two\n")
    assert log.read_bytes() == b"one\ntor\ntwo\n"


def test_a_log_that_cannot_be_looked_at_is_closed_again(tmp_path, monkeypatch):
    closed = []
    real = os.close

    def close(descriptor):
        closed.append(descriptor)
        real(descriptor)

    def refuse(_descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(durable, "_ends_torn", refuse)
    monkeypatch.setattr(os, "close", close)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        durable.append_note(tmp_path / "log", b"one\n")
    assert len(closed) == 1
