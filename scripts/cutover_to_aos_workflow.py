"""Cut a code base over from the old workflow tools to the one aos_workflow: see docs/cutover.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# First, and not last: a package that is called mcp_server too may be found elsewhere, such as in
# the project that is cut over.
if (ROOT / "mcp_server" / "cutover").is_dir():
    sys.path.insert(0, str(ROOT))

from mcp_server.interpreter import command_of  # noqa: E402

if __name__ == "__main__":
    sys.exit(command_of("mcp_server.cutover.command", ROOT)())
