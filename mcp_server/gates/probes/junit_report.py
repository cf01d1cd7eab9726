"""Reading JUnit XML as the many runners write it: every test case, and what became of it.

The cases themselves are counted, never a suite's totals. A suite that owns to more failures than
its cases show (a file that could not even be collected, say) makes the whole report a failure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mcp_server.errors import quoted
from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes.files import TargetFile
from mcp_server.gates.probes.xml_reports import read_xml

_SUITES = frozenset({"testsuites", "testsuite"})
_BROKEN = frozenset({"failure", "error"})
_REPEATED = frozenset({"rerunFailure", "rerunError"})
"""Further failures of a test that failed in the end."""
_FLAKY = frozenset({"flakyFailure", "flakyError"})
"""Failures of a test that passed in the end."""

_SAYING = frozenset({"status", "result"})
_FAILED_STATUS = frozenset({"fail", "failed", "failure", "error", "broken"})
_SKIPPED_STATUS = frozenset(
    {"notrun", "disabled", "skipped", "suppressed", "ignored", "pending", "untested", "todo"}
)

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)

MAX_CASES = 200_000

Names = tuple[()] | tuple[str, "Names"]
"""Names, the innermost first, each with those around it: suites in suites share theirs."""


class Outcome(StrEnum):
    """What became of a test; an error is a failure."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestCase:
    """One appearance of a test in a report."""

    __test__ = False

    name: str
    classname: str
    file: str
    """The file that the case, or the nearest suite around it, names; empty if none does."""
    suites: Names
    """Names of the suites around it."""
    outcome: Outcome

    @property
    def full_name(self) -> str:
        """The name with the class before it, where there is one."""
        return f"{self.classname}.{self.name}" if self.classname else self.name

    @property
    def place(self) -> str:
        """Where it stands, in the report's words."""
        return self.file or self.classname or (self.suites[0] if self.suites else "")


@dataclass(frozen=True, slots=True)
class TestReport:
    """What one file reports."""

    __test__ = False

    cases: tuple[TestCase, ...]
    stamps: tuple[str, ...]
    """When its suites began, as they say."""


def read_junit(file: TargetFile) -> TestReport:
    """Return what a JUnit XML file reports; raises LookFailedError."""
    reader = _Reader(file)
    read_xml(file, reader)
    return TestReport(tuple(reader.cases), tuple(dict.fromkeys(reader.stamps)))


@dataclass(slots=True)
class _Suite:
    name: str
    names: Names
    file: str
    claimed: int
    shown: int = 0


@dataclass(slots=True)
class _Open:
    """A test case that is being read."""

    attributes: Mapping[str, str]
    tags: frozenset[str] = frozenset()
    failures: int = 0


class _Reader:
    def __init__(self, file: TargetFile) -> None:
        self.cases: list[TestCase] = []
        self.stamps: list[str] = []
        self._file = file
        self._suites: list[_Suite] = []
        self._open: list[_Open] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take note of a suite, a case, or what became of a case."""
        if not self._suites and tag not in _SUITES:
            raise self._refusal(f"is no JUnit report: it begins with <{tag[:40]}>")
        if tag in _SUITES:
            self._begin_suite(attributes)
        elif tag == "testcase":
            if len(self.cases) == MAX_CASES:
                raise self._refusal(f"has over {MAX_CASES} tests; split the report")
            self._open.append(_Open(attributes))
        elif self._open:
            self._open[-1].tags |= {tag}
            self._open[-1].failures += tag in _BROKEN or tag in _REPEATED or tag in _FLAKY
        elif tag in _BROKEN:
            raise self._refusal(f"reports a failure outside of any test, in {self._where()}")

    def end(self, tag: str, text: str) -> None:  # noqa: ARG002 - every reader gets it
        """Judge the case or the suite that is complete."""
        if tag == "testcase":
            self._end_case(self._open.pop())
        elif tag in _SUITES:
            self._end_suite(self._suites.pop())

    def _begin_suite(self, attributes: Mapping[str, str]) -> None:
        around = self._suites[-1] if self._suites else None
        names = around.names if around else ()
        name = attributes.get("name", "")
        self._suites.append(
            _Suite(
                name,
                (name, names) if name else names,
                attributes.get("file") or (around.file if around else ""),
                self._number(attributes, "failures") + self._number(attributes, "errors"),
            )
        )
        if stamp := attributes.get("timestamp"):
            self.stamps.append(stamp)

    def _end_case(self, case: _Open) -> None:
        suite = self._suites[-1]
        outcome = _outcome(case)
        suite.shown += max(case.failures, outcome is Outcome.FAILED)
        self.cases.append(
            TestCase(
                case.attributes.get("name", ""),
                case.attributes.get("classname", ""),
                case.attributes.get("file") or suite.file,
                suite.names,
                outcome,
            )
        )

    def _end_suite(self, suite: _Suite) -> None:
        if suite.claimed > suite.shown:
            raise self._refusal(
                f"contradicts itself: {_named(suite.name)} counts {suite.claimed} failures and"
                f" errors, its test cases show {suite.shown}; run the tests again, and mend what"
                " breaks outside of a test"
            )
        if self._suites:
            self._suites[-1].shown += suite.shown

    def _number(self, attributes: Mapping[str, str], name: str) -> int:
        text = attributes.get(name, "").strip()
        if not text:
            return 0
        if not _NUMBER.fullmatch(text):
            raise self._refusal(f"says that {name} is {quoted(text)}, which is no number of tests")
        return int(text)

    def _where(self) -> str:
        return _named(self._suites[-1].name)

    def _refusal(self, reason: str) -> LookFailedError:
        return LookFailedError(f"{self._file.path} {reason}", self._file.source)


def _named(suite: str) -> str:
    return f"the suite {quoted(suite)}" if suite else "a suite"


def _outcome(case: _Open) -> Outcome:
    said = {
        case.attributes.get(key, "").strip().lower() for key in _SAYING & case.attributes.keys()
    }
    if case.tags & (_BROKEN | _REPEATED) or said & _FAILED_STATUS:
        return Outcome.FAILED
    if "skipped" in case.tags or said & _SKIPPED_STATUS:
        return Outcome.SKIPPED
    return Outcome.PASSED
