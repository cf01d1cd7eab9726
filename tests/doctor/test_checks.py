"""The registry of checks: all are made, and one that cannot go on stops no other."""

from collections.abc import Iterator

import pytest

from mcp_server.doctor import checks
from mcp_server.doctor.checks import CHECKS, Check, examine
from mcp_server.doctor.findings import Finding, Status, fine, problems_of
from mcp_server.doctor.subject import Subject
from mcp_server.errors import DiskRefusedError
from tests.doctor.subjects import subject

NAMES = [
    *("project", "settings", "definitions", "state", "clients", "software", "commands"),
    "round trip",
]
WITHOUT_SERVER = tuple(check for check in CHECKS if check.name != "round trip")


def test_the_checks_are_made_in_their_order(project, tmp_path, monkeypatch):
    assert [check.name for check in CHECKS] == NAMES
    monkeypatch.setattr(checks, "CHECKS", WITHOUT_SERVER)
    examined = examine(subject(project, tmp_path))
    assert [one.check for one in examined] == NAMES[:-1]
    assert all(one.findings for one in examined)
    assert problems_of(examined) == 0


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (DiskRefusedError("it refused", remediation="Mend it."), "it refused", "Mend it."),
        (
            PermissionError(13, "Permission denied", "a.json"),
            "a.json: Permission denied",
            "Make it readable, then look again.",
        ),
    ],
)
def test_a_check_that_cannot_go_on_keeps_what_it_found(
    project, tmp_path, monkeypatch, error, what, remedy
):
    def broken(_subject: Subject) -> Iterator[Finding]:
        yield fine("so far")
        raise error

    monkeypatch.setattr(checks, "CHECKS", (Check("a", broken), Check("b", lambda _: iter(()))))
    first, second = examine(subject(project, tmp_path))
    assert first.findings == (fine("so far"), Finding(Status.PROBLEM, what, remedy))
    assert (second.check, second.findings) == ("b", ())


def test_without_a_project_what_does_not_need_one_is_looked_at(tmp_path):
    nowhere = subject(None, tmp_path, AOS_WORKFLOW_PROJECT=str(tmp_path / "none"))
    found = {one.check: len(one.findings) for one in examine(nowhere)}
    assert {name: count for name, count in found.items() if not count} == dict.fromkeys(
        ["settings", "definitions", "state", "commands", "round trip"], 0
    )
