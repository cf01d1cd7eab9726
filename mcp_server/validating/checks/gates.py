"""Checks of gates: what passes, what does not, and what becomes of the session either way."""

from mcp_server.validating.agent import expect, expect_equal
from mcp_server.validating.answers import next_call, shown
from mcp_server.validating.checks.beginning import shown_text
from mcp_server.validating.checks.registry import Checks, Ground, Session
from mcp_server.validating.project import CLAIMS, FIRST_CLAIMS, NOTES, PHASES

checks = Checks()


@checks.add("complete_phase", "refuses nonsense, and the session stays in its phase")
async def _refuses_nonsense(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.refuse_gate()
    expect_equal(answer, checkpoint_passed=False)
    expect(answer["missing_evidence"] or answer["validation_errors"],
           "the refusal does not say what is wrong")  # fmt: skip
    following = next_call(answer.get("next"))
    expect(following and following["action"] == "retry_phase", "next does not lead to retry_phase")
    state = await session.expect_state(session.first, "failed")
    expect_equal(state, completed_phases=[])


@checks.add("complete_phase", "refuses no evidence at all")
async def _refuses_nothing(ground: Ground) -> None:
    session = await ground.start()
    await session.refused("ValidationError", "complete_phase", phase=session.first, evidence={})
    await session.expect_state(session.first, "failed")


@checks.add("complete_phase", "refuses a second guess before a retry")
async def _refuses_a_guess(ground: Ground) -> None:
    session = await ground.start()
    await session.refuse_gate()
    await session.refused("StateError", "complete_phase", phase=session.first, evidence={})
    await session.expect_state(session.first, "failed")


@checks.add("complete_phase", "refuses to skip a phase, and the session stays where it is")
async def _refuses_to_skip(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.refused(
        "StateError", "complete_phase", phase=session.first + 1, evidence=CLAIMS[1]
    )
    expect("phase_content" not in answer and "next_phase" not in answer,
           "a phase ahead is in the refusal")  # fmt: skip
    await session.expect_state(session.first, "active")


@checks.add("complete_phase", "passes honest work and goes on", needs_files=True)
async def _passes(ground: Ground) -> None:
    session = await ground.start()
    answer = await session.pass_phase(1)
    expect_equal(answer, phase_completed=1, checkpoint_passed=True)
    expect_equal(answer["next_phase"], phase_number=2)
    expect(ground.own.word(2) not in shown_text(answer["evidence"]), "evidence shows phase 2")
    await session.expect_state(2, "active")
    again = await session.refused("StateError", "complete_phase", phase=1, evidence=FIRST_CLAIMS)
    expect("1" in again["error"], "the refusal to complete a phase twice does not name it")


@checks.add("complete_phase", "marks claims as claimed and looks as observed", needs_files=True)
async def _marks(ground: Ground) -> None:
    answer = await (await ground.start()).pass_phase(1)
    evidence = answer["evidence"]
    known = {name: item.get("known") for name, item in evidence.items()}
    expect(known == {"notes": "observed", "answer": "claimed"},
           f"what was submitted is known as {shown(known)}")  # fmt: skip
    expect_equal(evidence["notes"].get("observed", {}), value=NOTES)
    expect("observed" not in evidence["answer"], "a claim has an observation")


async def _refuses_first(session: Session, wrong: str, **evidence: object) -> None:
    answer = await session.refused(
        "ValidationError", "complete_phase", phase=1, evidence={**FIRST_CLAIMS, **evidence}
    )
    found = [*answer["missing_evidence"], *answer["validation_errors"]]
    expect(any(str(text).startswith(wrong) for text in found),
           f"the refusal does not name {wrong}: {shown(found)}")  # fmt: skip
    await session.expect_state(1, "failed")


@checks.add("complete_phase", "refuses a claim without the work", needs_files=True)
async def _no_work(ground: Ground) -> None:
    await _refuses_first(await ground.start(), "notes", notes=NOTES)


@checks.add("complete_phase", "refuses a claim that differs from what is there", needs_files=True)
async def _false_claim(ground: Ground) -> None:
    session = await ground.start()
    ground.own.note(session.session_id)
    await _refuses_first(session, "notes", notes=NOTES + 1)


@checks.add("complete_phase", "refuses too little work", needs_files=True)
async def _little_work(ground: Ground) -> None:
    session = await ground.start()
    ground.own.note(session.session_id, lines=NOTES - 1)
    await _refuses_first(session, "notes")


@checks.add("complete_phase", "refuses work from before the phase", needs_files=True)
async def _stale_work(ground: Ground) -> None:
    session = await ground.start()
    ground.own.note(session.session_id, stale=True)
    await _refuses_first(session, "notes")


@checks.add("complete_phase", "refuses a claim of the wrong value", needs_files=True)
async def _wrong_value(ground: Ground) -> None:
    session = await ground.start()
    ground.own.note(session.session_id)
    await _refuses_first(session, "answer", answer=41)


@checks.add("complete_phase", "completes the workflow with its last gate", needs_files=True)
async def _completes(ground: Ground) -> None:
    session = await ground.start()
    for phase in range(1, PHASES + 1):
        shown_phase = await session.succeed("get_phase")
        expect_equal(shown_phase["phase_content"], phase_number=phase)
        answer = await session.pass_phase(phase)
        expect(bool(answer.get("workflow_complete")) is (phase == PHASES),
               f"workflow_complete is {shown(answer.get('workflow_complete'))}"
               f" after phase {phase} of {PHASES}")  # fmt: skip
    state = await session.succeed("get_state")
    expect_equal(state, session_status="completed", completed_phases=[1, 2, 3])
    await session.refused("StateError", "pause")


@checks.add("retry_phase", "opens a refused phase for another attempt")
async def _retries(ground: Ground) -> None:
    session = await ground.start()
    await session.refuse_gate()
    answer = await session.succeed("retry_phase", phase=session.first)
    expect_equal(answer, retrying=True, attempt=2, evidence_reset=False)
    expect(answer["previous_errors"], "the errors of the attempt before are not shown")
    expect_equal(answer["phase_content"], phase_number=session.first)
    await session.expect_state(session.first, "active")


@checks.add("retry_phase", "drops what was submitted if asked to")
async def _resets(ground: Ground) -> None:
    session = await ground.start()
    await session.refuse_gate()
    answer = await session.succeed("retry_phase", phase=session.first, reset_evidence=True)
    expect_equal(answer, evidence_reset=True)
    state = await session.expect_state(session.first, "active")
    expect(not state.get("kept_evidence"), "evidence is kept in spite of the reset")


@checks.add("retry_phase", "lets the next attempt pass", needs_files=True)
async def _passes_later(ground: Ground) -> None:
    session = await ground.start()
    await session.refuse_gate()
    await session.succeed("retry_phase", phase=1, reset_evidence=True)
    await session.pass_phase(1)
    await session.expect_state(2, "active")


@checks.add("retry_phase", "refuses a phase that was not refused")
async def _nothing_to_retry(ground: Ground) -> None:
    session = await ground.start()
    await session.refused("StateError", "retry_phase", phase=session.first)
    await session.expect_state(session.first, "active")


@checks.add("rollback", "goes back to an earlier phase and clears the later ones", needs_files=True)
async def _rolls_back(ground: Ground) -> None:
    session = await ground.start()
    await session.pass_phase(1)
    await session.pass_phase(2)
    answer = await session.succeed("rollback", to_phase=1)
    expect_equal(answer, rolled_back=True, from_phase=3, to_phase=1, artifacts_cleared=[2])
    state = await session.expect_state(1, "active")
    expect_equal(state, completed_phases=[])
    await session.refused("StateError", "get_phase", phase=2)


@checks.add("rollback", "opens a completed workflow again", needs_files=True)
async def _reopens(ground: Ground) -> None:
    session = await ground.start()
    for phase in range(1, PHASES + 1):
        await session.pass_phase(phase)
    await session.succeed("rollback", to_phase=2)
    await session.expect_state(2, "active")


@checks.add("rollback", "refuses to go forward")
async def _not_forward(ground: Ground) -> None:
    session = await ground.start()
    await session.refused("StateError", "rollback", to_phase=session.first + 1)
    await session.expect_state(session.first, "active")


@checks.add("get_errors", "records a refusal of the gate")
async def _records(ground: Ground) -> None:
    session = await ground.start()
    empty = await session.succeed("get_errors")
    expect_equal(empty, errors=[], error_count=0)
    await session.refuse_gate()
    answer = await session.succeed("get_errors")
    expect_equal(answer, error_count=1)
    (entry,) = answer["errors"]
    expect_equal(entry, phase=session.first, error_type="ValidationError")
    expect(entry.get("remediation"), "the recorded refusal has no remediation")


@checks.add("get_errors", "records an attempt to skip a phase")
async def _records_skips(ground: Ground) -> None:
    session = await ground.start()
    await session.refused("StateError", "complete_phase", phase=session.first + 1, evidence={})
    answer = await session.succeed("get_errors")
    expect_equal(answer, error_count=1)
    expect_equal(answer["errors"][0], error_type="StateError")
