"""What the prompts say where a client fills them in itself.

opencode asks for a prompt with `$1`, `$2` in place of its arguments, and puts in what a person
typed afterwards, which may be nothing. There is nothing to look up then: the text has the model
make the calls whose answers it would else have been given.
"""

import re
from collections.abc import Mapping

from mcp_server.core import views
from mcp_server.core.transitions import Action
from mcp_server.server.prompt_texts import HOW_TO_JUDGE, LOOP, RECORD

Arguments = Mapping[str, str]

_PLACEHOLDER = re.compile(r"\$(?:[1-9][0-9]?|ARGUMENTS)\Z")

_LATEST = views.call(Action.LIST_SESSIONS, limit=1)


def is_template(given: Arguments) -> bool:
    """Tell whether a client asks for a text to fill in: all that it gives are placeholders."""
    return bool(given) and all(_PLACEHOLDER.match(value) for value in given.values())


def start(given: Arguments) -> str:
    """Have a workflow started."""
    call = views.call(Action.START, **given)
    return _paragraphs(
        f"Walk the workflow {given['workflow_type']} on {given['target_file']}.",
        f"Begin with\n\n    {call}",
        "If one of the two is missing, ask for it;"
        f" {views.call(Action.LIST_WORKFLOWS)} shows what there is. If the answer names"
        " other_sessions that are open on this target, ask whether to go on with one of them"
        " instead.",
        LOOP,
    )


def continue_session(given: Arguments) -> str:
    """Have a session taken up, the latest if none is named."""
    return _paragraphs(
        f'Continue the session "{given["session_id"]}". If nothing stands between the quotes,'
        f" take the one that {_LATEST} shows.",
        f"Where it stands, and the next call:\n\n    {_call(Action.GET_STATE, given)}",
        f"and {_call(Action.GET_PHASE, given)} shows the phase. {LOOP}",
    )


def explain_refusal(given: Arguments) -> str:
    """Have a refusal looked up and explained."""
    return _paragraphs(
        f"Explain in plain words why the gate refused in session {given['session_id']}."
        f" If none is named here, take the one that {_LATEST} shows.",
        f"The refusals: {_call(Action.GET_ERRORS, given)}. What the gate waits for, and the"
        f" next call: {_call(Action.GET_STATE, given)}. If no refusal is recorded, say so.",
        "Look at the files that the refusal names before you propose anything. When the work is"
        " mended, not before, open the phase again with retry_phase, and then send"
        " complete_phase once more.",
    )


def review_session(given: Arguments) -> str:
    """Have a session read and judged."""
    session_id = given["session_id"]
    read = (Action.GET_STATE, Action.GET_SESSION, Action.GET_ERRORS)
    phase = f' Of the phases only "{given["phase"]}", unless that is empty.' * ("phase" in given)
    return _paragraphs(
        f"Review the session {session_id}. Change neither files nor the session.{phase}",
        HOW_TO_JUDGE,
        f"Read {', '.join(_call(action, given) for action in read)} and, if you can,"
        f" aos://sessions/{session_id} and aos://sessions/{session_id}/history. {RECORD}",
    )


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(parts)


def _call(action: Action, given: Arguments) -> str:
    return views.call(action, session_id=given["session_id"])
