"""Tokens of an issuer: a valid one, to be broken in one place."""

import json
import time
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://id.example.com/realms/team"
AUDIENCE = "https://flows.example.com/mcp"

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, **further: Any) -> dict[str, Any]:
    """A private key's public half, as an issuer publishes it."""
    algorithm = (
        jwt.algorithms.RSAAlgorithm
        if isinstance(key, rsa.RSAPrivateKey)
        else jwt.algorithms.ECAlgorithm
    )
    return json.loads(algorithm.to_jwk(key.public_key())) | {"kid": kid, **further}


KEYS = {
    "keys": [
        public(RSA_KEY, "rsa", use="sig"),
        public(EC_KEY, "ec", alg="ES256"),
        public(OTHER_RSA_KEY, "encryption", use="enc"),
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
    ]
}

PUBLIC_PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def claims(**changes: Any) -> dict[str, Any]:
    """Valid claims; None takes one away, and a time span is counted from now."""
    now = int(time.time())
    valid = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 600}
    return {
        name: now + value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in {**valid, **changes}.items()
        if value is not None
    }


def token(
    key: Any = RSA_KEY, kid: str | None = "rsa", algorithm: str = "RS256", **changes: Any
) -> str:
    """A valid token, with claims changed."""
    headers = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)
