"""Session ids: how they are made and what passes as one.

An id names files, so it is matched whole against a small alphabet before anything is looked up.
"""

import re
from datetime import datetime

from mcp_server.errors import InvalidArgumentError, quoted

MAX_SESSION_ID = 128

SESSION_ID_PATTERN = re.compile(rf"[a-z0-9_]{{1,{MAX_SESSION_ID}}}\Z", re.ASCII)
"""What a session id matches whole; `\\Z`, because `$` would let a trailing newline pass."""

_DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_MAX_TARGET_PART = 40


def validate_session_id(session_id: object) -> bool:
    """Return True; raises InvalidArgumentError (a ValueError) for anything but a session id."""
    if isinstance(session_id, str) and SESSION_ID_PATTERN.match(session_id):
        return True
    raise InvalidArgumentError(
        f"Invalid session_id format: {quoted(session_id)}",
        remediation="Pass the session_id exactly as start or list_sessions returned it.",
    )


def make_session_id(workflow_type: str, target_file: str, now: datetime, suffix: str) -> str:
    """Return `<workflow>_<target>_<YYYYmmdd_HHMMSS>_<suffix>`; `suffix` is 6 hex digits."""
    target = _slug(target_file.rstrip("/").rsplit("/", 1)[-1])[:_MAX_TARGET_PART].rstrip("_")
    ending = f"_{target or 'target'}_{now:%Y%m%d_%H%M%S}_{suffix}"
    workflow = _slug(workflow_type)[: MAX_SESSION_ID - len(ending)].rstrip("_")
    return f"{workflow or 'workflow'}{ending}"


def is_digest(text: str) -> bool:
    """Tell whether `text` is a SHA-256 in hexadecimal."""
    return bool(_DIGEST.match(text))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
