"""Keys of an issuer: where they are found, how long they are kept, how often they are fetched."""

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from mcp_server.errors import ConfigurationError
from mcp_server.http import jwks
from mcp_server.http.jwks import (
    FRESH_SECONDS,
    PAUSE_SECONDS,
    STALE_SECONDS,
    KeySet,
    UnreadableError,
    WebSource,
    metadata_places,
    source_of,
    usable,
)
from tests.http.jwt_builders import EC_KEY, KEYS, RSA_KEY, public

ISSUER = "https://id.example.com"
MIB = 1024 * 1024


class Publishing:
    """An issuer in memory: what it publishes, and how often it was asked."""

    def __init__(self, *keys):
        self.keys = list(keys)
        self.asked = 0
        self.fails = False

    async def fetch(self):
        self.asked += 1
        if self.fails:
            raise OSError
        return {"keys": self.keys}


class Time:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def issuer():
    return Publishing(public(RSA_KEY, "first"))


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def keys(issuer, time):
    return KeySet(issuer, time)


async def names(keys, kid):
    return [key["kid"] for key in await keys.fitting(kid)]


async def test_keys_are_fetched_once_while_they_are_fresh(keys, issuer, time):
    for _ in range(3):
        assert await names(keys, "first") == ["first"]
    time.now += FRESH_SECONDS
    assert await names(keys, "first") == ["first"]
    assert issuer.asked == 2


async def test_an_unknown_key_is_looked_for_but_not_again_at_once(keys, issuer, time):
    await keys.ready()
    issuer.keys.append(public(EC_KEY, "second"))
    assert await names(keys, "second") == []
    time.now += PAUSE_SECONDS
    assert await names(keys, "second") == ["second"]
    for number in range(20):
        assert await names(keys, f"made up {number}") == []
    assert issuer.asked == 2


async def test_those_who_come_while_keys_are_fetched_wait_for_them(issuer, time):
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    class Slow(Publishing):
        async def fetch(self):
            arrived.set()
            await may_answer.wait()
            return await super().fetch()

    slow = Slow(*issuer.keys)
    keys = KeySet(slow, time)
    asking = [asyncio.create_task(names(keys, "first")) for _ in range(3)]
    await arrived.wait()
    may_answer.set()
    assert await asyncio.gather(*asking) == [["first"]] * 3
    assert slow.asked == 1


async def test_a_key_that_is_published_no_more_is_good_no_more(keys, issuer, time):
    await keys.ready()
    issuer.keys[:] = [public(EC_KEY, "second")]
    time.now += FRESH_SECONDS
    assert await names(keys, "first") == []


async def test_an_issuer_that_is_away_is_forgiven_for_a_while(keys, issuer, time):
    assert await keys.ready()
    issuer.fails = True
    time.now += STALE_SECONDS - 1
    assert await names(keys, "first") == ["first"]
    time.now += 1
    assert await names(keys, "first") == []
    assert not await keys.ready()


async def test_a_token_without_a_key_id_is_for_the_only_key(keys, issuer, time):
    assert await names(keys, None) == ["first"]
    issuer.keys.append(public(EC_KEY, "second"))
    time.now += FRESH_SECONDS
    assert await names(keys, None) == []


def test_only_public_keys_for_signatures_are_usable():
    assert [key["kid"] for key in usable(KEYS)] == ["rsa", "ec"]


@pytest.mark.parametrize(
    "document", [{}, [], {"keys": {}}, {"keys": [1]}, {"keys": KEYS["keys"][2:]}]
)
def test_a_document_without_any_is_unreadable(document):
    with pytest.raises(UnreadableError, match="no public key"):
        usable(document)


@pytest.mark.parametrize("content", [None, "", "[", "[" * 100_000, "{}"])
def test_a_file_without_keys_is_told_before_serving(tmp_path, content):
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="--jwks 'jwks\\.json' is not usable"):
        source_of(ISSUER, str(path))


def test_metadata_are_where_the_specifications_say():
    assert metadata_places("https://id.example.com/realms/a/") == [
        "https://id.example.com/realms/a/.well-known/openid-configuration",
        "https://id.example.com/.well-known/oauth-authorization-server/realms/a",
    ]


@contextmanager
def website(pages):
    """Serve `pages`, by path, on this machine; yield its address.

    A page is bytes, or what makes its parts; one that is another's address leads there.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            page = pages.get(self.path)
            leads_on = isinstance(page, str)
            self.send_response(404 if page is None else 302 if leads_on else 200)
            if leads_on:
                self.send_header("Location", page)
            self.end_headers()
            with suppress(ConnectionError):
                for part in page() if callable(page) else ((not leads_on and page) or b"",):
                    self.wfile.write(part)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "place", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
)
async def test_an_issuers_metadata_say_where_its_keys_are(place):
    pages = {"/keys": json.dumps(KEYS).encode()}
    with website(pages) as address:
        told = {"issuer": address, "jwks_uri": f"{address}/keys"}
        pages[place] = json.dumps(told).encode()
        assert await WebSource(address).fetch() == KEYS
        pages[place] = json.dumps(told | {"issuer": "https://evil.example.com"}).encode()
        with pytest.raises(UnreadableError, match="do not say where its keys are"):
            await WebSource(address).fetch()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "answered 404"),
        ("/elsewhere", "answered 302"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b" " * (MIB + 1), "too large"),
    ],
)
async def test_what_is_no_document_is_not_believed(content, problem):
    pages = {"/keys": content, "/elsewhere": json.dumps(KEYS).encode()}
    with website(pages) as address, pytest.raises(UnreadableError, match=problem):
        await WebSource(ISSUER, f"{address}/keys").fetch()


async def test_a_document_that_is_too_large_is_not_read_to_its_end():
    sent = 0

    def parts():
        nonlocal sent
        while sent < 64 * MIB:
            yield b" " * MIB
            sent += MIB

    with website({"/keys": parts}) as address, pytest.raises(UnreadableError, match="too large"):
        await WebSource(ISSUER, f"{address}/keys").fetch()
    assert sent < 64 * MIB


def silence():
    """A page that does not come while anybody waits for it."""
    threading.Event().wait(1)
    yield json.dumps(KEYS).encode()


def trickle():
    """A page that never stands still, and is long in coming."""
    pause = threading.Event()
    for byte in json.dumps(KEYS).encode()[:100]:
        pause.wait(0.01)
        yield bytes([byte])
    yield json.dumps(KEYS).encode()[100:]


@pytest.mark.parametrize("page", [silence, trickle])
async def test_an_issuer_that_takes_too_long_is_not_waited_for(page, monkeypatch, caplog):
    monkeypatch.setattr(jwks, "_PATIENCE_SECONDS", 0.2)
    with website({"/keys": page}) as address:
        assert not await KeySet(WebSource(ISSUER, f"{address}/keys")).ready()
    assert "the keys of the issuer cannot be had: TimeoutError" in caplog.text


@pytest.mark.parametrize(
    ("place", "is_used"),
    [("https://keys.example.com/a", True), ("http://keys.example.com/a", False),
     ("file:///keys", False), ("", False)],
)  # fmt: skip
async def test_keys_of_a_secure_issuer_do_not_come_over_a_plain_line(place, is_used):
    told = {"issuer": ISSUER, "jwks_uri": place}
    answering = httpx2.MockTransport(lambda _: httpx2.Response(200, json=told))
    async with httpx2.AsyncClient(transport=answering) as client:
        if is_used:
            assert await WebSource(ISSUER)._discovered(client) == place
            return
        with pytest.raises(UnreadableError, match="do not say where its keys are"):
            await WebSource(ISSUER)._discovered(client)


async def test_an_issuer_that_cannot_be_reached_has_no_keys(caplog):
    assert not await KeySet(WebSource("http://127.0.0.1:1")).ready()
    assert "the keys of the issuer cannot be had: ConnectError" in caplog.text
