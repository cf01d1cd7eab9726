"""Who a bearer token is, and acting for them: the way from a request to a `Caller`.

Every request runs on behalf of its bearer. Where authentication is on, whatever runs outside of a
request is nobody's: a caller that got lost on the way sees nothing, rather than everything.
"""

from collections.abc import Sequence

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.core.callers import Caller
from mcp_server.server.services import acting

NOBODY = Caller("nobody", confined=True)


class Credential(AccessToken):
    """A token that was checked: whose it is. The token itself is not kept."""

    caller: Caller


def credential(caller: Caller, *, issuer: str, subject: str, scopes: Sequence[str]) -> Credential:
    """Return the credential of `caller`, known as `subject` to `issuer`."""
    return Credential(
        token="",
        client_id=caller.name,
        scopes=list(scopes),
        subject=subject,
        claims={"iss": issuer},
        caller=caller,
    )


class Verifiers:
    """Several verifiers as one: the first that knows a token says whose it is."""

    def __init__(self, verifiers: Sequence[TokenVerifier]) -> None:
        """Ask `verifiers` in order."""
        self._verifiers = tuple(verifiers)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the credential of a token, or None."""
        for verifier in self._verifiers:
            if (found := await verifier.verify_token(token)) is not None:
                return found
        return None


class ActingForBearer:
    """ASGI middleware below authentication: carries a request out on behalf of its bearer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        user = scope.get("user")
        token = user.access_token if isinstance(user, AuthenticatedUser) else None
        # Without a bearer the request is nobody's; what needs one refuses it further in.
        with acting(token.caller if isinstance(token, Credential) else NOBODY):
            await self._app(scope, receive, send)
