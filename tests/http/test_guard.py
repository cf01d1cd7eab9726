"""Requests that name another host, or come from another page, go no further."""

import httpx2
import pytest

from mcp_server.http.guard import allowed_for
from mcp_server.http.options import Address, load_options
from tests.http.http_builders import headers_for, message, served, tokens_for

PAGES = {
    "allowed_hosts": ["flows.example.com", "other.example.com:81", "[2001:db8::1]"],
    "allowed_origins": ["https://desk.example.com"],
    "public_url": "https://public.example.com/flows/mcp",
}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "localhost",
        "LOCALHOST:1",
        "[::1]:8000",
        "flows.example.com",
        "Flows.Example.com:443",
        "other.example.com:81",
        "[2001:db8::1]:8000",
        "public.example.com",
    ],
)
def test_hosts_of_ours_are_allowed(host):
    assert allowed_for(Address(), load_options(PAGES, {})).host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example.com",
        "127.0.0.1.evil.example.com",
        "localhost.evil.example.com:8000",
        "flows.example.com.",
        "other.example.com",
        "other.example.com:82",
        "localhost:8000:1",
        "localhost:x",
        "localhost:",
        "me@localhost",
        "localhost/x",
        "[::1",
        "::1",
        "127.0.0.1, evil.example.com",
    ],
)
def test_no_other_host_is(host):
    assert not allowed_for(Address(), load_options(PAGES, {})).host(host)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:6274",
        "http://127.0.0.1",
        "https://[::1]:8000",
        "https://desk.example.com",
        "https://public.example.com",
    ],
)
def test_pages_of_this_machine_and_named_ones_may_call(origin):
    assert allowed_for(Address(), load_options(PAGES, {})).origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://desk.example.com",
        "https://desk.example.com:444",
        "https://desk.example.com.evil.com",
        "http://localhost.evil.com",
        "http://localhost:1/x",
        "http://me@localhost",
        "file://localhost",
        "http://localhost:x",
        "http://flows.example.com",
    ],
)
def test_no_other_page_may(origin):
    assert not allowed_for(Address(), load_options(PAGES, {})).origin(origin)


def test_on_an_address_of_others_pages_of_this_machine_may_not_call():
    assert not allowed_for(Address("192.0.2.1"), load_options({}, {})).origin("http://localhost:1")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    path, _ = tokens_for(folder, "ada")
    with served(folder, token_file=path) as url:
        yield url


def ask(url, path, **headers):
    return httpx2.post(httpx2.URL(url).join(path), headers=headers_for() | headers, json=message())


@pytest.mark.parametrize("path", ["/mcp", "/", "/.well-known/oauth-protected-resource", "/mcp/"])
def test_every_path_refuses_before_it_asks_who_calls(url, path):
    host = ask(url, path, Host="evil.example.com")
    assert (host.status_code, host.json()) == (
        421,
        {"error": "this server is not 'evil.example.com'; --allow-host makes it so"},
    )
    origin = ask(url, path, Origin="https://evil.example.com")
    assert (origin.status_code, origin.json()) == (
        403,
        {"error": "pages of 'https://evil.example.com' may not call; --allow-origin lets them"},
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_under_any_name(url, path):
    found = httpx2.get(httpx2.URL(url).join(path), headers={"Host": "10.0.0.7:8000"})
    assert found.status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS", "HEAD"])
def test_only_post_is_served(url, method):
    refused = httpx2.request(method, url, headers=headers_for())
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
