"""Calls that fit no action: whatever comes in, one envelope comes out and says what is legal."""

import secrets

from mcp_server.core.transitions import Action
from mcp_server.server.tools.actions import ACTIONS
from mcp_server.validating.agent import expect, expect_equal
from mcp_server.validating.answers import problems, shown
from mcp_server.validating.checks.registry import Check, Checks, Ground
from mcp_server.validating.outcomes import TOOL

checks = Checks()

_WRONG_ID = "../not-a-session"
_FILLED = {"phase": 1, "task_number": 1, "to_phase": 1, "evidence": {}}


@checks.add(TOOL, "answers an unknown action with the 14 valid ones")
async def _unknown_action(ground: Ground) -> None:
    answer = await ground.agent.refused("ValueError", "get_fase")
    expect("Unknown action" in answer["error"], "the error does not say Unknown action")
    valid = answer.get("valid_actions")
    expect(
        isinstance(valid, list) and set(map(str, valid)) == {str(action) for action in Action},
        f"valid_actions is {shown(valid)}, not the 14 actions",
    )


@checks.add(TOOL, "answers a call without an action in its own envelope")
async def _no_action(ground: Ground) -> None:
    result = await ground.agent.raw({})
    wrong = problems(result, "")
    expect(not wrong, "; ".join(wrong))
    expect_equal(result.structured_content or {}, error_type="ValueError")


@checks.add(TOOL, "refuses a misspelt argument by name")
async def _misspelt_argument(ground: Ground) -> None:
    answer = await ground.agent.refused("ValueError", "get_state", sesion_id="x")
    expect("session_id" in answer["error"], "the error does not name the argument that was meant")


@checks.add(TOOL, "ignores an argument that clients add of their own")
async def _foreign_argument(ground: Ground) -> None:
    answer = await ground.agent.succeed("list_sessions", limit=1, wait_for_previous=True)
    expect(answer.get("warnings"), "an argument that is not known is not warned of")


def of_session_ids() -> list[Check]:
    """Return the checks that every action on a session refuses what is no session of ours."""
    named = [action for action in Action if "session_id" in ACTIONS[action].needs]
    return [check for action in named for check in _of_session_id(action)]


def _of_session_id(action: Action) -> list[Check]:
    others = {name: _FILLED[name] for name in ACTIONS[action].needs if name != "session_id"}

    async def refuses_unknown(ground: Ground) -> None:
        unknown = f"aos_validation_v1_target_20000101_000000_{secrets.token_hex(3)}"
        await ground.agent.refused("NotFoundError", action, session_id=unknown, **others)

    async def refuses_malformed(ground: Ground) -> None:
        answer = await ground.agent.refused("ValueError", action, session_id=_WRONG_ID, **others)
        expect("session_id" in answer["error"], "the error does not name session_id")

    async def refuses_missing(ground: Ground) -> None:
        answer = await ground.agent.refused("ValueError", action, **others)
        expect("session_id" in answer["error"], "the error does not name session_id")

    return [
        Check(action, "refuses a session that does not exist", refuses_unknown),
        Check(action, "refuses what is no session id", refuses_malformed),
        Check(action, "refuses a call without session id", refuses_missing),
    ]
