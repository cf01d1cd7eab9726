"""`python -m mcp_server`: the stdio server."""

import argparse
import gc
import os
import sys
from pathlib import Path

from mcp_server.config import settings_in, settled_root
from mcp_server.errors import ConfigurationError

USAGE_ERROR = 2

WAITING = (
    "aos-workflow: waiting for a client on standard input, which this terminal is; clients start"
    " the server themselves (`aos-workflow setup CLIENT`). Ctrl-C ends it.\n"
)


def serve(project: Path | None = None, state: str | None = None) -> int:
    """Serve `project` over stdio until the client closes it and return the exit code.

    `state` names the database of the sessions.

    Standard output carries protocol only; what goes wrong before serving is one line on stderr, and
    so is what a person should know who typed this on a terminal.
    Started in a home folder, where no project is, it serves all the same: the client may name a
    project, and each call teaches how to as long as nobody does.
    """
    try:
        root = settled_root(os.environ, project)
        settings = settings_in(root.path if root else Path.cwd(), state=state)
        # What is imported stays: looking through it for garbage, now or ever, is time for nothing.
        gc.disable()
        # The SDK takes most of a second to import: a wrong folder should be told before that.
        from mcp_server.server.app import build_server  # noqa: PLC0415

        server = build_server(settings, is_settled=root is not None)
    except ConfigurationError as error:
        sys.stderr.write(f"aos-workflow: {error.at_terminal}. {error.remediation}\n")
        return USAGE_ERROR
    finally:
        gc.freeze()
        gc.enable()
    if sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(WAITING)
    server.run("stdio")
    return 0


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m mcp_server", description="The aos_workflow MCP server, over stdio."
    )
    parser.add_argument("--project", type=Path, help="project folder; default: found from here")
    parser.add_argument("--state", metavar="URL", help="database of the sessions; default: files")
    given = parser.parse_args()
    return serve(given.project, given.state)


if __name__ == "__main__":
    sys.exit(main())
