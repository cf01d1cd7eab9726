"""What is read again when a folder is listed again, and what is not."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.core import file_listing
from mcp_server.core.file_listing import FolderListing, Journal
from mcp_server.core.models import Damage, SessionSummary
from tests.core.session_builders import ID, OTHER_ID, birth

HOUR_NS = 3_600_000_000_000
NOW = time.time_ns()
SUMMARY = birth().state.summary


class Reader:
    """Counts what is read, and finds what it is told to."""

    def __init__(self, found: SessionSummary | Damage | None = SUMMARY) -> None:
        self.found = found
        self.asked: list[str] = []

    def __call__(self, session_id: str) -> SessionSummary | Damage | None:
        self.asked.append(session_id)
        return self.found


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / f"{ID}.jsonl"
    path.write_bytes(b"12345")
    set_time(path, 0)
    return path


def set_time(path: Path, ago_ns: int) -> None:
    """Say that `path` changed so long ago, counted from an hour ago."""
    then = NOW - HOUR_NS - ago_ns
    os.utime(path, ns=(then, then))


def grow(path: Path) -> None:
    path.write_bytes(b"1234567890")
    set_time(path, 0)


def replace(path: Path) -> None:
    aside = path.with_suffix(".aside")
    aside.write_bytes(b"54321")
    aside.replace(path)
    set_time(path, 0)


def touch(path: Path) -> None:
    path.write_bytes(b"54321")
    set_time(path, 1)


def test_a_journal_that_is_what_it_was_is_not_read_again(tmp_path, journal):
    reader = Reader()
    listing = FolderListing(tmp_path, reader)
    assert [list(listing), list(listing)] == [[SUMMARY], [SUMMARY]]
    assert reader.asked == [ID]


@pytest.mark.parametrize("change", [grow, replace, touch])
@pytest.mark.parametrize("only_moves", [False, True])
def test_a_journal_of_another_size_inode_or_time_is_read_again(
    tmp_path: Path, journal: Path, change: Callable[[Path], None], only_moves: bool
) -> None:
    reader = Reader()
    listing = FolderListing(tmp_path, reader, only_moves=only_moves)
    list(listing)
    change(journal)
    list(listing)
    assert reader.asked == [ID, ID]


def test_what_comes_and_goes_is_seen(tmp_path, journal):
    reader = Reader()
    listing = FolderListing(tmp_path, reader, only_moves=True)
    for hours in (9, 8):
        set_time(tmp_path, hours * HOUR_NS)
        list(listing)
    journal.rename(tmp_path / f"{OTHER_ID}.jsonl")
    set_time(tmp_path, 7 * HOUR_NS)
    assert len(list(listing)) == 1
    assert reader.asked == [ID, OTHER_ID]
    (tmp_path / f"{OTHER_ID}.jsonl").unlink()
    set_time(tmp_path, 6 * HOUR_NS)
    assert list(listing) == []


def test_a_folder_that_has_long_been_still_is_not_looked_through_again(
    tmp_path, journal, monkeypatch
):
    listing = FolderListing(tmp_path, Reader(), only_moves=True)
    set_time(tmp_path, 0)
    list(listing)
    with monkeypatch.context() as patch:
        patch.setattr(file_listing.os, "scandir", None)
        assert list(listing) == [SUMMARY]


def test_where_journals_are_written_to_the_time_of_the_folder_says_nothing(tmp_path, journal):
    reader = Reader()
    listing = FolderListing(tmp_path, reader)
    set_time(tmp_path, 0)
    list(listing)
    grow(journal)
    set_time(tmp_path, 0)
    list(listing)
    assert reader.asked == [ID, ID]


def test_the_time_of_a_folder_that_changed_just_now_is_not_believed(tmp_path, journal):
    reader = Reader()
    listing = FolderListing(tmp_path, reader, only_moves=True)
    # A time to come is never old enough, however slowly the test runs.
    moment = time.time_ns() + HOUR_NS
    for act in (touch, grow):
        act(journal)
        os.utime(tmp_path, ns=(moment, moment))
        list(listing)
    assert reader.asked == [ID, ID]


@pytest.mark.parametrize("only_moves", [False, True])
def test_what_could_not_be_read_is_tried_again_each_time(tmp_path, journal, only_moves):
    reader = Reader(Damage(session_id=ID, reason="permission denied"))
    listing = FolderListing(tmp_path, reader, only_moves=only_moves)
    set_time(tmp_path, 0)
    assert list(listing) == [reader.found]
    reader.found = SUMMARY
    assert list(listing) == [SUMMARY]


def test_what_is_gone_when_it_is_read_is_left_out(tmp_path, journal):
    assert list(FolderListing(tmp_path, Reader(None))) == []


def test_a_folder_that_is_not_there_is_empty(tmp_path):
    for only_moves in (False, True):
        assert list(FolderListing(tmp_path / "none", Reader(), only_moves=only_moves)) == []


@pytest.mark.parametrize(("digits", "looks"), [(123_456, 1), (0, 2)], ids=["fine", "coarse"])
def test_a_time_without_fine_digits_must_be_older_to_be_believed(tmp_path, journal, digits, looks):
    reader = Reader()
    listing = FolderListing(tmp_path, reader, only_moves=True)
    second = 1_000_000_000
    moment = (time.time_ns() // second - 1) * second + digits
    for act in (touch, grow):
        act(journal)
        os.utime(tmp_path, ns=(moment, moment))
        list(listing)
    assert len(reader.asked) == looks


def picked(listing, *wanted):
    """What a listing says of the sessions that are wanted, read one by one."""
    return [listing.read(journal) for journal in listing.journals(wanted.__contains__)]


@pytest.mark.parametrize("only_moves", [False, True])
def test_only_what_is_picked_is_read_and_that_once(tmp_path, journal, only_moves):
    (tmp_path / f"{OTHER_ID}.jsonl").write_bytes(b"1")
    reader = Reader()
    listing = FolderListing(tmp_path, reader, only_moves=only_moves)
    assert [picked(listing, ID), picked(listing, ID), picked(listing)] == [[SUMMARY], [SUMMARY], []]
    assert reader.asked == [ID]
    assert list(listing) == [SUMMARY, SUMMARY]
    assert picked(listing, ID, OTHER_ID) == [SUMMARY, SUMMARY]
    assert reader.asked == [ID, OTHER_ID]


def test_what_is_picked_has_the_time_of_its_writing(tmp_path, journal):
    (found,) = FolderListing(tmp_path, Reader()).journals({ID}.__contains__)
    assert found.session_id == ID
    assert abs(found.written.timestamp() - journal.stat().st_mtime) < 1e-3


@pytest.mark.parametrize(("moment", "year"), [(-(10**30), 1970), (10**30, 3058)])
def test_a_time_that_no_calendar_has_is_a_distant_one(moment, year):
    assert Journal(ID, (1, 1, moment)).written.year == year


@pytest.mark.parametrize("change", [grow, replace, touch])
@pytest.mark.parametrize("is_listed", [False, True])
def test_what_was_picked_is_read_again_when_it_changes(tmp_path, journal, change, is_listed):
    reader = Reader()
    listing = FolderListing(tmp_path, reader)
    for _ in range(2):
        assert (list(listing) if is_listed else picked(listing, ID)) == [SUMMARY]
        change(journal)
    assert picked(listing, ID) == [SUMMARY]
    # Only a file that is replaced again is another one again.
    assert len(reader.asked) == (3 if change is replace else 2)


def test_what_is_picked_from_a_folder_that_has_long_been_still_is_known(
    tmp_path, journal, monkeypatch
):
    listing = FolderListing(tmp_path, Reader(), only_moves=True)
    set_time(tmp_path, 0)
    list(listing)
    with monkeypatch.context() as patch:
        patch.setattr(file_listing.os, "scandir", None)
        assert picked(listing, ID) == [SUMMARY]
        assert picked(listing, OTHER_ID) == []
    journal.rename(tmp_path / f"{OTHER_ID}.jsonl")
    assert [picked(listing, ID), picked(listing, OTHER_ID)] == [[], [SUMMARY]]


def test_damage_that_is_picked_is_looked_at_again_each_time(tmp_path, journal):
    reader = Reader(Damage(session_id=ID, reason="permission denied"))
    listing = FolderListing(tmp_path, reader)
    assert picked(listing, ID) == [reader.found]
    reader.found = SUMMARY
    assert picked(listing, ID) == [SUMMARY]


def test_what_is_gone_when_it_is_picked_is_none(tmp_path, journal):
    assert picked(FolderListing(tmp_path, Reader(None)), ID) == [None]


def test_ids_are_had_without_reading(tmp_path, journal):
    reader = Reader()
    assert FolderListing(tmp_path, reader).ids == [ID]
    assert FolderListing(tmp_path / "none", reader).ids == []
    assert reader.asked == []
