"""Mentions in prompts and pages: rewritten where certain, else listed."""

import pytest

from mcp_server.cutover.findings import OLD_TOOLS, Place
from mcp_server.cutover.prose_mentions import Known, mentions_in, rewrite_prose, servers_meant

KNOWN = Known(OLD_TOOLS, frozenset({"rag"}))


def left(text: str) -> list[tuple[str, str]]:
    found = rewrite_prose("a.md", text, KNOWN)
    assert (found.text, found.rewritten) == (text, ())
    return [(place.what, place.note) for place in found.left]


def test_calls_are_rewritten_and_everything_else_stays():
    found = rewrite_prose(
        "a.md", "# A\r\n\r\nThen `get_current_phase(session_id)`.\r\n\ttail", KNOWN
    )
    call = 'aos_workflow(action="get_phase", session_id=session_id)'
    assert found.text == f"# A\r\n\r\nThen `{call}`.\r\n\ttail"
    assert found.rewritten == (Place("a.md", 3, "get_current_phase", f"now {call}"),)
    assert rewrite_prose("a.md", found.text, KNOWN).text == found.text


def test_a_long_call_is_shown_shortened():
    call = f"start_workflow({'x' * 200!r}, 'b')"
    (place,) = rewrite_prose("a.md", call, KNOWN).rewritten
    assert (len(place.note) < 110, place.note[-3:]) == (True, "...")


def test_a_call_with_the_name_of_the_server_keeps_it():
    text = "mcp__rag__get_workflow_state(session_id=S)"
    new = rewrite_prose("a.md", text, KNOWN).text
    assert new == 'mcp__rag__aos_workflow(action="get_state", session_id=S)'


@pytest.mark.parametrize(("text", "what", "note"), [
    ("the tool start_workflow", "start_workflow", 'now aos_workflow(action="start", ...)'),
    ("mcp__other__get_task(session_id, 1, 2)", "mcp__other__get_task",
     "whether the server other is meant is not certain"),
    ("mcp_agent-os_get_task", "mcp_agent-os_get_task",
     "whether the server agent-os is meant is not certain"),
    ("agent-os_get_task", "agent-os_get_task",
     "whether the server agent-os is meant is not certain"),
    ("queue.get_task(session_id, 1, 2)", "get_task", "it is called on something else"),
    ("get_task(session_id)", "get_task",
     'it does not say task_number; now aos_workflow(action="get_task", ...)'),
    ("create_workflow(1)", "create_workflow",
     "no action does this: the command `aos-workflow new` does"),
])  # fmt: skip
def test_what_is_not_certain_is_listed(text, what, note):
    assert left(text) == [(what, note)]


def test_a_text_that_defines_a_function_of_the_name_is_left():
    text = "from queue import get_task\nget_task(session_id, 1, 2)\n"
    assert [note for _, note in left(text)] == [
        'now aos_workflow(action="get_task", ...)',
        "the text defines or imports a function of this name",
    ]


@pytest.mark.parametrize(
    "definition",
    [
        "@mcp.tool()\n@traced\nasync def get_task(session_id: str) -> dict: ...",
        "class Engine:\n    def get_task(self, session_id): ...",
    ],
)
def test_a_tool_and_a_method_that_a_text_shows_are_no_other_function(definition):
    found = rewrite_prose("a.md", f"{definition}\n\nget_task(session_id, 1, 2)\n", KNOWN)
    call = 'aos_workflow(action="get_task", session_id=session_id, phase=1, task_number=2)'
    assert found.text == f"{definition}\n\n{call}\n"
    assert [place.note for place in found.left] == [
        "the text defines or imports a function of this name"
    ]


def test_what_comes_from_a_tool_does_not_define_it():
    found = rewrite_prose("a.md", "the phase from get_current_phase(session_id)", KNOWN)
    assert [place.what for place in found.rewritten] == ["get_current_phase"]
    assert left("from get_task import run\nget_task(session_id, 1, 2)") == [
        ("get_task", 'now aos_workflow(action="get_task", ...)'),
        ("get_task", "the text defines or imports a function of this name"),
    ]


def test_an_action_in_a_list_of_actions_is_left():
    text = "aos_workflow has the actions get_task and complete_phase(session_id, phase, evidence)"
    assert left(text)[1] == (
        "complete_phase",
        "it may be the action of aos_workflow of this name",
    )
    call = "aos_workflow, or complete_phase(session_id, 1, evidence={})"
    assert rewrite_prose("a.md", call, KNOWN).rewritten


@pytest.mark.parametrize("text", [
    'aos_workflow(action="get_task", session_id=S)',
    "aos_workflow(action='get_task')",
    '{"action": "get_task"}',
    r'"aos_workflow(action=\"get_task\")"',
    "restart_workflow, start_workflows, my_get_task, get_task_list",
    "pre-get_task",
])  # fmt: skip
def test_actions_and_longer_names_are_no_mentions(text):
    assert list(mentions_in(text, OLD_TOOLS)) == []


def test_a_server_is_meant_if_two_of_the_old_tools_are_known_by_its_name():
    texts = ["mcp__rag__get_task mcp__other__get_task", "mcp__rag__start_workflow"]
    assert servers_meant(texts, OLD_TOOLS) == {"rag"}
