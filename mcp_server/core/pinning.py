"""Pinned definitions as sessions follow them, read once each. Safe to share between threads."""

from functools import lru_cache

from pydantic import ValidationError

from mcp_server.core.definitions import Definition
from mcp_server.core.store import SessionStore
from mcp_server.errors import DamagedStateError


class Pinned:
    """The pinned definitions of a store."""

    def __init__(self, store: SessionStore) -> None:
        """Read from `store`."""
        self._store = store
        self._cached = lru_cache(maxsize=64)(self._read)

    def __call__(self, digest: str) -> Definition:
        """Return the definition that was pinned under `digest`; raises DamagedStateError."""
        return self._cached(digest)

    def _read(self, digest: str) -> Definition:
        content = self._store.pinned(digest)
        try:
            return Definition.from_snapshot(content)
        except ValidationError as error:
            raise DamagedStateError(
                f"the pinned definition {digest[:12]} cannot be read by this server",
                remediation="Run the server version that started the session, or start again.",
            ) from error
