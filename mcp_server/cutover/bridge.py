"""The text of the bridge, for servers that cannot import our package.

The text is a module of ours, linted and tested as such, with two literals filled in: what the tool
publishes, so that it is never out of step, and how to start `aos-workflow` as this process would.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

import mcp_server

MODULE = "aos_workflow_bridge"

_EMPTY_TOOL = 'json.loads(r"""{"description": "", "arguments": {}}""")'
_EMPTY_FALLBACK = 'json.loads(r"""[]""")'
_START = "import sys; sys.path.insert(0, {root!r}); from mcp_server.cli import main; main()"


def bridge_text() -> str:
    """Return the module to write beside the one that registers the tools."""
    # The published tool needs the SDK, which takes most of a second to import.
    from mcp_server.server.tools.arguments import ARGUMENTS  # noqa: PLC0415
    from mcp_server.server.tools.publishing import description  # noqa: PLC0415

    text = files(mcp_server).joinpath("cutover", f"{MODULE}.py").read_text(encoding="utf-8")
    tool = {"description": description(), "arguments": dict(ARGUMENTS)}
    for empty, data in ((_EMPTY_TOOL, tool), (_EMPTY_FALLBACK, fallback())):
        before, mark, after = text.partition(empty)
        assert mark, empty  # noqa: S101 - the module of ours has both
        filled = json.dumps(data, indent=2, ensure_ascii=False)
        # Three quotation marks in a row are not JSON: a raw string holds any of it.
        text = f'{before}json.loads(r"""{filled}""")' + after
    return text


def fallback() -> list[str]:
    """Return the command that runs the `aos-workflow` of this process, from anywhere."""
    root = str(Path(mcp_server.__file__).resolve().parent.parent)
    return [sys.executable, "-P", "-c", _START.format(root=root)]
