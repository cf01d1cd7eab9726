"""All workflows as one page."""

import pytest

from mcp_server.pages.workflow_list import BUDGET, workflow_list
from tests.pages.page_builders import HOSTILE, inlines, parsed, rows

VIEW = {
    "workflow_type": "small_v1",
    "name": "Small",
    "version": "1.0.0",
    "category": "test",
    "description": "A small workflow",
    "phases": 2,
    "estimated_duration": "5 minutes",
    "source": "built-in",
}


def test_a_page_reads_like_this():
    assert workflow_list([VIEW], ["b_v1/metadata.json:1: not JSON"]) == (
        "# Workflows\n\n"
        "Each has a page, `aos://workflows/NAME`. An agent starts one with"
        ' `aos_workflow(action="start", workflow_type="...", target_file="...")`.\n\n'
        "| workflow | name | version | category | phases | takes | what it is for | from |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| `small_v1` | Small | 1.0.0 | test | 2 | 5 minutes | A small workflow | built-in |\n\n"
        "## Cannot be read\n\n"
        "- b_v1/metadata.json:1: not JSON\n"
    )


def test_a_page_of_nothing_says_so():
    assert workflow_list([], []) == "# Workflows\n\nThere are none.\n"


def test_a_page_stays_bounded():
    told = workflow_list([VIEW | {"description": "x" * 1_000}] * 1_000, ["y" * 1_000] * 1_000)
    assert len(told) < BUDGET + 6_000
    assert told.count("… and ") == 2


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_becomes_more_than_a_name(name):
    hostile = dict.fromkeys(VIEW, name)
    tokens = parsed(workflow_list([hostile], [name]))
    assert {len(row) for row in rows(tokens)} == {8}
    kinds = {child.type for token in inlines(tokens) for child in token.children or ()}
    assert kinds <= {"text", "text_special", "code_inline"}
