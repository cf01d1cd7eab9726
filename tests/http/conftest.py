"""What the tests of HTTP share: nothing of the environment or of the user's own tokens."""

import pytest

from mcp_server.http.options import PREFIX, HttpOptions


@pytest.fixture(autouse=True)
def _nothing_of_the_users_own(monkeypatch):
    for name in HttpOptions.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
