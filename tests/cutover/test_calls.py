"""Calls of old tools: what they become, and when that is not certain."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.cutover.calls import EQUIVALENTS, UncertainCallError, becomes, rewritten


def renewed(call: str) -> str:
    name, bracket, _ = call.partition("(")
    end, brackets = rewritten(call, name, len(name))
    assert bracket
    return f"aos_workflow{brackets}{call[end:]}"


@pytest.mark.parametrize(("old", "new"), [
    ("get_task(session_id, phase=1, task_number=2)",
     'aos_workflow(action="get_task", session_id=session_id, phase=1, task_number=2)'),
    ("get_task(session_id, 1, 2)",
     'aos_workflow(action="get_task", session_id=session_id, phase=1, task_number=2)'),
    ("start_workflow('a_v1', 'b.py')",
     "aos_workflow(action='start', workflow_type='a_v1', target_file='b.py')"),
    ('start_workflow("a_v1", "b.py", options={"x": [1, "(2"]})',
     ('aos_workflow(action="start", workflow_type="a_v1", target_file="b.py",'
      ' options={"x": [1, "(2"]})')),
    ("get_current_phase(<session_id>)",
     'aos_workflow(action="get_phase", session_id=<session_id>)'),
    ("get_workflow_state(session_id=s) and more",
     'aos_workflow(action="get_state", session_id=s) and more'),
    ("complete_phase(session_id, 1, evidence={...})",
     'aos_workflow(action="complete_phase", session_id=session_id, phase=1, evidence={...})'),
    ('start_workflow(workflow_type="a", ...)',
     'aos_workflow(action="start", workflow_type="a", ...)'),
    ("get_task(session_id=S, task_number=2,)",
     'aos_workflow(action="get_task", session_id=S, task_number=2,)'),
    ('get_current_phase("""session""")',
     'aos_workflow(action="get_phase", session_id="""session""")'),
    (r'get_current_phase("session\"")',
     r'aos_workflow(action="get_phase", session_id="session\"")'),
])  # fmt: skip
def test_a_certain_call_is_rewritten(old, new):
    assert renewed(old) == new


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_breaks_and_comments_in_a_call_stay(newline):
    old = """start_workflow(
    # which (one
    "a_v1",  # don't
    target_file="b.py",
)""".replace("\n", newline)
    new = """aos_workflow(
    action="start",
    # which (one
    workflow_type="a_v1",  # don't
    target_file="b.py",
)""".replace("\n", newline)
    assert renewed(old) == new


@pytest.mark.parametrize(("call", "reason"), [
    ("create_workflow(name='x')", "the command `aos-workflow new` does"),
    ("current_date()", "no action is known to do this"),
    ("get_task(session_id)", "it does not say task_number"),
    ("get_task()", "it does not say session_id, task_number"),
    ("get_task(...)", "it does not say session_id, task_number"),
    ("get_task(queue, 1, 2)", "its first argument does not look like a session"),
    ("get_task(session_id, task_number, [phase])", "its arguments stand in another order"),
    ("get_task(session_id, 1, 2, 3)", "the old tool took fewer arguments"),
    ("get_task(session_id, 1, 2, phase=1)", "an argument stands twice"),
    ("get_task(session_id, priority=1)", "the old tool took no priority"),
    ("get_task(session_id: str, phase: int, task_number: int)", "it reads like a signature"),
    ("get_workflow_state(session_id) -> dict", "it reads like a signature"),
    ("start_workflow(the type, the file)", "it reads like a signature, or like prose"),
    ("start_workflow(*args)", "it reads like a signature, or like prose"),
    ("get_current_phase(session_id", "it cannot be read as a call"),
    ("get_current_phase(session_id]", "it cannot be read as a call"),
    ("get_current_phase(,session_id)", "it cannot be read as a call"),
    ("get_current_phase(session_id ```", "it cannot be read as a call"),
    ("get_current_phase( # session_id)", "it cannot be read as a call"),
    ("get_current_phase('session_id\n')", "a quotation mark in it is not closed"),
    ("get_current_phase('session_id", "a quotation mark in it is not closed"),
])  # fmt: skip
def test_an_uncertain_call_says_why(call, reason):
    with pytest.raises(UncertainCallError) as told:
        renewed(call)
    assert reason in str(told.value)


values = st.sampled_from(["'session, (a'", "[1, 2]", "{'a': (1, 2)}", "f(x)", "1"])


@given(st.sampled_from(sorted(EQUIVALENTS)), st.lists(values, min_size=3, max_size=3), st.data())
def test_a_rewritten_call_has_the_arguments_that_the_old_one_had(name, chosen, data):
    old = EQUIVALENTS[name]
    arguments = dict(zip(old.parameters, ["session_id", *chosen], strict=False))
    positional = data.draw(st.integers(0, len(arguments)))
    call = ", ".join(
        value if at < positional else f"{parameter}={value}"
        for at, (parameter, value) in enumerate(arguments.items())
    )
    new = ast.parse(renewed(f"{name}({call})"), mode="eval").body
    given_now = {keyword.arg: ast.unparse(keyword.value) for keyword in new.keywords}
    expected = {key: ast.unparse(ast.parse(value, mode="eval")) for key, value in arguments.items()}
    assert given_now == {"action": repr(str(old.action)), **expected}


@pytest.mark.parametrize("name", EQUIVALENTS)
def test_what_a_tool_becomes_is_told(name):
    assert becomes(name) == f'now aos_workflow(action="{EQUIVALENTS[name].action}", ...)'
