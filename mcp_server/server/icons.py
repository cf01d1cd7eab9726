"""The icon of the server and its tool: a gate with a tick.

Kept tiny, for the newest revision sends it along with every answer.
"""

from urllib.parse import quote

from mcp.types import Icon

_DRAWN = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>"
    "<path d='M4 21V9a8 8 0 0 1 16 0v12M8 13l3 3 5-6' fill='none' stroke='#086'/></svg>"
)

_PLAIN = "/:='"

ICON = Icon(
    src=f"data:image/svg+xml,{quote(_DRAWN, safe=_PLAIN)}",
    mime_type="image/svg+xml",
    sizes=["any"],
)
