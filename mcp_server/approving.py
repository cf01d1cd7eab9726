"""A person's word on a session, from the command line: approvals, and overrides of a gate's no.

Everything is shown on the terminal that answers. A yes is a code that is made for this one
question and shown there: what cannot read the terminal cannot type it.
"""

import secrets
from collections.abc import Callable

from mcp_server.core.consent import Request
from mcp_server.core.views import error as shown_error
from mcp_server.core.visible import visible
from mcp_server.errors import StateError
from mcp_server.server.services import Services
from mcp_server.terminal import Terminal, open_terminal, person

VIA = "a terminal"
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 6


def approve_session(services: Services, session_id: str) -> int:
    """Ask for each approval that the session waits for; return 0 if all are given in the end."""
    consent = services.engine.consent
    waiting = [request for request in consent.requests(session_id) if not request.given]
    with open_terminal() as terminal:
        if not waiting:
            terminal.say(f"{session_id} waits for no approval.")
            return 0
        declined = 0
        for request in waiting:
            _show(request, terminal)
            if request.problem is not None:
                terminal.say(visible(request.problem))
                declined += 1
            elif _confirmed(terminal, "approve"):
                consent.approve(request, by=person(), via=VIA)
                terminal.say("Approved. The agent may call complete_phase again.")
            else:
                terminal.say("Not approved.")
                declined += 1
    return 1 if declined else 0


def override_session(services: Services, session_id: str) -> int:
    """Ask whether to wave the refused phase through; return 0 if it was."""
    consent = services.engine.consent
    state = services.sessions.load(session_id)
    attempt = consent.overridable(session_id)
    if attempt is None:
        raise StateError(
            f"phase {state.current_phase} of {session_id} cannot be waved through: its gate has not"
            " refused, or does not allow it",
            remediation="An override needs a gate's no, and allow_override: true in the gate.",
        )
    with open_terminal() as terminal:
        refusal = shown_error(state.errors[-1])
        terminal.say(f"The gate of phase {state.current_phase} of {session_id} said no:")
        terminal.say(f"  {visible(str(refusal['message']))}")
        for key in ("missing_evidence", "validation_errors"):
            for problem in refusal["details"].get(key, ()):
                terminal.say(f"  - {visible(str(problem))}")
        reason = terminal.answer("Why should the phase pass all the same? ")
        if not reason or not _confirmed(terminal, "wave it through"):
            terminal.say("Not waved through.")
            return 1
        consent.override(session_id, attempt, reason, by=person(), via=VIA)
        terminal.say("Waved through, and recorded with your name and reason.")
    return 0


def _show(request: Request, terminal: Terminal) -> None:
    terminal.say(f"\nPhase {request.phase} of {request.session_id} asks for your approval:")
    terminal.say(f"  {visible(request.question)}")
    for path, digest in request.files.items():
        terminal.say(f"  {digest[:12]}  {visible(path)}")
    if request.files:
        terminal.say("The approval is void as soon as one of these files changes.")


def _confirmed(terminal: Terminal, what: str, new_code: Callable[[], str] | None = None) -> bool:
    code = (new_code or _new_code)()
    return terminal.answer(f"Type {code} to {what}, anything else to leave it: ") == code


def _new_code() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
