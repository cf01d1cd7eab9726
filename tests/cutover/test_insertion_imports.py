"""How a module that registers the new tool imports what it needs for that."""

import pytest

from tests.cutover.old_servers import plan, rewritten, text

IMPORT = "from mcp_server.server import setup_server\n\n\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "{new}\n\n\n"),
        ('"""Doc."""\n\n', '"""Doc."""\n\n{new}\n\n'),
        ("#!/usr/bin/env python\nimport a\n\n", "#!/usr/bin/env python\nimport a\n{new}\n\n"),
        (
            '"""Doc."""\nfrom __future__ import annotations\nX = 1\n',
            '"""Doc."""\nfrom __future__ import annotations\n{new}\nX = 1\n',
        ),
        (
            "try:\n    import b\nexcept ImportError:\n    b = 1\nimport c\n\nX = b\n",
            "try:\n    import b\nexcept ImportError:\n    b = 1\nimport c\n{new}\n\nX = b\n",
        ),
    ],
)
def test_the_import_stands_at_the_end_of_the_imports(head, expected):
    source = f"{head}@mcp.tool()\ndef start_workflow(kind): ...\n"
    new = "from mcp_server.server import setup_server"
    assert rewritten(source) == expected.format(new=new) + "setup_server(mcp)\n"


def test_the_import_stands_before_the_call():
    source = "import a\n@mcp.tool()\ndef start_workflow(kind): ...\nmcp.b\nimport c\n"
    assert rewritten(source) == text("""
        import a
        from mcp_server.server import setup_server
        setup_server(mcp)
        mcp.b
        import c
        """)


def test_the_import_stands_before_a_call_among_imports():
    source = "import a\nmcp.add_tool(f, name='get_task')\nimport c\n"
    assert rewritten(source) == text("""
        import a
        from mcp_server.server import setup_server
        setup_server(mcp)
        import c
        """)


def test_a_sibling_that_the_standard_library_hides_says_nothing():
    source = "import json\n@mcp.tool()\ndef start_workflow(kind): ...\njson.x\n"
    sources = {"p/__init__.py": "", "p/json.py": "", "p/b.py": source}
    new = plan(sources, style="bridge").files["p/b.py"]
    assert "from .aos_workflow_bridge import register_aos_workflow\n" in new


def test_a_name_that_is_taken_is_not_taken_again():
    source = "def setup_server(): ...\n@mcp.tool()\ndef start_workflow(kind): ...\n"
    assert rewritten(source) == text("""
        from mcp_server.server import setup_server as setup_server_of_aos_workflow


        def setup_server(): ...
        setup_server_of_aos_workflow(mcp)
        """)


@pytest.mark.parametrize(
    ("sources", "path", "line"),
    [
        ({"a.py": ""}, "b.py", "from aos_workflow_bridge"),
        ({"p/__init__.py": ""}, "p/b.py", "from .aos_workflow_bridge"),
        ({"p/c.py": "", "p/__init__.py": ""}, "p/b.py", "from .aos_workflow_bridge"),
        ({"p/c.py": ""}, "p/b.py", "from aos_workflow_bridge"),
    ],
)
def test_the_bridge_is_imported_as_the_package_is_laid_out(sources, path, line):
    source = "@mcp.tool()\ndef start_workflow(kind): ...\n"
    files = plan({**sources, path: source}, style="bridge").files
    assert files[path].startswith(f"{line} import register_aos_workflow\n")
    assert set(files) == {path, path.replace("b.py", "aos_workflow_bridge.py")}


@pytest.mark.parametrize(
    ("first", "line"),
    [
        ("from .c import x", "from .aos_workflow_bridge"),
        ("from ..q import x", "from .aos_workflow_bridge"),
        ("from c import x", "from aos_workflow_bridge"),
        ("import c", "from aos_workflow_bridge"),
        ("from top.p.c import x", "from top.p.aos_workflow_bridge"),
        ("import json", "from aos_workflow_bridge"),
    ],
)
def test_the_bridge_is_imported_as_its_siblings_are(first, line):
    source = f"{first}\n@mcp.tool()\ndef start_workflow(kind): ...\nprint(x, c, json)\n"
    sources = {"src/top/p/b.py": source, "src/top/p/c.py": "", "src/top/p/json.py": ""}
    files = plan(sources, style="bridge").files
    assert files["src/top/p/b.py"].splitlines()[1] == f"{line} import register_aos_workflow"
