"""JSON web tokens: whose one is, if its issuer signed it, for us, and it is good now.

Only signatures by a private key count: with `none`, or with an HMAC under a secret that the public
key can be taken for, anybody could sign. Which algorithm a key is for says the key, not the token.
"""

import logging
import unicodedata
from collections.abc import Mapping
from typing import Any

import jwt
from mcp.server.auth.provider import AccessToken

from mcp_server.core.callers import Caller
from mcp_server.http.credentials import credential
from mcp_server.http.jwks import Key, KeySet

ALGORITHMS = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP",
}  # fmt: skip
"""The algorithms that are accepted, each with the kind of key that it takes."""

LEEWAY_SECONDS = 30
MAX_SUBJECT = 200

logger = logging.getLogger(__name__)


class JwtVerifier:
    """Says whose a token of one issuer is, for the SDK."""

    def __init__(self, issuer: str, audience: str, keys: KeySet, admin_scope: str) -> None:
        """Accept what `issuer` signed with `keys` for `audience`.

        Bearers with `admin_scope` see the sessions of all.
        """
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._admin_scope = admin_scope

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the credential of a token, or None."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm, kid = header.get("alg"), header.get("kid")
            if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
                return None
            for key in await self._keys.fitting(kid):
                if _is_for(key, algorithm):
                    return self._credential(self._claims(token, key, algorithm))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            logger.info("a token was refused: %s", type(error).__name__)
        return None

    def _claims(self, token: str, key: Key, algorithm: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            jwt.PyJWK(dict(key), algorithm=algorithm),
            algorithms=[algorithm],
            audience=self._audience,
            issuer=self._issuer,
            leeway=LEEWAY_SECONDS,
            options={
                "require": ["exp", "iss", "aud", "sub"],
                "enforce_minimum_key_length": True,
            },
        )

    def _credential(self, claims: Mapping[str, Any]) -> AccessToken | None:
        subject = claims["sub"]
        if not 0 < len(subject) <= MAX_SUBJECT or not _is_plain(subject):
            return None
        scopes = scopes_of(claims)
        confined = self._admin_scope not in scopes
        caller = Caller(f"jwt:{self._issuer}#{subject}", confined=confined)
        return credential(caller, issuer=self._issuer, subject=subject, scopes=scopes)


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a token, in either of the spellings that issuers use."""
    found: list[str] = []
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            found += value.split()
        elif isinstance(value, list):
            found += [scope for scope in value if isinstance(scope, str)]
    return found


def _is_for(key: Key, algorithm: str) -> bool:
    return key.get("kty") == ALGORITHMS[algorithm] and key.get("alg", algorithm) == algorithm


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in text)
