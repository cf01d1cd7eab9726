"""The command line of the validation; `scripts/validate_aos_workflow.py` runs it.

    validate_aos_workflow.py [--server "CMD" | --url URL] [--token-env NAME] [--json] [--junit FILE]

Drives a server as an MCP client does, through all 14 actions of aos_workflow, each with success and
refusal, checks every answer whole, times the actions, and weighs the process. Without --server and
--url it validates the server of this package. A command is started in a throw-away project, which
is removed; on a URL every session that the validation began is deleted again.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from mcp_server.errors import ConfigurationError
from mcp_server.validating.as_json import to_json
from mcp_server.validating.as_junit import to_junit
from mcp_server.validating.checks.everything import CHECKS
from mcp_server.validating.checks.registry import Check
from mcp_server.validating.connecting import Command, Server, Url, our_server
from mcp_server.validating.outcomes import Report
from mcp_server.validating.project import throwaway
from mcp_server.validating.running import Limits, Validation
from mcp_server.validating.table import print_report

DONE, DOES_NOT_HOLD, USAGE_ERROR = 0, 1, 2
_KILLED_BY = 128

_Result = TypeVar("_Result")

_EPILOG = """\
targets: the median of list_workflows is below 100 ms (alert above 200), of start below 500 ms
(alert above 1 s), of every other action below 200 ms; the process takes less than 100 MB over a
bare server of the SDK. A target that is missed fails the validation, also between target and
alert. What cannot be measured here is said to be not measured, and what needs files of the
server's project is not checked with --url; neither fails.

exit codes: 0 all of it holds, 1 something does not, 2 wrong usage or a server that cannot be
reached; 128 and the number of the signal when interrupted, after everything is cleaned up.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate what the command line names and return the exit code."""
    given = parser().parse_args(arguments)
    # The SDK tells of lines that are no message with a traceback each; they are findings here.
    logging.getLogger("mcp").addHandler(logging.NullHandler())
    logging.getLogger("mcp").propagate = False
    try:
        _require_place(given.junit)
        server = _server(given)
        limits = Limits(
            given.call_limit, given.connect_limit, given.limit, given.rounds, given.slack
        )
        began = datetime.now(UTC)
        report = validate(server, limits)
    except ConfigurationError as error:
        sys.stderr.write(f"validate_aos_workflow: {error.message}. {error.remediation}\n")
        return USAGE_ERROR
    except _InterruptedError as interrupted:
        sys.stderr.write("validate_aos_workflow: interrupted; everything is cleaned up\n")
        return _KILLED_BY + interrupted.number
    _tell(report, given, began)
    return DONE if report.holds else DOES_NOT_HOLD


def validate(server: Server, limits: Limits, made: tuple[Check, ...] = CHECKS) -> Report:
    """Validate a server in a throw-away project; raises ConfigurationError if it is not there."""
    with (
        throwaway() as project,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
    ):
        return _interruptible(Validation(server, project, log, limits, made).run())


class _InterruptedError(Exception):
    """A signal ended the run, which has cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _interruptible(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run `work`; a signal that ends programs cancels it, so that it cleans up on its way out."""
    received: list[int] = []

    async def guarded() -> _Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end(number: int) -> None:
            # A second signal must not break into the cleaning up.
            if not received and task is not None:
                received.append(number)
                loop.call_soon_threadsafe(task.cancel)

        before = {number: signal.signal(number, lambda got, _frame: end(got))
                  for number in _ending_signals()}  # fmt: skip
        try:
            return await work
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        if not received:
            raise
        raise _InterruptedError(received[0]) from None


def _ending_signals() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        # Signals go to the main thread, and only it may say what becomes of them.
        return []
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _server(given: argparse.Namespace) -> Server:
    if given.url is None:
        if given.token_env is not None:
            raise ConfigurationError(
                "--token-env goes with --url only",
                remediation="A command finds its secrets in its own environment.",
            )
        return our_server() if given.server is None else Command.parse(given.server)
    try:
        url = httpx2.URL(given.url)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(
            f"{given.url!r} is no address of a server",
            remediation="Pass one such as http://127.0.0.1:8000/mcp.",
        )
    return Url(given.url, _token(given.token_env))


def _token(variable: str | None) -> str | None:
    if variable is None:
        return None
    token = os.environ.get(variable, "").strip()
    if not token:
        raise ConfigurationError(
            f"the environment variable {variable} is not set, or empty",
            remediation="Put the bearer token into it.",
        )
    return token


def _require_place(junit: Path | None) -> None:
    if junit is not None and (junit.is_dir() or not junit.absolute().parent.is_dir()):
        raise ConfigurationError(
            f"no report can be written to {str(junit)!r}",
            remediation="Name a file in a folder that is there.",
        )


def _tell(report: Report, given: argparse.Namespace, began: datetime) -> None:
    if given.json:
        sys.stdout.write(f"{to_json(report)}\n")
    else:
        print_report(report, sys.stdout)
    if given.junit is not None:
        given.junit.write_bytes(to_junit(report, began))


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(
        prog="validate_aos_workflow.py",
        description="Validate a deployment of aos_workflow by calling all 14 actions.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = made.add_mutually_exclusive_group()
    where.add_argument(
        "--server", metavar="CMD", help="command of a stdio server, started in a throw-away"
        " project; default: the server of this package"
    )  # fmt: skip
    where.add_argument("--url", help="address of a server over streamable HTTP")
    made.add_argument(
        "--token-env", metavar="NAME", help="environment variable with the bearer token for --url"
    )
    made.add_argument("--json", action="store_true", help="print one JSON object")
    made.add_argument("--junit", metavar="FILE", type=Path, help="write JUnit XML to FILE")
    default = Limits()
    made.add_argument(
        "--rounds", type=_whole, default=default.rounds, metavar="N",
        help="how often each action is timed (%(default)s)",
    )  # fmt: skip
    made.add_argument(
        "--slack", type=_positive, default=default.slack, metavar="FACTOR",
        help="multiply every time target, for a machine that is known to be slow (%(default)s)",
    )  # fmt: skip
    made.add_argument(
        "--call-limit", type=_positive, default=default.call, metavar="SECONDS",
        help="longest wait for one answer (%(default)s)",
    )  # fmt: skip
    made.add_argument(
        "--connect-limit", type=_positive, default=default.connect, metavar="SECONDS",
        help="longest wait for a handshake (%(default)s)",
    )  # fmt: skip
    made.add_argument(
        "--limit", type=_positive, default=default.whole, metavar="SECONDS",
        help="longest time for all of it (%(default)s)",
    )  # fmt: skip
    return made


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
