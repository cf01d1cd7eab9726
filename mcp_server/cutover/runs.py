"""One run of the cutover: looking, then refusing, showing, or applying.

Refusals come before anything is written, and each says what to do about it. `Refused` reports are
made here; the transaction itself is `applying`'s business.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mcp_server.core import file_locks
from mcp_server.cutover import applying, backup, git
from mcp_server.cutover.changes import Plan, Style
from mcp_server.cutover.client_config import choose, find_servers
from mcp_server.cutover.expectation import expected_tools
from mcp_server.cutover.findings import NEW_TOOL, OLD_TOOLS
from mcp_server.cutover.interpreters import can_import
from mcp_server.cutover.interrupts import Interrupts
from mcp_server.cutover.planning import make_plan, names_old_tools
from mcp_server.cutover.report import Report, Result
from mcp_server.cutover.scanning import scan
from mcp_server.cutover.servers import TIME_LIMIT, Listing, list_tools, problems_after
from mcp_server.errors import CutoverError

_AFTERWARDS: Mapping[Style, str] = {
    "import": "To do: add aos-workflow to what the server's project depends on.",
    "bridge": "To do: install aos-workflow for all who run the server, or set"
    " AOS_WORKFLOW_COMMAND for it; without either the bridge starts the one of this cutover.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run was asked for."""

    root: Path
    server: str | None = None
    old: tuple[str, ...] = OLD_TOOLS
    allow_dirty: bool = False
    timeout: float = TIME_LIMIT


def _now() -> datetime:
    return datetime.now(UTC)


def _say(line: str) -> None:
    sys.stderr.write(f"cutover: {line}\n")
    sys.stderr.flush()


@dataclass(slots=True)
class Run:
    """A run on one project; `say` tells what is under way."""

    wanted: Wanted
    interrupts: Interrupts
    say: Callable[[str], None] = _say
    report: Report = field(init=False)
    _which: CutoverError | None = None
    """Why it is not known which server is meant."""

    def __post_init__(self) -> None:
        """Begin with an empty report."""
        self.report = Report(str(self.wanted.root))

    def show(self) -> Report:
        """Tell what a cutover would do, and what would refuse it."""
        self._require_alone()
        for broken in backup.unfinished(self.wanted.root):
            raise _broke_off(broken)
        self._look()
        if not self.report.plan.changes:
            return self.report
        self.report.result = Result.WOULD_CHANGE
        for problem, remedy in (*self._objections(), *self._objections_of_server()):
            self.report.problems.append(problem)
            self.report.remedies.append(remedy)
        if self.report.before and not self.report.before.problem:
            self.report.expected = expected_tools(self.report.before, self.wanted.old)
        return self.report

    def apply(self) -> Report:
        """Carry the cutover out; what is refused, or has nothing to do, leaves no trace."""
        self._require_alone()
        self._finish_broken_ones()
        self._look()
        plan = self.report.plan
        for problem, remedy in self._objections() if plan.changes or plan.unparsed else ():
            return self._refused(problem, remedy)
        if not plan.changes:
            return self._nothing_to_do()
        for problem, remedy in self._objections_of_server():
            return self._refused(problem, remedy)
        # Looking took its time: what another one changed meanwhile is noticed when it is written.
        with applying.only_one(self.wanted.root):
            return self._carry_out(plan)

    def restore(self, named: str) -> Report:
        """Bring a backup back."""
        found = backup.find(self.wanted.root, named)
        with applying.only_one(self.wanted.root):
            self.interrupts.disarm()
            self.report.restored = found.restore(_now())
        self.report.result = Result.BROUGHT_BACK
        self.report.backup = found.name
        return self.report

    def _require_alone(self) -> None:
        if file_locks.is_held(self.wanted.root / applying.LOCK):
            raise applying.busy()

    def _nothing_to_do(self) -> Report:
        """See that nothing is left that registers old tools in a way that is not certain."""
        report, wanted = self.report, self.wanted
        if report.server is None or not report.plan.doubts_python:
            return report
        self.say(f"starting the server: {report.server.shown}")
        report.before = list_tools(wanted.root, report.server, wanted.timeout)
        if still := [name for name in report.before.names if name in wanted.old]:
            return self._refused(
                f"the server lists {', '.join(still)}, and how it registers them is not certain",
                "Take them out by hand at the places above, or name a folder that git ignores.",
            )
        return report

    def _look(self) -> None:
        """Scan, find the server, plan."""
        wanted, report = self.wanted, self.report
        found = scan(wanted.root, wanted.old)
        try:
            report.server = choose(
                wanted.root, find_servers(wanted.root, found.files), wanted.server
            )
        except CutoverError as error:
            # What would change can be shown without it.
            self._which = error
        style: Style = "bridge"
        if report.server and names_old_tools(found, wanted.old):
            self.say("asking the server's Python whether it can import aos-workflow")
            style = "import" if can_import(wanted.root, report.server) else "bridge"
        name = report.server.name if report.server else ""
        report.plan = make_plan(found, wanted.old, style, name)
        if report.plan.style:
            report.notes.append(_AFTERWARDS[report.plan.style])

    def _objections(self) -> Iterator[tuple[str, str]]:
        """Yield what stands against applying the plan, with its remedy."""
        plan, root = self.report.plan, self.wanted.root
        for module in plan.unparsed[:1]:
            yield (
                f"{module.path}:{module.line} does not parse, and names an old tool",
                "Mend it first, or run the cutover with the Python that it is written for.",
            )
        if not self.wanted.allow_dirty and (dirty := git.uncommitted(root)):
            count = "1 file is" if len(dirty) == 1 else f"{len(dirty)} files are"
            first = ", ".join(line.strip() for line in dirty[:3])
            yield (
                f"{count} not committed: {first}",
                "Commit or stash them, or add --allow-dirty.",
            )

    def _objections_of_server(self) -> Iterator[tuple[str, str]]:
        """Start the server as it is, and yield what stands against going on."""
        report, wanted = self.report, self.wanted
        if report.server is None:
            yield from self._objections_without_server()
            return
        self.say(f"starting the server as it is: {report.server.shown}")
        report.before = list_tools(wanted.root, report.server, wanted.timeout)
        if report.before.problem:
            yield (
                f"the server does not start as it is: {report.before.problem}",
                f"See that `{report.server.shown}` runs in the project, or name another: --server",
            )
            return
        names = set(report.before.names)
        if report.plan.changes_python and not names & {*wanted.old, NEW_TOOL}:
            yield (
                "the server lists none of the old tools",
                "Name the server that registers them with --server; is their group enabled?",
            )
        if not report.plan.changes_python and (NEW_TOOL not in names or names & set(wanted.old)):
            yield (
                "the server is not cut over, and nothing certain here registers its tools",
                "Cut its own project over first, or mend the places above by hand.",
            )

    def _objections_without_server(self) -> Iterator[tuple[str, str]]:
        plan = self.report.plan
        if self._which:
            yield self._which.message, self._which.remediation
        elif plan.changes_python or plan.doubts_python:
            yield (
                "no server is known to verify the cutover with",
                'Name it: --server "COMMAND", as a client starts it.',
            )
        else:
            self.report.notes.append("No server is known here, so nothing could be verified.")

    def _carry_out(self, plan: Plan) -> Report:
        report, wanted = self.report, self.wanted
        before = report.before or Listing()
        argv = report.server.argv if report.server else ()
        made = backup.make(wanted.root, plan.changes, argv, before.tools, _now())
        report.backup = made.name
        self.say(f"writing {len(plan.changes)} files; the backup is {made.name}")
        done = applying.apply(made, plan.changes, self._verified, self.interrupts, _now)
        report.problems = list(done.problems)
        if done.restored is None:
            report.result = Result.DONE
            return report
        report.result = Result.RESTORED
        report.restored = done.restored
        return report

    def _verified(self) -> Sequence[str]:
        """Start the changed server and return what is wrong with it."""
        report, wanted = self.report, self.wanted
        if report.server is None:
            return ()
        self.say("starting the server with the changes")
        report.after = list_tools(wanted.root, report.server, wanted.timeout, call=True)
        return problems_after(report.before or Listing(), report.after, wanted.old)

    def _finish_broken_ones(self) -> None:
        """Restore what a killed cutover left behind, the newest first."""
        for broken in list(backup.unfinished(self.wanted.root)):
            self.say(f"an earlier cutover broke off: restoring {broken.name}")
            with applying.only_one(self.wanted.root):
                restored = broken.restore(_now())
            self.report.notes.append(
                f"An earlier cutover broke off; {broken.name} was restored first."
            )
            if restored.edited:
                self.report.restored = restored
                raise CutoverError(
                    f"an earlier cutover broke off, and {restored.edited[0].path} was edited since",
                    remediation=f"{broken.name} was restored, and the edits are kept in"
                    f" {restored.edited[0].kept}: look at them, then start again.",
                )

    def _refused(self, problem: str, remedy: str) -> Report:
        self.report.result = Result.REFUSED
        self.report.problems.append(problem)
        self.report.remedies.append(remedy)
        return self.report


def _broke_off(broken: backup.Backup) -> CutoverError:
    return CutoverError(
        f"an earlier cutover broke off in the middle ({broken.name})",
        remediation=f"Add --restore {broken.name} to bring every file back, or --apply to do that"
        " and begin anew.",
    )
