"""Pages of long lists, small enough for an answer, with cursors that outlive changes.

A cursor names the last item that was shown, not a position, so that it stays right while items come
and go. Pure.
"""

import base64
import binascii
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mcp_server.core.encoding import decode, encode
from mcp_server.errors import InvalidArgumentError, quoted

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_PAGE_BYTES = 6_500
"""What a page may take of an answer's 8 KB."""

Item = TypeVar("Item")
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of one page as they are shown, and the cursor of the next one, if there is more."""

    shown: list[dict[str, Any]]
    next_cursor: str | None


def page_of(
    items: Iterable[Item],
    *,
    key: Callable[[Item], Key],
    show: Callable[[Item], dict[str, Any]],
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Item]:
    """Return the page after `cursor` of at most `limit` items in the order of `key`."""
    limit = require_limit(limit)
    ordered = sorted(items, key=key)
    start = 0
    if cursor is not None:
        last = key_of(cursor)
        start = bisect_left(ordered, x=True, key=lambda item: key(item) > last)
    return first_page(ordered[start : start + limit + 1], key=key, show=show, limit=limit)


def first_page(
    ordered: Sequence[Item],
    *,
    key: Callable[[Item], Key],
    show: Callable[[Item], dict[str, Any]],
    limit: int,
) -> Page[Item]:
    """Return what fits on a page of at most `limit` items; one more item says that more follow."""
    shown: list[dict[str, Any]] = []
    room = MAX_PAGE_BYTES
    for item in ordered[:limit]:
        view = show(item)
        room -= len(encode(view))
        if shown and room < 0:
            break
        shown.append(view)
    end = len(shown)
    return Page(shown, cursor_after(key(ordered[end - 1])) if end < len(ordered) else None)


def require_limit(limit: int | None) -> int:
    """Return how many items a page may have; raises InvalidArgumentError."""
    limit = DEFAULT_LIMIT if limit is None else limit
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidArgumentError(
            f"limit {limit} is out of range",
            remediation=f"Pass a limit from 1 to {MAX_LIMIT}, or leave it out for {DEFAULT_LIMIT}.",
        )
    return limit


def cursor_after(key: Key) -> str:
    """Return the cursor of what comes after the item of a key."""
    return base64.urlsafe_b64encode(encode(key)).decode("ascii").rstrip("=")


def key_of(cursor: str) -> Key:
    """Return the key that a cursor names; raises InvalidArgumentError."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = decode(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
            return tuple(parts)
    except (UnicodeError, binascii.Error, ValueError, RecursionError):
        pass
    raise no_cursor(cursor)


def no_cursor(cursor: str) -> InvalidArgumentError:
    """Return what is said of text that is not a cursor."""
    return InvalidArgumentError(
        f"cursor {quoted(cursor)} is not one that this tool gave",
        remediation="Pass next_cursor of the page before unchanged, or no cursor at all.",
    )
