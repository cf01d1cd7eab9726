"""All checks that call the tool, in the order in which they are made."""

from mcp_server.validating.checks import beginning, calls, gates, pausing, reading
from mcp_server.validating.checks.registry import Check

CHECKS: tuple[Check, ...] = (
    *calls.checks.all,
    *beginning.checks.all,
    *reading.checks.all,
    *gates.checks.all,
    *pausing.checks.all,
    *calls.of_session_ids(),
)
