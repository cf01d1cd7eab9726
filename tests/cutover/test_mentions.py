"""Which files are rewritten, and which only listed."""

import pytest

from mcp_server.cutover.findings import OLD_TOOLS
from mcp_server.cutover.mentions import list_mentions, list_python_texts, rewrite_text_file
from mcp_server.cutover.prose_mentions import Known

KNOWN = Known(OLD_TOOLS, frozenset({"rag"}))
CALL = "get_workflow_state(session_id)\n"


@pytest.mark.parametrize("path", ["rules.mdc", ".cursorrules", "a/phase.md", "prompts/x.txt"])
def test_prompts_rules_and_pages_are_rewritten(path):
    new = 'aos_workflow(action="get_state", session_id=session_id)\n'
    assert rewrite_text_file(path, CALL, KNOWN).text == new


@pytest.mark.parametrize("path", ["CHANGELOG.md", "docs/history.md", "Release-Notes-2.md"])
def test_histories_are_listed(path):
    found = rewrite_text_file(path, CALL, KNOWN)
    assert (found.text, [place.what for place in found.left]) == (CALL, ["get_workflow_state"])


def test_front_matter_and_body_are_both_rewritten():
    text = f"---\ntools: mcp__rag__get_task\n---\n{CALL}"
    found = rewrite_text_file("a.md", text, KNOWN)
    assert found.text.startswith("---\ntools: mcp__rag__aos_workflow\n---\naos_workflow(")
    assert [place.line for place in found.rewritten] == [2, 4]


def test_other_formats_are_listed_with_line():
    found = list_mentions("a.yaml", f"a: 1\nb: {CALL}", KNOWN)
    assert [(place.line, place.what) for place in found.left] == [(2, "get_workflow_state")]


def test_texts_of_a_program_are_listed():
    source = (
        '"""Uses start_workflow."""\n\nX = 1\nclient.call_tool("complete_phase")\n'
        'prompt = """\nget_task(1)\n"""\nqueue = {"get_task": 1}\nstart_workflow()\n'
    )
    found = [(place.line, place.what) for place in list_python_texts("a.py", source, KNOWN)]
    assert sorted(found) == [(1, "start_workflow"), (4, "complete_phase"), (6, "get_task")]


def test_a_program_that_does_not_parse_has_no_texts():
    assert list(list_python_texts("a.py", "def start_workflow(:", KNOWN)) == []
