"""Which files a glob names, and the walks that are led nowhere."""

import os

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes import globs as globs_module
from mcp_server.gates.probes.globs import MAX_GLOB, find_files, literal, shown
from tests.gates.probes.probe_builders import written

FILES = ["top.md", "docs/a.md", "docs/B.md", "docs/deep/er/c.md", "docs/x[1].md", ".github/ci.yml",
         "docs/.hidden/d.md", ".env"]  # fmt: skip


@pytest.fixture(name="root")
def root_of_project(tmp_path):
    for path in FILES:
        written(tmp_path, f"project/{path}")
    written(tmp_path, "outside/secret.md")
    return tmp_path / "project"


def refusal_of(root, pattern):
    with pytest.raises(LookFailedError) as raised:
        find_files(root, pattern)
    return raised.value.reason


FOUND = {
    "star": ("docs/*.md", ["docs/B.md", "docs/a.md", "docs/x[1].md"]),
    "question mark": ("docs/?.md", ["docs/B.md", "docs/a.md"]),
    "set": ("docs/[!a].md", ["docs/B.md"]),
    "case": ("docs/b*", []),
    "spelt out": ("docs/a.md", ["docs/a.md"]),
    "sign as it is": ("docs/x[[]1].*", ["docs/x[1].md"]),
    "folders": ("*/*/*/c.md", ["docs/deep/er/c.md"]),
    "any folders": ("**/*.md", ["docs/B.md", "docs/a.md", "docs/deep/er/c.md", "docs/x[1].md",
                                "top.md"]),
    "any folders, none": ("docs/**/a.md", ["docs/a.md"]),
    "any folders, twice": ("**/docs/**/c.md", ["docs/deep/er/c.md"]),
    "any folders, again": ("**/**/c.md", ["docs/deep/er/c.md"]),
    "all below": ("docs/deep/**", ["docs/deep/er/c.md"]),
    "nothing below a file": ("docs/a*/**", []),
    "only folders": ("docs/*/", []),
    "not hidden": ("*", ["top.md"]),
    "hidden files": (".*", [".env"]),
    "hidden folder": (".github/*.yml", [".github/ci.yml"]),
    "hidden folder below any": ("**/.hidden/*", ["docs/.hidden/d.md"]),
    "needless signs": ("./docs//a*", ["docs/a.md"]),
    "nothing": ("missing/*", []),
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "found"), FOUND.values(), ids=FOUND)
def test_a_glob_names_files(root, pattern, found):
    assert find_files(root, pattern) == found


def test_links_that_go_round_are_not_entered(root):
    (root / "a").symlink_to(".")
    (root / "b").symlink_to(".")

    assert find_files(root, "**/top.md") == ["top.md"]
    assert find_files(root, "*/top.md") == []


def test_a_link_that_is_spelt_out_is_followed_inside(root):
    (root / "latest").symlink_to("docs")
    (root / "out").symlink_to("../outside")

    assert find_files(root, "latest/a*") == ["latest/a.md"]
    assert find_files(root, "**/latest/a*") == ["latest/a.md"]
    assert find_files(root, "*/secret.md") == []
    assert refusal_of(root, "out/*.md") == "out leads out of the project"
    assert refusal_of(root, "**/out/*.md") == "out leads out of the project"


def test_a_link_to_a_file_is_found_and_one_to_nothing_is_not(root):
    (root / "link.md").symlink_to("docs/a.md")
    (root / "gone.md").symlink_to("docs/gone.md")
    (root / "round.md").symlink_to("round.md")

    assert find_files(root, "*.md") == ["link.md", "top.md"]


def test_a_glob_does_not_go_up(root):
    assert refusal_of(root, "docs/../*.md") == "docs/../*.md leads out of the project"
    assert refusal_of(root, "../**") == "../** leads out of the project"


def test_an_absolute_glob_finds_nothing_outside(root):
    assert find_files(root, f"{root.parent}/outside/**") == []


def test_a_walk_has_an_end(root, monkeypatch):
    names = len(FILES) + 4
    monkeypatch.setattr(globs_module, "MAX_COMPARED", 2 * names)
    assert find_files(root, "**/a*") == ["docs/a.md"]

    monkeypatch.setattr(globs_module, "MAX_COMPARED", 3)

    assert refusal_of(root, "**/a*") == (
        "too many files and folders are to be looked through for **/a*; name a folder with fewer"
    )


def test_a_glob_of_many_parts_is_no_work_without_end(root, monkeypatch):
    written(root, "/".join("x" * 60) + "/a")
    for number in range(400):
        (root / "/".join("x" * 60) / f"{number}").touch()
    monkeypatch.setattr(globs_module, "MAX_COMPARED", 10_000)
    assert find_files(root, "**/x/a") == ["x/" * 60 + "a"]

    with pytest.raises(LookFailedError, match="too many files"):
        find_files(root, "**/*/" * (MAX_GLOB // 5 - 1) + "x*")

    assert refusal_of(root, "*" * (MAX_GLOB + 1)) == "a glob of 1001 characters is over 1000"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "docs/deep cannot be read: Permission denied"),
        (FileNotFoundError(2, "gone in between"), "no refusal"),
    ],
    ids=["closed", "gone"],
)
def test_a_folder_that_cannot_be_read_is_not_passed_over(root, monkeypatch, error, words):
    scandir = os.scandir

    def scandir_of_some(folder):
        if str(folder).rstrip("/").endswith("docs/deep"):
            raise error
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scandir_of_some)

    if words == "no refusal":
        assert find_files(root, "**/c.md") == []
    else:
        assert refusal_of(root, "**/c.md") == words


LITERAL = {
    "a/b.md": "a/b.md", "x[[]1].md": "x[1].md", "a[*]b[?]": "a*b?", "*": None, "x[1]": None,
    "[[]*": None, "**": None,
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "path"), LITERAL.items(), ids=LITERAL)
def test_a_glob_that_spells_out_a_path_is_one(pattern, path):
    assert literal(pattern) == path


SHOWN = {
    "": ".", "./a//b": "a/b", "/etc/passwd": "a path", "a\0b\ud800": "a?b?", "x" * 80: "x" * 80,
    "x" * 81: "x" * 77 + "...",
}  # fmt: skip


@pytest.mark.parametrize(("path", "words"), SHOWN.items(), ids=range(len(SHOWN)))
def test_a_message_shows_a_path_short_and_never_absolute(path, words):
    assert shown(path) == words
