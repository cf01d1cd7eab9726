"""The composition root: builds the MCP server for a project and runs it."""

from typing import Any

from mcp_server import __version__
from mcp_server.config import Settings
from mcp_server.server.icons import ICON
from mcp_server.server.roots import ClientsProject, Find, settled
from mcp_server.server.services import get_at_hand, services_for
from mcp_server.server.serving import ProjectServer
from mcp_server.server.tools.publishing import TITLE
from mcp_server.server.tools.workflow_tools import register_workflow_tools

NAME = "aos-workflow"

_OTHER_BYTES = 1024 * 1024
"""What a message may have beside evidence of the largest size: options, notes, what clients add."""

INSTRUCTIONS = """\
This server walks you through a workflow: a checklist of phases and tasks with a gate at the end of
each phase. Use it when the user names a workflow, or wants tests, production code, a specification
or a code review done step by step, with proof.

1. aos_workflow(action="list_workflows") shows what can be done.
2. action="start" with workflow_type and target_file gives a session_id and the first phase.
3. action="get_task" gives one task at a time. Do it before you ask for the next one.
4. action="complete_phase" submits evidence: the fields that the phase's checkpoint names. Fields
   with verified_by the server finds out for itself (files, reports, git, trusted commands): leave
   them out. The others are kept as claimed. The gate lets the phase pass or says what is missing.
5. After a refusal, mend the work, call action="retry_phase", then complete_phase again.
6. VerificationUnavailable is not your failure: tell the user the remedy, which only a person can
   carry out.

Phases cannot be skipped. Sessions survive restarts, so that you can pause, resume and continue
later: action="list_sessions" finds yours, action="get_state" says where it stands,
action="rollback" goes back, and `next` in every answer is the exact next call. The same as pages
for people: aos://workflows, aos://sessions/{id} and aos://sessions/{id}/history."""


def build_server(settings: Settings, *, is_settled: bool = True, **network: Any) -> ProjectServer:
    """Return a server of the project that `settings` name.

    Where that is not settled, the client may name it, or the working directory is it. `network`
    goes to the SDK as it is: how callers are known, and how state in their hands is sealed.
    """
    find: Find = ClientsProject(settings)
    warm = get_at_hand
    if is_settled:
        services = services_for(settings)
        find, warm = settled(services), services.warm
    server = ProjectServer(
        find,
        name=NAME,
        title=TITLE,
        version=__version__,
        instructions=INSTRUCTIONS,
        icons=[ICON],
        log_level="WARNING",
        **network,
    )
    register_workflow_tools(server, patience=settings.verify_wait)
    server.line_limit = settings.max_evidence_size + _OTHER_BYTES
    server.warm = warm
    return server
