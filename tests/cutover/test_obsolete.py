"""What goes with the old tools, and what stays because something else needs it."""

import pytest

from tests.cutover.old_servers import MODULE, left, plan, text

KEPT = "no longer a tool, and kept: other code still uses the function"


def removed(before: str, body: str = "helper()", after: str = "", *, others: str = "") -> bool:
    """Whether a definition goes when the only tool is removed that has `body`."""
    tool = f"@mcp.tool()\ndef start_workflow(kind):\n    return {body}\n"
    sources = {MODULE: f"{before}\n{tool}{after}"} | ({"other.py": others} if others else {})
    new = plan(sources).files[MODULE].splitlines()
    (gone,) = {line not in new for line in before.splitlines()}
    return gone


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ("def helper(): ...", "helper()"),
        ("async def helper():\n    return 1", "helper()"),
        ("import functools\n@functools.lru_cache\ndef helper(): ...", "helper()"),
        ("class Helper: ...", "Helper()"),
        ("from pydantic import BaseModel\nclass Helper(BaseModel):\n    x: int", "Helper()"),
        ("LIMIT = 3", "LIMIT"),
        ("LIMIT: int = 3", "LIMIT"),
        ("import re\nPATTERN = re.compile('x')", "PATTERN"),
        ("import json", "json.dumps(1)"),
        ("import os.path", "os.path.join('a')"),
        ("import numpy as np", "np.x"),
        ("from a import b", "b"),
        ("from a import b as c", "c"),
        ("def outer(): return inner()\ndef inner(): return outer()", "outer()"),
        ("try:\n    import yaml\nexcept ImportError:\n    yaml = None", "yaml"),
        (
            "try:\n    import yaml\n    HAS = True\nexcept ImportError:\n    HAS = False",
            "yaml if HAS else 0",
        ),
    ],
)
def test_what_only_the_tool_used_goes_with_it(before, body):
    assert removed(before, body)
    name = "the same, used by what stays"
    assert not removed(before, body, f"\ndef stays():\n    '''{name}'''\n    return {body}\n")


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ("HELPER = make()", "HELPER"),
        ("@app.get('/x')\ndef helper(): ...", "helper()"),
        ("@registry.add\nclass Helper: ...", "Helper()"),
        ("class Helper(Base): ...", "Helper()"),
        ("class Helper(metaclass=Meta): ...", "Helper()"),
        ("A, B = 1, 2", "A"),
        ("A = B = 1", "A"),
        ("A = 1\nA += 1", "A"),
        ("if (A := 1): ...", "A"),
        ("from a import *", "b"),
        ("import unused", "1"),
        ("def unused(): ...", "1"),
        ("from __future__ import annotations", "annotations"),
        ("with open('x') as f: ...", "f"),
        ("def helper(): ...\n__all__ = ['helper']", "helper()"),
    ],
)
def test_what_may_do_more_than_bind_a_name_stays(before, body):
    assert not removed(before, body)


@pytest.mark.parametrize(
    "others",
    [
        "from server.tools import helper\n",
        "from .server.tools import helper as h\n",
        "from server import tools\ntools.helper()\n",
        "import server.tools\nserver.tools.helper()\n",
        "import server.tools as t\nt.helper()\n",
        "from server.tools import *\nhelper()\n",
        "patch('server.tools.helper')\n",
        "from server import tools\nsetattr(tools, 'helper', 1)\n",
        "from server.tools import helper\nthis does not parse\n",
    ],
)
def test_what_another_module_reads_stays(others):
    assert not removed("def helper(): ...", others=others)


@pytest.mark.parametrize(
    "others",
    [
        "def helper(): ...\nhelper()\n",
        "queue.helper()\n",
        "from elsewhere import helper\n",
        "# server.tools has a helper\n",
        "import server.tools\nserver.tools.other()\n",
    ],
)
def test_the_same_name_elsewhere_is_another_thing(others):
    assert removed("def helper(): ...", others=others)


def test_what_looks_names_up_by_text_keeps_everything_but_the_registration():
    source = "def helper(): ...\n@mcp.tool()\ndef get_task(session_id): helper()\nglobals()\n"
    new = plan(source).files[MODULE]
    assert "def helper" in new
    assert "@mcp.tool" not in new


@pytest.mark.parametrize(
    "use",
    [
        "\n\nasync def other():\n    return await get_task(1)\n",
        "\n\nHANDLERS = {'get_task': get_task}\nprint(HANDLERS)\n",
        "\n\nget_task.__doc__ = ''\n",
    ],
)
def test_a_function_that_is_still_called_loses_its_registration_only(use):
    source = f"@mcp.tool()\n@traced\nasync def get_task(session_id):\n    return 1\n{use}"
    planned = plan(source)
    assert [(place.line, place.what, place.note) for place in planned.left] == [
        (3, "get_task", KEPT)
    ]
    assert planned.files[MODULE] == (
        "from mcp_server.server import setup_server\n\n\nsetup_server(mcp)\n"
        + source.removeprefix("@mcp.tool()\n")
    )


def test_a_function_that_tests_import_is_kept():
    sources = {
        "server.py": "@mcp.tool()\ndef get_task(session_id): ...\n",
        "tests/test_server.py": "from server import get_task\n",
    }
    planned = plan(sources)
    assert "def get_task" in planned.files["server.py"]
    assert [place.note for place in planned.left] == [KEPT]


def test_a_function_that_is_also_a_route_is_kept():
    source = '@app.get("/task")\n@mcp.tool()\ndef get_task(session_id): ...\n'
    new = plan(source).files[MODULE]
    assert '@app.get("/task")\ndef get_task(session_id): ...\n' in new
    assert left(source) == [(3, "get_task")]


def test_a_function_that_is_a_route_of_an_imported_application_is_kept():
    source = 'from web import app\n@app.get("/t")\n@mcp.tool()\ndef get_task(session_id): ...\n'
    assert '@app.get("/t")\ndef get_task(session_id): ...\n' in plan(source).files[MODULE]


@pytest.mark.parametrize(
    "wrapper",
    ["@traced", "@retry(3)", "@tracer.span('x')", "@tools.wraps", "@limiter.limit('1/s')"],
)
def test_a_decorator_that_only_wraps_goes_with_the_function(wrapper):
    head = "import tools\ntracer = make()\nlimiter = make()\n"
    source = f"{head}@mcp.tool()\n{wrapper}\ndef get_task(session_id): ...\n"
    assert "get_task" not in plan(source).files[MODULE]


def test_a_function_with_a_second_name_is_kept_under_it():
    source = '@mcp.tool()\n@mcp.tool(name="task")\ndef get_task(session_id): ...\n'
    assert '@mcp.tool(name="task")\ndef get_task' in plan(source).files[MODULE]


def test_old_tools_that_call_each_other_go_together():
    source = text("""
        @mcp.tool()
        def start_workflow(kind):
            return get_task(kind)

        @mcp.tool()
        def get_task(session_id):
            return start_workflow(session_id)
        """)
    assert plan(source).files[MODULE] == (
        "from mcp_server.server import setup_server\n\n\nsetup_server(mcp)\n"
    )


def test_functions_that_share_one_name_go_one_by_one():
    source = text("""
        @mcp.tool(name="start_workflow")
        def _(kind): ...

        @mcp.tool(name="now")
        def _(): ...
        """)
    assert (
        plan(source)
        .files[MODULE]
        .endswith('setup_server(mcp)\n\n@mcp.tool(name="now")\ndef _(): ...\n')
    )


def test_a_method_that_anything_may_call_is_kept():
    sources = {
        MODULE: text("""
            class Tools:
                def register(self, mcp):
                    mcp.add_tool(self.get_task)

                def get_task(self, session_id):
                    return 1
            """),
        "other.py": "anything.get_task(1)\n",
    }
    planned = plan(sources)
    assert "def get_task" in planned.files[MODULE]
    assert [place.note for place in planned.left] == [KEPT]


def test_a_method_that_a_base_class_may_call_is_kept():
    source = text("""
        class Tools(Base):
            def register(self, mcp):
                mcp.add_tool(self.get_task)

            def get_task(self, session_id):
                return 1
        """)
    assert "def get_task" in plan(source).files[MODULE]


def test_variables_of_the_function_around_go_too():
    source = text("""
        def register(mcp, root):
            prefix = "x"
            names = [prefix]
            kept = 1

            def helper():
                return names

            @mcp.tool()
            def get_task(session_id):
                return helper()

            return kept
        """)
    assert (
        text("""
        def register(mcp, root):
            kept = 1

            setup_server(mcp)

            return kept
        """)
        in plan(source).files[MODULE]
    )


def test_what_a_module_reads_of_its_package_stays():
    sources = {
        "app/__init__.py": text("""
            LIMIT = 3

            @mcp.tool()
            def start_workflow(kind):
                return LIMIT
            """),
        "app/other.py": "from . import LIMIT\n",
    }
    assert "LIMIT = 3" in plan(sources).files["app/__init__.py"]
