"""Test results: what counts as passed, failed and skipped, in the dialects of the runners."""

from datetime import timedelta

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probe_settings import JUnitSettings
from mcp_server.gates.probes import junit, junit_report
from mcp_server.gates.probes.junit import look_junit
from tests.gates.probes.probe_builders import look_at, written
from tests.gates.probes.report_builders import NOON, as_read, case, found, refused, suite

REPORT = "reports/junit.xml"

MIXED = suite(
    case("test_a"),
    case("test_b"),
    case("test_c", inner="<failure message='no'>1 != 2</failure>"),
    case("test_d", inner="<error/>"),
    case("test_e", inner="<skipped/>"),
    tests="5",
    failures="1",
    errors="1",
    skipped="1",
)

ALL = {"total": 5, "passed": 2, "failed": 2, "skipped": 1}


def counted(root, report, **verify):
    written(root, REPORT, report)
    return found(root, {"junit": REPORT, **verify}, type="dict")


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [
        *[
            (kind, count, number)
            for kind in ("integer", "number", None)
            for count, number in [*ALL.items(), (None, 2)]
        ],
        ("list", None, ["tests.test_pay.test_a", "tests.test_pay.test_b"]),
        ("list", "failed", ["tests.test_pay.test_c", "tests.test_pay.test_d"]),
        ("list", "skipped", ["tests.test_pay.test_e"]),
        ("list", "total", [f"tests.test_pay.test_{letter}" for letter in "abcde"]),
        ("boolean", None, False),
        ("boolean", "skipped", True),
        ("dict", None, ALL),
        ("object", None, ALL),
        ("string", None, "2 passed, 2 failed, 1 skipped"),
    ],
)
def test_the_type_and_the_count_say_what_is_given(tmp_path, kind, count, value):
    written(tmp_path, REPORT, MIXED)
    verify = {"junit": REPORT} | ({"count": count} if count else {})
    assert found(tmp_path, verify, type=kind) == value


def test_nothing_failed_is_true_only_if_something_passed(tmp_path):
    skipped = case("test_b", inner="<skipped/>")
    written(tmp_path, REPORT, suite(case("test_a"), skipped))
    assert found(tmp_path, {"junit": REPORT}, type="boolean") is True
    assert found(tmp_path, {"junit": REPORT, "count": "failed"}, type="boolean") is False
    written(tmp_path, REPORT, suite(skipped))
    assert found(tmp_path, {"junit": REPORT}, type="boolean") is False


def test_what_was_read_is_on_record(tmp_path):
    file = as_read(tmp_path, REPORT, MIXED)
    settings = JUnitSettings(path=REPORT)
    assert look_junit(settings, look_at(tmp_path)).sources == (file.source,)


PASSED, FAILED, SKIPPED = (
    {"total": 1, "passed": 0, "failed": 0, "skipped": 0, outcome: 1}
    for outcome in ("passed", "failed", "skipped")
)


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        (case("a"), PASSED),
        (case("a", inner="<properties/><system-out>failure</system-out>"), PASSED),
        (case("a", status="run", result="completed"), PASSED),
        (case("a", inner="<flakyFailure/><flakyError/>"), PASSED),
        (case("a", inner="<failure/><rerunFailure/>"), FAILED),
        (case("a", inner="<rerunFailure/>"), FAILED),
        (case("a", inner="<skipped/><failure/>"), FAILED),
        (case("a", inner="<details><failure/></details>"), FAILED),
        (case("a", inner="<failure/><failure/>"), FAILED),
        (case("a", status="fail"), FAILED),
        (case("a", status="FAILED"), FAILED),
        (case("a", status="notrun", result="suppressed"), SKIPPED),
        (case("a", status="disabled"), SKIPPED),
        (case("a", status="run", result="skipped"), SKIPPED),
        (case("a", inner="<skipped type='pytest.xfail'/>"), SKIPPED),
    ],
)
def test_what_became_of_a_test_in_each_dialect(tmp_path, test, outcome):
    assert counted(tmp_path, suite(test)) == outcome


@pytest.mark.parametrize(
    "report",
    [
        suite(case("a")),
        f"<testsuites name='jest tests'>{suite(case('a'))}{suite()}</testsuites>",
        f"<testsuites><testsuite name='a'>{suite(case('a'), name='b')}</testsuite></testsuites>",
        f"<testsuites>{case('a')}</testsuites>",
        suite(case("a"), xmlns="urn:junit"),
        '<!DOCTYPE testsuite SYSTEM "junit.dtd">' + suite(case("a")),
    ],
    ids=["suite", "suites", "nested", "bare", "namespace", "doctype"],
)
def test_cases_are_found_wherever_suites_stand(tmp_path, report):
    assert counted(tmp_path, report) == PASSED


def test_the_totals_of_a_suite_are_not_trusted(tmp_path):
    report = suite(case("a"), tests="999", failures="0", errors="0", skipped="7")
    assert counted(tmp_path, report) == PASSED


@pytest.mark.parametrize(
    ("report", "named", "claimed"),
    [
        (suite(case("a"), errors="1"), "a suite", 1),
        (suite(case("a"), name="unit", failures="1", errors="2"), "the suite 'unit'", 3),
        (f"<testsuites failures='2'>{suite(case('a'))}</testsuites>", "a suite", 2),
        (suite(case("a"), name="/srv/ci", errors="1"), "the suite that looks like a path", 1),
    ],
)
def test_a_suite_that_owns_to_more_failures_than_its_cases_show(tmp_path, report, named, claimed):
    written(tmp_path, REPORT, report)
    assert refused(tmp_path, {"junit": REPORT}).startswith(
        f"{REPORT} contradicts itself: {named} counts {claimed} failures and errors, its test cases"
        " show 0; run the tests again"
    )


def test_failures_that_the_cases_show_are_no_contradiction(tmp_path):
    flaky = case("b", inner="<flakyFailure/>")
    inner = suite(case("a", inner="<failure/><error/>"), flaky, failures="2", errors="1")
    report = f"<testsuites failures='3'>{inner}</testsuites>"
    assert counted(tmp_path, report) == {"total": 2, "passed": 1, "failed": 1, "skipped": 0}


@pytest.mark.parametrize("number", ["-1", "NaN", "1e9", "1.5", "9" * 5_000, "٣"])
def test_a_number_of_failures_that_is_none_is_refused(tmp_path, number):
    written(tmp_path, REPORT, suite(case("a"), failures=number))
    assert refused(tmp_path, {"junit": REPORT}) == (
        f"{REPORT} says that failures is {number[:60]!r}, which is no number of tests"
    )


def test_a_failure_outside_of_any_test_is_refused(tmp_path):
    written(tmp_path, REPORT, suite(case("a"), "<error message='setup'/>", name="unit"))
    assert refused(tmp_path, {"junit": REPORT}) == (
        f"{REPORT} reports a failure outside of any test, in the suite 'unit'"
    )


@pytest.mark.parametrize("report", [suite(), "<testsuites/>", suite(tests="12")])
def test_a_report_without_a_test_is_refused(tmp_path, report):
    written(tmp_path, REPORT, report)
    for count in ("total", "failed"):
        assert refused(tmp_path, {"junit": REPORT, "count": count}) == (
            f"{REPORT}: no test was collected; run the tests, and see why none is found"
        )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<coverage/>", "is no JUnit report: it begins with <coverage>"),
        ("<testcase name='a'/>", "is no JUnit report: it begins with <testcase>"),
        ("", "is not whole XML: no element found: line 1, column 0"),
        (suite(case("a"))[:-5], "is not whole XML: unclosed token: line 1, column 68"),
        ('{"numPassedTests": 3}', "is not whole XML: not well-formed (invalid token)"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>', "declares or refers to entities"),
    ],
    ids=["coverage", "case", "empty", "cut off", "json", "entity"],
)
def test_what_is_no_junit_report_is_refused(tmp_path, content, reason):
    written(tmp_path, REPORT, content)
    assert refused(tmp_path, {"junit": REPORT}).startswith(f"{REPORT} {reason}")


def test_a_report_that_is_not_there_is_refused(tmp_path):
    assert refused(tmp_path, {"junit": REPORT}) == f"{REPORT} is not there"


def test_several_reports_are_added_up(tmp_path):
    written(tmp_path, "reports/a.xml", suite(case("a"), case("b", inner="<failure/>")))
    written(tmp_path, "reports/b.xml", suite(case("c"), case("d", inner="<skipped/>")))
    written(tmp_path, "reports/none.xml", suite())
    verify = {"junit": ["reports/*.xml", "reports/a.xml"]}
    assert found(tmp_path, verify, type="dict") == {
        "total": 4,
        "passed": 2,
        "failed": 1,
        "skipped": 1,
    }


def test_a_copy_of_a_report_counts_once(tmp_path):
    for name in ("a", "b", "c"):
        written(tmp_path, f"reports/{name}.xml", suite(case("a")))
    assert found(tmp_path, {"junit": "reports/*.xml", "count": "total"}, type="integer") == 1


def test_a_test_that_appears_twice_counts_twice_and_passed_if_it_did_both_times(tmp_path):
    again = suite(case("a"), case("a", inner="<failure/>"), case("b"))
    assert counted(tmp_path, again) == {"total": 3, "passed": 2, "failed": 1, "skipped": 0}
    assert found(tmp_path, {"junit": REPORT}, type="list") == ["tests.test_pay.b"]
    assert refused(tmp_path, {"junit": REPORT, "tests": "a"}) == (
        f"{REPORT}: tests that must have passed are failed: a"
    )


def test_a_list_is_never_cut_short(tmp_path, monkeypatch):
    monkeypatch.setattr(junit, "MAX_LISTED", 2)
    written(tmp_path, REPORT, suite(case("a"), case("b"), case("c")))
    assert refused(tmp_path, {"junit": REPORT}, type="list") == (
        f"{REPORT}: 3 names are passed, a list holds 2; count them"
    )
    assert found(tmp_path, {"junit": REPORT}, type="integer") == 3


def test_tests_in_all_files_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(junit, "MAX_CASES", 1)
    written(tmp_path, REPORT, suite(case("a"), case("b")))
    assert refused(tmp_path, {"junit": REPORT}) == f"{REPORT}: there are over 1 tests in all"


def test_tests_in_one_file_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(junit_report, "MAX_CASES", 1)
    written(tmp_path, REPORT, suite(case("a"), case("b")))
    assert refused(tmp_path, {"junit": REPORT}) == f"{REPORT} has over 1 tests; split the report"


def stamped(*stamps):
    inner = "".join(suite(case(f"a{n}"), timestamp=stamp) for n, stamp in enumerate(stamps))
    return f"<testsuites>{inner}</testsuites>"


def test_a_file_that_was_written_before_the_phase_is_stale(tmp_path):
    as_read(tmp_path, REPORT, suite(case("a")), at=NOON - timedelta(seconds=5))
    assert "is stale: it was written at 2026-03-14 11:59:55 UTC" in refused(
        tmp_path, {"junit": REPORT}, started=NOON
    )


def test_a_new_file_that_tells_of_an_old_run_is_stale(tmp_path):
    report = stamped("2026-03-14T12:00:07Z", "2026-03-14T11:59:58Z")
    as_read(tmp_path, REPORT, report, at=NOON + timedelta(seconds=10))
    assert refused(tmp_path, {"junit": REPORT}, started=NOON) == (
        f"{REPORT} is stale: by its own timestamp it tells of a run at 2026-03-14 11:59:58 UTC,"
        " before 2026-03-14 12:00:00 UTC; run it again"
    )


def test_an_old_run_will_do_where_the_author_says_so(tmp_path):
    as_read(tmp_path, REPORT, stamped("2026-03-14T10:00:00Z"), at=NOON - timedelta(hours=1))
    assert found(tmp_path, {"junit": REPORT, "fresh": False}, started=NOON) == 1


def test_what_a_command_reports_must_have_run_with_it(tmp_path):
    as_read(tmp_path, REPORT, stamped("2026-03-14T10:00:00Z"), at=NOON)
    look = look_at(tmp_path)
    look = type(look)(look.files, look.facts, {}, written_since=NOON)
    with pytest.raises(LookFailedError, match="is stale: by its own timestamp"):
        look_junit(JUnitSettings(path=REPORT, fresh=False), look)


def test_a_report_is_read_once_for_several_fields(tmp_path):
    file = as_read(tmp_path, REPORT, suite(case("a")))
    look = look_at(tmp_path)
    settings = JUnitSettings(path=REPORT)
    first = look_junit(settings, look)
    report = look.shared[f"junit {file.source.sha256}"]
    assert look_junit(settings, look) == first
    assert look.shared[f"junit {file.source.sha256}"] is report
    written(tmp_path, REPORT, suite(case("a"), case("b")))
    assert look_junit(settings, look).value == 2
