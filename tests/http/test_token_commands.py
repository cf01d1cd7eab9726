"""`aos-workflow token`: shown once, listed without secrets, revoked by name."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.core.state_manager import utc_now
from mcp_server.http.tokens import TokenFile, default_token_file
from tests.builders import NOON

runner = CliRunner()


def run(*words, code=0):
    done = runner.invoke(app, ["token", *words])
    assert done.exit_code == code, done.output
    return done


def test_a_token_stands_alone_on_standard_output():
    made = run("new", "ada")
    assert (
        made.stderr
        == "This token is shown only now. Whoever has it sees the sessions of token:ada.\n"
    )
    found = TokenFile(default_token_file()).find(made.stdout.removesuffix("\n"))
    assert (found.name, found.admin, found.expires) == ("ada", False, None)


def test_an_admins_token_that_expires():
    before = utc_now()
    made = run("new", "root", "--admin", "--expires", "90d")
    assert made.stderr.endswith("sees the sessions of all.\n")
    (token,) = TokenFile(default_token_file()).tokens()
    assert token.admin is True
    assert timedelta(0) <= token.expires - before - timedelta(days=90) < timedelta(hours=1)


def test_the_list_says_who_and_until_when_and_no_secret(tmp_path):
    path = tmp_path / "tokens.json"
    file = TokenFile(path, lambda: NOON)
    secrets = [
        file.new("ada"),
        file.new("root", admin=True, lasting=timedelta(days=1)),
        file.new("late", lasting=timedelta(days=36_500)),
    ]
    listed = run("list", "--token-file", str(path))
    assert listed.stdout.splitlines() == [
        "ada\tcaller\t2026-03-14T12:00:00.000Z\tnever",
        "root\tadmin\t2026-03-14T12:00:00.000Z\t2026-03-15T12:00:00.000Z (expired)",
        "late\tcaller\t2026-03-14T12:00:00.000Z\t2126-02-18T12:00:00.000Z",
    ]
    told = json.loads(run("list", "--json", "--token-file", str(path)).stdout)
    assert told["count"] == 3
    assert [token["expired"] for token in told["tokens"]] == [False, True, False]
    assert not any(secret in listed.output + json.dumps(told) for secret in secrets)


def test_an_empty_list_says_how_to_fill_it():
    assert run("list").stdout == "There are no tokens. Make one: aos-workflow token new NAME\n"


def test_a_revoked_token_is_gone():
    run("new", "ada")
    assert run("revoke", "ada").stdout.startswith("Revoked ada: ")
    assert TokenFile(default_token_file()).tokens() == ()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["revoke", "ada"], 2, "there is no token 'ada'"),
        (["new", "a b"], 2, "'a b' is no name of a token"),
        (["new", "ada", "--expires", "soon"], 2, "'soon' is not an age"),
        (["new", "ada", "--expires", "999999w"], 2, "last too long"),
        (["list", "--token-file", "."], 2, "the token file"),
    ],
)
def test_what_does_not_work_says_so_in_a_line(words, code, told):
    done = run(*words, code=code)
    assert done.stdout == ""
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
