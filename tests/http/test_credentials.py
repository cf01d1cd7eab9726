"""On whose behalf requests are carried out, and what runs beside them."""

import pytest
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.authentication import UnauthenticatedUser

from mcp_server.core.callers import Caller
from mcp_server.http import serving
from mcp_server.http.credentials import NOBODY, ActingForBearer, credential
from mcp_server.http.health import Readiness
from mcp_server.server.services import acting, current_caller
from tests.core.session_builders import state
from tests.http.http_builders import tokens_for

ADA = Caller("token:ada", confined=True)
ROOT = Caller("token:root")


def bearer(caller):
    return AuthenticatedUser(credential(caller, issuer="i", subject="s", scopes=["x"]))


OF_NO_CALLER = AuthenticatedUser(AccessToken(token="", client_id="token:root", scopes=[]))


@pytest.mark.parametrize(
    ("scope", "caller"),
    [
        ({"user": bearer(ADA)}, ADA),
        ({"user": bearer(ROOT)}, ROOT),
        ({"user": OF_NO_CALLER}, NOBODY),
        ({"user": UnauthenticatedUser()}, NOBODY),
        ({}, NOBODY),
    ],
    ids=["a caller", "an admin", "a token that says nothing of a caller", "nobody", "unasked"],
)
async def test_a_request_is_carried_out_on_behalf_of_its_bearer_and_else_of_nobody(scope, caller):
    callers = []

    async def app(_scope, _receive, _send):
        callers.append(current_caller())

    with acting(ROOT):
        await ActingForBearer(app)(scope, None, None)
        assert (callers, current_caller()) == ([caller], ROOT)


@pytest.mark.parametrize("owner", [None, "nobody at all", "token:root", "local"])
def test_nobody_sees_no_session(owner):
    assert NOBODY.may_see(state(owner=owner)) is False


def test_what_runs_outside_of_requests_is_nobodys_where_callers_are_asked_who_they_are(
    project, tmp_path, monkeypatch
):
    callers = []

    async def app(_scope, _receive, send):
        callers.append(current_caller())
        # A server that cannot start ends by itself.
        await send({"type": "lifespan.startup.failed"})

    monkeypatch.setattr(serving.AppStatus, "enable_automatic_graceful_drain", True)
    monkeypatch.setattr(serving, "build_app", lambda *_: (app, Readiness({})))
    tokens, _ = tokens_for(tmp_path, "ada")
    here = current_caller()
    for flags in ({"token_file": tokens}, {}):
        with pytest.raises(SystemExit):
            serving.serve_http("127.0.0.1:0", project, None, flags)
    assert (callers, current_caller()) == ([NOBODY, here], here)
