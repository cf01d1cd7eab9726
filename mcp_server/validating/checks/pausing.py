"""Checks of setting a session aside and taking it up again."""

from mcp_server.validating.agent import expect, expect_equal
from mcp_server.validating.answers import next_call
from mcp_server.validating.checks.registry import Checks, Ground

checks = Checks()

_NOTE = '{"not": "parsed"} and back after lunch'


@checks.add("pause", "sets an active session aside, with a note")
async def _pauses(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.succeed("pause", checkpoint_note=_NOTE)
    expect_equal(answer, paused=True)
    expect_equal(answer["checkpoint"], phase=session.first, note=_NOTE)
    following = next_call(answer.get("next"))
    expect(following and following["action"] == "resume", "next does not lead to resume")
    await session.expect_state(session.first, "paused")
    details = (await session.succeed("get_session"))["session"]
    expect_equal(details, checkpoint_note=_NOTE, status="paused")


@checks.add("pause", "refuses to pause twice")
async def _pauses_once(ground: Ground) -> None:
    session = await ground.start()
    await session.succeed("pause")
    await session.refused("StateError", "pause")
    await session.expect_state(session.first, "paused")


@checks.add("pause", "lets nothing pass while a session is set aside")
async def _stands_still(ground: Ground) -> None:
    session = await ground.start()
    await session.succeed("pause")
    for action, arguments in (
        ("complete_phase", {"phase": session.first, "evidence": {}}),
        ("retry_phase", {"phase": session.first}),
        ("rollback", {"to_phase": session.first}),
    ):
        await session.refused("StateError", action, **arguments)
    await session.expect_state(session.first, "paused")


@checks.add("resume", "takes a session up where it was")
async def _resumes(ground: Ground) -> None:
    session = await ground.start()
    await session.succeed("pause", checkpoint_note=_NOTE)
    answer = await session.succeed("resume")
    expect_equal(answer, resumed=True, current_phase=session.first)
    expect_equal(answer["phase_content"], phase_number=session.first)
    seconds = answer.get("paused_duration_seconds")
    expect(isinstance(seconds, int | float) and seconds >= 0, "the pause has no duration")
    await session.expect_state(session.first, "active")


@checks.add("resume", "refuses a session that is not paused")
async def _not_paused(ground: Ground) -> None:
    session = await ground.start()
    await session.refused("StateError", "resume")
    await session.expect_state(session.first, "active")
