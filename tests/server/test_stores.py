"""Where the sessions of a project are, and what is told when they cannot be there."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from mcp_server import __main__ as entry
from mcp_server.config import STATE_VARIABLE, Settings
from mcp_server.core.file_store import FileStore
from mcp_server.core.postgres.store import PostgresStore
from mcp_server.errors import ConfigurationError
from mcp_server.server.services import services_for
from mcp_server.server.stores import install_line, open_store
from tests.postgres_server import address, new_schema

PASSWORD = "hunter" + "two"
NOWHERE = f"postgresql://ada:{PASSWORD}@127.0.0.1:1/work"


def settings(tmp_path, **changes) -> Settings:
    return Settings.model_validate({"project": tmp_path, **changes})


def test_sessions_are_files_of_the_project_unless_told(tmp_path):
    given = settings(tmp_path)
    assert isinstance(open_store(given), FileStore)
    assert not given.is_shared


def test_sessions_are_in_the_database_that_is_named(tmp_path):
    given = settings(tmp_path, state=address(), state_schema=new_schema())
    with closing(open_store(given)) as store:
        assert isinstance(store, PostgresStore)
    assert given.is_shared
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_says_how_to_install_it(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mcp_server.core.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError) as refused:
        open_store(settings(tmp_path, state=NOWHERE))
    assert refused.value.remediation == "Run: pip install 'aos-workflow[postgres]'"


@pytest.mark.parametrize(
    ("prefix", "line"),
    [
        ("/home/ada/work/.venv", "pip install 'aos-workflow[postgres]'"),
        (
            "/home/ada/.local/share/pipx/venvs/aos-workflow",
            "pipx inject aos-workflow 'psycopg[binary,pool]'",
        ),
        (
            "/home/ada/.local/share/uv/tools/aos-workflow",
            "uv tool install --force 'aos-workflow[postgres]'",
        ),
        (
            "/home/ada/.cache/uv/archive-v0/Xk1",
            "uvx --from 'aos-workflow[postgres]' aos-workflow, or pipx run --spec likewise",
        ),
    ],
)
def test_the_extra_is_installed_by_what_made_the_environment(prefix, line):
    assert install_line(Path(prefix)) == line


def test_the_file_store_needs_nothing_of_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setitem(sys.modules, "psycopg_pool", None)
    assert isinstance(open_store(settings(tmp_path)), FileStore)


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_a_server_whose_database_is_out_of_reach_says_so_in_a_line(
    how, tmp_path, monkeypatch, capfd
):
    given = ["mcp_server", "--project", str(tmp_path)]
    if how == "flag":
        given += ["--state", NOWHERE]
    else:
        monkeypatch.setenv(STATE_VARIABLE, NOWHERE)
    monkeypatch.setattr(sys, "argv", given)
    assert entry.main() == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err == (
        "aos-workflow: the database of the sessions cannot be used: nobody listens at its address."
        " Correct AOS_WORKFLOW_STATE (postgresql://USER@HOST:PORT/DATABASE), or see that the"
        " database runs and lets this machine in.\n"
    )
    services_for.cache_clear()


def test_an_address_of_another_kind_is_told_in_a_line(tmp_path, capfd):
    assert entry.serve(tmp_path, f"mysql://ada:{PASSWORD}@db/work") == 2
    told = capfd.readouterr().err
    assert told == (
        "aos-workflow: AOS_WORKFLOW_STATE is not usable: it must begin with"
        " postgresql://. Correct or unset AOS_WORKFLOW_STATE, then start the server again.\n"
    )
