"""Projects to cut over, written by us, each with its quirk; servers that run on our Python.

A project is a dict of paths and texts. Most of their servers stand on `tiny_host`, a host of our
own on the standard library alone, which starts at once; some stand on the SDK.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

OLD = ("start_workflow", "get_current_phase", "get_task", "complete_phase", "get_workflow_state",
       "create_workflow", "validate_workflow")  # fmt: skip

Files = Mapping[str, str | bytes]

TINY_HOST = dedent('''
    """A host of MCP tools with nothing but the standard library."""

    import asyncio
    import inspect
    import json
    import sys


    class TinyHost:
        def __init__(self):
            self.tools = {}

        def tool(self, name=None, description=""):
            def register(function):
                self.tools[name or function.__name__] = (function, description)
                return function

            return register

        def run(self):
            for line in sys.stdin:
                message = json.loads(line)
                if "id" in message:
                    result = self.answer(message["method"], message.get("params") or {})
                    reply = {"jsonrpc": "2.0", "id": message["id"], "result": result}
                    sys.stdout.write(json.dumps(reply) + "\\n")
                    sys.stdout.flush()

        def answer(self, method, params):
            if method == "initialize":
                info = {"name": "tiny", "version": "1"}
                version = params["protocolVersion"]
                return {"protocolVersion": version, "capabilities": {"tools": {}},
                        "serverInfo": info}
            if method == "tools/list":
                return {"tools": [self.listed(name) for name in self.tools]}
            if method == "tools/call":
                function = self.tools[params["name"]][0]
                given = function(**params["arguments"])
                value = asyncio.run(given) if inspect.isawaitable(given) else given
                return {"content": [{"type": "text", "text": json.dumps(value)}]}
            return {}

        def listed(self, name):
            function, description = self.tools[name]
            names = inspect.signature(function).parameters
            schema = {"type": "object", "properties": {name: {} for name in names}}
            return {"name": name, "description": description, "inputSchema": schema}
''').lstrip()


def configured(*command: str, name: str = "rag", **entry: object) -> str:
    """Return client configuration that starts a command with our Python."""
    server = {"command": sys.executable, "args": list(command), **entry}
    return json.dumps({"mcpServers": {name: server}}, indent=2) + "\n"


def function(name: str, *, indent: str = "", decorators: tuple[str, ...] = ("@mcp.tool()",)) -> str:
    """Return a tool that gives its own name."""
    lines = [*decorators, f"def {name}(session_id: str = '') -> dict:",
             f'    """Do what {name} did."""', f"    return {{'did': {name!r}}}"]  # fmt: skip
    return "".join(f"{indent}{line}\n" for line in lines)


def small(body: str = "", **files: str | bytes) -> dict[str, str | bytes]:
    """Return a project of one module `server.py` with two old tools and one that stays."""
    module = "\n\n".join((
        '"""A server."""\n\nfrom tiny_host import TinyHost\n\nmcp = TinyHost()',
        function("start_workflow"),
        function("current_date"),
        function("get_task"),
        body + 'if __name__ == "__main__":\n    mcp.run()\n',
    ))  # fmt: skip
    return {
        "server.py": module,
        "tiny_host.py": TINY_HOST,
        ".mcp.json": configured("server.py"),
        **files,
    }


def large_module() -> dict[str, str | bytes]:
    """Return one large module on the SDK with 8 tools in a function that counts them."""
    tools = [function(name, indent="    ") for name in (*OLD[:5], "current_date", *OLD[5:])]
    module = (
        '"""The whole server in one module."""\n\nimport logging\nfrom typing import cast\n\n'
        "from mcp.server import MCPServer\n\nlogger = logging.getLogger(__name__)\n\n\n"
        "def register_workflow_tools(mcp: MCPServer, engine: object = None) -> int:\n"
        '    """Register the tools."""\n\n'
        + "\n".join(tools)
        + '\n    logger.info("Registered 8 tools")\n    return 8\n\n\n'
        "def create_server() -> MCPServer:\n"
        '    """Create the server."""\n'
        '    mcp = MCPServer("rag")\n    count = register_workflow_tools(mcp)\n'
        '    logger.info("%d tools", count)\n    return mcp\n\n\n'
        'if __name__ == "__main__":\n    create_server().run("stdio")\n'
    )
    return {"agent_os_rag.py": module, ".mcp.json": configured("agent_os_rag.py")}


def decorated() -> dict[str, str | bytes]:
    """Return tools under several decorators, in every order."""
    traced = (
        "from functools import wraps\n\n\ndef traced(call):\n    @wraps(call)\n"
        "    def inner(*args, **kwargs):\n        return call(*args, **kwargs)\n\n"
        "    return inner\n"
    )
    module = "\n\n".join((
        '"""Decorators on decorators."""\n\n' + traced,
        "from tiny_host import TinyHost\n\nmcp = TinyHost()",
        function("start_workflow", decorators=("@traced", "@mcp.tool()", "@traced")),
        function("do_task", decorators=('@mcp.tool(name="get_task")', "@traced")),
        function("current_date", decorators=("@mcp.tool()", "@traced")),
        'if __name__ == "__main__":\n    mcp.run()\n',
    ))  # fmt: skip
    return {"server.py": module, "tiny_host.py": TINY_HOST, ".mcp.json": configured("server.py")}


def in_a_loop() -> dict[str, str | bytes]:
    """Return tools that are registered in a loop over a tuple."""
    module = "\n\n".join((
        '"""A loop."""\n\nfrom tiny_host import TinyHost',
        function("start_workflow", decorators=()),
        function("get_task", decorators=()),
        function("current_date", decorators=()),
        "TOOLS = (\n    start_workflow,\n    get_task,\n    current_date,\n)",
        "mcp = TinyHost()\nfor tool in TOOLS:\n    mcp.tool()(tool)",
        'if __name__ == "__main__":\n    mcp.run()\n',
    ))  # fmt: skip
    return {"server.py": module, "tiny_host.py": TINY_HOST, ".mcp.json": configured("server.py")}


def class_based() -> dict[str, str | bytes]:
    """Return a registry that is a class, whose methods are the tools."""
    names = ("start_workflow", "get_task", "current_date")
    methods = (function(name, indent="    ", decorators=()) for name in names)
    module = "\n\n".join((
        '"""A class."""\n\nfrom tiny_host import TinyHost',
        'class Registry:\n    """The tools."""\n\n    def __init__(self, mcp):\n'
        + "\n".join(f"        mcp.tool()(self.{name})" for name in names),
        *(method.replace("(session_id", "(self, session_id") for method in methods),
        'if __name__ == "__main__":\n    mcp = TinyHost()\n    Registry(mcp)\n    mcp.run()\n',
    ))  # fmt: skip
    return {"server.py": module, "tiny_host.py": TINY_HOST, ".mcp.json": configured("server.py")}


def named_like_ours() -> dict[str, str | bytes]:
    """Return a package that is itself called mcp_server, so that ours cannot be imported."""
    tools = (
        '"""The tools."""\n\n\ndef register_workflow_tools(mcp) -> int:\n    """Register."""\n\n'
    )
    tools += "\n".join(function(name, indent="    ") for name in ("start_workflow", "current_date"))
    together = (
        '"""All tools."""\n\nfrom .workflow_tools import register_workflow_tools\n\n\n'
        "def register_all_tools(mcp, enabled_groups) -> int:\n"
        '    """Register all."""\n    tool_count = 0\n    if "workflow" in enabled_groups:\n'
        "        tool_count += register_workflow_tools(mcp)\n    return tool_count\n\n\n"
        '__all__ = ["register_all_tools", "register_workflow_tools"]\n'
    )
    main = (
        '"""Start it."""\n\nfrom mcp_server.server.tools import register_all_tools\n'
        "from mcp_server.tiny_host import TinyHost\n\nmcp = TinyHost()\n"
        'assert register_all_tools(mcp, ["workflow"]) == len(mcp.tools)\nmcp.run()\n'
    )
    return {
        "mcp_server/__init__.py": "",
        "mcp_server/__main__.py": main,
        "mcp_server/tiny_host.py": TINY_HOST,
        "mcp_server/server/__init__.py": "",
        "mcp_server/server/tools/__init__.py": together,
        "mcp_server/server/tools/workflow_tools.py": tools + "\n    return 2\n",
        ".mcp.json": configured("-m", "mcp_server"),
    }


def without_old_tools() -> dict[str, str | bytes]:
    """Return a project that has a `get_task` of its own, and no old tool."""
    return {
        "queue.py": '"""A queue."""\n\n\ndef get_task(queue):\n    return queue.pop()\n',
        "README.md": "Call `queue.get_task()`.\n",
    }


def broken() -> dict[str, str | bytes]:
    """Return a project whose module does not parse."""
    return small(**{"more.py": "def complete_phase(:\n"})


def only_configuration(*command: str) -> dict[str, str | bytes]:
    """Return a project with nothing but client configuration, whose server is elsewhere."""
    permissions = {"allow": ["mcp__rag__start_workflow", "mcp__rag__get_task", "mcp__rag__search"]}
    return {
        ".mcp.json": configured(*command, alwaysAllow=["search", "start_workflow", "get_task"]),
        ".claude/settings.json": json.dumps({"permissions": permissions}, indent=2) + "\n",
    }


def lay(root: Path, files: Files) -> Path:
    """Write a project and return its folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def contents(root: Path) -> dict[str, bytes]:
    """Return every file of a project by its path, but for backups."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_relative_to(root / ".praxis-os" / "backups")
    }
