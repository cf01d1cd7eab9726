"""Gates that ask a person, and what persons and agents do about them."""

import json
from dataclasses import replace

import pytest

from mcp_server.core.consent import Attempt
from mcp_server.errors import GateRefusedError, VerificationUnavailableError
from tests.core.gated_builders import CLAIM, PLAN, TWO_SECTIONS, GatedProject

QUESTION = "Is {target_file} planned well?"
OF_PLAN = {
    "evidence_schema": {
        "agreed": {"type": "boolean", "verify": {"approval": QUESTION, "of": PLAN}},
        "summary": {"type": "string"},
    }
}
"""A gate that asks a person about a file."""

OF_PHASE = {
    "evidence_schema": {
        "agreed": {"type": "boolean", "verify": {"approval": "Go on?"}},
        "summary": {"type": "string"},
    }
}
"""A gate that asks a person about the phase as a whole."""

PLAIN = {"evidence_schema": {"summary": {"type": "string"}}}
WAIVABLE = {"checkpoint": {"allow_override": True}, **PLAIN}
"""A gate whose no a person may wave through."""


def project_of(folder, *gates, **options):
    made = GatedProject(folder, *gates, **options)
    made.start()
    made.write(PLAN, TWO_SECTIONS)
    return made


def asked(project, field="agreed"):
    """What a person is shown."""
    [request] = [r for r in project.engine.consent.requests(project.id) if r.field == field]
    return request


def approve(project, field="agreed", **changed):
    request = replace(asked(project, field), **changed)
    return project.engine.consent.approve(request, by="alex", via="a terminal")


def override(project, phase=1, reason="it is an experiment", attempt=1):
    shown = Attempt(phase, attempt)
    return project.engine.consent.override(project.id, shown, reason, by="alex", via="the client")


def unverified(project, evidence=None, phase=1):
    """What a completion cannot verify."""
    with pytest.raises(VerificationUnavailableError) as refusal:
        project.complete(CLAIM if evidence is None else evidence, phase)
    return refusal.value


def fail(project, phase=1):
    with pytest.raises(GateRefusedError) as refusal:
        project.complete({"summary": 5}, phase)
    return refusal.value


def actions(project):
    return [(record["action"], record["outcome"]) for record in map(json.loads, project.lines)]


def pause(project):
    project.sessions.pause(project.id)
