"""JSON as the server stores, measures and hashes it: one encoding for all of them."""

import hashlib
import json
from typing import Any

from mcp_server.errors import InvalidArgumentError

MAX_DEPTH = 64
DEEPEST = 500
"""How deep submitted JSON may nest, and what that limit may be set to."""

# Made once: most of what is encoded is a few words of an answer.
_SORTED, _AS_IT_IS = (
    json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=sort, separators=(",", ":"))
    for sort in (True, False)
)


def encode(value: Any, *, sort_keys: bool = True) -> bytes:
    """Return `value` as compact UTF-8 JSON; raises ValueError if it is not JSON."""
    return (_SORTED if sort_keys else _AS_IT_IS).encode(value).encode("utf-8")


def decode(content: bytes) -> Any:
    """Return what `encode` made bytes of; raises ValueError if it is not JSON."""
    return json.loads(content)


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def require_size(name: str, value: Any, limit: int, depth: int) -> None:
    """Raise InvalidArgumentError for a value that `encode_submitted` refuses or is too large."""
    size = len(encode_submitted(name, value, depth))
    if size > limit:
        raise InvalidArgumentError(
            f"{name} is too large: {size} bytes of JSON, at most {limit}",
            remediation=f"Put the bulk into files of the project and name them in {name}.",
        )


def encode_submitted(name: str, value: Any, depth: int = MAX_DEPTH) -> bytes:
    """Encode a value that an agent sent as argument `name`.

    Raises InvalidArgumentError for what JSON cannot hold (NaN, lone surrogates, other objects)
    and for nesting deeper than `depth`.
    """
    if _deeper_than(value, depth):
        raise InvalidArgumentError(
            f"{name} is nested too deep: more than {depth} levels",
            remediation=f"Flatten {name}, or put the deep part into a file and submit its path.",
        )
    try:
        return encode(value)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"{name} is not plain JSON: {_reason(error)}",
            remediation="Submit objects with text keys, lists, text, finite numbers, true, false.",
        ) from error


def _deeper_than(value: Any, limit: int) -> bool:
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list | tuple)]:
        depth += 1
        if depth > limit:
            return True
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item)
        ]
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "it holds a lone surrogate, which UTF-8 cannot encode"
    return str(error).splitlines()[0]
