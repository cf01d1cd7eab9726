"""Checks of what is read of a session: its phase, its tasks, its state, its history, lists."""

from mcp_server.validating.agent import expect, expect_equal
from mcp_server.validating.answers import next_call, shown
from mcp_server.validating.checks.beginning import shown_text
from mcp_server.validating.checks.registry import Checks, Ground
from mcp_server.validating.project import PHASES

checks = Checks()

_NO_PHASE = 99
_NO_TASK = 9_999
_SUMMARY = ("session_id", "workflow_type", "target_file", "current_phase", "total_phases",
            "status", "created_at", "last_updated")  # fmt: skip


@checks.add("get_phase", "shows the current phase, its tasks and what its gate asks for")
async def _shows_phase(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.succeed("get_phase")
    expect_equal(answer, current_phase=session.first)
    expect(answer["phase_content"] == session.started["phase_content"],
           "it is not the phase that start showed")  # fmt: skip
    named = await session.succeed("get_phase", phase=session.first)
    expect(named["phase_content"] == answer["phase_content"],
           "the same phase, named, is another one")  # fmt: skip


@checks.add("get_phase", "shows the next phase once the gate let the first pass", needs_files=True)
async def _shows_next(ground: Ground) -> None:
    session = await ground.start()
    await session.pass_phase(1)
    answer = await session.succeed("get_phase")
    expect_equal(answer, current_phase=2, total_phases=PHASES)
    expect(ground.own.word(2) in answer["phase_content"]["content"],
           "it is not the text of phase 2")  # fmt: skip
    earlier = await session.succeed("get_phase", phase=1)
    expect_equal(earlier["phase_content"], phase_number=1)


@checks.add("get_phase", "withholds a phase that is not reached")
async def _withholds(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.refused("StateError", "get_phase", phase=session.first + 1)
    expect("phase_content" not in answer, "a later phase is in the refusal")
    if ground.project is not None:
        expect(ground.project.word(2) not in shown_text(answer), "the text of a later phase shows")


@checks.add("get_phase", "refuses a phase that does not exist")
async def _no_phase(ground: Ground) -> None:
    await (await ground.start()).refused("NotFoundError", "get_phase", phase=_NO_PHASE)


@checks.add("get_task", "gives every task of the current phase")
async def _gives_tasks(ground: Ground) -> None:
    session = await ground.start()
    tasks = session.started["phase_content"]["tasks"]
    expect(tasks, "the first phase has no task")
    for task in tasks:
        number = task["task_number"]
        answer = await session.succeed("get_task", task_number=number)
        expect_equal(answer, phase=session.first, task_number=number)
        expect_equal(answer["task_content"], title=task["title"])
        expect(answer["task_content"]["content"], f"task {shown(number)} has no text")


@checks.add("get_task", "leads from task to task and then to the gate")
async def _leads_on(ground: Ground) -> None:
    session = await ground.start()
    following = next_call(session.started.get("next"))
    numbers = [task["task_number"] for task in session.started["phase_content"]["tasks"]]
    seen: list[int] = []
    while following and following["action"] == "get_task" and len(seen) < len(numbers):
        seen.append(following["task_number"])
        answer = await session.succeed("get_task", task_number=following["task_number"])
        following = next_call(answer.get("next"))
    expect(seen == numbers, f"next leads through tasks {shown(seen)}, not {shown(numbers)}")
    expect(following and following["action"] == "complete_phase",
           "next does not lead from the last task to the gate")  # fmt: skip


@checks.add("get_task", "gives the text of the task that was asked for", needs_files=True)
async def _task_text(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.succeed("get_task", task_number=2)
    content = answer["task_content"]
    expect(f"{ground.own.word(1)}-2" in content["content"], "it is the text of another task")
    expect_equal(content, execution_steps=[f"Remember {ground.own.word(1)}-2"])


@checks.add("get_task", "withholds a task of a later phase")
async def _later_task(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.refused("StateError", "get_task", task_number=1, phase=session.first + 1)
    expect("task_content" not in answer, "a task of a later phase is in the refusal")


@checks.add("get_task", "refuses a task that does not exist")
async def _no_task(ground: Ground) -> None:
    await (await ground.start()).refused("NotFoundError", "get_task", task_number=_NO_TASK)


@checks.add("get_state", "says where a session stands")
async def _tells_state(ground: Ground) -> None:
    session = await ground.start()
    state = await session.expect_state(session.first, "active")
    expect_equal(
        state,
        session_id=session.session_id,
        workflow_type=ground.workflow,
        target_file=ground.target,
        total_phases=session.started["total_phases"],
        completed_phases=[],
        artifacts={},
    )


@checks.add("get_state", "says what was submitted, and how it is known", needs_files=True)
async def _tells_artifacts(ground: Ground) -> None:
    session = await ground.start()
    await session.pass_phase(1)
    state = await session.expect_state(2, "active")
    expect_equal(state, completed_phases=[1])
    first = state["artifacts"].get("1", {})
    known = {name: item.get("known") for name, item in first.items()}
    expect(known == {"notes": "observed", "answer": "claimed"},
           f"what was submitted is known as {shown(known)}")  # fmt: skip


@checks.add("list_sessions", "shows a new session first, in its status only")
async def _lists_sessions(ground: Ground) -> None:
    session = await ground.start()
    answer = await ground.agent.succeed("list_sessions", status="active", limit=100)
    mine = [item for item in answer["sessions"] if item["session_id"] == session.session_id]
    expect(len(mine) == 1, "a new session is not listed once")
    missing = [name for name in _SUMMARY if mine[0].get(name) is None]
    expect(not missing, f"the list does not say {', '.join(missing)}")
    expect_equal(mine[0], target_file=ground.target, status="active", current_phase=session.first)
    await session.succeed("pause")
    for status, there in (("active", False), ("paused", True)):
        listed = await ground.agent.succeed("list_sessions", status=status, limit=100)
        found = session.session_id in {item["session_id"] for item in listed["sessions"]}
        expect(found is there, f"a paused session is {'not ' * there}listed as {status}")


@checks.add("list_sessions", "goes on page by page")
async def _pages(ground: Ground) -> None:
    await ground.start()
    await ground.start()
    first = await ground.agent.succeed("list_sessions", limit=1)
    expect(len(first["sessions"]) == 1 and first["count"] > 1, "a page of one has not one session")
    second = await ground.agent.succeed("list_sessions", limit=1, cursor=first.get("next_cursor"))
    expect(
        second["sessions"]
        and first["sessions"][0]["session_id"] != second["sessions"][0]["session_id"],
        "the second page repeats the first",
    )


@checks.add("list_sessions", "refuses a status that does not exist")
async def _no_status(ground: Ground) -> None:
    answer = await ground.agent.refused("ValueError", "list_sessions", status="open")
    expect("status" in answer["error"], "the error does not name the argument")


@checks.add("get_session", "tells the history of a session")
async def _tells_history(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.succeed("get_session")
    details = answer["session"]
    expect_equal(details, session_id=session.session_id, status="active",
                 target_file=ground.target)  # fmt: skip
    (attempt,) = details["phase_history"]
    expect_equal(attempt, phase=session.first, attempt=1)
    await session.refuse_gate()
    await session.succeed("retry_phase", phase=session.first)
    history = (await session.succeed("get_session"))["session"]["phase_history"]
    attempts = [(item["phase"], item["attempt"]) for item in history]
    expect(attempts == [(session.first, 1), (session.first, 2)],
           f"after a refusal and a retry the history has attempts {shown(attempts)}")  # fmt: skip
