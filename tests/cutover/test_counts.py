"""Numbers of tools stay true, and what cannot be told is shown."""

import pytest

from tests.cutover.old_servers import MODULE, Host, left, plan, run, text

TOOLS = {
    "start_workflow": "kind",
    "get_task": "session_id",
    "now": "",
    "later": "",
}


def tools(*names: str, indent: str = "    ") -> str:
    return "".join(
        f"{indent}@mcp.tool()\n{indent}def {name}({TOOLS[name]}): ...\n\n" for name in names
    )


def counted(body: str) -> tuple[int, int]:
    """What a function returns before and after; what it registers must be that number."""
    source = f"def register(mcp, flag=True):\n{body}"
    new = plan(source, style="bridge").files[MODULE]
    numbers = []
    for module in (source, new):
        host = Host()
        numbers.append(run(module, {})["register"](host))
        assert numbers[-1] == len(host.names)
    return numbers[0], numbers[1]


def test_a_number_that_is_returned():
    assert counted(tools("start_workflow", "now", "get_task") + "    return 3\n") == (3, 2)


def test_a_number_that_is_named():
    body = tools("start_workflow", "now", "get_task")
    assert counted(f"    tool_count = 3\n{body}    return tool_count\n") == (3, 2)


def test_numbers_that_are_added_up():
    body = (
        "    count = 0\n"
        + tools("now", "later")
        + "    count += 2\n"
        + tools("start_workflow", "get_task")
        + "    count += 2\n    return count\n"
    )
    assert counted(body) == (4, 3)


def test_numbers_that_are_added_up_in_branches():
    body = (
        "    count = 0\n    if flag:\n"
        + tools("start_workflow", "now", indent="        ")
        + "        count += 2\n    if flag:\n"
        + tools("get_task", indent="        ")
        + "        count += 1\n    return count\n"
    )
    assert counted(body) == (3, 2)


def test_one_more_for_each_round_of_a_loop():
    body = text("""
        def start_workflow(kind): ...
        def now(): ...
        n = 0
        for tool in (start_workflow, now):
            mcp.add_tool(tool)
            n += 1
        return n
        """)
    assert counted("".join(f"    {line}" for line in body.splitlines(keepends=True))) == (2, 2)


def test_one_more_for_each_round_of_a_loop_that_goes():
    body = text("""
        def start_workflow(kind): ...
        def get_task(session_id): ...
        n = 0
        for tool in (start_workflow, get_task):
            mcp.add_tool(tool)
            n += 1
        return n
        """)
    assert counted("".join(f"    {line}" for line in body.splitlines(keepends=True))) == (2, 1)


@pytest.mark.parametrize("end", ["return len(TOOLS)", "n = len(TOOLS)\n    return n"])
def test_the_length_of_the_collection(end):
    source = text("""
        def start_workflow(kind): ...
        def now(): ...
        TOOLS = [start_workflow, now]
        def register(mcp):
            for tool in TOOLS:
                mcp.add_tool(tool)
        """)
    new = plan(f"{source}    {end}\n").files[MODULE]
    assert new.endswith("    " + end.replace("len(TOOLS)", "len(TOOLS) + 1") + "\n")


@pytest.mark.parametrize(
    "line",
    ["return 9", "count = 9", "count += 9"],
)
def test_a_number_that_is_not_the_number_of_tools_is_shown_and_kept(line):
    source = f"def register(mcp):\n{tools('start_workflow', 'get_task')}    {line}\n"
    assert left(source) == [(8, "9")]
    assert f"    {line}\n" in plan(source).files[MODULE]


@pytest.mark.parametrize(
    "line",
    ["log.info('Registered 2 tools')", "print(f'{mcp}: 2 tools')", "logger.debug('%s', '2')"],
)
def test_a_number_in_a_text_is_shown_and_kept(line):
    source = f"def register(mcp):\n{tools('start_workflow', 'get_task')}    {line}\n"
    assert left(source) == [(8, line)]
    assert f"    {line}\n" in plan(source).files[MODULE]


@pytest.mark.parametrize("line", ["retries = 2", "limit += 1", "return 0", "print('12')"])
def test_another_number_is_nobodys_count(line):
    source = f"def register(mcp):\n{tools('start_workflow', 'get_task')}    {line}\n"
    assert left(source) == []
    assert f"    {line}\n" in plan(source).files[MODULE]


def test_a_test_that_expects_the_old_number_is_shown():
    sources = {
        "tools.py": f"def register(mcp):\n{tools('start_workflow', 'get_task')}    return 2\n",
        "test_tools.py": text("""
            from tools import register

            def test_register():
                assert register(host) == 2

            def test_else():
                assert 1 + 1 == 2
            """),
    }
    (place,) = plan(sources).left
    assert (place.path, place.line, place.what) == ("test_tools.py", 4, "register(host) == 2")
    assert place.note == "register returns 1 now, not 2"


@pytest.mark.parametrize(
    ("remark", "said"),
    [("# Three tools registered", "Three tools"), ("# the 3 workflow tools", "3 workflow tools")],
)
def test_a_comment_that_says_the_number_is_shown(remark, said):
    body = tools("start_workflow", "now", "get_task")
    planned = plan(f"def register(mcp):\n{body}    return 3  {remark}\n")
    (place,) = planned.left
    note = f"it says {said!r}, and now it is 2"
    assert (place.line, place.what, place.note) == (11, remark, note)
    assert planned.files[MODULE].endswith(f"    return 2  {remark}\n")


def test_a_docstring_that_says_the_number_is_shown():
    body = tools("start_workflow", "get_task")
    documented = f'def register(mcp):\n    """Register 2 tools."""\n{body}'
    assert left(documented) == [(2, '"""Register 2 tools."""')]
    assert left(documented.replace("2 tools", "2 stools, 20 tools")) == []
