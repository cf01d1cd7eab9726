"""`python -m mcp_server`: the stdio server."""

import sys

from mcp_server.config import load_settings
from mcp_server.errors import ConfigurationError


def main() -> int:
    """Serve over stdio until the client closes it; 2 when there is nothing sensible to serve."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        sys.stderr.write(f"aos-workflow: {error.message}. {error.remediation}\n")
        return 2
    from mcp_server.server.app import build_server  # noqa: PLC0415 - the SDK takes a second to import

    build_server(settings).run("stdio")
    return 0


if __name__ == "__main__":
    sys.exit(main())
