"""The probe that reads test results from JUnit XML.

A test that appears several times counts each time, and has passed only if it passed each time. The
same report under two names counts once. Nothing is counted from a report that tells of a run before
the phase, or in which no test was collected.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probe_settings import JUnitCount, JUnitSettings
from mcp_server.gates.probes.files import TargetFile
from mcp_server.gates.probes.junit_places import AmbiguousError, TestsOfFile, answers_to
from mcp_server.gates.probes.junit_report import MAX_CASES, Outcome, TestCase, read_junit
from mcp_server.gates.probes.look import Found, Look
from mcp_server.gates.probes.report_paths import distinct, listed, shown
from mcp_server.gates.probes.report_time import beginning, require_recent

MAX_LISTED = 1_000
"""Names that a list holds; it is never cut short."""

_Refusal = Callable[[str], LookFailedError]


def look_junit(settings: JUnitSettings, look: Look) -> Found:
    """Look for test results; raises LookFailedError."""
    files = distinct(look.read(settings))
    sources = tuple(file.source for file in files)
    where = listed((file.path for file in files), look.files.root)

    def refusal(reason: str) -> LookFailedError:
        return LookFailedError(f"{where}: {reason}", *sources)

    cases = list(islice(_cases(settings, look, files), MAX_CASES + 1))
    if not cases:
        raise refusal("no test was collected; run the tests, and see why none is found")
    if len(cases) > MAX_CASES:
        raise refusal(f"there are over {MAX_CASES} tests in all")
    if settings.of is not None:
        cases = _of_file(look.filled(settings.of), look, cases, refusal)
    _require_passed(settings.tests, look, cases, refusal)
    return Found(_value(settings.count, look.type, cases, refusal), sources)


def _cases(settings: JUnitSettings, look: Look, files: Sequence[TargetFile]) -> Iterator[TestCase]:
    since = beginning(look, fresh=settings.fresh)
    for file in files:
        key = f"junit {file.source.sha256}"
        report = look.shared.get(key)
        if report is None:
            report = look.shared[key] = read_junit(file)
        require_recent(file, report.stamps, since)
        yield from report.cases


def _of_file(
    target: str, look: Look, cases: Sequence[TestCase], refusal: _Refusal
) -> list[TestCase]:
    root = look.files.root
    try:
        found = TestsOfFile(target, root).among(cases)
    except AmbiguousError as error:
        raise refusal(
            f"several places may be {shown(target, root)}: {listed(error.places, root)}; run the"
            " tests from the project root"
        ) from error
    if not found:
        raise refusal(
            f"no test of {shown(target, root)} is in the report; it has tests of"
            f" {listed((case.place for case in cases), root) or 'files that it does not name'}"
        )
    return found


def _require_passed(
    wanted: Sequence[str], look: Look, cases: Sequence[TestCase], refusal: _Refusal
) -> None:
    bad: dict[str, list[str]] = {"missing": [], Outcome.FAILED: [], Outcome.SKIPPED: []}
    for name in wanted:
        outcomes = {case.outcome for case in cases if answers_to(case, name, look.files.root)}
        if Outcome.FAILED in outcomes:
            bad[Outcome.FAILED].append(name)
        elif Outcome.SKIPPED in outcomes:
            bad[Outcome.SKIPPED].append(name)
        elif not outcomes:
            bad["missing"].append(name)
    if any(bad.values()):
        said = (f"{what}: {', '.join(names)}" for what, names in bad.items() if names)
        raise refusal(f"tests that must have passed are {'; '.join(said)}")


def _value(
    count: JUnitCount | None, kind: str | None, cases: Sequence[TestCase], refusal: _Refusal
) -> Any:
    counts = Counter(case.outcome for case in cases)
    numbers = {"total": len(cases)} | {outcome.value: counts[outcome] for outcome in Outcome}
    match kind:
        case "boolean" if count is None:
            # Where every test was skipped nothing has failed, and nothing has been shown.
            return numbers["failed"] == 0 and numbers["passed"] > 0
        case "boolean":
            return numbers[count or "passed"] > 0
        case "list":
            return _names(count or "passed", cases, refusal)
        case "dict" | "object":
            return numbers
        case "string":
            return ", ".join(f"{numbers[outcome]} {outcome}" for outcome in Outcome)
        case _:
            return numbers[count or "passed"]


def _names(count: JUnitCount, cases: Sequence[TestCase], refusal: _Refusal) -> list[str]:
    names = [case.full_name for case in cases if count in ("total", case.outcome)]
    if count == "passed":
        others = {case.full_name for case in cases if case.outcome is not Outcome.PASSED}
        names = [name for name in names if name not in others]
    if len(names) > MAX_LISTED:
        raise refusal(f"{len(names)} names are {count}, a list holds {MAX_LISTED}; count them")
    return names
