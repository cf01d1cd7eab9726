"""Calls of the tool that many tests make, on the small workflow of the builders."""

from typing import Any

from mcp_server.server.tools.workflow_tools import aos_workflow
from tests.builders import EVIDENCE

ABSENT = "small_v1_gone_20260314_120000_abcdef"
"""A well-formed id of no session."""


async def started() -> str:
    """Start a session and return its id."""
    answer = await aos_workflow("start", workflow_type="small_v1", target_file="src/a.py")
    return str(answer["session_id"])


async def refused(session_id: str) -> None:
    """Have the gate of phase 1 refuse."""
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"tests": 0})
    assert answer["error_type"] == "ValidationError"


async def complete(session_id: str, phase: int) -> dict[str, Any]:
    """Submit what passes the gate of `phase`."""
    return await aos_workflow("complete_phase", session_id, phase=phase, evidence=dict(EVIDENCE))
