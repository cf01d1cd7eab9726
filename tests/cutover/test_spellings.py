"""Each way to register a tool is seen, and what only looks like one is not."""

import pytest

from tests.cutover.old_servers import MODULE, left, plan, text


def found(source: str) -> list[tuple[int, str, str]]:
    planned = plan(source)
    assert all(place.path == MODULE for place in planned.registrations)
    return [(place.line, place.what, place.note) for place in planned.registrations]


@pytest.mark.parametrize(
    "decorator",
    [
        "@mcp.tool()",
        "@mcp.tool",
        "@app.server.tool()",
        '@mcp.tool(description="Begin.", tags={"a"})',
        "@mcp.tool(\n    structured_output=False,\n)",
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_decorated_function_is_a_tool_of_its_own_name(decorator, kind):
    source = f"{decorator}\n{kind} start_workflow(kind): ...\n"
    assert found(source) == [(1, "start_workflow", decorator)]


@pytest.mark.parametrize(
    "decorator",
    [
        '@mcp.tool("get_task")',
        '@mcp.tool(name="get_task")',
        "@mcp.tool(name='get' '_task')",
        "@mcp.tool(name=NAME)",
        '@mcp.tool(name=f"get_{LAST}")',
        '@mcp.tool(name="get_" + LAST)',
        "@mcp.tool(name=Names.TASK)",
    ],
)
def test_a_name_that_is_written_out_wins_over_the_functions_name(decorator):
    source = text(f"""
        NAME = "get_task"
        LAST = "task"
        class Names:
            TASK = "get_task"

        {decorator}
        def anything(session_id): ...
        """)
    assert found(source) == [(6, "get_task", decorator)]


def test_a_function_of_an_old_name_under_another_name_is_no_old_tool():
    source = '@mcp.tool(name="fetch")\ndef get_task(session_id): ...\n'
    assert plan(source).files == {}
    assert left(source) == []


def test_a_name_may_come_from_another_module():
    sources = {
        "app/names.py": 'START = "start_workflow"\n',
        "app/server.py": "from .names import START\n@mcp.tool(name=START)\ndef go(kind): ...\n",
    }
    (place,) = plan(sources).registrations
    assert (place.path, place.line, place.what) == ("app/server.py", 2, "start_workflow")


@pytest.mark.parametrize("order", ["@traced\n@mcp.tool()", "@mcp.tool()\n@traced"])
def test_other_decorators_may_stand_above_and_below(order):
    source = f"{order}\ndef start_workflow(kind): ...\n"
    assert [what for _, what, _ in found(source)] == ["start_workflow"]


@pytest.mark.parametrize(
    "call",
    [
        "mcp.tool()(start_workflow)",
        'mcp.tool(name="start_workflow")(start)',
        'mcp.tool("start_workflow")(lambda kind: kind)',
        "mcp.tool(start_workflow)",
        "mcp.tool()(traced(start_workflow))",
        "mcp.add_tool(start_workflow)",
        'mcp.add_tool(start, name="start_workflow")',
        'mcp.add_tool(start, "start_workflow")',
        "mcp.add_tool(fn=start_workflow)",
        'mcp.add_tool(Tool(name="start_workflow", fn=start))',
        "mcp.add_tool(Tool.from_function(start_workflow))",
        'mcp.add_tool(FunctionTool.from_function(start, name="start_workflow"))',
        "mcp.add_tool(made)",
        "add(start_workflow)",
        "mcp.tool(name=start_workflow.__name__)(start)",
    ],
)
def test_a_call_registers_what_it_is_given(call):
    source = text(f"""
        def start_workflow(kind): ...
        def start(kind): ...
        made = Tool.from_function(start_workflow)
        add = mcp.add_tool
        {call}
        """)
    assert found(source) == [(5, "start_workflow", call)]


@pytest.mark.parametrize(
    "loop",
    [
        "for f in (start_workflow, now): mcp.add_tool(f)",
        "for f in [start_workflow, now]: mcp.tool()(f)",
        "for f in start_workflow, now: mcp.add_tool(f)",
        "for f in TOOLS: mcp.add_tool(f)",
        "for f in list(TOOLS): mcp.add_tool(f)",
        "for n, f in PAIRS: mcp.tool(name=n)(f)",
        "for n, (f, _) in DEEP: mcp.tool(name=n)(f)",
        "for n, f in TABLE.items(): mcp.tool(name=n)(f)",
        "for f in TABLE.values(): mcp.add_tool(f)",
        "for n in TABLE: mcp.tool(name=n)(TABLE[n])",
        "for f in TOOLS: mcp.tool(name=f.__name__)(f)",
    ],
)
def test_a_loop_registers_each_entry_of_a_collection_that_is_written_out(loop):
    source = text(f"""
        def start_workflow(kind): ...
        def now(): ...
        TOOLS = [start_workflow, now]
        PAIRS = (("start_workflow", start_workflow), ("now", now))
        DEEP = [("start_workflow", (start_workflow, 1)), ("now", (now, 2))]
        TABLE = {{"start_workflow": start_workflow, "now": now}}
        {loop}
        """)
    assert [what for _, what, _ in found(source)] == ["start_workflow"]


def test_a_class_registers_its_methods_from_a_table_of_its_own():
    source = text("""
        class Tools:
            def __init__(self, mcp):
                self.table = {"start_workflow": self.start, "now": self.now}
                for name, method in self.table.items():
                    mcp.tool(name=name)(method)

            def start(self, kind): ...

            def now(self): ...
        """)
    assert plan(source).files[MODULE] == (
        "from mcp_server.server import setup_server\n\n\n"
        + text("""
        class Tools:
            def __init__(self, mcp):
                self.table = {"now": self.now}
                setup_server(mcp)
                for name, method in self.table.items():
                    mcp.tool(name=name)(method)

            def now(self): ...
        """)
    )


@pytest.mark.parametrize(
    "source",
    [
        "class Queue:\n    def get_task(self): ...\nQueue().get_task()\n",
        '@app.get("/get_task")\ndef get_task(): ...\n',
        "@cli.command()\ndef start_workflow(): ...\n",
        '@cli.command("validate_workflow")\ndef validate(): ...\n',
        "@traced\ndef get_task(session_id): ...\n",
        "def complete_phase(): ...\ncomplete_phase()\n",
        'TABLE = {"get_task": 1}\n',
        'client.call_tool("start_workflow", {})\n',
        '@mcp.prompt()\ndef start_workflow(): "see get_task"\n',
        '@mcp.resource("x://get_task")\ndef get_task(): ...\n',
        "@mcp.tool()\ndef get_tasks(): ...\n",
    ],
)
def test_what_merely_shares_a_name_is_left_alone(source):
    planned = plan(source)
    assert (planned.files, planned.registrations, planned.left) == ({}, (), ())


def test_a_server_made_by_a_library_that_is_not_of_mcp_is_shown_and_left_alone():
    source = text("""
        from pydantic_ai import Agent
        agent = Agent("x")
        @agent.tool
        def get_task(ctx, session_id): ...
        """)
    assert plan(source).files == {}
    assert left(source) == [(3, "@agent.tool")]


def test_a_lone_tool_with_other_arguments_is_shown_and_left_alone():
    source = "@mcp.tool()\ndef get_task(task_id, queue): ...\n@mcp.tool()\ndef put(x): ...\n"
    assert plan(source).files == {}
    assert left(source) == [(1, "@mcp.tool()")]


def test_beside_other_old_tools_the_arguments_do_not_matter():
    source = "@mcp.tool()\ndef get_task(a): ...\n@mcp.tool()\ndef start_workflow(b): ...\n"
    assert [what for _, what, _ in found(source)] == ["get_task", "start_workflow"]


def test_other_names_may_be_the_old_ones():
    source = "@mcp.tool()\ndef get_task(a): ...\n@mcp.tool()\ndef open_flow(b): ...\n"
    planned = plan(source, ["open_flow"])
    assert [place.what for place in planned.registrations] == ["open_flow"]
    assert "def get_task" in planned.files[MODULE]
