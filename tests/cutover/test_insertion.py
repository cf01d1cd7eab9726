"""Where `aos_workflow` gets registered, and that each server gets it once."""

import pytest

from tests.cutover.old_servers import MODULE, Host, plan, rewritten, run, text

IMPORT = "from mcp_server.server import setup_server\n\n\n"


def test_each_server_of_a_module_gets_one():
    source = text("""
        from fastmcp import FastMCP
        one = FastMCP("1")
        two = FastMCP("2")

        @one.tool()
        def start_workflow(kind): ...

        @two.tool()
        def get_task(session_id): ...

        @one.tool()
        def complete_phase(session_id): ...
        """)
    assert rewritten(source) == text("""
        from fastmcp import FastMCP
        from mcp_server.server import setup_server
        one = FastMCP("1")
        two = FastMCP("2")

        setup_server(one)

        setup_server(two)
        """)


@pytest.mark.parametrize(
    "calls",
    [
        "register_flows(mcp)\nregister_sessions(mcp)",
        "register_flows(mcp=mcp)\nregister_sessions(server=mcp)",
        "for register in (register_flows, register_sessions):\n    register(mcp)",
        "again = mcp\nregister_flows(mcp)\nregister_sessions(again)",
    ],
)
def test_functions_that_are_handed_one_server_register_on_it_once(calls):
    sources = {
        "flows.py": text("""
            def register_flows(mcp):
                @mcp.tool()
                def start_workflow(kind): ...

                @mcp.tool()
                def get_task(session_id): ...

                return 2
            """),
        "sessions.py": text("""
            def register_sessions(server):
                @server.tool()
                def get_workflow_state(session_id): ...

                return 1
            """),
        "main.py": text("""
            from fastmcp import FastMCP
            from flows import register_flows
            from sessions import register_sessions
            mcp = FastMCP("x")
            """)
        + calls,
    }
    planned = plan(sources)
    assert planned.files == {
        "flows.py": f"{IMPORT}def register_flows(mcp):\n    setup_server(mcp)\n\n    return 1\n",
        "sessions.py": "def register_sessions(server):\n    return 0\n",
    }


def test_functions_that_are_handed_different_servers_register_on_both():
    sources = {
        "flows.py": "def flows(mcp):\n    @mcp.tool()\n    def start_workflow(kind): ...\n",
        "tasks.py": "def tasks(mcp):\n    @mcp.tool()\n    def get_task(session_id): ...\n",
        "main.py": text("""
            from fastmcp import FastMCP
            from flows import flows
            from tasks import tasks
            one = FastMCP("1")
            two = FastMCP("2")
            flows(one)
            tasks(two)
            """),
    }
    planned = plan(sources)
    assert planned.files == {
        "flows.py": f"{IMPORT}def flows(mcp):\n    setup_server(mcp)\n",
        "tasks.py": f"{IMPORT}def tasks(mcp):\n    setup_server(mcp)\n",
    }


def test_each_copy_of_a_package_gets_one():
    package = {
        "app/__init__.py": "",
        "app/tools/__init__.py": text("""
            from .flows import register_flows


            def register_all(mcp):
                return register_flows(mcp)
            """),
        "app/tools/flows.py": text("""
            def register_flows(mcp):
                @mcp.tool()
                def start_workflow(kind): ...

                @mcp.tool()
                def get_task(session_id): ...

                return 2
            """),
        "app/main.py": text("""
            from mcp.server import MCPServer
            from .tools import register_all

            class Factory:
                def make(self):
                    mcp = MCPServer("app")
                    register_all(mcp)
                    return mcp
            """),
    }
    sources = package | {f".installed/{path}": source for path, source in package.items()}
    files = plan(sources).files
    assert set(files) == {"app/tools/flows.py", ".installed/app/tools/flows.py"}
    assert [source.count("setup_server(mcp)") for source in files.values()] == [1, 1]


def test_a_server_that_has_the_new_tool_gets_no_second_one():
    source = text("""
        from mcp_server.server import setup_server
        mcp = make()
        setup_server(mcp)

        @mcp.tool()
        def start_workflow(kind): ...
        """)
    assert rewritten(source) == text("""
        from mcp_server.server import setup_server
        mcp = make()
        setup_server(mcp)
        """)


def test_in_one_branch_it_stands_in_the_branch():
    source = text("""
        def register(mcp, engine):
            if engine:
                @mcp.tool()
                def start_workflow(kind): ...
            else:
                return
        """)
    assert rewritten(source) == IMPORT + text("""
        def register(mcp, engine):
            if engine:
                setup_server(mcp)
            else:
                return
        """)


def test_in_several_branches_it_stands_before_them():
    source = text("""
        def register(mcp, engine):
            if engine:
                @mcp.tool()
                def start_workflow(kind): ...
            if not engine:
                @mcp.tool()
                def get_task(session_id): ...
                print("none")
        """)
    assert rewritten(source) == IMPORT + text("""
        def register(mcp, engine):
            setup_server(mcp)
            if not engine:
                print("none")
        """)


def test_where_the_branches_make_the_server_it_stands_after_them():
    source = text("""
        def create(fast):
            if fast:
                mcp = Fast()
                @mcp.tool()
                def start_workflow(kind): ...
            else:
                mcp = Slow()
                @mcp.tool("start_workflow")
                def start(kind): ...
            return mcp
        """)
    assert rewritten(source) == IMPORT + text("""
        def create(fast):
            if fast:
                mcp = Fast()
            else:
                mcp = Slow()
            setup_server(mcp)
            return mcp
        """)


def test_a_class_body_is_no_place_for_it():
    source = text("""
        class Tools:
            @mcp.tool()
            def start_workflow(kind): ...

            other = 1
        """)
    assert rewritten(source) == IMPORT + text("""
        setup_server(mcp)
        class Tools:
            other = 1
        """)


def test_nor_is_a_branch_in_a_class_body():
    source = text("""
        class Tools:
            if fast:
                @mcp.tool()
                def start_workflow(kind): ...
            other = 1
        """)
    assert rewritten(source) == IMPORT + text("""
        setup_server(mcp)
        class Tools:
            other = 1
        """)


def test_the_server_stays_although_only_old_tools_read_it():
    source = "mcp = host\n@mcp.tool()\ndef start_workflow(kind): ...\n"
    assert rewritten(source) == (
        "from mcp_server.server import setup_server\n\nmcp = host\nsetup_server(mcp)\n"
    )


def test_a_block_that_has_nothing_left_passes():
    source = text("""
        def register(mcp, engine):
            while engine():
                @mcp.tool()
                def start_workflow(kind): ...
            with engine:
                @mcp.tool()
                def get_task(session_id): ...
        """)
    assert rewritten(source) == IMPORT + text("""
        def register(mcp, engine):
            setup_server(mcp)
            while engine():
                pass
            with engine:
                pass
        """)


def test_of_several_statements_on_a_line_only_the_registration_goes():
    source = text("""
        def get_task(session_id): ...
        a = 1; mcp.add_tool(get_task)
        mcp.add_tool(get_task); b = 1
        if a: mcp.add_tool(get_task)
        """)
    assert rewritten(source) == (
        "from mcp_server.server import setup_server\n\n\nsetup_server(mcp)\na = 1\nb = 1\n"
    )


def test_a_tool_that_is_registered_by_another_one_goes_with_it():
    source = text("""
        @mcp.tool()
        def start_workflow(kind):
            @mcp.tool()
            def get_task(session_id): ...
        """)
    assert rewritten(source) == f"{IMPORT}setup_server(mcp)\n"


def test_the_methods_of_one_server_register_on_it_once():
    source = text("""
        class Server(Base):
            def one(self):
                @self.tool()
                def start_workflow(kind): ...

            def two(self):
                @self.tool()
                def get_task(session_id): ...
        """)
    assert rewritten(source) == IMPORT + text("""
        class Server(Base):
            def one(self):
                setup_server(self)

            def two(self):
                pass
        """)


def test_the_new_text_runs():
    source = (
        "def register(mcp):\n    @mcp.tool()\n    def start_workflow(kind): ...\n    return 1\n"
    )
    new = plan(source, style="bridge").files[MODULE]
    host = Host()
    assert run(new, {})["register"](host) == 1
    assert host.names == ["aos_workflow"]


def test_each_copy_of_a_class_that_takes_the_server_gets_one():
    package = {
        "app/flows.py": text("""
            class Flows:
                def __init__(self, mcp):
                    @mcp.tool()
                    def start_workflow(kind): ...

                    @mcp.tool()
                    def get_task(session_id): ...
            """),
        "app/main.py": text("""
            from fastmcp import FastMCP
            from .flows import Flows

            mcp = FastMCP("app")
            Flows(mcp)
            """),
    }
    sources = package | {f"old/{path}": source for path, source in package.items()}
    files = plan(sources).files
    assert [source.count("setup_server(mcp)") for source in files.values()] == [1, 1]
