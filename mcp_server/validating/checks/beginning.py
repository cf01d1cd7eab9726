"""Checks of finding a workflow, beginning a session, and deleting it."""

import re

from mcp_server.core.identifiers import SESSION_ID_PATTERN
from mcp_server.validating.agent import expect, expect_equal
from mcp_server.validating.answers import next_call, shown
from mcp_server.validating.checks.registry import Checks, Ground, listed_workflows
from mcp_server.validating.project import PHASES, WORKFLOW

checks = Checks()

_LISTED = ("workflow_type", "name", "version", "category", "description", "phases", "source")
_OUTSIDE = ("../outside.py", "/etc/passwd", "src/../../outside.py", "C:\\outside.py")


@checks.add("list_workflows", "lists what can be started, each in full")
async def _lists_workflows(ground: Ground) -> None:
    every = await listed_workflows(ground.agent)
    expect(every, "no workflow is listed")
    for item in every:
        missing = [name for name in _LISTED if item.get(name) in (None, "")]
        expect(not missing, f"{shown(item.get('workflow_type'))} has no {', '.join(missing)}")
    names = [item["workflow_type"] for item in every]
    expect(len(set(names)) == len(names), "a workflow is listed twice")
    answer = await ground.agent.succeed("list_workflows")
    expect_equal(answer, count=len(names))
    following = next_call(answer.get("next"))
    expect(following and following["action"] == "start", "next does not say how to start one")


@checks.add("list_workflows", "narrows to a category")
async def _narrows(ground: Ground) -> None:
    every = await listed_workflows(ground.agent)
    (category,) = (i["category"] for i in every if i["workflow_type"] == ground.workflow)
    answer = await ground.agent.succeed("list_workflows", category=category, limit=100)
    found = {item["category"] for item in answer["workflows"]}
    expect(found == {category}, f"category {shown(category)} gives {shown(sorted(found))}")


@checks.add(
    "list_workflows", "shows the workflow of the project as it is on disk", needs_files=True
)
async def _shows_ours(ground: Ground) -> None:
    answer = await ground.agent.succeed("list_workflows", category="validation")
    (item,) = (i for i in answer["workflows"] if i["workflow_type"] == WORKFLOW)
    expect_equal(item, phases=PHASES, version="1.0.0", source=".praxis-os/workflows")


@checks.add("list_workflows", "goes on page by page")
async def _pages(ground: Ground) -> None:
    first = await ground.agent.succeed("list_workflows", limit=1)
    expect(len(first["workflows"]) == 1, "a page of one has not one workflow")
    if first["count"] > 1:
        second = await ground.agent.succeed(
            "list_workflows", limit=1, cursor=first.get("next_cursor")
        )
        shown_first, shown_second = first["workflows"], second["workflows"]
        expect(shown_second and shown_first != shown_second, "the second page repeats the first")


@checks.add("list_workflows", "refuses a limit that is out of range")
async def _list_refuses(ground: Ground) -> None:
    answer = await ground.agent.refused("ValueError", "list_workflows", limit=0)
    expect("limit" in answer["error"], "the error does not name the argument")


@checks.add("start", "begins a session in the first phase and shows that one only")
async def _starts(ground: Ground) -> None:
    session = await ground.start()
    answer = session.started
    expect(SESSION_ID_PATTERN.match(session.session_id), "the session id is not well formed")
    expect(
        re.search(r"_\d{8}_\d{6}_[0-9a-f]{6}\Z", session.session_id),
        "the session id does not end in a time and six hex digits",
    )
    expect_equal(answer, workflow_type=ground.workflow, target_file=ground.target)
    content = answer["phase_content"]
    expect_equal(content, phase_number=session.first)
    expect(content["title"] and content["content"], "the phase has no title or no text")
    expect(content["checkpoint"]["evidence"], "the phase does not say what its gate asks for")
    expect(set(answer["definition"]) >= {"version", "digest"}, "the definition is not pinned")
    following = next_call(answer.get("next"))
    expect(following and following["action"] in {"get_task", "complete_phase"},
           "next does not lead into the phase")  # fmt: skip
    await session.expect_state(session.first, "active")


@checks.add("start", "shows the text of the first phase and of no later one", needs_files=True)
async def _shows_the_first(ground: Ground) -> None:
    started = shown_text((await ground.start()).started)
    expect(ground.own.word(1) in started, "the text of the first phase is not shown")
    expect(ground.own.word(2) not in started, "the text of a later phase is shown")


def shown_text(answer: object) -> str:
    """Return everything that an answer says, to look for a word in it."""
    return repr(answer)


@checks.add("start", "refuses a workflow that does not exist")
async def _unknown_workflow(ground: Ground) -> None:
    await ground.agent.refused(
        "NotFoundError", "start", workflow_type="aos_no_such_v1", target_file=ground.target
    )


@checks.add("start", "refuses targets outside of the project, and begins nothing")
async def _outside(ground: Ground) -> None:
    before = await ground.agent.succeed("list_sessions", limit=1)
    for target in _OUTSIDE:
        answer = await ground.agent.refused(
            "ValueError", "start", workflow_type=ground.workflow, target_file=target
        )
        expect("directory traversal" in answer["error"],
               "the error does not say directory traversal")  # fmt: skip
    after = await ground.agent.succeed("list_sessions", limit=1)
    # Others may be at work on a server that is reached by its address.
    if ground.project is not None:
        expect_equal(after, count=before["count"])


@checks.add("start", "refuses a call without a target")
async def _no_target(ground: Ground) -> None:
    answer = await ground.agent.refused("ValueError", "start", workflow_type=ground.workflow)
    expect("target_file" in answer["error"], "the error does not name what is missing")


@checks.add("start", "tells of another session on the same target")
async def _others(ground: Ground) -> None:
    first, second = await ground.start(), await ground.start()
    expect(first.session_id != second.session_id, "two sessions have one id")
    others = second.started.get("other_sessions") or []
    expect(first.session_id in others, "the other session is not named")


@checks.add("delete_session", "removes a session for good")
async def _deletes(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.succeed("delete_session", reason="validated")
    expect_equal(answer, deleted=True)
    for action in ("get_state", "get_session", "delete_session", "pause"):
        await session.refused("NotFoundError", action)
    listed = await ground.agent.succeed("list_sessions", limit=100)
    found = {item["session_id"] for item in listed["sessions"]}
    expect(session.session_id not in found, "a deleted session is listed")


@checks.add("delete_session", "leaves other sessions alone")
async def _deletes_one(ground: Ground) -> None:
    kept, removed = await ground.start(), await ground.start()
    await removed.succeed("delete_session")
    await kept.expect_state(kept.first, "active")
