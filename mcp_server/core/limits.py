"""How much an agent may submit. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_server.core.encoding import MAX_DEPTH, require_size
from mcp_server.errors import InvalidArgumentError

MAX_FIELDS = 256
MAX_FIELD_NAME = 128


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an agent may submit, in bytes of UTF-8 JSON, and how deep it may nest."""

    evidence: int = 10 * 1024 * 1024
    options: int = 64 * 1024
    depth: int = MAX_DEPTH


def require_evidence(evidence: Mapping[str, Any], limits: Limits) -> None:
    """Raise InvalidArgumentError for evidence that is too large, or not plain JSON."""
    if any(not name.isprintable() or not name for name in evidence):
        raise InvalidArgumentError(
            "evidence has a field whose name is empty or holds control characters",
            remediation="Name the fields as get_phase shows them.",
        )
    if len(evidence) > MAX_FIELDS or any(len(name) > MAX_FIELD_NAME for name in evidence):
        raise InvalidArgumentError(
            f"evidence is too large: {len(evidence)} fields; at most {MAX_FIELDS}, with names"
            f" of at most {MAX_FIELD_NAME} characters",
            remediation="Submit the fields that the gate names; put lists into one field.",
        )
    require_size("evidence", evidence, limits.evidence, limits.depth)
