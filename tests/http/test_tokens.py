"""The token file: who is in it, and who is let in by it."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mcp_server.core.callers import Caller
from mcp_server.errors import ConfigurationError, InvalidArgumentError, NotFoundError
from mcp_server.http.credentials import Credential
from mcp_server.http.tokens import FileVerifier, TokenFile, default_token_file
from tests.builders import NOON, Clock
from tests.http.http_builders import call, post, served, tokens_for


@pytest.fixture
def file(tmp_path):
    return TokenFile(tmp_path / "of_mine" / "tokens.json", Clock())


async def test_a_token_says_whose_it_is_and_keeps_nothing_of_itself(file):
    secret = file.new("ada")
    found = await FileVerifier(file).verify_token(secret)
    assert isinstance(found, Credential)
    assert found.caller == Caller("token:ada", confined=True)
    assert secret not in repr(found)
    assert secret not in file.path.read_text(encoding="utf-8")


async def test_an_admin_is_not_confined(file):
    found = await FileVerifier(file).verify_token(file.new("root", admin=True))
    assert found.caller == Caller("token:root", confined=False)


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + "A", str.lower, lambda _: ""])
async def test_nothing_but_the_token_is_let_in(file, change):
    secret = file.new("ada")
    assert await FileVerifier(file).verify_token(change(secret)) is None


async def test_the_hash_that_the_file_holds_lets_nobody_in(file):
    file.new("ada")
    assert await FileVerifier(file).verify_token(f"aosw_{file.tokens()[0].sha256}") is None


def test_a_token_is_good_until_it_expires(file):
    secret = file.new("ada", lasting=timedelta(seconds=3))
    assert file.tokens()[0].expires == NOON + timedelta(seconds=4)
    found = [file.find(secret) is not None for _ in range(4)]
    assert found == [True, True, False, False]


def test_a_revoked_token_is_refused_by_whoever_has_read_the_file_before(file):
    secret = file.new("ada")
    others = TokenFile(file.path)
    assert others.find(secret) is not None
    assert file.revoke("ada").name == "ada"
    assert others.find(secret) is None


def test_a_name_is_given_once_and_revoked_once(file):
    file.new("ada")
    with pytest.raises(InvalidArgumentError, match="there is a token ada already"):
        file.new("ada")
    file.revoke("ada")
    with pytest.raises(NotFoundError, match="there is no token 'ada'"):
        file.revoke("ada")


@pytest.mark.parametrize("name", ["", "a b", "a\n", "a#b", "-a", "a" * 65, "tokén", "../a"])
def test_a_name_is_plain(file, name):
    with pytest.raises(InvalidArgumentError, match="is no name of a token"):
        file.new(name)
    assert not file.path.exists()


def test_those_who_add_at_once_all_succeed(file):
    names = [f"n{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda name: TokenFile(file.path).new(name), names))
    assert {token.name for token in file.tokens()} == set(names)
    assert all(file.find(secret) for secret in secrets)


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_the_file_is_its_owners_alone(file):
    file.new("ada")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
async def test_a_file_that_others_may_write_lets_nobody_in(file, caplog):
    secret = file.new("ada")
    file.path.chmod(0o620)
    assert await FileVerifier(file).verify_token(secret) is None
    assert "nobody is let in" in caplog.text
    assert secret not in caplog.text
    with pytest.raises(ConfigurationError, match="other users may write it"):
        file.tokens()


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"version": 2, "tokens": []}', '{"tokens": [{"name": "ada", "sha256": ""}]}'],
)
async def test_a_damaged_file_lets_nobody_in_and_is_not_written_over(file, content):
    secret = file.new("ada")
    file.path.write_text(content, encoding="utf-8")
    assert await FileVerifier(file).verify_token(secret) is None
    with pytest.raises(ConfigurationError, match="not what `aos-workflow token` writes"):
        file.new("bob")
    assert file.path.read_text(encoding="utf-8") == content


def test_an_unknown_field_is_not_overlooked(file):
    file.new("ada")
    held = json.loads(file.path.read_text(encoding="utf-8"))
    held["tokens"][0]["only_read"] = True
    file.path.write_text(json.dumps(held), encoding="utf-8")
    with pytest.raises(ConfigurationError):
        TokenFile(file.path).tokens()


def test_a_request_without_a_good_token_is_refused(project, tmp_path):
    path, secrets = tokens_for(tmp_path, "ada")
    with served(project, token_file=path) as url:
        for token in (None, "wrong", secrets["ada"][:-1], f"Bearer {secrets['ada']}"):
            refused = post(url, token, action="list_sessions")
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer ")
        assert call(url, secrets["ada"], action="list_sessions")["status"] == "success"
        TokenFile(path).revoke("ada")
        assert post(url, secrets["ada"], action="list_sessions").status_code == 401


def test_the_users_own_file_counts_as_soon_as_it_is_there(project):
    file = TokenFile(default_token_file())
    with served(project) as url:
        assert call(url, action="list_sessions")["status"] == "success"
    secret = file.new("ada")
    file.revoke("ada")
    with served(project) as url:
        assert post(url, action="list_sessions").status_code == 401
        assert post(url, secret, action="list_sessions").status_code == 401
