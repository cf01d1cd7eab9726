"""The plan of whole projects, text by text."""

from mcp_server.cutover.findings import OLD_TOOLS, Place
from tests.cutover.old_servers import BRIDGE, MODULE, plan, rewritten, text

TYPICAL = text('''
    """Tools that walk an agent through a workflow."""

    # pylint: disable=too-many-locals

    import json
    import logging
    from datetime import datetime
    from typing import Any, Dict, Optional, cast

    from ..monitoring import tool_trace
    from ..rendering import shorten

    logger = logging.getLogger(__name__)

    try:
        from tracer import enrich

        TRACING = True
    except ImportError:
        TRACING = False

    PREVIEW = 400


    def _preview(content: str) -> str:
        """Return the beginning of a long text."""
        return shorten(content, PREVIEW)


    def register_workflow_tools(
        mcp: Any,
        engine: Any,
        generator: Any,
        base_path: Optional[str] = None,
    ) -> int:
        """Register the workflow tools.

        Returns:
            The number of tools registered.
        """
        limit = 3

        @mcp.tool()
        @tool_trace
        async def start_workflow(
            workflow_type: str, target_file: str, options: Optional[Dict[str, Any]] = None
        ) -> Dict[str, Any]:
            """Begin a workflow."""
            try:
                if TRACING:
                    enrich(workflow_type)
                return cast(Dict[str, Any], engine.start(workflow_type, target_file, options))
            except ValueError as e:
                logger.error("start failed: %s", e)
                return {"error": str(e)}

        # What an agent asks for most.
        @mcp.tool()
        @tool_trace
        async def get_task(session_id: str, phase: int, task_number: int) -> Dict[str, Any]:
            """Return a task."""
            return {"task": _preview(json.dumps(engine.get_task(session_id, phase, limit)))}

        @mcp.tool()
        @tool_trace
        async def current_date() -> Dict[str, Any]:
            """Tell the date: agents do not know it."""
            return {"date": datetime.now().isoformat()}

        @mcp.tool()
        @tool_trace
        async def create_workflow(name: str) -> Dict[str, Any]:
            """Make a framework."""
            return generator.create(name, base_path)

        return 4


    __all__ = ["register_workflow_tools"]
''')

TYPICAL_AFTERWARDS = text('''
    """Tools that walk an agent through a workflow."""

    # pylint: disable=too-many-locals

    from datetime import datetime
    from typing import Any, Dict, Optional

    from ..monitoring import tool_trace
    from .aos_workflow_bridge import register_aos_workflow


    def register_workflow_tools(
        mcp: Any,
        engine: Any,
        generator: Any,
        base_path: Optional[str] = None,
    ) -> int:
        """Register the workflow tools.

        Returns:
            The number of tools registered.
        """

        register_aos_workflow(mcp)

        @mcp.tool()
        @tool_trace
        async def current_date() -> Dict[str, Any]:
            """Tell the date: agents do not know it."""
            return {"date": datetime.now().isoformat()}

        return 2


    __all__ = ["register_workflow_tools"]
''')


def test_the_typical_old_server_is_cut_over():
    path = "mcp_server/server/tools/workflow_tools.py"
    planned = plan({path: TYPICAL}, style="bridge")
    assert planned.files[path] == TYPICAL_AFTERWARDS
    assert planned.files["mcp_server/server/tools/aos_workflow_bridge.py"] == BRIDGE
    assert planned.left == planned.unparsed == ()
    assert planned.style == "bridge"
    assert planned.registrations == (
        Place(path, 43, "start_workflow", "@mcp.tool()"),
        Place(path, 58, "get_task", "@mcp.tool()"),
        Place(path, 70, "create_workflow", "@mcp.tool()"),
    )


def test_the_plan_of_what_was_cut_over_changes_nothing():
    planned = plan({MODULE: TYPICAL}, style="bridge")
    again = plan(dict(planned.files), style="bridge")
    assert (again.files, again.registrations, again.left) == ({}, (), ())


def test_a_project_without_old_tools_is_not_changed():
    planned = plan({"a.py": "@mcp.tool()\ndef now(): ...\n", "b.py": "get_task = 1\n"})
    assert (planned.files, planned.registrations, planned.left) == ({}, (), ())


def test_one_large_module_with_all_the_tools_keeps_only_the_rest():
    tools = "\n\n".join(
        f"@mcp.tool()\ndef {name}(session_id):\n    return _reply({name!r})\n" for name in OLD_TOOLS
    )
    source = (
        "from fastmcp import FastMCP\n\nmcp = FastMCP('rag')\n\n\n"
        "def _reply(x):\n    return {'x': x}\n\n\n"
        f"{tools}\n\n@mcp.tool()\ndef search(query):\n    return query\n\n\nmcp.run()\n"
    )
    assert rewritten(source) == (
        "from fastmcp import FastMCP\nfrom mcp_server.server import setup_server\n\n"
        "mcp = FastMCP('rag')\n\n\nsetup_server(mcp)\n\n\n"
        "@mcp.tool()\ndef search(query):\n    return query\n\n\nmcp.run()\n"
    )


def test_tools_defined_in_another_module_go_there_with_their_imports():
    sources = {
        "app/__init__.py": "",
        "app/handlers.py": text("""
            import json
            import os

            def start_workflow(kind):
                return json.dumps(kind)

            def search(query):
                return os.sep
            """),
        "app/server.py": text("""
            from fastmcp import FastMCP
            from .handlers import search, start_workflow

            mcp = FastMCP("x")
            mcp.tool()(start_workflow)
            mcp.tool()(search)
            """),
    }
    planned = plan(sources)
    assert planned.files == {
        "app/handlers.py": text("""
            import os

            def search(query):
                return os.sep
            """),
        "app/server.py": text("""
            from fastmcp import FastMCP
            from .handlers import search
            from mcp_server.server import setup_server

            mcp = FastMCP("x")
            setup_server(mcp)
            mcp.tool()(search)
            """),
    }
    assert planned.left == ()


def test_methods_of_an_instance_made_in_another_module_go_from_its_class():
    sources = {
        "flows.py": text("""
            class Flows:
                def __init__(self, root):
                    self.root = root

                def start_workflow(self, kind):
                    return self._shape(kind)

                def _shape(self, kind):
                    return kind

                def search(self):
                    return self.root
            """),
        "main.py": text("""
            from flows import Flows
            flows = Flows(".")
            mcp.add_tool(flows.start_workflow)
            mcp.add_tool(flows.search)
            """),
    }
    planned = plan(sources)
    assert planned.files["flows.py"] == text("""
        class Flows:
            def __init__(self, root):
                self.root = root

            def search(self):
                return self.root
        """)
    assert planned.left == ()


def test_a_package_no_longer_exports_what_went():
    sources = {
        "app/__init__.py": text("""
            from .flows import register, start_workflow
            __all__ = ["register", "start_workflow"]
            """),
        "app/flows.py": text("""
            def start_workflow(kind): ...
            def register(mcp):
                mcp.add_tool(start_workflow)
            __all__ = [
                "register",
                "start_workflow",
            ]
            """),
    }
    planned = plan(sources)
    assert planned.files["app/__init__.py"] == text("""
        from .flows import register
        __all__ = ["register"]
        """)
    assert planned.files["app/flows.py"].endswith('__all__ = [\n    "register",\n]\n')
    assert planned.left == ()


def test_entries_go_from_a_collection_in_another_module():
    sources = {
        "flows.py": text("""
            def start_workflow(kind): ...
            def now(): ...
            TOOLS = (start_workflow, now)
            """),
        "main.py": "from flows import TOOLS\nfor tool in TOOLS:\n    mcp.add_tool(tool)\n",
    }
    planned = plan(sources)
    assert planned.files["flows.py"] == "def now(): ...\nTOOLS = (now,)\n"
    assert planned.files["main.py"] == text("""
        from flows import TOOLS
        from mcp_server.server import setup_server
        setup_server(mcp)
        for tool in TOOLS:
            mcp.add_tool(tool)
        """)


def test_a_byte_order_mark_and_foreign_newlines_are_kept():
    source = (
        "\ufeffimport a\r\nimport b\r\n\r\n@mcp.tool()\r\ndef get_task(session_id): b.x\r\n\r\na.x"
    )
    assert rewritten(source) == (
        "\ufeffimport a\r\nfrom mcp_server.server import setup_server\r\n\r\n"
        "setup_server(mcp)\r\n\r\na.x"
    )
