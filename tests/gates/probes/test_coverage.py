"""How much was covered: what the probe gives, and which file of the project a report means."""

from datetime import timedelta

import pytest

from mcp_server.gates.probe_settings import CoverageSettings
from mcp_server.gates.probes import coverage
from mcp_server.gates.probes.coverage import look_coverage
from tests.gates.probes.probe_builders import look_at, written
from tests.gates.probes.report_builders import NOON, as_read, cobertura, found, refused

REPORT = "reports/coverage.xml"
TARGET = "src/pay/target.py"

HALF = {1: 1, 2: 0}
MOST = dict.fromkeys(range(1, 200), 7) | {200: 0}
WHOLE = {1: 3}


def of_target(root, report, target=TARGET):
    written(root, REPORT, report)
    return found(root, {"coverage": REPORT, "of": target})


def refusal(root, report, target=TARGET):
    written(root, REPORT, report)
    return refused(root, {"coverage": REPORT, "of": target})


@pytest.mark.parametrize(
    ("lines", "kind", "value"),
    [
        (MOST, "number", 99.5),
        (MOST, None, 99.5),
        (MOST, "integer", 99),
        (MOST, "string", "99.5%"),
        (MOST, "boolean", False),
        (MOST, "dict", {"percent": 99.5, "covered": 199, "total": 200}),
        (MOST, "object", {"percent": 99.5, "covered": 199, "total": 200}),
        (WHOLE, "number", 100.0),
        (WHOLE, "integer", 100),
        (WHOLE, "string", "100%"),
        (WHOLE, "boolean", True),
        ({1: 1, 2: 0, 3: 0}, "number", 33.33),
        ({1: 0}, "number", 0.0),
    ],
)
def test_the_type_says_what_is_given(tmp_path, lines, kind, value):
    written(tmp_path, REPORT, cobertura({"a.py": lines}))
    given = found(tmp_path, {"coverage": REPORT}, type=kind)
    assert (given, type(given)) == (value, type(value))


def test_all_but_one_of_very_many_lines_are_not_all(tmp_path):
    lines = dict.fromkeys(range(1, 30_000), 1) | {30_000: 0}
    written(tmp_path, REPORT, cobertura({"a.py": lines}))
    assert found(tmp_path, {"coverage": REPORT}, type="number") == 99.99
    assert found(tmp_path, {"coverage": REPORT}, type="boolean") is False


def test_a_list_cannot_be_given(tmp_path):
    written(tmp_path, REPORT, cobertura({"a.py": WHOLE}))
    assert refused(tmp_path, {"coverage": REPORT}, type="list") == (
        f"{REPORT}: coverage is one number, and the field wants a list"
    )


def test_what_was_read_is_on_record(tmp_path):
    file = as_read(tmp_path, REPORT, cobertura({"a.py": WHOLE}))
    assert look_coverage(CoverageSettings(path=REPORT), look_at(tmp_path)).sources == (file.source,)


def test_all_files_together_or_one_of_them(tmp_path):
    written(tmp_path, REPORT, cobertura({"src/target.py": HALF, "src/b.py": WHOLE}))
    assert found(tmp_path, {"coverage": REPORT}) == 66.67
    assert found(tmp_path, {"coverage": REPORT, "of": "{target_file}"}) == 50.0
    assert found(tmp_path, {"coverage": REPORT, "of": "src/b.py"}) == 100.0


@pytest.mark.parametrize("count", ["lines", "branches"])
def test_where_nothing_was_measured_the_look_fails(tmp_path, count):
    written(tmp_path, REPORT, cobertura({"a.py": {}}))
    verify = {"coverage": REPORT, "count": count}
    nothing = "was measured: the report has no lines"
    assert refused(tmp_path, verify) == f"{REPORT}: nothing {nothing}"
    assert refused(tmp_path, verify | {"of": "a.py"}) == (
        f"{REPORT}: nothing of a.py {nothing} of a.py"
    )


def test_a_report_without_branches_has_no_percent_of_them(tmp_path):
    written(tmp_path, REPORT, cobertura({"a.py": WHOLE}))
    assert refused(tmp_path, {"coverage": REPORT, "count": "branches"}) == (
        f"{REPORT}: the report has no branches; measure with branches"
    )


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        (TARGET, ()),
        ("./src/pay/target.py", ()),
        ("src\\pay\\target.py", ()),
        ("{root}/src/pay/target.py", ()),
        ("{root}/src/pay/target.py", ("/elsewhere",)),
        ("target.py", ("{root}/src/pay",)),
        ("pay/target.py", ("{root}/src",)),
        ("pay/target.py", ("src",)),
        ("pay/target.py", ("{root}/lib", "{root}/src")),
        (TARGET, (".",)),
        (TARGET, ("{root}",)),
        (TARGET, ("{root}/src",)),
        (TARGET, ("/app",)),
        (TARGET, ("/usr/lib/go", "/root/go")),
        ("target.py", ("/app/src/pay",)),
        ("/ci/build/src/pay/target.py", ()),
        ("C:\\ci\\src\\pay\\target.py", ()),
        ("../src/pay/target.py", ()),
        ("github.com/acme/src/pay/target.py", ()),
        ("pay/target.py", ()),
        ("target.py", ()),
    ],
)
def test_a_file_is_known_by_what_writers_call_it(tmp_path, name, sources):
    written(tmp_path, TARGET)
    name, *sources = (text.format(root=tmp_path) for text in (name, *sources))
    report = cobertura({name: HALF, "src/pay/other.py": WHOLE}, sources=tuple(sources))
    assert of_target(tmp_path, report) == 50.0


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("src/pay/other.py", ()),
        ("src/shop/target.py", ()),
        ("mytarget.py", ()),
        ("arget.py", ()),
        ("mysrc/pay/target.py", ()),
        ("/ci/mysrc/pay/target.py", ()),
        ("lib/target.py", ()),
        ("target.py", ("{root}/lib",)),
        ("target.py", ("/app/src/shop",)),
        ("pay/target.py", ("/app",)),
        ("{root}/lib/target.py", ()),
        ("{root}-2/src/pay/other.py", ()),
    ],
)
def test_another_file_is_not_the_target(tmp_path, name, sources):
    written(tmp_path, TARGET)
    written(tmp_path, "lib/target.py")
    name, *sources = (text.format(root=tmp_path) for text in (name, *sources))
    reason = refusal(tmp_path, cobertura({name: WHOLE}, sources=tuple(sources)))
    assert reason.startswith(f"{REPORT}: {TARGET} is not in the report; it has ")


def test_a_name_that_is_a_file_of_the_project_means_that_file(tmp_path):
    report = cobertura({"target.py": WHOLE})
    assert of_target(tmp_path, report) == 100.0
    written(tmp_path, "target.py")
    assert refusal(tmp_path, report).endswith("is not in the report; it has target.py")


def test_a_source_decides_where_the_same_name_is_in_two_folders(tmp_path):
    written(tmp_path, "src/target.py")
    written(tmp_path, "lib/target.py")
    report = cobertura({"target.py": WHOLE}, sources=(f"{tmp_path}/lib",))
    assert of_target(tmp_path, report, "lib/target.py") == 100.0
    assert "is not in the report" in refusal(tmp_path, report, "src/target.py")
    both = cobertura({"target.py": WHOLE}, sources=(f"{tmp_path}/lib", f"{tmp_path}/src"))
    assert refusal(tmp_path, both, "src/target.py") == (
        f"{REPORT}: its sources do not tell which file is src/target.py; measure from the project"
        " root"
    )


def test_names_in_full_go_before_names_in_part(tmp_path):
    report = cobertura({TARGET: HALF, "target.py": {2: 1}})
    assert of_target(tmp_path, report) == 50.0


def test_several_files_that_may_be_the_target_are_refused(tmp_path):
    report = cobertura({"pay/target.py": WHOLE, "/ci/src/pay/target.py": WHOLE})
    assert refusal(tmp_path, report) == (
        f"{REPORT}: several files may be {TARGET}: pay/target.py, .../pay/target.py"
    )


def test_a_report_of_other_files_is_refused_and_says_which_it_has(tmp_path):
    names = [f"{tmp_path}/a.py", "/home/ci/b.py", *(f"src/{letter}.py" for letter in "cdefg")]
    assert refusal(tmp_path, cobertura(dict.fromkeys(names, WHOLE))) == (
        f"{REPORT}: {TARGET} is not in the report; it has a.py, .../ci/b.py, src/c.py, src/d.py,"
        " src/e.py and 2 more"
    )
    assert refusal(tmp_path, cobertura({})).endswith("it has no file at all")


def test_guessing_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(coverage, "MAX_GUESSES", 3)
    report = cobertura({f"{n}/target.py": WHOLE for n in range(2)}, sources=("a", "b"))
    assert refusal(tmp_path, report) == f"{REPORT}: over 3 places may be target.py"


def test_reports_are_added_up_line_by_line(tmp_path):
    written(tmp_path, "reports/a.xml", cobertura({"src/a.py": {1: 1, 2: 0, 3: 0}}))
    inner = cobertura({"a.py": {2: 1, 3: 0, 4: 0}, "b.py": WHOLE}, sources=(f"{tmp_path}/src",))
    written(tmp_path, "reports/b.xml", inner)
    written(tmp_path, "reports/c.info", f"SF:{tmp_path}/src/a.py\nDA:4,1\nend_of_record\n")
    verify = {"coverage": ["reports/*.xml", "reports/c.info"]}
    assert found(tmp_path, verify) == 80.0
    assert found(tmp_path, verify | {"of": "src/a.py"}) == 75.0


def test_files_of_the_same_name_in_other_folders_are_not_added_up(tmp_path):
    written(tmp_path, "reports/a.xml", cobertura({"x.py": {1: 1}}, sources=("/app/a",)))
    written(tmp_path, "reports/b.xml", cobertura({"x.py": {1: 0}}, sources=("/app/b",)))
    written(tmp_path, "reports/c.xml", cobertura({"x.py": {1: 0}}, sources=("/app/c", "/d")))
    written(tmp_path, "reports/d.xml", cobertura({"x.py": {1: 0}}, sources=("/app/c", "/e")))
    assert found(tmp_path, {"coverage": "reports/*.xml"}) == 25.0


def test_adding_up_leaves_what_was_read_as_it_is(tmp_path):
    written(tmp_path, "reports/a.xml", cobertura({"a.py": {1: 0}}))
    written(tmp_path, "reports/b.xml", cobertura({"a.py": {1: 1}}))
    look = look_at(tmp_path)
    assert look_coverage(CoverageSettings(path="reports/*.xml"), look).value == 100.0
    assert look_coverage(CoverageSettings(path="reports/a.xml"), look).value == 0.0


def test_a_copy_of_a_report_counts_once(tmp_path):
    report = "SF:a.py\nLF:4\nLH:1\nend_of_record\n"
    for name in ("a", "b"):
        written(tmp_path, f"reports/{name}.info", report)
    assert found(tmp_path, {"coverage": "reports/*.info"}, type="dict")["total"] == 4


def test_a_report_from_before_the_phase_is_stale(tmp_path):
    millis = int((NOON - timedelta(seconds=5)).timestamp() * 1000)
    report = cobertura({"a.py": WHOLE}, timestamp=str(millis))
    as_read(tmp_path, REPORT, report, at=NOON - timedelta(seconds=4))
    assert "it was written at 2026-03-14 11:59:56" in refused(
        tmp_path, {"coverage": REPORT}, started=NOON
    )
    as_read(tmp_path, REPORT, report, at=NOON)
    assert "by its own timestamp it tells of a run at 2026-03-14 11:59:55" in refused(
        tmp_path, {"coverage": REPORT}, started=NOON
    )
    assert found(tmp_path, {"coverage": REPORT, "fresh": False}, started=NOON) == 100.0


@pytest.mark.parametrize("stamp", ["0", "", "soon", "1773489600", "1773489600000"])
def test_a_new_report_and_one_without_a_time_are_read(tmp_path, stamp):
    as_read(tmp_path, REPORT, cobertura({"a.py": WHOLE}, timestamp=stamp), at=NOON)
    assert found(tmp_path, {"coverage": REPORT}, started=NOON) == 100.0
