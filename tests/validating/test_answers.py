"""What is wrong with an answer as such, found by breaking a sound one in one place."""

import json

import pytest
from mcp.types import CallToolResult, ImageContent, TextContent

from mcp_server.core.rendering import render
from mcp_server.validating.answers import MAX_BESIDE_CONTENT, next_call, problems, shown

SESSION = "small_v1_a_py_20260101_000000_abcdef"

SUCCESS = {
    "status": "success",
    "action": "get_phase",
    "current_phase": 1,
    "empty": {},
    "none": None,
    "name": "3",
    "ratio": 0.5,
    "note": "two\nlines, and \x1b[31m red",
    "long": "word " * 700,
    "phase_content": {
        "content": "# Phase 1\n\nSee https://example.org/home/x and `~/.config/x`, src/tmp/x\n",
        "tasks": [{"task_number": 1, "done": False}, {"task_number": 2, "done": True}],
        "names": ["one", "two, three"],
    },
    "next": f'aos_workflow(action="get_task", session_id="{SESSION}", task_number=1)',
}
REFUSAL = {
    "status": "error",
    "action": "get_phase",
    "error": "phase 2 is not reached yet",
    "error_type": "StateError",
    "remediation": "Complete the current phase first.",
}


def result(answer: dict, *, text: str | None = None, is_error: bool | None = None):
    said = render(answer) if text is None else text
    flag = answer.get("status") == "error" if is_error is None else is_error
    part = TextContent(type="text", text=said)
    return CallToolResult(content=[part], structured_content=answer, is_error=flag)


@pytest.mark.parametrize("answer", [SUCCESS, REFUSAL], ids=["success", "refusal"])
def test_a_sound_answer_has_no_problem(answer):
    assert problems(result(answer), "get_phase", SESSION) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"status": "ok"}, "status is 'ok', not success or error"),
        ({"status": None}, "status is None, not success or error"),
        ({"action": "start"}, "action is 'start', not 'get_phase'"),
        ({"error": "but"}, "status is success, and there is an error beside it"),
        ({"next": "go on"}, "next is no call of the tool: 'go on'"),
        ({"next": 5}, "next is no call of the tool: 5"),
        (
            {"next": 'aos_workflow(action="get_state", session_id="other")'},
            "next is about another session: 'other'",
        ),
        (
            {"at": "in /home/me/project now"},
            "an absolute path is in the answer: '/home/me/project'",
        ),
        ({"at": r"C:\Users\me"}, r"an absolute path is in the answer: 'C:\\Users\\me'"),
        ({"at": 'File "server.py", line 7'}, "a traceback is in the answer"),
        ({"at": "under secret-folder"}, "the folder of the project is in the answer"),
    ],
    ids=str,
)
def test_one_thing_wrong_with_a_success_is_found(change, problem):
    answer = SUCCESS | change
    assert problems(result(answer), "get_phase", SESSION, ("secret-folder",)) == [problem]


@pytest.mark.parametrize("name", ["error", "error_type", "remediation"])
def test_a_refusal_without_one_of_its_parts_is_found(name):
    left = {key: value for key, value in REFUSAL.items() if key != name}
    assert problems(result(left), "get_phase")[0] == f"a refusal without {name}"
    assert problems(result(REFUSAL | {name: " "}), "get_phase")[0] == f"a refusal without {name}"


def test_an_error_type_that_nobody_knows_is_found():
    found = problems(result(REFUSAL | {"error_type": "KeyError"}), "get_phase")
    assert found == ["error_type is 'KeyError', which is none of the known"]


@pytest.mark.parametrize(("answer", "flag"), [(SUCCESS, True), (REFUSAL, False)])
def test_a_flag_that_says_otherwise_is_found(answer, flag):
    (problem,) = problems(result(answer, is_error=flag), "get_phase")
    assert problem == f"isError is {str(flag).lower()} while status is {answer['status']!r}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"current_phase": 10}, "current_phase is 1 in"),
        ({"none": 0}, "none is None in"),
        ({"name": "4"}, "name is '3' in"),
        ({"note": "two\nothers"}, r"note is 'two\nlines, and \x1b[31m red' in"),
        ({"long": "word"}, "long is 'word word"),
        ({"phase_content": {**SUCCESS["phase_content"], "content": "# Phase 2"}}, "content is "),
        (
            {"phase_content": {**SUCCESS["phase_content"], "names": ["one"]}},
            "there is 'two, three'",
        ),
    ],
    ids=str,
)
def test_a_text_that_says_something_else_is_found(change, told):
    (problem,) = problems(result(SUCCESS, text=render(SUCCESS | change)), "get_phase")
    assert problem.startswith(f"the halves disagree: {told}")


def test_a_lie_of_the_structured_half_is_found_by_the_longer_number():
    text = render(SUCCESS | {"current_phase": 10})
    assert problems(result(SUCCESS | {"current_phase": 1}, text=text), "get_phase")


def test_a_text_that_is_json_says_it_too():
    said = json.dumps(REFUSAL, indent=2)
    assert problems(result(REFUSAL, text=said), "get_phase") == []
    other = json.dumps(REFUSAL | {"error": "other"})
    assert problems(result(REFUSAL, text=other), "get_phase") != []


def test_a_half_that_is_missing_is_found():
    text = TextContent(type="text", text="status: success")
    image = ImageContent(type="image", data="", mime_type="image/png")
    none = CallToolResult(content=[text], structured_content=None)
    assert problems(none, "get_phase") == ["the answer has no structured content"]
    for parts in ([], [text, text], [image], [text, image]):
        made = CallToolResult(content=parts, structured_content=REFUSAL, is_error=True)
        assert problems(made, "get_phase") == [f"the answer has {len(parts)} parts, not one text"]


def test_what_is_too_long_is_found_and_not_compared():
    grown = SUCCESS | {"log": ["x"] * MAX_BESIDE_CONTENT}
    found = problems(result(grown, text="status: success"), "get_phase")
    assert len(found) == 1
    assert "the structured half has" in found[0]
    line = render(REFUSAL) + "\nnote: " + "x" * 2_000
    assert problems(result(REFUSAL, text=line), "get_phase") == [
        "a line of the text half has 2,006 characters, over 2,000"
    ]


def test_the_content_of_a_phase_may_be_long():
    content = "A line of a phase.\n" * 2_000
    answer = SUCCESS | {"phase_content": {"content": content}}
    assert problems(result(answer), "get_phase") == []


@pytest.mark.parametrize(
    ("text", "call"),
    [
        (
            'aos_workflow(action="complete_phase", phase=2, evidence={"...": true})',
            {"action": "complete_phase", "phase": 2},
        ),
        ('aos_workflow(action="list_workflows")', {"action": "list_workflows"}),
        ('aos_workflow("start")', None),
        ('aos_workflow(action="get_state", sesion_id="s")', None),
        ('other(action="get_state")', None),
        ("aos_workflow", None),
        ("aos_workflow(" * 3_000, None),
        ("(" * 1_000, None),
        ("a\x00b", None),
        (None, None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_next_call_is_read_as_it_is_written(text, call):
    assert next_call(text) == call


def test_what_is_shown_is_short_and_obeyed_by_no_terminal():
    assert shown("a\x1b[31m\nb") == r"'a\x1b[31m\nb'"
    assert len(shown("x" * 10_000)) == 120
    assert len(shown(["x"] * 10_000)) == 120
