"""What is examined in these tests: a project and a machine that are well, to be broken once."""

import sys
from dataclasses import replace
from pathlib import Path

from mcp_server.doctor.findings import Finding, Status
from mcp_server.doctor.subject import Subject
from tests.setting_up.machines import machine


def subject(project: Path | None, folder: Path, **environment: str) -> Subject:
    """A subject on a machine under `folder`; the command is on its PATH."""
    there = replace(machine(folder, **environment), python=Path(sys.executable))
    return Subject.of(there, project, folder / "config" / "trusted")


def problems(findings: object) -> list[tuple[str, str | None]]:
    """The problems among findings, with their remedies."""
    return [(f.what, f.remedy) for f in findings if f.status is Status.PROBLEM]


def notes(findings: object) -> list[tuple[str, str | None]]:
    """The notes among findings, with what could be done."""
    return [(f.what, f.remedy) for f in findings if f.status is Status.NOTE]


def sound(findings: list[Finding]) -> list[str]:
    """What is as it should be, when everything is."""
    assert problems(findings) == []
    return [f.what for f in findings if f.status is Status.OK]
