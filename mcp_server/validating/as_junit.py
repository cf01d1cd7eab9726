"""A report as JUnit XML: a test case for each check, each target, and memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mcp_server.validating.outcomes import CheckOutcome, Pace, Report, Standing, Timing

SUITE = "validate_aos_workflow"

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Case:
    subject: str
    name: str
    failure: str = ""
    skipped: str = ""
    seconds: float = 0.0


def to_junit(report: Report, began: datetime) -> bytes:
    """Return the report as an XML document; `began` is when the run did."""
    cases = list(_cases(report))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.failure) for case in cases)),
        "errors": "0",
        "skipped": str(sum(bool(case.skipped) for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }
    root = Element("testsuites", counts)
    stamp = began.isoformat(timespec="milliseconds")
    suite = SubElement(root, "testsuite", {"name": SUITE, **counts, "timestamp": stamp})
    for case in cases:
        _add(suite, case)
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _cases(report: Report) -> Iterator[_Case]:
    yield from map(_of_check, report.checks)
    yield from map(_of_timing, report.timings)
    memory = report.memory
    over = "" if memory.over is None else f"{memory.over:,} bytes over a bare server"
    yield _Case(
        "memory",
        f"takes less than {memory.limit:,} bytes over a bare server",
        failure="" if memory.holds else over,
        skipped="" if memory.over is not None else memory.reason or Pace.NOT_MEASURED,
    )
    if report.left_behind:
        left = ", ".join(report.left_behind)
        yield _Case("sessions", "leaves nothing behind", failure=f"could not be deleted: {left}")


def _of_check(check: CheckOutcome) -> _Case:
    return _Case(
        check.subject,
        check.name,
        failure=check.problem if check.standing is Standing.FAILED else "",
        skipped=check.problem if check.standing is Standing.NOT_CHECKED else "",
        seconds=check.seconds,
    )


def _of_timing(timing: Timing) -> _Case:
    name = f"answers within {timing.target.limit * 1_000:g} ms"
    if timing.median is None:
        text = "no call of it could be timed"
        failure, skipped = ("", text) if timing.excused else (text, "")
        return _Case(timing.action, name, failure, skipped)
    failure = "" if timing.holds else f"{timing.pace}: median {timing.median * 1_000:.1f} ms"
    return _Case(timing.action, name, failure=failure, seconds=timing.median)


def _add(suite: Element, case: _Case) -> None:
    about = {
        "classname": f"aos_workflow.{case.subject.replace(' ', '_')}",
        "name": case.name,
        "time": f"{case.seconds:.3f}",
    }
    element = SubElement(suite, "testcase", about)
    if case.failure:
        SubElement(element, "failure", {"message": _printable(case.failure)})
    elif case.skipped:
        SubElement(element, "skipped", {"message": _printable(case.skipped)})


def _printable(text: str) -> str:
    return _NOT_XML.sub("?", text)
