"""What a cutover tells: one report as data, printed as text for people or as JSON.

Names and texts come from files that anybody may have written: on a terminal nothing of them is
obeyed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mcp_server.cutover.backup import Restored
from mcp_server.cutover.changes import Plan
from mcp_server.cutover.findings import NEW_TOOL, Place
from mcp_server.cutover.servers import Listing, ServerCommand, size_of

_SHOWN_PLACES = 40
_SHOWN_DIFF = 200


class Result(StrEnum):
    """What a run came to."""

    NOTHING_TO_DO = "nothing to do"
    WOULD_CHANGE = "would change"
    DONE = "done"
    REFUSED = "refused"
    RESTORED = "failed and restored"
    BROUGHT_BACK = "restored"


@dataclass(slots=True)
class Report:
    """All that a run found and did."""

    project: str
    result: Result = Result.NOTHING_TO_DO
    plan: Plan = field(default_factory=lambda: Plan(()))
    server: ServerCommand | None = None
    before: Listing | None = None
    after: Listing | None = None
    expected: tuple[Mapping[str, Any], ...] = ()
    """The tools that there should be afterwards, before any of it was done."""
    problems: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    backup: str = ""
    restored: Restored = field(default_factory=lambda: Restored((), ()))

    @property
    def exit_code(self) -> int:
        """0 for done or nothing to do, 1 for refused or failed and restored."""
        return 1 if self.result in {Result.REFUSED, Result.RESTORED} else 0


def as_json(report: Report) -> str:
    """Return the report as JSON; with `ensure_ascii`, so that no terminal obeys it."""
    plan, server = report.plan, report.server
    data = {
        "result": str(report.result),
        "exit_code": report.exit_code,
        "project": report.project,
        "problems": report.problems,
        "remedies": report.remedies,
        "notes": report.notes,
        "server": server and {"command": list(server.argv), "name": server.name,
                              "source": server.source},
        "registered_by": plan.style,
        "registrations": [asdict(place) for place in plan.registrations],
        "rewritten": [asdict(place) for place in plan.rewritten],
        "left": [asdict(place) for place in plan.left],
        "unparsed": [asdict(place) for place in plan.unparsed],
        "skipped": [asdict(place) for place in plan.skipped],
        "changes": [
            {
                "path": change.path,
                "new": change.before is None,
                "diff": [] if change.before is None else change.diff(),
            }
            for change in plan.changes
        ],
        "tools": {
            "before": _tools(report.before.tools if report.before else ()),
            "after": _tools(report.after.tools if report.after else report.expected),
            "after_is": "seen" if report.after else "expected",
        },
        "backup": report.backup,
        "restored": list(report.restored.files),
        "later_edits": [
            {"path": edited.path, "kept": edited.kept, "diff": list(edited.diff)}
            for edited in report.restored.edited
        ],
    }  # fmt: skip
    return json.dumps(data, indent=2) + "\n"


def as_text(report: Report) -> str:
    """Return the report for people."""
    return "\n".join(_visible(line) for line in _lines(report)) + "\n"


def _tools(tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = [tool["name"] for tool in tools]
    return {"count": len(names), "bytes": sum(map(size_of, tools)), "names": names}


def _lines(report: Report) -> Iterator[str]:
    plan = report.plan
    yield from _places("Registered old tools", plan.registrations)
    yield from _places("Rewritten mentions", plan.rewritten)
    for change in plan.changes:
        if change.before is None:
            count = change.after.count(b"\n")
            yield f"New: {change.path}, {count} lines"
            yield ""
        else:
            yield from _diff(change.diff())
    yield from _places("Left to you: not certain, so not changed", plan.left)
    yield from _places("Modules that do not parse and name an old tool", plan.unparsed)
    yield from _places("Not looked at, or left alone", plan.skipped)
    yield from _tools_told(report)
    for edited in report.restored.edited:
        yield f"{edited.path} was edited after the cutover; the edits are kept in {edited.kept}:"
        yield from _diff(edited.diff)
    yield from report.notes
    yield from _ending(report)


def _places(title: str, places: Sequence[Place]) -> Iterator[str]:
    if not places:
        return
    yield f"{title} ({len(places)}):"
    for place in places[:_SHOWN_PLACES]:
        what = f" {place.what}" if place.what else ""
        yield f"  {place.path}:{place.line}:{what}{f' - {place.note}' if place.note else ''}"
    if len(places) > _SHOWN_PLACES:
        yield f"  ... and {len(places) - _SHOWN_PLACES} more; --json lists all"
    yield ""


def _diff(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:_SHOWN_DIFF])
    if len(lines) > _SHOWN_DIFF:
        yield f"  ... and {len(lines) - _SHOWN_DIFF} more lines; --json shows all"
    yield ""


def _tools_told(report: Report) -> Iterator[str]:
    if report.server:
        source = f" ({report.server.source})"
        yield f"Server: {report.server.shown}{source}"
    if report.plan.style == "import":
        yield f"{NEW_TOOL} is registered by importing setup_server from the package mcp_server."
    elif report.plan.style == "bridge":
        yield f"{NEW_TOOL} is registered by a bridge: the server's Python cannot import ours."
    if report.before and not report.before.problem:
        yield _counted("Tools before", report.before.tools)
        if report.after and not report.after.problem:
            yield _counted("Tools after", report.after.tools)
        elif report.expected:
            yield _counted("Tools after, as expected", report.expected)
    yield ""


def _counted(title: str, tools: Sequence[Mapping[str, Any]]) -> str:
    told = _tools(tools)
    return f"{title}: {told['count']}, {told['bytes']:,} bytes: {', '.join(told['names'])}"


def _ending(report: Report) -> Iterator[str]:
    if report.result is Result.WOULD_CHANGE:
        yield f"Dry run: {_files(len(report.plan.changes))} would change."
        yield from (f"--apply would be refused: {problem}." for problem in report.problems)
        yield from report.remedies
        if not report.problems:
            yield "Add --apply to do it."
        return
    ended = {
        Result.NOTHING_TO_DO: "Nothing to do.",
        Result.DONE: f"Done: {_files(len(report.plan.changes))} changed.",
        Result.REFUSED: "Refused; nothing was changed:",
        Result.RESTORED: "Failed; everything is as it was before:",
        Result.BROUGHT_BACK: f"Restored: {_files(len(report.restored.files))} brought back.",
    }
    yield ended[report.result]
    yield from (f"  {problem}" for problem in report.problems)
    yield from report.remedies
    if report.backup:
        yield f"Backup: {report.backup}"
    if report.result is Result.DONE:
        yield f"The way back: the same command with --restore {report.backup}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _visible(text: str) -> str:
    return "".join(
        sign if sign.isprintable() or sign == "\t" else ascii(sign)[1:-1] for sign in text
    )
