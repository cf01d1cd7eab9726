"""The registry of checks, in the order in which they are told; add a check by adding it here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcp_server.doctor.configured import check_clients
from mcp_server.doctor.findings import Examination, Finding, problem
from mcp_server.doctor.project import check_definitions, check_project, check_settings
from mcp_server.doctor.round_trip import check_round_trip
from mcp_server.doctor.software import check_software
from mcp_server.doctor.state import check_state
from mcp_server.doctor.subject import Subject
from mcp_server.doctor.trusted import check_trusted
from mcp_server.errors import WorkflowError


@dataclass(frozen=True, slots=True)
class Check:
    """A check: what it is called, and what finds out."""

    name: str
    look: Callable[[Subject], Iterator[Finding]]


CHECKS: tuple[Check, ...] = (
    Check("project", check_project),
    Check("settings", check_settings),
    Check("definitions", check_definitions),
    Check("state", check_state),
    Check("clients", check_clients),
    Check("software", check_software),
    Check("commands", check_trusted),
    Check("round trip", check_round_trip),
)


def examine(subject: Subject) -> list[Examination]:
    """Make every check; one that cannot go on keeps what it found, and says why."""
    return [Examination(check.name, tuple(_findings(check, subject))) for check in CHECKS]


def _findings(check: Check, subject: Subject) -> Iterator[Finding]:
    try:
        yield from check.look(subject)
    except WorkflowError as error:
        yield problem(error.message, error.remediation)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        yield problem(f"{name}{error.strerror or error}", "Make it readable, then look again.")
