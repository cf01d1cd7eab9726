"""The command line of the cutover: what is asked for, what is printed, the exit code.

0: done, or nothing to do; 1: refused, or failed and restored; 2: wrong usage. A dry run that could
look at everything is done, also where it shows that --apply would be refused.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mcp_server.cutover import backup
from mcp_server.cutover.findings import OLD_TOOLS
from mcp_server.cutover.interrupts import InterruptedCutover, Interrupts
from mcp_server.cutover.report import Report, Result, as_json, as_text
from mcp_server.cutover.runs import Run, Wanted
from mcp_server.cutover.servers import TIME_LIMIT, wait_for_servers
from mcp_server.errors import ConfigurationError, InvalidArgumentError, WorkflowError

USAGE_ERROR = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, carry it out and return the exit code."""
    options = parser()
    given = options.parse_args(argv)
    try:
        wanted = _wanted(given)
    except InvalidArgumentError as error:
        options.error(f"{error.message}. {error.remediation}")
    with Interrupts() as interrupts:
        report = _reported(Run(wanted, interrupts), given)
        # After an interruption what matters comes first: the files; the server ends meanwhile.
        interrupts.disarm()
        wait_for_servers()
    if isinstance(report, int):
        return report
    sys.stdout.write(as_json(report) if given.json else as_text(report))
    return report.exit_code


def _reported(run: Run, given: argparse.Namespace) -> Report | int:
    """Return the report of a run, or the exit code where there is none to make."""
    report = run.report
    try:
        if given.restore:
            return run.restore(given.restore)
        return run.apply() if given.apply else run.show()
    except (ConfigurationError, InvalidArgumentError) as error:
        sys.stderr.write(f"cutover: {error.message}. {error.remediation}\n")
        return USAGE_ERROR
    except WorkflowError as error:
        report.problems.append(error.message)
        report.remedies.append(error.remediation)
    except InterruptedCutover as error:
        report.problems.append(f"{error} came")
    except OSError as error:
        report.problems.append(f"the disk refused: {error.strerror or error}")
        report.remedies += (
            [f"What was not brought back is in {report.backup}: mend the disk, then --restore it."]
            if report.backup
            else []
        )
    report.result = Result.REFUSED
    return report


def _wanted(given: argparse.Namespace) -> Wanted:
    project = given.project
    if project is None and given.restore:
        # A backup stands in its project.
        project = Path(given.restore).absolute().parent.parent.parent
    if project is None or not project.is_dir():
        raise InvalidArgumentError(
            "PROJECT is missing" if project is None else f"{str(project)!r} is not a folder",
            remediation="Name the folder of the project to cut over.",
        )
    if given.timeout <= 0:
        raise InvalidArgumentError("--timeout is not above 0", remediation="Write seconds.")
    return Wanted(
        project.resolve(),
        given.server,
        tuple(dict.fromkeys(given.old or OLD_TOOLS)),
        given.allow_dirty,
        given.timeout,
    )


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    options = argparse.ArgumentParser(
        prog="cutover_to_aos_workflow.py",
        description="Cut a code base over from the old workflow tools to the one aos_workflow."
        " Without --apply nothing is changed: what would be is shown.",
        epilog="Exit codes: 0 done or nothing to do, 1 refused or failed and restored, 2 wrong"
        f" usage. Backups stand under {backup.FOLDER} of the project.",
    )
    options.add_argument("project", type=Path, nargs="?", metavar="PROJECT", help="its folder")
    what = options.add_mutually_exclusive_group()
    what.add_argument("--apply", action="store_true", help="do it; without this only show")
    what.add_argument("--restore", metavar="BACKUP", help="bring every file of a backup back")
    options.add_argument("--server", metavar="CMD", help="how a client starts the server, or the"
                        " name that the client configuration has for it")  # fmt: skip
    options.add_argument("--json", action="store_true", help="print the report as JSON")
    options.add_argument("--old", action="append", metavar="NAME", help="an old tool, instead of"
                        f" {', '.join(OLD_TOOLS)}; may be repeated")  # fmt: skip
    options.add_argument("--allow-dirty", action="store_true",
                        help="go on where git has changes that are not committed")  # fmt: skip
    options.add_argument("--timeout", type=float, default=TIME_LIMIT, metavar="SECONDS",
                        help="in which the server answers; default %(default)g")  # fmt: skip
    return options
