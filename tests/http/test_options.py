"""What can be set, and what is refused before anything is served."""

import pytest

from mcp_server.errors import ConfigurationError
from mcp_server.http.options import Address, HttpOptions, load_options, require_safe

ISSUER = {"jwt_issuer": "https://id.example.com", "jwt_audience": "flows"}


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9000", "127.0.0.1", 9_000),
        ("192.0.2.1:0", "192.0.2.1", 0),
        ("localhost", "localhost", 8_000),
        ("flows.example.com:81", "flows.example.com", 81),
        (":9000", "127.0.0.1", 9_000),
        ("9000", "127.0.0.1", 9_000),
        ("[::1]:9000", "::1", 9_000),
        ("[::1]", "::1", 8_000),
    ],
)
def test_an_address_is_a_host_and_a_port_or_either(text, host, port):
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize(
    "text", ["http://x:1", "x:y", "x:-1", "x:70000", "a/b", "me@x:1", "x y:1", "[::1", "::1", "x?y"]
)
def test_anything_else_is_no_address(text):
    with pytest.raises(ConfigurationError, match="no address to listen on"):
        Address.parse(text)


def test_a_flag_goes_before_a_variable_and_a_variable_before_a_default():
    environment = {
        "AOS_WORKFLOW_HTTP_ALLOWED_HOSTS": "a.example.com, b.example.com:81",
        "AOS_WORKFLOW_HTTP_READ_TIMEOUT": "5",
        "AOS_WORKFLOW_HTTP_JWKS": "",
    }
    options = load_options({"allowed_origins": ["https://c"], "read_timeout": 7}, environment)
    assert options == HttpOptions(
        allowed_hosts=("a.example.com", "b.example.com:81"),
        allowed_origins=("https://c",),
        read_timeout=7,
    )


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"read_timeout": "soon"}, "--read-timeout"),
        ({"drain_timeout": -1}, "--drain-timeout"),
        (ISSUER | {"jwt_audience": None}, "--jwt-audience"),
        (ISSUER | {"jwt_issuer": None}, "--jwt-issuer"),
        (ISSUER | {"jwt_issuer": "http://id.example.com"}, "--jwt-issuer"),
        (ISSUER | {"jwt_issuer": "https://id.example.com/?a=b"}, "--jwt-issuer"),
        ({"jwks": "keys.json"}, "--jwks"),
        ({"public_url": "flows.example.com"}, "--public-url"),
        ({"public_url": "https://flows.example.com:port"}, "--public-url"),
        ({"request_key": "short"}, "--request-key"),
    ],
)
def test_what_cannot_be_used_is_named(flags, named):
    with pytest.raises(ConfigurationError, match=named) as refused:
        load_options(flags, {})
    assert "short" not in str(refused.value)


@pytest.mark.parametrize("issuer", ["https://id.example.com/realms/a", "http://127.0.0.1:81"])
def test_an_issuer_is_reached_safely(issuer):
    assert load_options(ISSUER | {"jwt_issuer": issuer}, {}).jwt_issuer == issuer


FOREIGN = [
    ("0.0.0.0", {}),  # noqa: S104 - what must be refused
    ("192.0.2.1", {}),
    ("::", {}),
    ("flows.example.com", {}),
    ("127.0.0.1", {"allowed_hosts": ["flows.example.com"]}),
    ("127.0.0.1", {"public_url": "https://flows.example.com/mcp"}),
]


@pytest.mark.parametrize(("host", "flags"), FOREIGN)
def test_what_others_can_reach_asks_who_they_are(host, flags):
    options = load_options(flags, {})
    require_safe(Address(host), options, authenticated=True)
    with pytest.raises(ConfigurationError, match="nothing says who may call"):
        require_safe(Address(host), options, authenticated=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_this_machine_alone_need_not_be_asked(host):
    options = load_options({"allowed_hosts": ["localhost:81"]}, {})
    require_safe(Address(host), options, authenticated=False)
