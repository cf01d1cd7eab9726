"""Where a request comes from: the Host and Origin that it names, before anything else is looked at.

A web page can make a browser call a server on the user's machine, under a name that the page's
owner lets point there (DNS rebinding). Such a request names the page's own host, and its origin.
What both may be is decided here, for every path but those of health; names are compared whole.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.http.options import ENDPOINT, LOOPBACK, Address, HttpOptions, is_loopback

_MISDIRECTED = 421
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Allowed:
    """The hosts (`name` or `name:port`) and origins that requests may name."""

    hosts: frozenset[str]
    origins: frozenset[str]
    local_pages: bool = False
    """Whether pages of this machine may call, from any port."""

    def host(self, header: str) -> bool:
        """Tell whether a Host header is one of ours."""
        try:
            found = urlsplit(f"//{header}")
            name, port = found.hostname, found.port
        except ValueError:
            return False
        if not name or header.lower() != _joined(name, port):
            return False
        return name in self.hosts or (port is not None and _joined(name, port) in self.hosts)

    def origin(self, header: str) -> bool:
        """Tell whether an Origin header is one that may call."""
        given = header.lower()
        if given in self.origins:
            return True
        try:
            found = urlsplit(given)
            name, port = found.hostname or "", found.port
        except ValueError:
            return False
        ours = self.local_pages and name in LOOPBACK and found.scheme in {"http", "https"}
        return ours and given == f"{found.scheme}://{_joined(name, port)}"


def allowed_for(address: Address, options: HttpOptions) -> Allowed:
    """Return what requests may name at `address`."""
    hosts = {*LOOPBACK, address.host.lower(), *(name.lower() for name in options.allowed_hosts)}
    origins = {origin.lower().rstrip("/") for origin in options.allowed_origins}
    if options.public_url:
        public = urlsplit(options.public_url.lower())
        hosts.add(public.netloc if public.port else public.hostname or "")
        origins.add(f"{public.scheme}://{public.netloc}")
    bare = frozenset(name.strip("[]") if _is_bare(name) else name for name in hosts)
    return Allowed(bare, frozenset(origins), local_pages=is_loopback(address.host))


class Guard:
    """ASGI middleware that lets through what comes for us, from whom it may."""

    def __init__(self, app: ASGIApp, allowed: Allowed, open_paths: Collection[str]) -> None:
        """Wrap `app`; requests for `open_paths` may come under any name."""
        self._app = app
        self._allowed = allowed
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["path"] in self._open_paths:
            return None
        headers = Headers(scope=scope)
        host, origin = headers.getlist("host"), headers.getlist("origin")
        if len(host) != 1 or not self._allowed.host(host[0]):
            return _refused(
                _MISDIRECTED, f"this server is not {_told(host)}; --allow-host makes it so"
            )
        if origin and (len(origin) > 1 or not self._allowed.origin(origin[0])):
            return _refused(403, f"pages of {_told(origin)} may not call; --allow-origin lets them")
        if scope["path"] == ENDPOINT and scope["method"] != "POST":
            # There are no sessions of the transport to listen to or to end.
            return _refused(405, "only POST is served here", Allow="POST")
        return None


def _refused(status: int, reason: str, **headers: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status, headers=headers)


def _told(values: Iterable[str]) -> str:
    return repr(", ".join(values)[:_SHOWN])


def _is_bare(name: str) -> bool:
    return name.startswith("[") and name.endswith("]")


def _joined(name: str, port: int | None) -> str:
    shown = f"[{name}]" if ":" in name else name
    return shown if port is None else f"{shown}:{port}"
