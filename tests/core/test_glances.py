"""Glances: what changes is seen, and what changed just now is not believed."""

import os

import pytest

from mcp_server.core import glances
from mcp_server.core.glances import Glance, has_settled

SECOND = 10**9


@pytest.mark.parametrize(
    ("ago", "digits", "settled"),
    [
        (101_000_000, 1, True),
        (100_000_000, 1, False),
        (0, 1, False),
        (-SECOND, 1, False),
        (101_000_000, 0, False),
        (3 * SECOND, 0, False),
        (3 * SECOND + 1, 0, True),
    ],
)
def test_a_time_is_believed_when_another_change_would_show(ago, digits, settled):
    changed = 50 * SECOND + digits
    assert has_settled(changed, changed + ago) is settled


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "file").write_text("text", encoding="utf-8")
    os.utime(tmp_path / "file", ns=(1, 1))
    return tmp_path


def glance(folder):
    return Glance.at([str(folder), str(folder / "file"), str(folder / "nothing")])


def _replace(folder):
    (folder / "other").write_text("text", encoding="utf-8")
    os.utime(folder / "other", ns=(1, 1))
    (folder / "other").replace(folder / "file")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: os.utime(folder / "file", ns=(2, 2)),
        lambda folder: (folder / "file").write_text("longer text", encoding="utf-8"),
        lambda folder: (folder / "file").unlink(),
        lambda folder: (folder / "nothing").mkdir(),
        _replace,
    ],
    ids=["time", "size", "gone", "there", "another file"],
)
def test_a_change_shows(folder, change):
    before = glance(folder)
    assert glance(folder) == before
    change(folder)
    assert glance(folder) != before


def test_a_glance_has_settled_when_all_that_it_saw_has(folder, monkeypatch):
    seen = glance(folder)
    assert not seen.has_settled
    later = max(times[1] for times in seen.seen) + 4 * SECOND
    monkeypatch.setattr(glances.time, "time_ns", lambda: later)
    assert seen.has_settled
    os.utime(folder / "file", ns=(later, later))
    assert not glance(folder).has_settled
