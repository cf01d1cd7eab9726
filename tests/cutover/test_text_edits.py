"""What the text looks like around what was taken out."""

import pytest

from tests.cutover.old_servers import rewritten, text

NEW = "from mcp_server.server import setup_server\n"


def around(before: str, after: str, *, first: str = "FIRST = 0\n") -> str:
    """The text around a second old tool, whose place is not taken by the new one."""
    head = f"import a\n{first}@mcp.tool()\ndef start_workflow(kind): ...\n"
    tool = "@mcp.tool()\ndef get_task(session_id):\n    return 1\n"
    new = rewritten(f"{head}{before}{tool}{after}")
    start = f"import a\n{NEW}{first}setup_server(mcp)\n"
    assert new.startswith(start)
    return new.removeprefix(start)


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ("X = 1\n", "Y = 2\n", "X = 1\nY = 2\n"),
        ("X = 1\n\n\n", "\n\nY = 2\n", "X = 1\n\n\nY = 2\n"),
        ("X = 1\n\n", "\n\nY = 2\n", "X = 1\n\n\nY = 2\n"),
        ("X = 1\n\n\n", "\nY = 2\n", "X = 1\n\n\nY = 2\n"),
        ("X = 1\n\n\n", "", "X = 1\n"),
        ("X = 1\n# of the tool\n", "Y = 2\n", "X = 1\nY = 2\n"),
        ("X = 1\n# of the section\n\n", "\nY = 2\n", "X = 1\n# of the section\n\nY = 2\n"),
        ("X = 1\n# ----\n# Tools\n# ----\n", "Y = 2\n", "X = 1\n# ----\n# Tools\n# ----\nY = 2\n"),
        ("X = 1\n", "    # of the tool\n\n# of Y\nY = 2\n", "X = 1\n\n# of Y\nY = 2\n"),
    ],
)
def test_blank_lines_and_comments_around_a_function(before, after, left):
    assert around(before, after) == left


def test_the_first_statement_of_a_block_leaves_no_blank_line_behind():
    source = text("""
        @mcp.tool()
        def start_workflow(kind): ...
        def register():
            @mcp.tool()
            def get_task(session_id): ...

            return None
        """)
    assert rewritten(source) == f"{NEW}\n\nsetup_server(mcp)\n" + text("""
        def register():
            setup_server(mcp)

            return None
        """)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from a import (\n    b,\n    c,  # see\n    d,\n)\n",
            "from a import (\n    b,\n    d,\n)\n",
        ),
        ("from a import (\n    b,\n    d,\n    c\n)\n", "from a import (\n    b,\n    d,\n)\n"),
        ("from a import b, c, d\n", "from a import b, d\n"),
        ("from a import b, d, c\n", "from a import b, d\n"),
        ("from a import c, b, d  # noqa\n", "from a import b, d  # noqa\n"),
        ("from a import (b, d,\n    c)\n", "from a import (b, d)\n"),
        ("import b, c, d\n", "import b, d\n"),
    ],
)
def test_a_name_goes_from_its_import(before, after):
    source = f"{before}@mcp.tool()\ndef start_workflow(kind): c\nprint(b, d)\n"
    assert rewritten(source) == f"{after}{NEW}setup_server(mcp)\nprint(b, d)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(now, start_workflow)", "(now,)"),
        ("(start_workflow, now)", "(now,)"),
        ("[start_workflow, now, now]", "[now, now]"),
        ("[now, start_workflow]", "[now]"),
        ("[now, start_workflow,]", "[now,]"),
        ("[\n    now,  # stays\n    start_workflow,  # goes\n]", "[\n    now,  # stays\n]"),
        ("{start_workflow, now}", "{now}"),
        ("[now,\n start_workflow]", "[now]"),
    ],
)
def test_an_entry_goes_from_its_collection(before, after):
    source = f"def now(): ...\ndef start_workflow(kind): ...\nTOOLS = {before}\n"
    loop = "for tool in TOOLS:\n    mcp.add_tool(tool)\n"
    assert rewritten(source + loop) == (
        f"{NEW}\n\ndef now(): ...\nTOOLS = {after}\nsetup_server(mcp)\n{loop}"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("[start_workflow]", "[]"), ("(start_workflow,)", "()"), ("{start_workflow}", "set()")],
)
def test_a_collection_that_is_still_read_may_be_empty(before, after):
    source = f"def start_workflow(kind): ...\nTOOLS = {before}\n"
    loop = "for tool in TOOLS:\n    mcp.add_tool(tool)\n"
    assert rewritten(f"{source}{loop}print(TOOLS)\n") == (
        f"{NEW}\n\nTOOLS = {after}\nsetup_server(mcp)\nprint(TOOLS)\n"
    )


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_are_those_of_the_file(newline, end):
    source = f"import a\n@mcp.tool()\ndef get_task(session_id): ...\na{end}"
    expected = f"import a\n{NEW}setup_server(mcp)\na{end}"
    assert rewritten(source.replace("\n", newline)) == expected.replace("\n", newline)


def test_tabs_and_form_feeds_are_kept():
    source = (
        "import a\n\x0c\ndef register(mcp):\n\t@mcp.tool()\n\tdef get_task(session_id): ...\n\ta\n"
    )
    assert rewritten(source) == (
        f"import a\n{NEW}\x0c\ndef register(mcp):\n\tsetup_server(mcp)\n\ta\n"
    )


@pytest.mark.parametrize("imports", ["", "import a\n"])
def test_the_comment_at_the_head_of_a_file_is_not_that_of_its_first_statement(imports):
    source = f"#!/usr/bin/env python\n@mcp.tool()\ndef start_workflow(kind): ...\n{imports}"
    new = rewritten(source)
    assert new.startswith(f"#!/usr/bin/env python\n{NEW}")
    assert new.endswith(f"setup_server(mcp)\n{imports}")
