"""Reading coverage reports: Cobertura XML, coverage.py's JSON, LCOV.

Single lines and branches are counted wherever a report tells them; what it says of itself in sums
and rates is taken only where it tells nothing else. What cannot be (a line that ran -1 times) makes
the report unreadable.
"""

import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from mcp_server.errors import quoted
from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes.coverage_measured import (
    MAX_LINE,
    CoverageReport,
    Measured,
    Share,
    UnreadableError,
    share_of,
)
from mcp_server.gates.probes.files import TargetFile
from mcp_server.gates.probes.xml_reports import read_xml

MAX_JSON = 8 * 1024 * 1024
MAX_PARTS = 1_000_000
"""Members and elements of a JSON report: each takes many times its length when it is read."""
MAX_LCOV = 2_000_000
"""Lines of an LCOV report."""
MAX_FOLDERS = 1_000

_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_CONDITIONS = re.compile(r"[^(]{0,20}\((\d{1,9})/(\d{1,9})\)\s*", re.ASCII)
_BEFORE = b"\xef\xbb\xbf \t\r\n"


def read_coverage(file: TargetFile) -> CoverageReport:
    """Return what a report says, whatever its format; raises LookFailedError."""
    try:
        return _reader_of(file.content)(file)
    except UnreadableError as error:
        raise LookFailedError(f"{file.path} cannot be read: {error}", file.source) from error


def _reader_of(content: bytes) -> Callable[[TargetFile], CoverageReport]:
    begin = content[:64].lstrip(_BEFORE)
    if begin.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return _read_cobertura
    if begin.startswith(b"{"):
        return _read_json
    if begin.startswith((b"TN:", b"SF:")):
        return _read_lcov
    raise UnreadableError("it is neither Cobertura XML, nor coverage.py's JSON, nor LCOV")


def _number(text: Any, what: str) -> int:
    if not isinstance(text, str) or not _NUMBER.fullmatch(text.strip()):
        raise UnreadableError(f"{what} is {quoted(text)}")
    return int(text)


def _line_number(text: Any) -> int:
    number = _number(text, "the number of a line")
    if not 0 < number <= MAX_LINE:
        raise UnreadableError(f"there is no line {number}")
    return number


class _Cobertura:
    def __init__(self) -> None:
        self.report = CoverageReport()
        self._around: list[str] = []
        self._measured = Measured()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take note of a class, or of one of its lines."""
        if not self._around:
            if tag != "coverage":
                raise UnreadableError(f"it is no Cobertura report: it begins with <{tag[:40]}>")
            self.report.stamp = attributes.get("timestamp", "")
        elif tag == "class":
            self._measured = self.report.file(attributes.get("filename", ""))
        elif tag == "line" and self._around[-2:] == ["class", "lines"]:
            self._add_line(attributes)
        self._around.append(tag)

    def end(self, tag: str, text: str) -> None:
        """Take note of a folder that names of files begin from."""
        self._around.pop()
        if tag == "source" and text.strip():
            self.report.folders += (text.strip(),)
            if len(self.report.folders) > MAX_FOLDERS:
                raise UnreadableError(f"it has over {MAX_FOLDERS} sources")

    def _add_line(self, attributes: Mapping[str, str]) -> None:
        number = _line_number(attributes.get("number"))
        hits = _number(attributes.get("hits"), f"the hits of line {number}")
        self._measured.add_line(number, hits > 0)
        if attributes.get("branch", "").lower() == "true" and "condition-coverage" in attributes:
            conditions = _CONDITIONS.fullmatch(attributes["condition-coverage"])
            if conditions is None:
                raise UnreadableError(f"the condition-coverage of line {number} is unclear")
            self._measured.add_branch(number, share_of(int(conditions[1]), int(conditions[2])))
        self.report.take()


def _read_cobertura(file: TargetFile) -> CoverageReport:
    reader = _Cobertura()
    read_xml(file, reader)
    reader.report.files.pop("", None)
    return reader.report


def _read_json(file: TargetFile) -> CoverageReport:
    if len(file.content) > MAX_JSON:
        raise UnreadableError(f"as JSON it is over {MAX_JSON} bytes; write it as XML or LCOV")
    # An object takes as much as several members.
    if sum(file.content.count(sign) for sign in (b",", b"[", b"{", b"{", b"{")) > MAX_PARTS:
        raise UnreadableError(f"it has over {MAX_PARTS} parts; write it as XML or LCOV")
    try:
        document = json.loads(
            file.text(), parse_constant=_no_constant, object_pairs_hook=_without_doubles
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"it is not whole JSON: {str(error)[:80]}") from error
    files = document.get("files")
    if not isinstance(files, dict):
        raise UnreadableError("it has no files, as a report of coverage.py has")
    meta = document.get("meta")
    stamp = meta.get("timestamp") if isinstance(meta, dict) else ""
    report = CoverageReport(stamp=str(stamp or ""))
    for name, entry in files.items():
        _read_entry(entry, report, report.file(name))
    return report


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _read_entry(entry: Any, report: CoverageReport, measured: Measured) -> None:
    summary = entry.get("summary") if isinstance(entry, dict) else None
    if not isinstance(summary, dict):
        raise UnreadableError("a file has no summary, as in a report of coverage.py")
    if "executed_lines" in entry and "missing_lines" in entry:
        for key, covered in (("executed_lines", True), ("missing_lines", False)):
            report.take(len(lines := _listed(entry[key], _is_line)))
            measured.lines.update(dict.fromkeys(lines, covered))
    else:
        measured.sums["lines"] = _sum(summary, "covered_lines", "num_statements")
    if "executed_branches" in entry and "missing_branches" in entry:
        for key, taken in (("executed_branches", 1), ("missing_branches", 0)):
            report.take(2 * len(arcs := _listed(entry[key], _is_arc)))
            measured.branches.update(dict.fromkeys(map(tuple, arcs), share_of(taken, 1)))
    elif "num_branches" in summary:
        measured.sums["branches"] = _sum(summary, "covered_branches", "num_branches")


def _listed(value: Any, is_member: Callable[[Any], bool]) -> list[Any]:
    if not isinstance(value, list) or not all(map(is_member, value)):
        raise UnreadableError("a list of lines or branches holds something else")
    return value


def _is_line(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_LINE


def _is_arc(value: Any) -> bool:
    match value:
        case [int() as begin, int() as end]:
            # Negative ends stand for the exit of a function.
            return _is_line(abs(begin)) and _is_line(abs(end))
        case _:
            return False


def _sum(summary: Mapping[str, Any], covered: str, whole: str) -> Share:
    numbers = [summary.get(key) for key in (covered, whole)]
    if not all(_is_line(number) for number in numbers):
        raise UnreadableError(f"{covered} and {whole} are {str(numbers)[:60]}")
    return Share(*numbers)  # type: ignore[arg-type]


class _Lcov:
    """Builds a report from LCOV records, each from `SF:` to `end_of_record`."""

    def __init__(self) -> None:
        self.report = CoverageReport()
        self._name: str | None = None
        self._record = Measured()
        self._sums: dict[str, int] = {}

    def take(self, key: str, value: str) -> None:
        """Take note of one line."""
        if key == "SF":
            self._begin_record(value)
            return
        if self._name is None:
            raise UnreadableError(f"{key} stands outside of a file")
        match key:
            case "DA":
                self._add_line(value)
            case "BRDA":
                self._add_branch(value)
            case "end_of_record":
                self._end_record()
            case _:
                self._sums[key] = _number(value, key)

    def finish(self) -> CoverageReport:
        """Return the report if it is whole."""
        if self._name is not None:
            raise UnreadableError("it ends within a file: it is cut off")
        return self.report

    def _begin_record(self, name: str) -> None:
        if self._name is not None:
            raise UnreadableError("a file begins before the last one ends")
        self._name, self._record, self._sums = name, Measured(), {}

    def _add_line(self, value: str) -> None:
        number, _, rest = value.partition(",")
        hits = _number(rest.partition(",")[0], f"the hits of line {number[:20]}")
        self._record.add_line(_line_number(number), hits > 0)
        self.report.take()

    def _add_branch(self, value: str) -> None:
        place, _, taken = value.rpartition(",")
        line, _, branch = place.partition(",")
        times = 0 if taken == "-" else _number(taken, f"the hits of a branch in line {line[:20]}")
        self._record.add_branch((_line_number(line), branch), share_of(int(times > 0), 1))
        self.report.take(2)

    def _end_record(self) -> None:
        told = (("lines", self._record.lines), ("branches", self._record.branches))
        for (what, single), (found, hit) in zip(told, _LCOV_SUMS, strict=True):
            if not single and self._sums.get(found):
                self._record.sums[what] = Share(self._sums.get(hit, 0), self._sums[found])
        self.report.file(self._name or "").add(self._record)
        self._name = None


_LCOV_SUMS = (("LF", "LH"), ("BRF", "BRH"))
_LCOV_KEYS = frozenset({b"SF", b"DA", b"BRDA", b"LF", b"LH", b"BRF", b"BRH", b"end_of_record"})


def _read_lcov(file: TargetFile) -> CoverageReport:
    reader = _Lcov()
    try:
        for count, line in enumerate(io.BytesIO(file.content)):
            if count == MAX_LCOV:
                raise UnreadableError(f"it has over {MAX_LCOV} lines")
            key, _, value = line.strip(_BEFORE).partition(b":")
            if key in _LCOV_KEYS:
                reader.take(key.decode(), value.decode())
    except UnicodeDecodeError as error:
        raise UnreadableError("it is not UTF-8 text") from error
    return reader.finish()
