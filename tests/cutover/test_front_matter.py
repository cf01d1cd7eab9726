"""The front matter of commands, agents and rules: its lists of tools."""

import pytest

from mcp_server.cutover.findings import OLD_TOOLS
from mcp_server.cutover.front_matter import rewrite_front_matter
from mcp_server.cutover.prose_mentions import Known

KNOWN = Known(OLD_TOOLS, frozenset({"rag"}))


@pytest.mark.parametrize(("old", "new"), [
    ("tools: Read, mcp__rag__get_task, mcp__rag__complete_phase\n",
     "tools: Read, mcp__rag__aos_workflow\n"),
    ("allowed-tools: [mcp__rag__get_task,Bash(ls:*)]\n",
     "allowed-tools: [mcp__rag__aos_workflow,Bash(ls:*)]\n"),
    ("tools: mcp__rag__get_task\r\n", "tools: mcp__rag__aos_workflow\r\n"),
    ("tools:\n  - Read\n  - 'mcp__rag__get_task' # why\n  - mcp__rag__complete_phase\nmodel: x\n",
     "tools:\n  - Read\n  - 'mcp__rag__aos_workflow' # why\nmodel: x\n"),
])  # fmt: skip
def test_lists_of_tools_are_rewritten(old, new):
    text = "---\n{}---\nBody: mcp__rag__get_task\n"
    found = rewrite_front_matter("a.md", text.format(old), KNOWN)
    assert found.text == text.format(new)
    assert rewrite_front_matter("a.md", found.text, KNOWN).text == found.text
    assert found.rewritten[0].what == "mcp__rag__get_task"


@pytest.mark.parametrize("text", [
    "tools: mcp__rag__get_task\n",
    "---\ntools: mcp__rag__get_task\n",
    "---\ndescription: mcp__rag__get_task\n---\n",
    "---\ntools: mcp__other__get_task\n---\n",
    "---\ntools: get_task\n---\n",
    "---\ntools:\n  - {a: mcp__rag__get_task}\n  -\n---\n",
    "---\ndisallowedTools: mcp__rag__get_task\n---\n",
])  # fmt: skip
def test_everything_else_stays(text):
    assert rewrite_front_matter("a.md", text, KNOWN).text == text
