"""An issuer's public keys: from a file, or fetched from the issuer and kept for a while.

Fetched again when they are old or a token names an unknown key, but never twice within ten
seconds: tokens that anybody can make up must not turn this server on its issuer. If the issuer
cannot be reached, keys that were good an hour ago still are; older ones are not. What it answers
must be there whole within five seconds, and have no more than a megabyte.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx2

from mcp_server.errors import ConfigurationError

FRESH_SECONDS = 300.0
STALE_SECONDS = 3_600.0
PAUSE_SECONDS = 10.0

_PATIENCE_SECONDS = 5.0
_MAX_DOCUMENT = 1024 * 1024
_ASYMMETRIC = {"RSA", "EC", "OKP"}

Key = Mapping[str, Any]
"""A JSON web key, as the issuer publishes it."""

logger = logging.getLogger(__name__)


class UnreadableError(Exception):
    """What was found there are no keys."""


class Source(Protocol):
    """Where keys come from."""

    async def fetch(self) -> Any:
        """Return the document of keys; raises OSError, httpx2.HTTPError or UnreadableError."""


class FileSource:
    """Keys in a file."""

    def __init__(self, path: Path) -> None:
        """Read `path`."""
        self._path = path

    async def fetch(self) -> Any:
        """Return the document in the file."""
        return _document(await anyio.to_thread.run_sync(self._path.read_bytes))


class WebSource:
    """Keys at a URL, or where the issuer's metadata say that they are."""

    def __init__(self, issuer: str, url: str | None = None) -> None:
        """Read `url`, or find out from `issuer`."""
        self._issuer = issuer
        self._url = url
        # Keys that came over a plain line could be anybody's.
        plain = urlsplit(issuer).scheme == "http"
        self._schemes = ("https://", "http://") if plain else ("https://",)

    async def fetch(self) -> Any:
        """Return the document that the issuer publishes now."""
        # The client would limit each step: an issuer that trickles could hold all callers up.
        with anyio.fail_after(_PATIENCE_SECONDS):
            async with httpx2.AsyncClient(
                timeout=None, follow_redirects=False, trust_env=True
            ) as client:
                return await _get(client, self._url or await self._discovered(client))

    async def _discovered(self, client: httpx2.AsyncClient) -> str:
        for place in metadata_places(self._issuer):
            try:
                found = await _get(client, place)
            except UnreadableError:
                continue
            # Metadata of somebody else are not about this issuer, whoever serves them.
            url = found.get("jwks_uri") if isinstance(found, dict) else None
            url = url if isinstance(url, str) and found.get("issuer") == self._issuer else ""
            if url.startswith(self._schemes):
                return url
        raise UnreadableError("the issuer's metadata do not say where its keys are")


class KeySet:
    """The keys of one issuer, as of a while ago. Belongs to one event loop."""

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        """Get keys from `source`; `clock` counts seconds."""
        self._source = source
        self._clock = clock
        self._keys: tuple[Key, ...] = ()
        self._fetched = self._tried = float("-inf")
        self._lock = anyio.Lock()

    async def ready(self) -> bool:
        """Tell whether there are keys to check tokens with."""
        return bool(await self._current())

    async def fitting(self, kid: str | None) -> Sequence[Key]:
        """Return the keys of an id; all if a token names none and there is but one."""
        keys = await self._current()
        if kid is None:
            return keys if len(keys) == 1 else ()
        if not any(key.get("kid") == kid for key in keys):
            keys = await self._current(anew=True)
        return [key for key in keys if key.get("kid") == kid]

    async def _current(self, *, anew: bool = False) -> tuple[Key, ...]:
        async with self._lock:
            now = self._clock()
            is_old = anew or now - self._fetched >= FRESH_SECONDS
            if is_old and now - self._tried >= PAUSE_SECONDS:
                self._tried = now
                await self._fetch(now)
            return self._keys if now - self._fetched < STALE_SECONDS else ()

    async def _fetch(self, now: float) -> None:
        try:
            self._keys = usable(await self._source.fetch())
            self._fetched = now
        except (OSError, httpx2.HTTPError, UnreadableError) as error:
            reason = str(error) if isinstance(error, UnreadableError) else type(error).__name__
            logger.warning("the keys of the issuer cannot be had: %s", reason)


def source_of(issuer: str, jwks: str | None) -> Source:
    """Return where the keys of `issuer` are; raises ConfigurationError for a file that is none."""
    if jwks is None or jwks.startswith(("https://", "http://")):
        return WebSource(issuer, jwks)
    path = Path(jwks).expanduser()
    try:
        usable(_document(path.read_bytes()))
    except (OSError, UnreadableError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            f"--jwks {path.name!r} is not usable: {reason}",
            remediation="Name a JSON Web Key Set with the issuer's public keys, or its URL.",
        ) from error
    return FileSource(path)


def usable(document: Any) -> tuple[Key, ...]:
    """Return the keys that signatures can be checked with; raises UnreadableError if none can.

    A shared secret is no public key, whoever published it.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    keys = tuple(
        key
        for key in (listed if isinstance(listed, list) else ())
        if isinstance(key, dict)
        and key.get("kty") in _ASYMMETRIC
        and key.get("use", "sig") == "sig"
    )
    if not keys:
        raise UnreadableError("it holds no public key for signatures")
    return keys


def metadata_places(issuer: str) -> list[str]:
    """Return where an issuer's metadata may be, the likeliest first."""
    bare = issuer.rstrip("/")
    found = urlsplit(bare)
    root = f"{found.scheme}://{found.netloc}"
    return [
        f"{bare}/.well-known/openid-configuration",
        f"{root}/.well-known/oauth-authorization-server{found.path}",
    ]


async def _get(client: httpx2.AsyncClient, url: str) -> Any:
    async with client.stream("GET", url) as response:
        if response.status_code != httpx2.codes.OK:
            raise UnreadableError(f"the issuer answered {response.status_code}")
        content = bytearray()
        async for part in response.aiter_bytes():
            content += part
            if len(content) > _MAX_DOCUMENT:
                raise UnreadableError("the issuer's answer is too large")
    return _document(bytes(content))


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it is no JSON") from error
