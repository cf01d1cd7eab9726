"""What cannot be told with certainty is listed with its place, and not touched."""

import pytest

from tests.cutover.old_servers import MODULE, left, plan, text


@pytest.mark.parametrize(
    ("source", "places"),
    [
        (
            'def make(verb):\n    mcp.tool(name=f"{verb}_workflow")(print)\n',
            [(2, 'mcp.tool(name=f"{verb}_workflow")(print)')],
        ),
        (
            "@mcp.tool(**options)\ndef get_task(session_id): ...\n",
            [(1, "@mcp.tool(**options)")],
        ),
        (
            '@register_tool("get_task")\ndef fetch(session_id): ...\n',
            [(1, '@register_tool("get_task")')],
        ),
        ("@tool\ndef get_task(session_id): ...\n", [(1, "@tool")]),
        (
            'def register(name, f):\n    mcp.tool(name=name)(f)\nregister("get_task", print)\n',
            [(2, "mcp.tool(name=name)(f)"), (3, 'register("get_task", print)')],
        ),
        (
            'T = {}\nT["get_task"] = print\nfor n, f in T.items():\n    mcp.tool(name=n)(f)\n',
            [(2, 'T["get_task"]'), (4, "mcp.tool(name=n)(f)")],
        ),
        (
            "def get_task(session_id): ...\nfetch = mcp.tool()(get_task)\n",
            [(2, "mcp.tool()(get_task)")],
        ),
        (
            "def get_task(session_id): ...\n[mcp.add_tool(f) for f in (get_task,)]\n",
            [(2, "get_task"), (2, "mcp.add_tool(f)")],
        ),
        (
            "def get_task(session_id): ...\nlist(map(mcp.add_tool, [get_task]))\n",
            [(2, "mcp.add_tool")],
        ),
        (
            'server().add_tool(print, name="get_task")\n',
            [(1, 'server().add_tool(print, name="get_task")')],
        ),
        (
            "server().add_tool(get_task)\ndef get_task(session_id): ...\n",
            [(1, "server().add_tool(get_task)")],
        ),
    ],
)
def test_what_is_computed_is_left_to_a_person(source, places):
    assert left(source) == places
    assert plan(source).files == {}


def test_a_low_level_server_is_left_to_a_person_tool_by_tool():
    source = text("""
        @server.list_tools()
        async def list_tools():
            return [types.Tool(name="start_workflow"), types.Tool(name="now")]

        @server.call_tool()
        async def call_tool(name, arguments):
            if name == "start_workflow":
                return start(arguments)
            match name:
                case "get_task":
                    return []
            return {"complete_phase": done}[name]
        """)
    assert left(source) == [
        (3, 'types.Tool(name="start_workflow")'),
        (7, 'name == "start_workflow"'),
        (10, '"get_task"'),
        (12, '"complete_phase": done'),
    ]
    assert plan(source).files == {}


def test_what_removes_a_tool_by_its_name_is_shown():
    source = text("""
        @mcp.tool()
        def start_workflow(kind): ...
        mcp.remove_tool("start_workflow")
        """)
    assert left(source) == [(3, 'mcp.remove_tool("start_workflow")')]


def test_a_variable_whose_making_may_do_more_is_kept_and_shown():
    source = text("""
        def register(mcp, root):
            checker = Checker(root)

            @mcp.tool()
            def validate_workflow(workflow_path):
                return checker.check(workflow_path)
        """)
    assert left(source) == [(2, "checker")]
    assert "    checker = Checker(root)\n" in plan(source).files[MODULE]


def test_a_module_that_does_not_parse_is_named_and_the_others_are_done():
    sources = {
        "broken.py": "import a\n@mcp.tool()\ndef get_task(session_id)\n    return 1\n",
        "whole.py": "@mcp.tool()\ndef start_workflow(kind): ...\n",
    }
    planned = plan(sources)
    assert [(place.path, place.line) for place in planned.unparsed] == [("broken.py", 4)]
    assert set(planned.files) == {"whole.py"}


def test_a_broken_module_that_speaks_of_no_old_tool_is_nobodys_business():
    planned = plan({"a.py": "@mcp.tool()\ndef (:\n"})
    assert (planned.files, planned.left, planned.unparsed) == ({}, (), ())
