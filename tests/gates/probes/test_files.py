"""What of a project is read: its own regular files, within limits, and nothing else."""

import hashlib
import os
from datetime import UTC, datetime, timedelta

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes import files as files_module
from mcp_server.gates.probes.files import AHEAD, MAX_FILE, ProjectFiles, clock_grain
from mcp_server.gates.probes.globs import MAX_FILES
from tests.gates.probes.probe_builders import written

SINCE = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(name="root")
def root_of_project(tmp_path):
    written(tmp_path, "outside/secret.txt", "secret")
    written(tmp_path, "project-2/secret.txt", "secret")
    written(tmp_path, "project/docs/a.md", "a")
    written(tmp_path, "project/docs/b.md", "b")
    return tmp_path / "project"


def refusal_of(root, path, **settings):
    with pytest.raises(LookFailedError) as raised:
        ProjectFiles(root).read_all(path, **settings)
    return raised.value.reason


def written_at(file, moment):
    os.utime(file, (moment.timestamp(), moment.timestamp()))


def paths(found):
    return [file.path for file in found]


def test_a_file_is_read_with_what_it_is(root):
    written_at(root / "docs/a.md", SINCE)

    [file] = ProjectFiles(root).read_all("docs/a.md")

    assert (file.path, file.content, file.text()) == ("docs/a.md", b"a", "a")
    assert file.source.size == 1
    assert file.source.sha256 == hashlib.sha256(b"a").hexdigest()
    assert file.source.modified == SINCE


def test_text_is_utf_8_with_or_without_a_mark(root):
    written(root, "a.txt", "\ufeffgröße")
    written(root, "b.txt", b"gr\xf6\xdfe")
    files = ProjectFiles(root)

    assert files.read("a.txt").text() == "größe"
    with pytest.raises(LookFailedError) as raised:
        files.read("b.txt").text()
    assert raised.value.reason == "b.txt is not UTF-8 text"
    assert [source.path for source in raised.value.sources] == ["b.txt"]


def test_a_path_is_shown_as_it_is_in_the_project(root):
    assert paths(ProjectFiles(root).read_all("./docs//a.md")) == ["docs/a.md"]


def test_what_is_not_there_is_named(root):
    assert refusal_of(root, "docs/c.md") == "docs/c.md is not there"
    assert refusal_of(root, "docs/a.md/c.md") == "docs/a.md/c.md cannot be read: Not a directory"
    assert refusal_of(root, "docs/*.txt") == "no file matches docs/*.txt"


LEAVING = {
    "up": ("../outside/secret.txt", "../outside/secret.txt leads out of the project"),
    "up later": (
        "docs/../../outside/secret.txt", "docs/../../outside/secret.txt leads out of the project",
    ),
    "sibling with the same beginning": (
        "../project-2/secret.txt", "../project-2/secret.txt leads out of the project",
    ),
    "absolute": (
        "/etc/passwd", "a path leads out of the project; write it relative to its root",
    ),
    "home": ("~/secret.txt", "~/secret.txt is not there"),
    "NUL": ("docs/a.md\0.txt", "docs/a.md?.txt has a sign in it that no path has"),
    "half a character": ("docs/\ud800", "docs/? has a sign in it that no path has"),
    "linked file": ("linked.txt", "linked.txt leads out of the project"),
    "in a linked folder": ("linked/secret.txt", "linked/secret.txt leads out of the project"),
    "by two links": ("twice.txt", "twice.txt leads out of the project"),
    "glob up": ("../outside/*.txt", "../outside/*.txt leads out of the project"),
    "glob of NUL": ("docs/\0*", "docs/?* has a sign in it that no path has"),
    "glob of half a character": ("docs/\ud800*", "docs/?* has a sign in it that no path has"),
    "glob up to all there is": ("docs/**/../../..", "docs/**/../../.. leads out of the project"),
    "glob that is absolute": (
        "/etc/pass[w]d*", "a path leads out of the project; write it relative to its root",
    ),
    "glob of a linked file": ("*.txt", "linked.txt leads out of the project"),
    "glob in a linked folder": ("linked/*.txt", "linked leads out of the project"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "reason"), LEAVING.values(), ids=LEAVING)
def test_a_path_that_leaves_the_project_is_refused(root, path, reason):
    (root / "linked.txt").symlink_to("../outside/secret.txt")
    (root / "linked").symlink_to(root.parent / "outside")
    (root / "twice.txt").symlink_to("linked.txt")

    assert refusal_of(root, path) == reason


def test_an_absolute_path_is_refused_even_inside_the_project(root):
    assert refusal_of(root, str(root / "docs/a.md")) == (
        "a path leads out of the project; write it relative to its root"
    )


def test_names_with_dots_are_names(root):
    written(root, "foo..bar.py", "x")
    written(root, "..a/..b", "y")

    assert ProjectFiles(root).read("foo..bar.py").content == b"x"
    assert ProjectFiles(root).read("..a/..b").content == b"y"


def test_a_link_inside_the_project_is_followed(root):
    (root / "latest").symlink_to("docs")
    (root / "latest.md").symlink_to("docs/a.md")

    assert ProjectFiles(root).read("latest/b.md").content == b"b"
    assert ProjectFiles(root).read("latest.md").path == "latest.md"


def test_a_project_that_is_reached_by_a_link_is_read(root, tmp_path):
    (tmp_path / "shortcut").symlink_to(root)

    assert ProjectFiles(tmp_path / "shortcut").read("docs/a.md").content == b"a"


def test_links_that_go_round_are_refused(root):
    (root / "round").symlink_to("round")

    assert refusal_of(root, "round") in {
        "round leads out of the project",
        "round cannot be read: Too many levels of symbolic links",
    }


def swapped_in_between(monkeypatch, files, swap):
    confined = files._confined

    def confined_then_swapped(path):
        resolved = confined(path)
        swap()
        return resolved

    monkeypatch.setattr(files, "_confined", confined_then_swapped)


def test_a_link_swapped_in_for_the_file_leads_nowhere(root, monkeypatch):
    files = ProjectFiles(root)

    def swap():
        (root / "docs/a.md").unlink()
        (root / "docs/a.md").symlink_to("../../outside/secret.txt")

    swapped_in_between(monkeypatch, files, swap)

    with pytest.raises(LookFailedError) as raised:
        files.read("docs/a.md")
    assert raised.value.reason == "docs/a.md cannot be read: Too many levels of symbolic links"


def test_a_link_swapped_in_for_a_folder_leads_nowhere(root, monkeypatch):
    files = ProjectFiles(root)
    written(root, "reports/secret.txt", "ours")

    def swap():
        (root / "reports").rename(root / "moved")
        (root / "reports").symlink_to("../outside")

    swapped_in_between(monkeypatch, files, swap)

    with pytest.raises(LookFailedError) as raised:
        files.read("reports/secret.txt")
    assert raised.value.reason == "reports/secret.txt cannot be read: Not a directory"


@pytest.mark.parametrize("path", ["docs", ".", ""])
def test_a_folder_is_no_file(root, path):
    assert refusal_of(root, path) == f"{path or '.'} cannot be read: Is a directory"


def test_a_glob_finds_no_folder(root):
    assert refusal_of(root, "d*") == "no file matches d*"


def test_a_pipe_does_not_hold_the_server_up(root):
    os.mkfifo(root / "pipe")

    assert refusal_of(root, "pipe") == "pipe is not a file"
    assert refusal_of(root, "pip*") == "no file matches pip*"


def test_a_device_is_not_read(root):
    (root / "zero").symlink_to("/dev/zero")

    assert refusal_of(root, "zero") == "zero leads out of the project"


def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def open_descriptors():
    return {descriptor for descriptor in range(256) if is_open(descriptor)}


def test_what_is_refused_leaves_nothing_open(root):
    os.mkfifo(root / "pipe")
    files = ProjectFiles(root)
    before = open_descriptors()

    for path in ("docs", "pipe", "docs/a.md", "docs/a.md/c", "missing/c", "docs/missing"):
        with pytest.raises(LookFailedError):
            files.read(path, since=datetime.now(UTC) + timedelta(days=1))

    assert open_descriptors() == before


def test_a_file_has_a_size_above_which_it_is_refused(root):
    with (root / "big").open("wb") as file:
        file.truncate(MAX_FILE)
    assert ProjectFiles(root).read("big").source.size == MAX_FILE

    with (root / "big").open("wb") as file:
        file.truncate(MAX_FILE + 1)

    assert refusal_of(root, "big") == f"big is over {MAX_FILE} bytes"


def test_a_glob_has_a_number_of_files_above_which_it_is_refused(root):
    for number in range(MAX_FILES):
        (root / f"{number}.txt").touch()
    assert len(ProjectFiles(root).read_all("*.txt")) == MAX_FILES

    (root / "more.txt").touch()

    assert refusal_of(root, "*.txt") == ("over 1000 files match *.txt; name a folder with fewer")


def test_a_glob_has_a_size_in_all_above_which_it_is_refused(root, monkeypatch):
    monkeypatch.setattr(files_module, "MAX_TOTAL", 10)
    written(root, "a.txt", "x" * 6)
    written(root, "b.txt", "x" * 4)
    assert paths(ProjectFiles(root).read_all("*.txt")) == ["a.txt", "b.txt"]

    written(root, "c.txt", "x")

    assert refusal_of(root, "*.txt") == "the files that match *.txt are over 10 bytes"


GLOBS = {
    "star": ("docs/*.md", ["docs/a.md", "docs/b.md"]),
    "question mark": ("docs/?.md", ["docs/a.md", "docs/b.md"]),
    "set": ("docs/[b].md", ["docs/b.md"]),
    "all folders": ("**/*.md", ["docs/a.md", "docs/b.md", "docs/deep/er/c.md", "top.md"]),
    "a sign as it is": ("x[[]1].txt", ["x[1].txt"]),
    "without hidden files": ("*", ["top.md", "x[1].txt"]),
    "hidden files that are asked for": (".*", [".hidden"]),
}


@pytest.mark.parametrize(("pattern", "found"), GLOBS.values(), ids=GLOBS)
def test_a_glob_finds_files_in_order(root, pattern, found):
    for path in ("top.md", "docs/deep/er/c.md", "x[1].txt", ".hidden"):
        written(root, path)

    assert paths(ProjectFiles(root).read_all(pattern)) == found


@pytest.mark.parametrize("early", [timedelta(0), timedelta(hours=-1)])
def test_a_file_written_since_then_is_fresh(root, early):
    written_at(root / "docs/a.md", SINCE - early)

    assert paths(ProjectFiles(root).read_all("docs/a.md", since=SINCE)) == ["docs/a.md"]


def test_a_file_may_lie_behind_by_as_much_as_clocks_are_coarse(root):
    written_at(root / "docs/a.md", SINCE - clock_grain() / 2)

    assert paths(ProjectFiles(root).read_all("docs/a.md", since=SINCE)) == ["docs/a.md"]
    assert timedelta(0) < clock_grain() < timedelta(seconds=0.1)


@pytest.mark.parametrize("path", ["docs/a.md", "docs/*.md"])
def test_a_file_from_before_is_stale(root, path):
    written_at(root / "docs/a.md", SINCE - timedelta(seconds=1))

    with pytest.raises(LookFailedError) as raised:
        ProjectFiles(root).read_all(path, since=SINCE)

    assert raised.value.reason == (
        "docs/a.md is stale: it was written at 2024-05-01 11:59:59 UTC, before"
        " 2024-05-01 12:00:00 UTC; produce it again"
    )
    assert [source.path for source in raised.value.sources] == ["docs/a.md"]


def test_a_copy_that_keeps_its_time_is_stale(root):
    written_at(root / "docs/a.md", SINCE - timedelta(days=1))
    os.link(root / "docs/a.md", root / "report.md")

    assert refusal_of(root, "report.md", since=SINCE).startswith("report.md is stale")


@pytest.mark.parametrize("path", ["report.md", "*.md"])
def test_a_link_is_no_fresh_report(root, path):
    (root / "report.md").symlink_to("docs/a.md")

    assert refusal_of(root, path, since=SINCE) == (
        "report.md is a link; put the report itself there"
    )


def test_a_file_from_the_future_would_outlast_every_attempt(root):
    now = SINCE + timedelta(minutes=5)
    files = ProjectFiles(root, now=lambda: now)
    written_at(root / "docs/a.md", now + AHEAD)
    assert files.read("docs/a.md", since=SINCE).content == b"a"

    written_at(root / "docs/a.md", now + AHEAD + timedelta(seconds=1))

    assert files.read("docs/a.md").content == b"a"
    with pytest.raises(LookFailedError) as raised:
        files.read("docs/a.md", since=SINCE)
    assert raised.value.reason == (
        "docs/a.md is from the future: it was written at 2024-05-01 12:05:06 UTC, and now it is"
        " 2024-05-01 12:05:00 UTC; produce it again"
    )
    assert [source.path for source in raised.value.sources] == ["docs/a.md"]


@pytest.mark.parametrize(
    ("seconds", "year"), [(2**40, 9999), (2**34 - 1, 2514), (-(2**40), 1)], ids=str
)
def test_a_time_beyond_all_calendars_is_no_trouble(root, seconds, year, monkeypatch):
    content = ProjectFiles._content
    monkeypatch.setattr(
        ProjectFiles, "_content", lambda *given: (content(*given)[0], float(seconds))
    )

    assert ProjectFiles(root).read("docs/a.md").source.modified.year == year
    assert refusal_of(root, "docs/a.md", since=SINCE).startswith("docs/a.md is ")


def test_a_message_shortens_a_path(root):
    assert refusal_of(root, "x" * 200 + "\n") == f"{'x' * 77}... is not there"
    assert refusal_of(root, "x" * 200 + "*") == f"no file matches {'x' * 77}..."
