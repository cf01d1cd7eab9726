"""Files that are made to hurt: an error within a second of work and a hundred megabytes.

Each is judged in a process of its own, which measures its processor time and its peak memory
above what it had before.
"""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.builders import write_workflow

pytestmark = pytest.mark.slow

resource = pytest.importorskip("resource", reason="memory is measured on Unix only")

SECONDS = 1.0
MEGABYTES = 100

MEASURE = """
import json, resource, sys, time
from pathlib import Path
from mcp_server.config import Settings
from mcp_server.errors import WorkflowError
from mcp_server.server.services import services_for

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

services = services_for(Settings(project=Path(sys.argv[1])))
session = services.engine.start("calm_v1", "a.py")["session_id"]
before, began = peak(), time.process_time()
try:
    if sys.argv[2] == "start":
        services.engine.start("bomb_v1", "a.py")
    else:
        services.engine.complete_phase(session, 1, {})
    told = "passed"
except WorkflowError as error:
    told = [type(error).__name__, error.message, error.fields]
print(json.dumps([told, time.process_time() - began, (peak() - before) / 1024]))
"""

LAUGHS = "".join(
    f"  b{level}: &b{level} [{', '.join([f'*b{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
GATES = {
    "ten megabytes": "evidence_schema:\n  a: {description: '" + "x" * 10_000_000 + "'}\n",
    "aliases": f"evidence_schema:\n  b0: &b0 [x, x]\n{LAUGHS}",
    "depth": "evidence_schema: " + "[" * 200_000,
    "repetitions": "evidence_schema:\n  a: {pattern: '(((a{999}){999}){999}){999}'}\n",
    "groups": "evidence_schema:\n  a: {pattern: '" + "(?:" * 60 + "a" + ")+" * 60 + "'}\n",
    "power": "evidence_schema:\n  a: {validator: v}\nvalidators:\n  v: 'lambda x: 9**9**9'\n",
    "base sixty": "evidence_schema:\n  a: {maximum: " + "1:" * 128_000 + "1}\n",
}

ENTITIES = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
REPORTS = {
    "entities": f'<!DOCTYPE t [<!ENTITY e0 "ha">{ENTITIES}]><testsuite>&e9;</testsuite>',
    "depth": "<testsuite>" * 500_000,
    "elements": "<testsuite>" + "<a/>" * 4_000_000,
    "attribute": '<testsuite name="' + "x" * 15_000_000 + '"/>',
    "outside": '<!DOCTYPE t [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite>&e;</testsuite>',
    "seventeen megabytes": "<testsuite>" + " " * 17_000_000 + "</testsuite>",
}

CALM = {
    "evidence_schema": {
        "passed": {"type": "integer", "verify": {"junit": "r.xml", "count": "passed"}},
    }
}


@pytest.fixture
def measured(project):
    """Judge in a process of its own; return what was told, the seconds and the megabytes."""
    write_workflow(project / ".praxis-os" / "workflows", "calm_v1", gate=CALM)

    def measure(what):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(project), what],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return json.loads(done.stdout)

    return measure


@pytest.mark.parametrize("text", GATES.values(), ids=GATES)
def test_a_gate_that_is_made_to_hurt_is_refused(project, measured, text):
    folder = write_workflow(project / ".praxis-os" / "workflows", "bomb_v1", gate=None)
    (folder / "phases" / "1" / "gate-definition.yaml").write_text(text, encoding="utf-8")
    (kind, message, _), seconds, megabytes = measured("start")
    assert kind == "DefinitionError"
    assert message.startswith(".praxis-os/workflows/bomb_v1/phases/1/gate-definition.yaml")
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


@pytest.mark.parametrize("text", REPORTS.values(), ids=REPORTS)
def test_a_report_that_is_made_to_hurt_is_refused(project, measured, text):
    (project / "r.xml").write_text(text, encoding="utf-8")
    path = project / "r.xml"
    # It counts as written in the phase, which begins later.
    os.utime(path, (time.time() + 4, time.time() + 4))
    (kind, _, fields), seconds, megabytes = measured("complete")
    assert kind == "GateRefusedError"
    assert fields["validation_errors"][0].startswith("passed: r.xml")
    assert "stale" not in fields["validation_errors"][0]
    assert seconds < SECONDS
    assert megabytes < MEGABYTES
