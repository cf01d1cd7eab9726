"""Calls of the tool that many tests make, on the small workflow of the builders."""

from typing import Any

from mcp_server.server.tools.workflow_tools import aos_workflow
from tests.builders import EVIDENCE

ABSENT = "small_v1_gone_20260314_120000_abcdef"
"""A well-formed id of no session."""


async def started(target_file: str = "src/a.py", workflow_type: str = "small_v1") -> str:
    """Start a session and return its id."""
    answer = await aos_workflow("start", workflow_type=workflow_type, target_file=target_file)
    return str(answer["session_id"])


async def refused(session_id: str) -> None:
    """Have the gate of phase 1 refuse."""
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"tests": 0})
    assert answer["error_type"] == "ValidationError"


async def complete(session_id: str, phase: int) -> dict[str, Any]:
    """Submit what passes the gate of `phase`."""
    return await aos_workflow("complete_phase", session_id, phase=phase, evidence=dict(EVIDENCE))
