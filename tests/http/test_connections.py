"""Clients that send or take too slowly, or too much, are cut off; what they say is not believed."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from mcp_server.http.options import Address, load_options
from mcp_server.http.serving import listening, uvicorn_config
from tests.http.http_builders import PATIENCE, serving

MIB = 1024 * 1024

LARGE = b"x" * (16 * MIB)
"""More than sockets hold."""

DONE = threading.Event()
"""Set when the app is done with an answer, taken or not."""


async def echo(scope, receive, send):
    """An app that takes a whole request and gives back a large answer if it holds 'large'."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
        return
    body, more = b"", True
    while more:
        event = await receive()
        more = event["type"] == "http.request" and event["more_body"]
        body += event.get("body", b"")
    answer = LARGE if b"large" in body else body
    length = (b"content-length", str(len(answer)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": answer, "more_body": True})
    # Waits until what was sent is taken, or nobody is there to take it.
    await send({"type": "http.response.body", "body": b""})
    DONE.set()


@contextmanager
def connected(**flags):
    """Serve `echo` with the limits of `flags`; yield a connection to it."""
    options = load_options(flags, {})
    with listening(Address(port=0)) as sock:
        where = sock.getsockname()
        with serving(echo, sock, options), socket.create_connection(where, PATIENCE) as client:
            yield client


def request(body=b"", headers=b""):
    return (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n" % (len(body), headers)
        + body
    )


def everything(client):
    """Return all that comes until the server closes the connection."""
    parts = []
    try:
        while part := client.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: localhost\r\n", request(b"ab")[:-1]]
)
def test_a_request_that_does_not_come_in_time_is_not_waited_for(sent):
    with connected(read_timeout=0.2) as client:
        client.sendall(sent)
        assert everything(client) == b""


def trickle(client, sent):
    for byte in sent:
        client.sendall(bytes([byte]))


def test_a_request_that_trickles_does_not_get_more_time_for_it():
    with connected(read_timeout=0.2) as client, pytest.raises(OSError, match=r"reset|pipe|abort"):
        trickle(client, request(b"x" * 10_000_000))


def test_a_second_request_has_its_own_time():
    with connected(read_timeout=0.2) as client:
        client.sendall(request(b"first"))
        received = b""
        while not received.endswith(b"first"):
            received += client.recv(65_536)
        client.sendall(b"POST / HT")
        assert everything(client) == b""


def test_an_answer_that_nobody_takes_is_not_waited_for():
    with connected(write_timeout=0.2) as client:
        DONE.clear()
        client.sendall(request(b"large"))
        assert DONE.wait(PATIENCE)
        assert len(everything(client)) < len(LARGE)


def test_a_client_that_took_its_answer_in_time_may_ask_again_later():
    with connected(write_timeout=1.0) as client:
        client.sendall(request(b"large"))
        received = 0
        while received < len(LARGE):
            received += len(client.recv(MIB))
        client.settimeout(1.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(PATIENCE)
        client.sendall(request(b"again", b"Connection: close\r\n"))
        assert everything(client).endswith(b"again")


def test_how_long_a_client_may_take_is_what_the_options_say():
    options = load_options({"read_timeout": 1.5, "write_timeout": 2.5}, {})
    made = uvicorn_config(echo, options).http
    assert (made.read_timeout, made.write_timeout) == (1.5, 2.5)


def test_an_idle_connection_is_closed():
    with connected(idle_timeout=1) as client:
        client.sendall(request(b"ab"))
        assert everything(client).endswith(b"ab")


def test_headers_have_a_limit():
    with connected() as client:
        with suppress(OSError):
            client.sendall(request(headers=b"X-A: " + b"x" * 10_000_000))
        assert b"200 OK" not in everything(client)


def test_connections_have_a_limit():
    with connected(max_connections=1) as client:
        client.sendall(request(b"ab", b"Connection: close\r\n"))
        assert everything(client).startswith(b"HTTP/1.1 503")


def test_an_answer_does_not_say_what_serves():
    with connected() as client:
        client.sendall(request(b"ab", b"Connection: close\r\n"))
        assert b"server:" not in everything(client).lower()
