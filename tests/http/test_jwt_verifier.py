"""JSON web tokens: what is let in, and each single thing that keeps one out."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import jwt
import pytest

from mcp_server.core.callers import Caller
from mcp_server.http.jwks import KeySet
from mcp_server.http.jwt_verifier import JwtVerifier, scopes_of
from tests.http.http_builders import call, post, served
from tests.http.jwt_builders import (
    AUDIENCE,
    EC_KEY,
    ISSUER,
    KEYS,
    OTHER_RSA_KEY,
    PUBLIC_PEM,
    RSA_KEY,
    claims,
    token,
)


class Published:
    """An issuer that publishes `KEYS`."""

    async def fetch(self):
        return KEYS


async def verified(text, keys=None):
    verifier = JwtVerifier(ISSUER, AUDIENCE, KeySet(keys or Published()), "aos-workflow:admin")
    return await verifier.verify_token(text)


async def test_a_token_of_the_issuer_says_who_calls():
    found = await verified(token())
    assert found.caller == Caller(f"jwt:{ISSUER}#ada", confined=True)
    assert (found.subject, found.claims["iss"], found.token) == ("ada", ISSUER, "")


@pytest.mark.parametrize(
    "valid",
    [
        {"algorithm": "RS512"},
        {"algorithm": "PS256"},
        {"key": EC_KEY, "kid": "ec", "algorithm": "ES256"},
        {"aud": ["other", AUDIENCE]},
        {"exp": timedelta(seconds=-5)},
        {"nbf": timedelta(seconds=-5)},
        {"nbf": timedelta(seconds=5)},
    ],
)
async def test_other_ways_to_write_a_valid_one_are_accepted(valid):
    assert await verified(token(**valid)) is not None


@pytest.mark.parametrize(
    "broken",
    [
        {"aud": "https://other.example.com/mcp"},
        {"aud": None},
        {"aud": []},
        {"aud": f"{AUDIENCE}/"},
        {"iss": "https://evil.example.com"},
        {"iss": f"{ISSUER}/"},
        {"iss": None},
        {"exp": timedelta(seconds=-120)},
        {"exp": None},
        {"exp": "never"},
        {"nbf": timedelta(seconds=120)},
        {"iat": timedelta(seconds=120)},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\nb"},
        {"sub": "a\u202eb"},
        {"sub": "a" * 201},
        {"key": OTHER_RSA_KEY},
        {"key": OTHER_RSA_KEY, "kid": "encryption"},
        {"kid": "unknown"},
        {"kid": None},
        {"kid": "ec"},
        {"key": EC_KEY, "algorithm": "ES256"},
        {"key": b"secret-secret-secret-secret-secret", "kid": "secret", "algorithm": "HS256"},
        {"key": None, "algorithm": "none"},
    ],
    ids=str,
)
async def test_one_thing_that_is_wrong_keeps_a_token_out(broken):
    assert await verified(token(**broken)) is None


def signed_by_hand(header, body, secret=None):
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, body)
    ]
    signature = hmac.digest(secret, b".".join(parts), hashlib.sha256) if secret else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", ["RS256"], 1])
@pytest.mark.parametrize("secret", [None, PUBLIC_PEM])
async def test_what_anybody_can_sign_is_no_signature(algorithm, secret):
    header = {"typ": "JWT", "kid": "rsa", "alg": algorithm}
    assert await verified(signed_by_hand(header, claims(), secret)) is None


async def test_a_key_in_the_token_itself_is_not_believed():
    headers = {"kid": "rsa", "jwk": KEYS["keys"][2], "jku": "https://evil.example.com/jwks"}
    made = jwt.encode(claims(), OTHER_RSA_KEY, algorithm="RS256", headers=headers)
    assert await verified(made) is None


async def test_an_extension_that_must_be_understood_and_is_not_keeps_a_token_out():
    headers = {"kid": "rsa", "crit": ["exp"], "exp": 1}
    made = jwt.encode(claims(), RSA_KEY, algorithm="RS256", headers=headers)
    assert await verified(made) is None


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", token()[:-4], token() + "A"])
async def test_what_is_no_token_is_refused(text):
    assert await verified(text) is None


async def test_the_admin_scope_shows_the_sessions_of_all():
    found = await verified(token(scope="openid aos-workflow:admin"))
    assert found.caller.confined is False
    found = await verified(token(scope="openid aos-workflow:administrator"))
    assert found.caller.confined is True


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ({"scope": "a b"}, ["a", "b"]),
        ({"scp": ["a", "b"]}, ["a", "b"]),
        ({"scp": "a", "scope": ["b", 1]}, ["b", "a"]),
        ({"scope": None, "scp": {}}, []),
    ],
)
def test_scopes_are_read_in_either_spelling(given, scopes):
    assert scopes_of(given) == scopes


async def test_without_keys_nobody_is_let_in():
    class Gone:
        async def fetch(self):
            raise OSError

    assert await verified(token(), Gone()) is None


@pytest.fixture
def url(project, tmp_path):
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps(KEYS), encoding="utf-8")
    flags = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "public_url": AUDIENCE}
    with served(project, jwks=str(jwks), **flags) as url:
        yield url


def test_over_http_the_bearer_calls_and_others_are_sent_to_the_issuer(url):
    started = call(
        url, token(), action="start", workflow_type="code_review_v1", target_file="src/a.py"
    )
    known = {"action": "get_session", "session_id": started["session_id"]}
    assert call(url, token(), **known)["status"] == "success"
    assert call(url, token(sub="bob"), **known)["error_type"] == "NotFoundError"
    assert call(url, token(sub="bob", scope="aos-workflow:admin"), **known)["status"] == "success"
    refused = post(url, token(aud="other"), **known)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].endswith(
        'resource_metadata="https://flows.example.com/.well-known/oauth-protected-resource/mcp"'
    )
