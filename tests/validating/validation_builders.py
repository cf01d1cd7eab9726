"""Validations of fake servers, short enough for a test."""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mcp_server.core.transitions import Action
from mcp_server.validating.checks.everything import CHECKS
from mcp_server.validating.checks.registry import Check
from mcp_server.validating.command import validate
from mcp_server.validating.connecting import Command
from mcp_server.validating.outcomes import (
    CheckOutcome,
    Memory,
    Report,
    Standing,
    Timing,
)
from mcp_server.validating.running import Limits
from mcp_server.validating.targets import TARGETS

FAKES = Path(__file__).resolve().parent / "fakes.py"
SCRIPT = FAKES.parent.parent.parent / "scripts" / "validate_aos_workflow.py"

PATIENT = Limits(call=30, connect=60, rounds=1, slack=100, memory=False)
"""Limits that no busy machine passes."""


def fake(name: str, *arguments: str) -> Command:
    """Return the command of a fake server."""
    return Command((sys.executable, "-P", str(FAKES), name, *arguments), name)


def validated(
    name: str,
    *subjects: str,
    arguments: Collection[str] = (),
    **limits: float,
) -> Report:
    """Return what a validation of a fake finds, by the checks of some subjects or of all.

    The actions are timed only where all is checked, or `rounds` says so.
    """
    limits = {"rounds": 0 if subjects else 1, **limits}
    return validate(fake(name, *arguments), replace(PATIENT, **limits), checks_of(*subjects))


def checks_of(*subjects: str) -> tuple[Check, ...]:
    """Return the checks of some subjects, or of all."""
    return tuple(check for check in CHECKS if not subjects or check.subject in subjects)


def start_script(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start the script as people do."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave no process behind, whatever the test finds."""
    with process:
        try:
            yield
        finally:
            process.kill()


def report(
    *checks: CheckOutcome,
    timings: tuple[Timing, ...] | None = None,
    memory: Memory | None = None,
    left_behind: tuple[str, ...] = (),
) -> Report:
    """Return a report in which all holds but for what is given."""
    fast = tuple(Timing(action, target, (0.01, 0.02, 0.04)) for action, target in TARGETS.items())
    return Report(
        "a server",
        "2026-07-28",
        (CheckOutcome(Action.PAUSE, "pauses", Standing.HOLDS), *checks),
        fast if timings is None else timings,
        memory or Memory(100_000_000, server=90_000_000, bare=60_000_000),
        left_behind,
    )


def failing(subject: str = Action.PAUSE, problem: str = "it does not") -> CheckOutcome:
    """Return a check that does not hold."""
    return CheckOutcome(subject, "does what it must", Standing.FAILED, problem)
