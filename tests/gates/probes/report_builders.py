"""Reports of tests and coverage to be broken in one place, and what the probes say to them."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probe_settings import parse_probe
from mcp_server.gates.probes.coverage import look_coverage
from mcp_server.gates.probes.files import ProjectFiles, TargetFile
from mcp_server.gates.probes.junit import look_junit
from mcp_server.gates.probes.look import Probe
from tests.gates.probes.probe_builders import look_at, written

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

PROBES: Mapping[str, Probe] = {"junit": look_junit, "coverage": look_coverage}


def as_read(
    root: Path, path: str, content: str | bytes, *, at: datetime | None = None
) -> TargetFile:
    """Write a file, last written at `at` if that is given, and return it as a probe reads it."""
    file = written(root, path, content)
    if at is not None:
        os.utime(file, (at.timestamp(), at.timestamp()))
    return ProjectFiles(root).read(path)


def found(root: Path, verify: Mapping[str, Any], **look: Any) -> Any:
    """Return what the probe of `verify` finds."""
    settings = parse_probe(verify)
    return PROBES[settings.probe](settings, look_at(root, **look)).value


def refused(root: Path, verify: Mapping[str, Any], **look: Any) -> str:
    """Return why the probe of `verify` refuses."""
    with pytest.raises(LookFailedError) as caught:
        found(root, verify, **look)
    assert str(root) not in caught.value.reason
    return caught.value.reason


def case(name: str, classname: str = "tests.test_pay", inner: str = "", **more: str) -> str:
    """Return a test case in JUnit XML."""
    given = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<testcase classname="{classname}" name="{name}"{given}>{inner}</testcase>'


def suite(*cases: str, **more: str) -> str:
    """Return a report of one suite in JUnit XML."""
    given = "".join(f' {key}="{value}"' for key, value in more.items())
    return f"<testsuite{given}>{''.join(cases)}</testsuite>"


def cobertura(
    files: Mapping[str, Mapping[int, int]], *, sources: tuple[str, ...] = (), **more: str
) -> str:
    """Return a Cobertura report of the hits of each line of each file."""
    given = "".join(f' {key}="{value}"' for key, value in more.items())
    folders = "".join(f"<source>{source}</source>" for source in sources)
    classes = "".join(
        f'<class name="x" filename="{name}"><methods/><lines>'
        + "".join(f'<line number="{number}" hits="{hits}"/>' for number, hits in lines.items())
        + "</lines></class>"
        for name, lines in files.items()
    )
    return (
        f'<?xml version="1.0"?><coverage line-rate="1"{given}><sources>{folders}</sources>'
        f"<packages><package><classes>{classes}</classes></package></packages></coverage>"
    )
