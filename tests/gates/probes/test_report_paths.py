"""Which file of the project a name in a report means."""

from pathlib import Path

import pytest

from mcp_server.gates.probes.report_paths import (
    Meant,
    agrees_in_part,
    dotted,
    listed,
    meant_by,
    project_path,
)
from tests.gates.probes.probe_builders import written

ROOT = Path("/srv/project")
TARGET = "src/pay.py"


@pytest.mark.parametrize(
    ("name", "folder", "path"),
    [
        ("src/pay.py", "", "src/pay.py"),
        (" ./src//x/../pay.py ", "", "src/pay.py"),
        ("src\\pay.py", "", "src/pay.py"),
        ("/srv/project/src/pay.py", "", "src/pay.py"),
        ("//srv/project/src/pay.py", "", "src/pay.py"),
        ("/srv/project/../project/src/pay.py", "", "src/pay.py"),
        ("/srv/project/../src/pay.py", "", "/srv/src/pay.py"),
        ("/srv/project-2/src/pay.py", "", "/srv/project-2/src/pay.py"),
        ("/srv/project", "", "/srv/project"),
        ("C:\\ci\\pay.py", "", "C:/ci/pay.py"),
        ("../../src/pay.py", "", "/src/pay.py"),
        ("pay.py", "/srv/project/src", "src/pay.py"),
        ("pay.py", "src", "src/pay.py"),
        ("pay.py", "..", "/pay.py"),
        ("pay.py", "/", "/pay.py"),
        ("/srv/project/pay.py", "/app", "pay.py"),
    ],
)
def test_a_path_in_the_project_is_relative_and_any_other_absolute(name, folder, path):
    assert project_path(name, ROOT, folder) == path


@pytest.mark.parametrize(
    ("path", "agrees"),
    [
        ("pay.py", True),
        ("app/src/pay.py", True),
        ("/app/src/pay.py", True),
        ("C:/app/src/pay.py", True),
        ("src/pay.py", False),
        ("ay.py", False),
        ("appsrc/pay.py", False),
        ("/app/mysrc/pay.py", False),
        ("/pay.py", False),
        ("app/pay.py", False),
    ],
)
def test_paths_agree_in_part_where_one_ends_with_the_other(tmp_path, path, agrees):
    assert agrees_in_part(path, TARGET, tmp_path) is agrees
    if agrees and path[0] != "/" and ":" not in path:
        written(tmp_path, path)
        assert agrees_in_part(path, TARGET, tmp_path) is False


def test_a_name_that_no_disk_can_bear_is_no_file(tmp_path):
    for name in ("x" * 5_000 + "/" + TARGET, "\0/" + TARGET, "\ud800/" + TARGET):
        assert agrees_in_part(name, TARGET, tmp_path) is True


def test_folders_of_a_report_decide_what_a_name_means(tmp_path):
    inside, outside = (f"{tmp_path}/src",), ("/app/src",)
    assert meant_by("pay.py", (), tmp_path) == Meant(("pay.py",), ("pay.py",))
    assert meant_by("pay.py", inside, tmp_path) == Meant((TARGET,), (TARGET,))
    assert meant_by("pay.py", outside, tmp_path) == Meant(("pay.py",), ("/app/src/pay.py",))
    written(tmp_path, "pay.py")
    assert meant_by("pay.py", inside, tmp_path) == Meant(("pay.py",), (TARGET,))
    written(tmp_path, TARGET)
    assert meant_by("pay.py", inside, tmp_path) == Meant((TARGET,), (TARGET,))


def test_the_module_of_a_file_has_its_name_without_the_last_extension():
    assert dotted("tests/pay.test.ts") == "tests.pay.test"


def test_names_are_listed_once_shortened_and_never_absolute():
    names = ["/home/ci/x/a.py", "/home/ci/x/a.py", "C:\\x\\b.py", "a title", "", "c/\ud800\n.py"]
    assert listed(names, ROOT) == ".../x/a.py, .../x/b.py, a title, c/??.py"
    assert listed("abcdefg", ROOT) == "a, b, c, d, e and 2 more"
