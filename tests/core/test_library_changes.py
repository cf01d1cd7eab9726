"""Reading again: a definition is kept while nothing changes, and never served once it broke."""

import json
import os
import shutil
import time

import pytest

from mcp_server.core import definition_files, glances
from mcp_server.core.library import Shelf, WorkflowLibrary
from mcp_server.errors import DefinitionError
from tests.builders import library, write_workflow
from tests.core.session_builders import link, put


def test_a_definition_is_kept_while_nothing_changes(shelf):
    write_workflow(shelf)
    shelves = library(shelf)

    assert shelves.load("small_v1") is shelves.load("small_v1")


def _touch(path, text):
    """Change a file, and its time for certain, whatever the clock of the disk."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))


def _swap(one, other):
    keep = one.with_name("keep")
    one.rename(keep)
    other.rename(one)
    keep.rename(other)


CHANGES = {
    "metadata": lambda folder: _touch(
        folder / "metadata.json", json.dumps({"workflow_type": "small_v1", "version": "2"})
    ),
    "phase": lambda folder: _touch(folder / "phases/1/phase.md", "# Other\n"),
    "text of the same size": lambda folder: _touch(
        folder / "phases/1/phase.md",
        (folder / "phases/1/phase.md").read_text(encoding="utf-8").replace("Do it", "Do at"),
    ),
    "task": lambda folder: _touch(folder / "phases/2/task-1-do.md", "# Other\n"),
    "gate": lambda folder: _touch(
        folder / "phases/1/gate-definition.yaml", "evidence_schema: {a: {}}\n"
    ),
    "new task": lambda folder: _touch(folder / "phases/1/task-2-new.md", "# New\n"),
    "task that is gone": lambda folder: (folder / "phases/1/task-1-do.md").unlink(),
    "gate that is gone": lambda folder: (folder / "phases/2/gate-definition.yaml").unlink(),
    "phase that is gone": lambda folder: shutil.rmtree(folder / "phases/2"),
    "phases that changed places": lambda folder: _swap(folder / "phases/1", folder / "phases/2"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_definition_is_read_again_when_a_file_has_changed(shelf, change):
    folder = write_workflow(shelf)
    shelves = library(shelf)
    before = shelves.load("small_v1").digest

    change(folder)

    assert shelves.load("small_v1").digest == library(shelf).load("small_v1").digest != before


def test_a_change_behind_a_link_to_a_folder_is_seen(tmp_path):
    shelf, common = tmp_path / "shelf", tmp_path / "common"
    folder = write_workflow(shelf, phases=2)
    (folder / "phases" / "2").rename(common)
    link(folder / "phases" / "2", common, is_folder=True)
    shelves = WorkflowLibrary((Shelf("shelf", shelf, tmp_path),))
    before = shelves.load("small_v1").digest

    _touch(common / "gate-definition.yaml", "evidence_schema: {a: {}}\n")

    assert shelves.load("small_v1").digest != before


def test_a_definition_that_was_mended_loads(shelf):
    folder = write_workflow(shelf)
    gate = (folder / "phases/1/gate-definition.yaml").read_text(encoding="utf-8")
    shelves = library(shelf)
    put(folder, "phases/1/gate-definition.yaml", "[")
    with pytest.raises(DefinitionError):
        shelves.load("small_v1")

    put(folder, "phases/1/gate-definition.yaml", gate)

    assert shelves.load("small_v1").phase_numbers == (1, 2)


def test_a_definition_that_broke_is_no_longer_served(shelf):
    folder = write_workflow(shelf)
    shelves = library(shelf)
    shelves.load("small_v1")

    put(folder, "phases/1/gate-definition.yaml", "[")

    with pytest.raises(DefinitionError):
        shelves.load("small_v1")


@pytest.fixture
def hour_later(monkeypatch):
    """A clock by which all that is there has long been still."""
    now = time.time_ns() + 3_600 * 10**9
    monkeypatch.setattr(glances.time, "time_ns", lambda: now)


def known_by_a_glance(shelf, **more):
    """A library that has loaded a definition and looked it through once more."""
    write_workflow(shelf, **more)
    shelves = library(shelf)
    shelves.load("small_v1")
    shelves.load("small_v1")
    return shelves


def test_what_has_long_been_still_is_not_looked_through_again(shelf, hour_later, monkeypatch):
    shelves = known_by_a_glance(shelf)
    with monkeypatch.context() as patch:
        patch.setattr(definition_files.os, "scandir", None)
        assert shelves.load("small_v1").phase_numbers == (1, 2)


def test_what_changed_just_now_is_looked_through_again(shelf, monkeypatch):
    monkeypatch.setattr(glances.time, "time_ns", lambda: 0)
    shelves = known_by_a_glance(shelf)
    with monkeypatch.context() as patch:
        patch.setattr(definition_files.os, "scandir", None)
        with pytest.raises(TypeError):
            shelves.load("small_v1")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_is_known_by_a_glance_is_seen(shelf, hour_later, change):
    shelves = known_by_a_glance(shelf)
    before = shelves.load("small_v1").digest

    change(shelf / "small_v1")

    after = shelves.load("small_v1").digest
    assert after == library(shelf).load("small_v1").digest != before
    assert shelves.load("small_v1").digest == shelves.load("small_v1").digest == after


def test_a_twin_of_what_is_known_by_a_glance_is_seen(shelf, hour_later):
    shelves = known_by_a_glance(shelf)

    write_workflow(shelf, "Small_v1")

    with pytest.raises(DefinitionError, match="differ by case only"):
        shelves.load("small_v1")


def test_a_definition_on_an_earlier_shelf_takes_the_place_of_one_known_by_a_glance(
    tmp_path, hour_later
):
    write_workflow(tmp_path / "later")
    (tmp_path / "earlier" / "small_v1").mkdir(parents=True)
    shelves = library(tmp_path / "earlier", tmp_path / "later")
    assert [len(shelves.load("small_v1").phases) for _ in range(3)] == [2, 2, 2]

    (tmp_path / "earlier" / "small_v1").rmdir()
    write_workflow(tmp_path / "earlier", phases=3)

    assert len(shelves.load("small_v1").phases) == 3
