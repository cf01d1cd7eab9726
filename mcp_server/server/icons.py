"""The icon of the server and its tool: a gate with a tick.

Kept tiny, for the newest revision sends it along with every answer.
"""

from mcp.types import Icon

ICON = Icon(
    src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath"
    " d='M4 21V9a8 8 0 0 1 16 0v12M8 13l3 3 5-6' fill='none' stroke='%23086'/%3E%3C/svg%3E",
    mime_type="image/svg+xml",
    sizes=["any"],
)
