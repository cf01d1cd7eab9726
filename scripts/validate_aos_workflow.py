"""Validate a deployment of aos_workflow: all 14 actions, their times, and the memory it takes.

    python scripts/validate_aos_workflow.py                                 # this package's server
    python scripts/validate_aos_workflow.py --server "aos-workflow serve"   # a command over stdio
    python scripts/validate_aos_workflow.py --url http://127.0.0.1:8000/mcp --token-env TOKEN

A real MCP client drives the server. A command is started in a throw-away project with a small
workflow of its own, whose gate asks for a claim and for something that the server finds out for
itself; a server behind a URL is walked through a built-in workflow, as far as that goes without
touching its project. Each action is made to succeed and to refuse, and every answer is checked
whole: the envelope, both halves of the result, the next call that it names, what it must not hold.
What was done must be what the next answer says: a refused gate leaves the phase, a phase that was
not reached is not shown, a deleted session is not found, a claim is marked as claimed.

Then each action is timed several times and its median compared to its target, and the memory of the
process is compared to that of a bare server of the SDK. A table says what was found; `--json` and
`--junit FILE` say it to programs. The exit code is 0 only if all of it holds, 1 if anything does
not, and 2 for wrong usage or a server that cannot be reached. Nothing is left behind: the folder,
the process and the sessions are gone afterwards, also after Ctrl-C.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The package of this checkout, before any other of that name.
sys.path.insert(0, str(ROOT))

from mcp_server.interpreter import command_of  # noqa: E402

if __name__ == "__main__":
    sys.exit(command_of("mcp_server.validating.command", ROOT)())
