"""The aos_workflow MCP server: one tool that walks an agent through gated workflows."""

__version__ = "0.1.0"
