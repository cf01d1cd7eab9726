"""Which tests belong to a test file, and which test a name means."""

import pytest

from tests.gates.probes.probe_builders import written
from tests.gates.probes.report_builders import case, found, refused, suite

REPORT = "reports/junit.xml"
TARGET = "tests/pay/test_x.py"


def counted(root, report, of=TARGET, count="total"):
    written(root, REPORT, report)
    return found(root, {"junit": REPORT, "count": count, "of": of}, type="integer")


def refusal(root, report, of=TARGET):
    written(root, REPORT, report)
    return refused(root, {"junit": REPORT, "of": of})


OTHER = case("other", "tests.shop.test_y.TestY")


@pytest.mark.parametrize(
    "report",
    [
        suite(case("a", "tests.pay.test_x"), OTHER),
        suite(case("a", "tests.pay.test_x.TestA"), OTHER),
        suite(case("a", "tests.pay.test_x.TestA.TestInner"), OTHER),
        suite(case("a", "pay.test_x.TestA"), OTHER),
        suite(case("a", "test_x"), OTHER),
        suite(case("a", "tests/pay/test_x.py"), OTHER),
        suite(case("a", "pay/test_x.py"), OTHER),
        suite(case("a", "TestA", file="tests/pay/test_x.py"), OTHER),
        suite(case("a", "TestA", file="./tests/pay/test_x.py"), OTHER),
        suite(case("a", "TestA", file="tests\\pay\\test_x.py"), OTHER),
        suite(case("a", "TestA", file="/ci/build/tests/pay/test_x.py"), OTHER),
        suite(case("a", "tests.pay.test_x", file="tests/base.py"), OTHER),
        suite(suite(case("a", "TestA"), file="pay/test_x.py"), OTHER),
        suite(suite(suite(case("a", "TestA")), file="pay/test_x.py"), OTHER),
        suite(suite(case("a", "adds"), name="tests/pay/test_x.py"), OTHER),
        suite(suite(case("a", "adds"), name="tests.pay.test_x"), OTHER),
        suite(suite(suite(case("a", "it")), name="pay/test_x.py"), suite(OTHER, name="all")),
        suite(case("tests.pay.test_x", "", "<error/>"), OTHER, errors="1"),
    ],
)
def test_tests_of_a_file_are_told_by_file_suite_or_class(tmp_path, report):
    assert counted(tmp_path, report) == 1


def test_an_absolute_path_in_the_project_is_the_file(tmp_path):
    path = (tmp_path / TARGET).as_posix()
    assert counted(tmp_path, suite(case("a", "A", file=path), OTHER)) == 1


@pytest.mark.parametrize(
    ("classname", "target"),
    [
        ("com.acme.PayTest", "src/test/java/com/acme/PayTest.java"),
        ("com.acme.PayTest$Inner", "src/test/java/com/acme/PayTest.java"),
        ("src/pay.test.ts", "src/pay.test.ts"),
        ("spec.models.user_spec", "./spec/models/user_spec.rb"),
        ("tests.test_x.describe_a", "tests/test_x.py"),
    ],
)
def test_files_of_other_languages_are_known_too(tmp_path, classname, target):
    assert counted(tmp_path, suite(case("a", classname), OTHER), target) == 1


@pytest.mark.parametrize(
    "other",
    [
        case("a", "tests.pay.test_xy"),
        case("a", "ests.pay.test_x"),
        case("a", "tests.shop.test_x"),
        case("a", "st_x"),
        case("a", "py"),
        case("a", "", file=""),
        case("a", "shop/test_x.py"),
        case("a", "test_x", file="tests/shop/test_x.py"),
        case("a", "A", file="/ci/tests/shop/test_x.py"),
        case("a", "A", file="/ci/mytests/pay/test_x.py"),
        case("a", "A", file="../pay/test_y.py"),
    ],
)
def test_tests_of_another_file_do_not_count(tmp_path, other):
    assert counted(tmp_path, suite(case("b", "tests.pay.test_x"), other)) == 1
    assert "no test of tests/pay/test_x.py is in the report" in refusal(tmp_path, suite(other))


def test_a_package_or_a_title_is_not_the_module_of_the_same_name(tmp_path):
    (tmp_path / "tests").mkdir()
    inner = suite(case("a", "tests.test_y.TestY"), name="tests")
    assert "no test of tests.py" in refusal(tmp_path, inner, "tests.py")
    assert "no test of pay/tests.py" in refusal(tmp_path, inner, "pay/tests.py")


@pytest.mark.parametrize("report", [case("a", "test_x"), case("a", "A", file="test_x.py")])
def test_a_name_that_is_a_file_of_the_project_means_that_file(tmp_path, report):
    assert counted(tmp_path, suite(report)) == 1
    written(tmp_path, "test_x.py")
    assert "no test of tests/pay/test_x.py is in the report" in refusal(tmp_path, suite(report))


def test_names_in_full_go_before_names_in_part(tmp_path):
    report = suite(case("a", "tests.pay.test_x"), case("b", "test_x"))
    assert counted(tmp_path, report) == 1


def test_several_places_that_may_be_the_file_are_refused(tmp_path):
    report = suite(case("a", "pay.test_x"), case("b", "test_x"))
    assert refusal(tmp_path, report) == (
        f"{REPORT}: several places may be {TARGET}: pay/test_x.py, test_x.py; run the tests from"
        " the project root"
    )


def test_a_report_of_other_files_is_refused_and_says_which_it_has(tmp_path):
    files = [f"tests/test_{letter}.py" for letter in "abcdefg"]
    cases = [case("a", "A", file=file) for file in files for _ in range(2)]
    assert refusal(tmp_path, suite(*cases)) == (
        f"{REPORT}: no test of {TARGET} is in the report; it has tests of {', '.join(files[:5])}"
        " and 2 more"
    )


def test_no_absolute_path_is_repeated(tmp_path):
    cases = [
        case("a", "A", file="/home/ci/build/test_a.py"),
        case("b", "A", file="C:\\ci\\build\\test_b.py"),
        case("c", "A", file=f"{tmp_path}/tests/test_c.py"),
        case("d", "tab&#9;bed"),
        case("e", "e" * 300),
    ]
    assert refusal(tmp_path, suite(*cases)) == (
        f"{REPORT}: no test of {TARGET} is in the report; it has tests of .../build/test_a.py,"
        f" .../build/test_b.py, tests/test_c.py, tab?bed, {'e' * 80}"
    )


def test_the_placeholder_names_the_file(tmp_path):
    written(tmp_path, REPORT, suite(case("a", "tests.test_target"), OTHER))
    verify = {"junit": REPORT, "of": "tests/test_{target_stem}.py", "count": "total"}
    assert found(tmp_path, verify) == 1


NAMED = suite(
    case("test_a", "tests.pay.test_x"),
    case("test_a", "tests.pay.test_x.TestA"),
    case("test_p[1]", "tests.pay.test_x"),
    case("test_p[a::b]", "tests.pay.test_x"),
    case("adds 1. 2", "src/pay.test.ts"),
    case("pay::tests::it_works", "acme"),
    case("testPay", "com.acme.PayTest"),
    case("bare", ""),
    case("test_f", "A", file="tests/test_f.py"),
)


@pytest.mark.parametrize(
    "name",
    [
        "test_a",
        "tests.pay.test_x.test_a",
        "tests.pay.test_x::test_a",
        "tests/pay/test_x.py::test_a",
        "project/tests/pay/test_x.py::test_a",
        "tests/pay/test_x.py::TestA::test_a",
        "TestA::test_a",
        "TestA.test_a",
        "test_p",
        "test_p[1]",
        "tests/pay/test_x.py::test_p",
        "tests/pay/test_x.py::test_p[a::b]",
        "adds 1. 2",
        "src/pay.test.ts::adds 1. 2",
        "pay::tests::it_works",
        "acme::pay::tests::it_works",
        "com.acme.PayTest.testPay",
        "PayTest.testPay",
        "bare",
        "tests/test_f.py::test_f",
        "tests/test_f.py::A::test_f",
    ],
)
def test_a_test_is_known_by_each_of_its_names(tmp_path, name):
    written(tmp_path, REPORT, NAMED)
    assert found(tmp_path, {"junit": REPORT, "tests": [name]}, type="boolean") is True


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "test_",
        "test_p[2]",
        "test_p[",
        "pay.test_p",
        "tests/pay/test_y.py::test_a",
        "test_x.py::test_a",
        "tests/pay/test_x.py::TestB::test_a",
        "A::test_a",
        "est_x.test_a",
        "2",
        "Pay.testPay",
        "com.acme.testPay",
        "com.acme.PayTest",
        "tests.pay.test_x",
        "tests/test_g.py::test_f",
        "tests/test_f.py::B::test_f",
    ],
)
def test_a_name_that_no_test_bears_is_missing(tmp_path, name):
    written(tmp_path, REPORT, NAMED)
    assert refused(tmp_path, {"junit": REPORT, "tests": ["test_a", name]}) == (
        f"{REPORT}: tests that must have passed are missing: {name}"
    )


def test_named_tests_must_have_passed(tmp_path):
    report = suite(
        case("ok"),
        case("bad[1]"),
        case("bad[2]", inner="<failure/>"),
        case("worse", inner="<error/>"),
        case("idle", inner="<skipped/>"),
    )
    written(tmp_path, REPORT, report)
    assert refused(tmp_path, {"junit": REPORT, "tests": ["ok", "bad", "worse", "idle", "no"]}) == (
        f"{REPORT}: tests that must have passed are missing: no; failed: bad, worse; skipped: idle"
    )
    assert found(tmp_path, {"junit": REPORT, "tests": "bad[1]"}) == 2


def test_named_tests_are_looked_for_in_the_file_only(tmp_path):
    written(tmp_path, REPORT, suite(case("a", "tests.pay.test_x"), OTHER))
    verify = {"junit": REPORT, "of": TARGET, "tests": ["other"]}
    assert refused(tmp_path, verify).endswith("must have passed are missing: other")
