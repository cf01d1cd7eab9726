"""Mentions in JSON: permissions and prompts rewritten, and every other byte as it was."""

import json

import pytest

from mcp_server.cutover.findings import OLD_TOOLS
from mcp_server.cutover.json_mentions import rewrite_json
from mcp_server.cutover.prose_mentions import Known

KNOWN = Known(OLD_TOOLS, frozenset({"rag"}))
STATE = "mcp__rag__get_workflow_state"
TASK = "mcp__rag__get_task"
NEW = "mcp__rag__aos_workflow"


def new(text: str) -> str:
    found = rewrite_json("a.json", text, KNOWN)
    assert rewrite_json("a.json", found.text, KNOWN).text == found.text
    return found.text


def left(text: str) -> list[tuple[int, str, str]]:
    found = rewrite_json("a.json", text, KNOWN)
    assert (found.text, found.rewritten) == (text, ())
    return [(place.line, place.what, place.note) for place in found.left]


@pytest.mark.parametrize(("old", "becomes"), [
    (f'["a", "{STATE}", "{TASK}", "b"]', f'["a", "{NEW}", "b"]'),
    (f'["{STATE}","{TASK}"]', f'["{NEW}"]'),
    (f'[\n  "a",\n  "{STATE}",\n  "{TASK}"\n]', f'[\n  "a",\n  "{NEW}"\n]'),
    (f'[\n  "{NEW}",\n  "{STATE}",\n  "{TASK}"\n]', f'[\n  "{NEW}"\n]'),
    (f'[\n  "{STATE}",\n  "{NEW}"\n]', f'[\n  "{NEW}"\n]'),
    (f'[\n  "{STATE}",\n  // why\n  "{TASK}", // because, so\n]',
     f'[\n  "{NEW}"\n  // why\n  , // because, so\n]'),
    ('[\n  "mcp__rag__create_workflow", // old\n  "a"\n]', '[\n   // old\n  "a"\n]'),
    ('[ "mcp__rag__create_workflow" ]', "[]"),
    ('[ "mcp__rag__create_workflow" /* x */ ]', "[  /* x */ ]"),
    (f'["mcp__rag__create_workflow", "{STATE}"]', f'["{NEW}"]'),
    (f'["a", "mcp__rag__validate_workflow", "{STATE}", "mcp__rag__create_workflow"]',
     f'["a", "{NEW}"]'),
    (f'[\n  "{STATE}", "{TASK}",\n  "a"\n]', f'[\n  "{NEW}",\n  "a"\n]'),
    (f'[\n  "a", "{TASK}", "{STATE}", "{TASK}",\n  "b"\n]', f'[\n  "a", "{NEW}",\n  "b"\n]'),
    (f'[\n  "{NEW}",\n  "{STATE}", "{TASK}",\n  "b"\n]', f'[\n  "{NEW}",\n  "b"\n]'),
    (f'[\n  "{NEW}", "{STATE}", /* x */ "{TASK}",\n  "b"\n]',
     f'[\n  "{NEW}",  /* x */ "b"\n]'),
])  # fmt: skip
def test_one_entry_stands_in_for_the_old_ones(old, becomes):
    assert new(f'{{"permissions": {{"allow": {old}, "x":1}} }}') == (
        f'{{"permissions": {{"allow": {becomes}, "x":1}} }}'
    )


def test_bare_names_are_rewritten_below_the_server_that_is_meant():
    text = '{"mcpServers": {"rag": {"autoApprove": ["get_task", "search"]}}}'
    assert new(text) == text.replace("get_task", "aos_workflow")


def test_bare_names_below_another_server_count_if_there_are_two():
    one = '{"mcpServers": {"tasks": {"autoApprove": ["get_task", "search"]}}}'
    assert left(one) == [(1, "get_task", 'now aos_workflow(action="get_task", ...)')]
    two = '{"mcpServers": {"tasks": {"autoApprove": ["get_task", "complete_phase"]}}}'
    assert new(two) == '{"mcpServers": {"tasks": {"autoApprove": ["aos_workflow"]}}}'


def test_bare_names_outside_of_servers_are_left():
    assert len(left('{"tools": ["get_task", "complete_phase"]}')) == 2


def test_a_list_that_forbids_a_part_leaves_all_lists_to_a_person():
    text = f'{{"permissions": {{"allow": ["{STATE}"],\n "deny": ["{TASK}"]}}}}'
    reason = "forbids some of the old tools only; aos_workflow is one for all"
    assert left(text) == [(1, STATE, reason), (2, TASK, reason)]


def test_a_list_that_forbids_all_forbids_the_one():
    forbidden = json.dumps([f"mcp__rag__{name}" for name in OLD_TOOLS])
    assert new(f'{{"deny": {forbidden}}}') == f'{{"deny": ["{NEW}"]}}'


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_call_in_a_prompt_is_rewritten_as_the_prompt_is_written(ascii_only):
    def written(prompt: str) -> str:
        return json.dumps({"a": 1, "prompt": prompt}, ensure_ascii=ascii_only, indent=1)

    old = written("Zuerst: get_workflow_state(session_id)\n\u00fc\u2028 \U0001f600")
    call = 'aos_workflow(action="get_state", session_id=session_id)'
    assert new(old) == written(f"Zuerst: {call}\n\u00fc\u2028 \U0001f600")


def test_a_prompt_that_could_not_be_written_in_the_same_way_is_left():
    text = r'{"prompt": "\u0061: get_workflow_state(session_id)"}'
    ((line, what, note),) = left(text)
    assert (line, note) == (1, "its spelling would change; edit it by hand")
    assert what.startswith(r'"\u0061')


def test_the_published_definition_of_the_new_tool_is_left():
    text = '{"name": "aos_workflow", "description": "- get_task(session_id, task_number)"}'
    assert left(text) == [(1, "get_task", "it may be the action of aos_workflow of this name")]


def test_keys_and_names_alone_are_listed():
    text = '{"start_workflow": {"tool": "create_workflow"}}'
    assert left(text) == [
        (1, "start_workflow", 'a key; now aos_workflow(action="start", ...)'),
        (1, "create_workflow", "no action does this: the command `aos-workflow new` does"),
    ]


def test_what_is_no_json_is_listed():
    assert left('{"a": \n get_task }') == [
        (2, "get_task", 'not JSON at line 2; now aos_workflow(action="get_task", ...)')
    ]


def test_what_mentions_nothing_is_not_even_read():
    assert new("{ not json") == "{ not json"
