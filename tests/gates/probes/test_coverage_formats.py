"""Coverage in its formats: what is counted, and what is refused as unreadable."""

import json

import pytest

from mcp_server.gates.probes import coverage_formats, coverage_measured
from tests.gates.probes.probe_builders import written
from tests.gates.probes.report_builders import NOON, as_read, cobertura, found, refused

FULL = 16 * 1024 * 1024


def shares(root, content, count="lines", **verify):
    written(root, "r", content)
    value = found(root, {"coverage": "r", "count": count, **verify}, type="dict")
    return value["covered"], value["total"]


def refusal(root, content, count="lines"):
    written(root, "r", content)
    return refused(root, {"coverage": "r", "count": count})


def classes(*inner):
    made = "".join(f'<class filename="a.py">{lines}</class>' for lines in inner)
    return f"<coverage><packages><package><classes>{made}</classes></package></packages></coverage>"


def lines(*of):
    made = "".join(f"<line {attributes}/>" for attributes in of)
    return f"<lines>{made}</lines>"


BRANCHES = lines(
    'number="1" hits="1" branch="true" condition-coverage="50% (1/2)"',
    'number="2" hits="0" branch="True" condition-coverage="0% (0/3)"',
    'number="3" hits="1" branch="false"',
    'number="4" hits="1" branch="true"',
)


def test_cobertura_counts_the_lines_of_classes_not_its_rates(tmp_path):
    assert shares(tmp_path, cobertura({"a.py": {1: 2, 2: 0, 3: 1}})) == (2, 3)


def test_cobertura_counts_a_line_once_and_lines_of_methods_not_at_all(tmp_path):
    inner = lines('number="1" hits="0"', 'number="9" hits="0"')
    method = f"<methods><method>{inner}</method></methods>"
    twice = classes(
        method + lines('number="1" hits="1"', 'number="2" hits="0"'),
        lines('number="1" hits="0"', 'number="2" hits="1"'),
    )
    assert shares(tmp_path, twice) == (2, 2)
    assert "nothing was measured" in refusal(tmp_path, classes(method))


def test_cobertura_counts_branches_by_their_conditions(tmp_path):
    assert shares(tmp_path, classes(BRANCHES), "branches") == (1, 5)
    better = lines('number="1" hits="1" branch="true" condition-coverage="100% (2/2)"')
    for order in ((BRANCHES, better), (better, BRANCHES)):
        assert shares(tmp_path, classes(*order), "branches") == (2, 5)


def test_cobertura_may_have_a_plain_doctype_and_a_mark_of_byte_order(tmp_path):
    doctype = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
    report = cobertura({"a.py": {1: 1}}).replace("?>", f"?>\n{doctype}")
    assert shares(tmp_path, report) == (1, 1)
    assert shares(tmp_path, report.encode("utf-8-sig")) == (1, 1)
    assert shares(tmp_path, report.encode("utf-16")) == (1, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('number="1" hits="-1"', "the hits of line 1 is '-1'"),
        ('number="1" hits="NaN"', "the hits of line 1 is 'NaN'"),
        ('number="1" hits="1e9"', "the hits of line 1 is '1e9'"),
        ('number="1" hits="' + "9" * 5_000 + '"', "the hits of line 1 is '" + "9" * 60 + "'"),
        ('number="1"', "the hits of line 1 is of type NoneType"),
        ('hits="1"', "the number of a line is of type NoneType"),
        ('number="0" hits="1"', "there is no line 0"),
        ('number="1000000001" hits="1"', "there is no line 1000000001"),
        (
            'number="1" hits="1" branch="true" condition-coverage="100%"',
            "the condition-coverage of line 1 is unclear",
        ),
        (
            'number="1" hits="1" branch="true" condition-coverage="150% (3/2)"',
            "3 of 2 are said to be covered",
        ),
    ],
)
def test_a_line_that_cannot_be_makes_cobertura_unreadable(tmp_path, line, reason):
    assert refusal(tmp_path, classes(lines(line))) == f"r cannot be read: {reason}"


def entry(executed, missing, **more):
    summary = {"covered_lines": len(executed), "num_statements": len(executed) + len(missing)}
    return {"executed_lines": executed, "missing_lines": missing, "summary": summary, **more}


def report_of(**files):
    return {"meta": {"timestamp": "2026-03-14T12:00:00"}, "files": files, "totals": {}}


SUMMED = {"covered_lines": 3, "num_statements": 4, "covered_branches": 1, "num_branches": 2}
ARCS = {"executed_branches": [[1, 2], [2, -1]], "missing_branches": [[1, 3]]}


@pytest.mark.parametrize(
    ("files", "covered"),
    [
        ({"a": entry([1, 2], [3])}, (2, 3)),
        ({"a": entry([1], [], summary=SUMMED)}, (1, 1)),
        ({"a": {"summary": SUMMED}}, (3, 4)),
        ({"a": {"summary": SUMMED}, "b": entry([1], [2])}, (4, 6)),
    ],
)
def test_json_counts_lines_and_sums_where_there_are_none(tmp_path, files, covered):
    assert shares(tmp_path, json.dumps(report_of(**files))) == covered


def test_json_counts_branches_and_sums_where_there_are_none(tmp_path):
    assert shares(tmp_path, json.dumps(report_of(a=entry([1], [], **ARCS))), "branches") == (2, 3)
    assert shares(tmp_path, json.dumps(report_of(a={"summary": SUMMED})), "branches") == (1, 2)
    assert "has no branches" in refusal(
        tmp_path, json.dumps(report_of(a=entry([1], []))), "branches"
    )


def test_json_says_when_it_was_made(tmp_path):
    report = report_of(a=entry([1], [])) | {"meta": {"timestamp": "2026-03-13T02:00:00.123"}}
    as_read(tmp_path, "r", json.dumps(report), at=NOON)
    assert "by its own timestamp" in refused(tmp_path, {"coverage": "r"}, started=NOON)
    as_read(tmp_path, "r", json.dumps(report | {"meta": None}), at=NOON)
    assert found(tmp_path, {"coverage": "r"}, started=NOON) == 100.0


def test_sums_of_one_file_in_two_reports_cannot_be_added_up(tmp_path):
    written(tmp_path, "a.json", json.dumps(report_of(x={"summary": SUMMED})))
    written(tmp_path, "b.json", json.dumps(report_of(x=entry([1], []))))
    assert refused(tmp_path, {"coverage": ["a.json", "b.json"]}) == (
        "a.json, b.json: it is measured twice, and one time without the single lines"
    )
    written(tmp_path, "a.json", json.dumps(report_of(x=entry([2], [1]))))
    assert found(tmp_path, {"coverage": ["a.json", "b.json"]}) == 100.0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "it is not whole JSON: Expecting property name"),
        ('{"files": {}} {}', "it is not whole JSON: Extra data"),
        ("{}", "it has no files, as a report of coverage.py has"),
        ('{"files": []}', "it has no files, as a report of coverage.py has"),
        ('{"total": {"lines": {"pct": 100}}}', "it has no files"),
        ('{"files": {"a": {"lines": 1}}}', "a file has no summary"),
        ('{"files": {"a": 1}}', "a file has no summary"),
        (
            '{"files": {"a": {"summary": {}}, "a": {"summary": {}}}}',
            "it is not whole JSON: a key stands twice",
        ),
        (json.dumps(report_of(a=entry([1.5], []))), "a list of lines or branches holds"),
        (json.dumps(report_of(a=entry([True], []))), "a list of lines or branches holds"),
        (json.dumps(report_of(a=entry([-1], []))), "a list of lines or branches holds"),
        (json.dumps(report_of(a=entry("123", []))), "a list of lines or branches holds"),
        (json.dumps(report_of(a=entry([float("nan")], []))), "it is not whole JSON: NaN is no"),
        ('{"files": {"a": ' + "9" * 5_000 + "}}", "it is not whole JSON: Exceeds the limit"),
        ('{"files": ' + "[" * 200_000, "it is not whole JSON: maximum recursion depth"),
        (
            json.dumps(report_of(a={"summary": {"covered_lines": 5, "num_statements": 4}})),
            "5 of 4 are said to be covered",
        ),
        (
            json.dumps(report_of(a={"summary": {"covered_lines": -1, "num_statements": 4}})),
            "covered_lines and num_statements are [-1, 4]",
        ),
        (
            json.dumps(report_of(a=entry([1], [], executed_branches=[[1]], missing_branches=[]))),
            "a list of lines or branches holds",
        ),
    ],
)
def test_json_that_cannot_be_is_refused(tmp_path, content, reason):
    assert refusal(tmp_path, content).startswith(f"r cannot be read: {reason}")


LCOV = """TN:unit
SF:src/a.js
FN:1,main
FNDA:1,main
DA:1,2,abc==
DA:2,0
BRDA:1,0,0,1
BRDA:1,0,1,-
BRDA:1,e1,0,0
LF:99
LH:99
end_of_record
SF:src/b.js
LF:4
LH:3
BRF:2
BRH:1
end_of_record
TN:again
SF:src/a.js
DA:2,5
DA:3,0
end_of_record
"""


def test_lcov_counts_lines_and_sums_where_there_are_none(tmp_path):
    assert shares(tmp_path, LCOV, of="src/a.js") == (2, 3)
    assert shares(tmp_path, LCOV, of="src/b.js") == (3, 4)
    assert shares(tmp_path, LCOV) == (5, 7)
    assert shares(tmp_path, LCOV.replace("\n", "\r\n")) == (5, 7)


def test_lcov_counts_branches_and_sums_where_there_are_none(tmp_path):
    assert shares(tmp_path, LCOV, "branches", of="src/a.js") == (1, 3)
    assert shares(tmp_path, LCOV, "branches") == (2, 5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("SF:a\nDA:1,1\n", "it ends within a file: it is cut off"),
        ("SF:a\nSF:b\nend_of_record", "a file begins before the last one ends"),
        ("TN:\nDA:1,1\n", "DA stands outside of a file"),
        ("TN:\nend_of_record\n", "end_of_record stands outside of a file"),
        ("SF:a\nDA:1,-1\nend_of_record", "the hits of line 1 is '-1'"),
        ("SF:a\nDA:1,=====\nend_of_record", "the hits of line 1 is '====='"),
        ("SF:a\nDA:1\nend_of_record", "the hits of line 1 is ''"),
        ("SF:a\nDA:x,1\nend_of_record", "the number of a line is 'x'"),
        ("SF:a\nDA:0,1\nend_of_record", "there is no line 0"),
        ("SF:a\nBRDA:1,0,0,nan\nend_of_record", "the hits of a branch in line 1 is 'nan'"),
        ("SF:a\nLF:1\nLH:2\nend_of_record", "2 of 1 are said to be covered"),
        ("SF:a\nLF:-1\nend_of_record", "LF is '-1'"),
        (b"SF:\xff\nend_of_record", "it is not UTF-8 text"),
    ],
)
def test_lcov_that_cannot_be_is_refused(tmp_path, content, reason):
    assert refusal(tmp_path, content) == f"r cannot be read: {reason}"


@pytest.mark.parametrize(
    "content",
    ["", " \n", "mode: set\na.go:1.1,2.2 1 1\n", b"\x00\x01\x02", "lines: 100%", "[1]", "sf:a"],
)
def test_what_is_no_coverage_report_is_refused(tmp_path, content):
    assert refusal(tmp_path, content) == (
        "r cannot be read: it is neither Cobertura XML, nor coverage.py's JSON, nor LCOV"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<report name='jacoco'/>", "r cannot be read: it is no Cobertura report: it begins with"),
        ("<coverage><project/></coverage>", "r: nothing was measured"),
        ("<coverage>", "r is not whole XML: no element found"),
        ('<!DOCTYPE coverage [<!ENTITY a "b">]><coverage/>', "r declares or refers to entities"),
    ],
)
def test_xml_of_another_kind_is_refused(tmp_path, content, reason):
    assert refusal(tmp_path, content).startswith(reason)


def filled(begin, unit, end=b""):
    count = (FULL - len(begin) - len(end)) // (len(unit) + 5)
    return begin + b"".join(unit % number for number in range(1, count)) + end


HOSTILE = {
    "lines": (b"<coverage><class><lines>", b'<line number="%d" hits="1"/>', "over 400000"),
    "classes": (b"<coverage>", b'<class filename="%d"/>', "over 100000 files"),
    "sources": (b"<coverage>", b"<source>%d</source>", "over 1000 sources"),
    "lcov lines": (b"SF:a\n", b"DA:%d,1\n", "over 400000 lines and branches"),
    "lcov branches": (b"SF:a\n", b"BRDA:%d,0,0,1\n", "over 400000 lines and branches"),
    "lcov files": (b"TN:\n", b"SF:%d\nend_of_record\n", "over 100000 files"),
    "json": (b'{"files": {"a": [', b"%d,", "as JSON it is over 8388608 bytes"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused(tmp_path, kind):
    begin, unit, reason = HOSTILE[kind]
    content = filled(begin, unit)
    assert reason in refusal(tmp_path, content)


def test_parts_and_lines_have_limits(tmp_path, monkeypatch):
    assert "over 1000000 parts" in refusal(tmp_path, '{"files": [' + "{}," * 300_000)
    monkeypatch.setattr(coverage_formats, "MAX_LCOV", 3)
    assert "over 3 lines" in refusal(tmp_path, "TN:\n\n\n\n")


def test_lines_of_all_reports_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(coverage_measured, "MAX_POINTS", 3)
    for name in ("a", "b"):
        written(tmp_path, f"{name}.xml", cobertura({f"{name}.py": {1: 1, 2: 1}}))
    assert found(tmp_path, {"coverage": "a.xml"}) == 100.0
    assert refused(tmp_path, {"coverage": ["a.xml", "b.xml"]}) == (
        "a.xml, b.xml: there are over 3 lines and branches"
    )
    branches = entry([1, 2], [], executed_branches=[[1, 2]], missing_branches=[])
    assert "over 3 lines and branches" in refusal(tmp_path, json.dumps(report_of(a=branches)))
