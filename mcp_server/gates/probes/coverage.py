"""The probe that reads how much of the code, or of one file, tests covered."""

import math
import posixpath
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probe_settings import CoverageSettings
from mcp_server.gates.probes.coverage_formats import read_coverage
from mcp_server.gates.probes.coverage_measured import (
    CoverageReport,
    Measured,
    Share,
    UnreadableError,
    added_up,
    total,
)
from mcp_server.gates.probes.files import TargetFile
from mcp_server.gates.probes.look import Found, Look
from mcp_server.gates.probes.report_paths import (
    Meant,
    agrees_in_part,
    distinct,
    listed,
    meant_by,
    project_path,
    shown,
)
from mcp_server.gates.probes.report_time import beginning, require_recent

MAX_GUESSES = 100_000
"""Places in which files of the target's name are looked for."""

_Refusal = Callable[[str], LookFailedError]


def look_coverage(settings: CoverageSettings, look: Look) -> Found:
    """Look for the percentage that is covered; raises LookFailedError."""
    files = distinct(look.read(settings))
    sources = tuple(file.source for file in files)
    where = listed((file.path for file in files), look.files.root)

    def refusal(reason: str) -> LookFailedError:
        return LookFailedError(f"{where}: {reason}", *sources)

    reports = list(_reports(settings, look, files))
    try:
        if settings.of is None:
            of, measured = "", _all_files(reports, look)
        else:
            of = project_path(look.filled(settings.of), look.files.root)
            measured = [_of_file(of, reports, look, refusal)]
        share = _share(measured, settings.count, of and shown(of, look.files.root), refusal)
    except UnreadableError as error:
        raise refusal(str(error)) from error
    return Found(_value(share, look.type, refusal), sources)


def _reports(
    settings: CoverageSettings, look: Look, files: Sequence[TargetFile]
) -> Iterator[CoverageReport]:
    since = beginning(look, fresh=settings.fresh)
    for file in files:
        key = f"coverage {file.source.sha256}"
        report = look.shared.get(key)
        if report is None:
            report = look.shared[key] = read_coverage(file)
        require_recent(file, (report.stamp,), since)
        yield report


def _all_files(reports: Sequence[CoverageReport], look: Look) -> list[Measured]:
    root = look.files.root
    known: dict[tuple[str, ...], int] = {}
    return added_up(
        (_key(name, report.folders, known.setdefault(report.folders, len(known)), root), measured)
        for report in reports
        for name, measured in report.files.items()
    )


def _key(name: str, folders: Sequence[str], known: int, root: Path) -> Hashable:
    """Return what tells a file from others: with several folders, which they are and the name."""
    if len(folders) > 1:
        return (known, name)
    return project_path(name, root, folders[0] if folders else "")


def _of_file(
    target: str, reports: Sequence[CoverageReport], look: Look, refusal: _Refusal
) -> Measured:
    root = look.files.root
    answers = list(_answers(target, reports, root))
    whole = [(meant, measured) for meant, measured in answers if target in meant.whole]
    if any(meant.is_doubtful for meant, _ in whole):
        raise refusal(
            f"its sources do not tell which file is {shown(target, root)}; measure from the"
            " project root"
        )
    part = [
        (meant, measured)
        for meant, measured in answers
        if any(agrees_in_part(path, target, root) for path in meant.ends)
    ]
    places = dict.fromkeys(meant.ends for meant, _ in part)
    if not whole and len(places) > 1:
        paths = listed((path for ends in places for path in ends), root)
        raise refusal(f"several files may be {shown(target, root)}: {paths}")
    if not (found := whole or part):
        names = listed((name for report in reports for name in report.files), root)
        raise refusal(
            f"{shown(target, root)} is not in the report; it has {names or 'no file at all'}"
        )
    return added_up((target, measured) for _, measured in found)[0]


def _answers(
    target: str, reports: Sequence[CoverageReport], root: Path
) -> Iterator[tuple[Meant, Measured]]:
    """Yield what may be meant by names that end as the target does."""
    end, guesses = posixpath.basename(target), 0
    for report in reports:
        for name, measured in report.files.items():
            if name.replace("\\", "/").endswith(end):
                guesses += len(report.folders)
                if guesses > MAX_GUESSES:
                    raise UnreadableError(f"over {MAX_GUESSES} places may be {end}")
                yield meant_by(name, report.folders, root), measured


def _share(measured: Sequence[Measured], count: str, of: str, refusal: _Refusal) -> Share:
    share = total(measured, count)
    if share.total:
        return share
    whose = f" of {of}" if of else ""
    if count == "branches" and total(measured, "lines").total:
        raise refusal(f"the report has no branches{whose}; measure with branches")
    raise refusal(f"nothing{whose} was measured: the report has no lines{whose}")


def _value(share: Share, kind: str | None, refusal: _Refusal) -> Any:
    match kind:
        case "boolean":
            return share.whole
        case "integer":
            return math.floor(share.percent)
        case "string":
            return f"{share.percent:g}%"
        case "dict" | "object":
            return {"percent": share.percent, "covered": share.covered, "total": share.total}
        case "list":
            raise refusal("coverage is one number, and the field wants a list")
        case _:
            return share.percent
