"""Against a server that misbehaves the validation fails, and says where."""

import pytest

from mcp_server.core.transitions import Action
from mcp_server.validating.outcomes import CONNECTION, TOOL, Pace, Standing
from tests.validating.validation_builders import validated

DISAGREE = "the halves disagree"
ONLY_THERE = "in the structured one, and not in the text"


def problems(report, subject: str) -> list[str]:
    return [check.problem for check in report.failed if check.subject == subject]


def test_an_honest_server_holds_in_every_action(project):
    # The project of whoever validates is named in the environment, and must not be served.
    report = validated("Honest")
    assert list(project.iterdir()) == []
    assert report.failed == ()
    assert report.not_checked == ()
    assert report.left_behind == ()
    for action in Action:
        assert report.verdict(action) == Standing.HOLDS
        names = [check.name for check in report.about(action)]
        assert any("refuse" in name or "withhold" in name for name in names)
        assert report.timing(action).pace is Pace.HOLDS
    assert report.holds


@pytest.mark.parametrize("name", ["OtherToolsBeside", "SmallPages"])
def test_what_is_unlike_ours_and_right_is_no_finding(name):
    report = validated(name, Action.LIST_WORKFLOWS)
    assert report.failed == ()
    assert report.verdict(TOOL) == Standing.HOLDS


@pytest.mark.parametrize(
    ("name", "subject", "problem"),
    [
        ("ActionNotListed", TOOL, "not among the published actions: rollback"),
        ("OldToolBeside", TOOL, "the old tool start_workflow is listed beside aos_workflow"),
        (
            "HandlerMissing",
            Action.ROLLBACK,
            "rollback is refused where it is legal: ValueError: 'Unknown action'",
        ),
        (
            "NotAnError",
            Action.LIST_WORKFLOWS,
            "list_workflows: isError is false while status is 'error'",
        ),
        (
            "LiesInText",
            Action.PAUSE,
            f"get_state: {DISAGREE}: session_status is 'active' {ONLY_THERE}",
        ),
        (
            "LiesInStructure",
            Action.PAUSE,
            f"start: {DISAGREE}: current_phase is 1000 {ONLY_THERE}",
        ),
        (
            "NoStructure",
            Action.LIST_WORKFLOWS,
            "list_workflows: the answer has no structured content",
        ),
        (
            "LetsEverythingPass",
            Action.COMPLETE_PHASE,
            "complete_phase gives success where it must give ValidationError",
        ),
        ("RefusesAndGoesOn", Action.COMPLETE_PHASE, "current_phase is 2, not 1"),
        (
            "ShowsLaterPhases",
            Action.GET_PHASE,
            "get_phase gives success where it must give StateError",
        ),
        (
            "ClaimsAreFacts",
            Action.COMPLETE_PHASE,
            "what was submitted is known as {'answer': 'observed', 'notes': 'observed'}",
        ),
        ("Forgets", Action.PAUSE, "session_status is 'active', not 'paused'"),
        (
            "DeletesNothing",
            Action.DELETE_SESSION,
            "get_state gives success where it must give NotFoundError",
        ),
        ("LeaksTraceback", Action.LIST_WORKFLOWS, "list_workflows: a traceback is in the answer"),
        (
            "LeadsAstray",
            Action.LIST_WORKFLOWS,
            "list_workflows: next is no call of the tool: \"aos_workflow(action='advance')\"",
        ),
        (
            "ProtocolError",
            Action.LIST_WORKFLOWS,
            "list_workflows: protocol error -32603 in place of an answer: 'Internal error'",
        ),
    ],
)  # fmt: skip
def test_a_fake_is_found_out_where_it_is_one(name, subject, problem):
    report = validated(name, subject)
    assert problem in problems(report, subject)
    assert report.verdict(subject) == Standing.FAILED
    assert not report.holds


def test_a_server_without_the_tool_is_told_what_it_lists():
    report = validated("NotListed")
    assert "aos_workflow is listed 0 times; the server lists no tool at all" in problems(
        report, TOOL
    )
    assert problems(report, Action.START)[0] == "not called: the tool is not listed"
    assert report.timing(Action.START).pace is Pace.NOT_MEASURED


def test_a_server_that_refuses_everything_fails_in_every_action():
    report = validated("RefusesEverything")
    for action in Action:
        assert report.verdict(action) == Standing.FAILED
        assert any("is refused where it is legal" in text for text in problems(report, action))


def test_answers_that_lack_what_they_must_have_are_findings():
    report = validated("SaysNothing")
    assert "the answer lacks what it must have: KeyError \"'workflows'\"" in problems(
        report, Action.LIST_WORKFLOWS
    )
    for action in Action:
        assert report.verdict(action) == Standing.FAILED


def test_a_late_answer_misses_its_target_and_no_other():
    report = validated("Late", Action.LIST_WORKFLOWS, slack=1, rounds=1)
    assert report.timing(Action.RESUME).pace is Pace.MISSED
    assert report.timing(Action.GET_ERRORS).seconds
    assert report.failed == ()
    assert not report.holds


def test_a_path_is_found_out_and_told_shortly():
    report = validated("LeaksPath", Action.LIST_WORKFLOWS)
    (problem,) = problems(report, Action.LIST_WORKFLOWS)
    assert problem.startswith("list_workflows: an absolute path is in the answer: '")
    assert "the folder of the project is in the answer" in problem


def test_an_answer_that_is_too_long_is_found_out():
    report = validated("TalksTooMuch", Action.LIST_WORKFLOWS)
    assert "bytes besides content, over 8,192" in problems(report, Action.LIST_WORKFLOWS)[0]


def test_a_line_that_is_no_message_is_a_finding():
    report = validated("Chatters", Action.LIST_WORKFLOWS)
    assert problems(report, CONNECTION) == [
        r"1 lines that are no message: 'loading the model \x1b[31m \ufffd...'"
    ]


def test_a_server_that_dies_is_called_no_more():
    report = validated("Dies")
    assert problems(report, CONNECTION)[0].startswith("the server had gone at ")
    not_called = [check for check in report.failed if check.problem.startswith("not called: ")]
    assert {check.subject for check in not_called} >= {Action.ROLLBACK, Action.GET_ERRORS}
    assert not report.holds


def test_a_call_without_an_answer_is_a_finding_and_not_a_hang():
    report = validated("Silent", Action.PAUSE, call=2)
    assert "no answer to pause within 2 s" in problems(report, Action.PAUSE)
    assert problems(report, CONNECTION) == ["3 calls in a row had no answer"]


def test_a_server_that_never_answers_is_a_finding_with_its_last_words():
    report = validated("NoHandshake", connect=2)
    (problem,) = problems(report, CONNECTION)
    assert problem.startswith("no handshake within the time limit")
    assert not report.holds


def test_the_whole_validation_has_a_limit_of_its_own():
    report = validated("Silent", Action.PAUSE, whole=1)
    assert "the validation took over 1 s in all" in problems(report, CONNECTION)
    assert not report.holds


def test_a_server_that_ignores_its_end_is_ended():
    # The connection would not be closed, and this not return, were it still there.
    assert validated("DoesNotEnd", Action.LIST_WORKFLOWS).failed == ()


@pytest.mark.parametrize("name", ["OtherSession", "SomebodysSession"])
def test_a_session_of_somebody_else_is_never_touched(name, tmp_path):
    report = validated(name, Action.DELETE_SESSION, Action.PAUSE, arguments=[str(tmp_path)])
    assert report.verdict(Action.PAUSE) == Standing.FAILED
    if name == "SomebodysSession":
        state = tmp_path / ".praxis-os" / "state" / "workflows"
        kept = [path.name for path in state.glob("code_review_v1_theirs_py_*.jsonl")]
        assert len(kept) == 1


def test_a_server_of_another_folder_is_found_out_and_cleaned_up(tmp_path):
    report = validated("Honest", arguments=[str(tmp_path)])
    (problem,) = problems(report, CONNECTION)
    assert problem.startswith("aos_validation_v1 of the throw-away project is not listed")
    assert report.not_checked
    assert report.left_behind == ()
    assert list((tmp_path / ".praxis-os" / "state" / "workflows").glob("*.jsonl")) == []


def test_sessions_that_cannot_be_deleted_are_told(tmp_path):
    report = validated("DeletesNothing", Action.PAUSE, arguments=[str(tmp_path)])
    state = tmp_path / ".praxis-os" / "state" / "workflows"
    assert sorted(report.left_behind) == sorted(path.stem for path in state.glob("*.jsonl"))
    assert report.left_behind
    assert not report.holds
