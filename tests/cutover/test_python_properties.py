"""Whatever an old server is put together from: the new one works, and nothing else has changed."""

import ast
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.cutover.findings import OLD_TOOLS
from tests.cutover.old_servers import MODULE, Host, plan, run

OTHERS = ("current_date", "search_notes", "list_files", "get_tasks", "workflow")

DECORATED = (
    "@mcp.tool()\n{d}def {n}(session_id):\n    return {u}\n",
    "@mcp.tool\n{d}async def {n}(session_id):\n    return {u}\n",
    '{d}@mcp.tool(name="{n}")\nasync def the_{n}(session_id):\n    return {u}\n    # end\n',
    '@mcp.tool("{n}")\n{d}def _{n}(session_id): return {u}\n',
    "tool_{n} = mcp.tool\n@tool_{n}()\n{d}def {n}(session_id):\n\treturn {u}\n",
)
CALLED = (
    "def {n}(session_id):\n    return {u}\nmcp.tool()({n})\n",
    'def run_{n}(session_id):\n    return {u}\n\nmcp.tool(name="{n}")(run_{n})\n',
    "async def {n}(session_id):\n    return {u}\n\n\nmcp.add_tool({n})  # here\n",
    'NAME_{n} = "{n}"\ndef do_{n}(session_id): return {u}\nmcp.add_tool(do_{n}, name=NAME_{n})\n',
    "def {n}(session_id): return {u}\nmcp.add_tool(Tool.from_function({n}))\n",
    "def {n}(session_id): return {u}\nfor one in ({n},):\n    mcp.add_tool(one)\n",
    'def f_{n}(session_id): return {u}\nfor k, v in {{"{n}": f_{n}}}.items(): mcp.tool(k)(v)\n',
    "if True:\n    @mcp.tool()\n    def {n}(session_id): return {u}\nelse:\n    pass\n",
    "try:\n    def {n}(session_id): return {u}\n    mcp.tool()({n})\nexcept OSError:\n    pass\n",
)
NEIGHBOURS = (
    "X{i} = {i}\n",
    "# a remark\n\n",
    "class Queue{i}:\n    def get_task(self, x):\n        return x\n",
    'TABLE{i} = {{"get_task": {i}, "start_workflow": None}}\n',
    "def helper{i}():\n    '''get_task'''\n    return X0\n",
    "import os as os{i}, json as json{i}\n",
    "\n\n",
    "with open(__import__('os').devnull) as f{i}: pass\n",
)


@dataclass(frozen=True)
class Piece:
    text: str
    tool: str = ""


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    names = draw(st.lists(st.sampled_from(OLD_TOOLS + OTHERS), unique=True, min_size=1, max_size=7))
    found = [Piece("X0 = 0\n"), Piece("def shared(x): return x\n")]
    for name in names:
        form = draw(st.sampled_from(DECORATED + CALLED))
        wraps = draw(st.sampled_from(("", "@traced\n")))
        use = draw(st.sampled_from(("1", "shared(session_id)", "X0")))
        found.append(Piece(form.format(n=name, d=wraps, u=use), name))
        if draw(st.booleans()):
            i = len(found)
            found.append(Piece(draw(st.sampled_from(NEIGHBOURS)).format(i=i)))
    return found


def indented(text: str) -> str:
    return "".join(
        f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True)
    )


@st.composite
def modules(draw: st.DrawFn) -> tuple[list[Piece], str]:
    found = draw(pieces())
    body = "".join(piece.text for piece in found)
    shape = draw(st.sampled_from(("module", "function", "nested")))
    if shape == "module":
        source = f"import typing\nmcp = the_host\n{body}"
    elif shape == "function":
        source = (
            f'"""Old."""\ndef register(mcp):\n{indented(body)}    return 1.5\nregister(the_host)'
        )
    else:
        inner = indented(f"def register(mcp):\n{indented(body)}    return None\nregister(server)\n")
        source = f"def create(server):\n{inner}    return server\ncreate(the_host)\n"
    newline = draw(st.sampled_from(("\n", "\r\n")))
    return found, source.replace("\n", newline)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(modules())
def test_any_old_server_gets_the_new_tool_in_the_place_of_its_old_ones(made):
    found, source = made
    tools = [piece.tool for piece in found if piece.tool]
    host = Host()
    run(source, {"the_host": host})
    assert sorted(host.names) == sorted(tools)

    planned = plan(source, style="bridge")
    old = [name for name in tools if name in OLD_TOOLS]
    assert sorted(place.what for place in planned.registrations) == sorted(old)
    if not old:
        assert planned.files == {}
        return
    new = planned.files[MODULE]
    ast.parse(new)
    host = Host()
    run(new, {"the_host": host})
    assert sorted(host.names) == sorted({*tools, "aos_workflow"} - set(OLD_TOOLS))
    assert plan(dict(planned.files), style="bridge").files == {}
    kept = [
        piece.text.strip("\n")
        for piece in found
        if piece.tool not in OLD_TOOLS and piece.text.strip()
    ]
    plain = new.replace("\r\n", "\n")
    for text in kept:
        if text.startswith(("X0", "def shared")):
            continue
        assert text in plain or indented(text) in plain or indented(indented(text)) in plain


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(modules())
def test_what_is_left_are_lines_of_the_old_text_in_their_order(made):
    _, source = made
    planned = plan(source, style="bridge")
    old = iter(source.splitlines(keepends=True))
    for line in planned.files.get(MODULE, "").splitlines(keepends=True):
        if "aos_workflow" not in line and line.strip() not in {"pass", ""}:
            assert any(line.rstrip("\r\n") == before.rstrip("\r\n") for before in old), line
