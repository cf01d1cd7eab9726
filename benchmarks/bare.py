"""The server that ours is compared with: the SDK's own, with one tool that does nothing."""

from mcp.server import MCPServer

server = MCPServer("bare", log_level="WARNING")


@server.tool()
def noop() -> str:
    """Do nothing."""
    return "done"


if __name__ == "__main__":
    server.run("stdio")
