"""Completing a phase where a call may not be kept waiting: it says so and changes nothing."""

import pytest

from mcp_server.core.waiting import WouldWaitError, without_waiting
from tests.builders import EVIDENCE, GATE
from tests.core.gated_builders import CLAIM, LOOKING, GatedProject

PATTERN = {"evidence_schema": {"summary": {"type": "string", "pattern": "^d"}}}
SINCE = {"evidence_schema": {"changed": {"type": "list", "verify": {"git": "changed"}}}}


class Elsewhere:
    """Workers that must not be asked."""

    def verify(self, session_id, phase, evidence):
        raise AssertionError

    def standing(self, session_id):
        return {}


def refuses_to_wait(project, evidence):
    before = project.lines
    with without_waiting(), pytest.raises(WouldWaitError):
        project.complete(evidence)
    assert project.lines == before


def test_a_gate_of_plain_fields_judges_without_waiting(tmp_path):
    project = GatedProject(tmp_path, GATE, GATE)
    project.start()
    with without_waiting():
        assert project.complete(EVIDENCE)["checkpoint_passed"] is True


@pytest.mark.parametrize("gate", [LOOKING, PATTERN], ids=["look", "pattern"])
def test_a_gate_that_may_take_long_waits(tmp_path, gate):
    project = GatedProject(tmp_path, gate)
    project.start()
    project.do_the_work()
    refuses_to_wait(project, CLAIM)
    assert project.complete(CLAIM)["checkpoint_passed"] is True


def test_a_worker_is_not_asked(tmp_path):
    project = GatedProject(tmp_path, GATE, workers=Elsewhere())
    project.start()
    project.engine.completion._takes_long = lambda *_: True
    refuses_to_wait(project, EVIDENCE)


def test_large_evidence_waits(tmp_path):
    project = GatedProject(tmp_path, GATE)
    project.start()
    refuses_to_wait(project, {**EVIDENCE, "log": "x" * 10_000})


def test_a_phase_that_will_ask_git_waits_for_it(tmp_path):
    project = GatedProject(tmp_path, GATE, SINCE)
    with without_waiting(), pytest.raises(WouldWaitError):
        project.start()
    project.start()
    refuses_to_wait(project, EVIDENCE)
