"""Deleting what a validation began, and nothing else.

A session is deleted only if the server itself says that its target is this run's. That keeps a
server that answers with somebody else's id from having us delete it.
"""

from mcp_server.validating.agent import Agent, GoneError, UnsoundError
from mcp_server.validating.checks.registry import Ground

_PAGES = 5


async def tidy(ground: Ground) -> None:
    """Delete the sessions that the last check began, and remember what cannot be."""
    while ground.begun:
        session_id = ground.begun.pop()
        if not await _delete(ground.agent, session_id):
            ground.kept.append(session_id)


async def sweep(ground: Ground, agent: Agent) -> list[str]:
    """Delete every session of this run that is still there; return those that stay."""
    known = [*ground.begun, *ground.kept]
    candidates = dict.fromkeys([*known, *ground.agent.started])
    candidates |= dict.fromkeys(await _listed(ground, agent))
    left = []
    for session_id in candidates:
        if session_id not in known and not await _is_ours(ground, agent, session_id):
            continue
        if not await _delete(agent, session_id):
            left.append(session_id)
    return left


async def _delete(agent: Agent, session_id: str) -> bool:
    """Delete a session that is ours; tell whether it is gone."""
    try:
        await agent.raw({"action": "delete_session", "session_id": session_id})
        result = await agent.raw({"action": "get_state", "session_id": session_id})
    except UnsoundError:
        return False
    return (result.structured_content or {}).get("error_type") == "NotFoundError"


async def _is_ours(ground: Ground, agent: Agent, session_id: str) -> bool:
    try:
        result = await agent.raw({"action": "get_state", "session_id": session_id})
    except UnsoundError:
        return False
    return (result.structured_content or {}).get("target_file") == ground.target


async def _listed(ground: Ground, agent: Agent) -> list[str]:
    """Return the sessions of this run among the newest: an answer to `start` may have been lost."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(_PAGES):
        try:
            result = await agent.raw({"action": "list_sessions", "limit": 100, **cursor})
        except GoneError:
            break
        except UnsoundError:
            continue
        answer = result.structured_content or {}
        sessions = answer.get("sessions")
        found += [
            str(item.get("session_id"))
            for item in (sessions if isinstance(sessions, list) else ())
            if isinstance(item, dict) and item.get("target_file") == ground.target
        ]
        if not isinstance(answer.get("next_cursor"), str):
            break
        cursor = {"cursor": answer["next_cursor"]}
    return found
