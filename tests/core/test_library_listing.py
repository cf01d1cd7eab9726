"""The list of definitions: changes on disk show at once, and looking costs next to nothing."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from mcp_server.core.library import Listed
from mcp_server.errors import DefinitionError
from tests.builders import library, write_workflow


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "shelf"
    for name in ("a_v1", "b_v1"):
        write_workflow(folder, name)
    return folder


def shown(shelves):
    """Name and phases of what is listed, and the messages of what is wrong."""
    return [
        (found.metadata.workflow_type, found.phases) if isinstance(found, Listed) else found.message
        for found in shelves.listing()
    ]


def test_what_is_added_changed_and_removed_shows_at_the_next_look(shelf):
    shelves = library(shelf)
    assert shown(shelves) == [("a_v1", 2), ("b_v1", 2)]

    write_workflow(shelf, "c_v1", phases=3)
    shutil.rmtree(shelf / "a_v1")
    (shelf / "b_v1" / "metadata.json").write_text("{", encoding="utf-8")
    found = shown(shelves)
    assert found[1] == ("c_v1", 3)
    assert found[0].startswith("shelf/b_v1/metadata.json:1: not JSON")

    shutil.rmtree(shelf / "b_v1")
    shutil.rmtree(shelf / "c_v1" / "phases" / "3")
    assert shown(shelves) == [("c_v1", 2)]


def test_a_look_costs_one_stat_a_file_and_reads_nothing(shelf, monkeypatch):
    shelves = library(shelf)
    before = shown(shelves)
    counted: Counter[str] = Counter()

    def counting(real):
        def counted_call(path, *args, **kwargs):
            counted[str(path)] += 1
            return real(path, *args, **kwargs)

        return counted_call

    for name in ("stat", "lstat", "open"):
        monkeypatch.setattr(os, name, counting(getattr(os, name)))
    monkeypatch.setattr(Path, "read_text", lambda *_args, **_kwargs: pytest.fail("it was read"))
    assert shown(shelves) == before

    assert counted == Counter(
        str(shelf / name / part)
        for name in ("a_v1", "b_v1")
        for part in ("metadata.json", "phases")
    )


def test_names_that_differ_by_case_only_are_refused_both(shelf):
    write_workflow(shelf, "A_v1")
    if not (shelf / "a_v1").is_dir() or len(list(shelf.iterdir())) < 3:
        pytest.skip("this file system knows no case")
    shelves = library(shelf)
    assert shown(shelves) == [
        "shelf/A_v1: its name and that of shelf/a_v1 differ by case only",
        "shelf/a_v1: its name and that of shelf/A_v1 differ by case only",
        ("b_v1", 2),
    ]
    with pytest.raises(DefinitionError, match="differ by case only"):
        shelves.load("a_v1")

    shutil.rmtree(shelf / "A_v1")
    assert shown(shelves) == [("a_v1", 2), ("b_v1", 2)]
    assert shelves.load("a_v1").workflow_type == "a_v1"


def test_twins_on_two_shelves_are_refused_too(shelf, tmp_path):
    other = tmp_path / "other"
    write_workflow(other, "B_v1")
    assert shown(library(shelf, other))[1:] == [
        "shelf/b_v1: its name and that of other/B_v1 differ by case only",
        "other/B_v1: its name and that of shelf/b_v1 differ by case only",
    ]


def test_a_type_that_is_not_the_folders_name_is_refused_with_both(shelf):
    path = shelf / "a_v1" / "metadata.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, "workflow_type": "z_v1"}), encoding="utf-8")
    assert shown(library(shelf))[0] == (
        "shelf/a_v1/metadata.json: workflow_type 'z_v1' is not the folder's name 'a_v1'"
    )


def test_a_folder_that_is_a_link_out_of_the_project_is_refused(shelf, tmp_path):
    write_workflow(tmp_path / "elsewhere", "c_v1")
    (shelf / "c_v1").symlink_to(tmp_path / "elsewhere" / "c_v1")
    assert shown(library(shelf))[2] == "shelf/c_v1/metadata.json: a link leads out of the project"


def test_metadata_that_is_a_link_to_nowhere_is_broken_and_not_absent(shelf):
    path = shelf / "a_v1" / "metadata.json"
    path.unlink()
    path.symlink_to(shelf / "nowhere")
    assert shown(library(shelf))[0].startswith("shelf/a_v1/metadata.json: cannot be read")
