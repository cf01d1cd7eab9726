"""The ASGI app: checks outermost, then health, then who calls, then the SDK's transport.

Stateless: what a request needs is in the request and in the store, so any replica answers it.
"""

from dataclasses import dataclass

from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.request_state import RequestStateSecurity
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from mcp_server.config import Settings
from mcp_server.http import health
from mcp_server.http.credentials import ActingForBearer, Verifiers
from mcp_server.http.guard import Guard, allowed_for
from mcp_server.http.health import Check, Readiness
from mcp_server.http.jwks import KeySet, source_of
from mcp_server.http.jwt_verifier import JwtVerifier
from mcp_server.http.options import ENDPOINT, Address, HttpOptions
from mcp_server.http.tokens import FileVerifier, TokenFile, default_token_file
from mcp_server.server.app import build_server
from mcp_server.server.services import services_for


@dataclass(frozen=True, slots=True)
class Authentication:
    """How callers show who they are."""

    verifier: TokenVerifier
    issuer: str | None = None
    keys: KeySet | None = None


def authentication_of(options: HttpOptions) -> Authentication | None:
    """Return how callers show who they are, None if nobody is asked; raises ConfigurationError.

    Tokens count as soon as there is a token file: a file whose last token was revoked lets nobody
    in, rather than everybody.
    """
    verifiers: list[TokenVerifier] = []
    file = TokenFile(options.token_file or default_token_file())
    if options.token_file is not None or file.path.exists():
        # A file that cannot be read is told now, not when somebody is refused.
        file.tokens()
        verifiers.append(FileVerifier(file))
    if options.jwt_issuer is None or options.jwt_audience is None:
        return Authentication(Verifiers(verifiers)) if verifiers else None
    keys = KeySet(source_of(options.jwt_issuer, options.jwks))
    verifiers.append(
        JwtVerifier(options.jwt_issuer, options.jwt_audience, keys, options.jwt_admin_scope)
    )
    return Authentication(Verifiers(verifiers), options.jwt_issuer, keys)


def build_app(
    settings: Settings,
    options: HttpOptions,
    address: Address,
    authentication: Authentication | None,
) -> tuple[ASGIApp, Readiness]:
    """Return the app of a project that listens at `address`, and its readiness."""
    endpoint = options.public_url or f"http://{address.shown}{ENDPOINT}"
    server = build_server(
        settings,
        auth=_auth_settings(authentication, endpoint),
        token_verifier=authentication.verifier if authentication else None,
        request_state_security=_request_state(options),
    )
    app = server.streamable_http_app(
        streamable_http_path=ENDPOINT,
        stateless_http=True,
        max_request_body_size=server.line_limit,
        # The guard checks the same for every path, and compares names whole.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    readiness = Readiness(_checks(settings, authentication))
    app.router.routes.extend(health.routes(readiness))
    _act_for_bearers(app, authentication)
    open_paths = (health.LIVENESS, health.READINESS)
    return Guard(app, allowed_for(address, options), open_paths), readiness


def _auth_settings(authentication: Authentication | None, endpoint: str) -> AuthSettings | None:
    if authentication is None:
        return None
    # Tokens of a file come from no authorization server, so there is none to tell clients of.
    issuer = authentication.issuer
    return AuthSettings.model_validate(
        {
            "issuer_url": issuer or endpoint,
            "resource_server_url": endpoint if issuer else None,
            # The verifier compares the audience, which need not be a URL.
            "validate_token_resource": False,
        }
    )


def _act_for_bearers(app: Starlette, authentication: Authentication | None) -> None:
    if authentication is not None:
        # Last is innermost: below the SDK's own middleware, which finds the bearer out.
        app.user_middleware.append(Middleware(ActingForBearer))


def _request_state(options: HttpOptions) -> RequestStateSecurity:
    if options.request_key is None:
        return RequestStateSecurity.ephemeral()
    return RequestStateSecurity(keys=[options.request_key.get_secret_value()])


def _checks(settings: Settings, authentication: Authentication | None) -> dict[str, Check]:
    checks = health.project_checks(services_for(settings))
    if authentication is not None and authentication.keys is not None:
        checks["keys"] = authentication.keys.ready
    return checks
