"""What a probe that sees several things gives to a field, by the field's type."""

from collections.abc import Sequence
from typing import Any

from mcp_server.gates.probes.look import Look


def by_type(look: Look, *, names: Sequence[str], text: str | None = None) -> Any:
    """Return what was found as the field's type wants it.

    A number gets how many, a list gets all, text gets `text` or the only one, a boolean whether
    there is any; a field without a type gets how many.
    """
    match look.type:
        case "boolean":
            return bool(names)
        case "list":
            return list(names)
        case "string":
            return text if text is not None else ", ".join(names)
        case _:
            return len(names)
