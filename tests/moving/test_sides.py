"""What is written for the two places of a move, and what is refused in one line."""

import pytest

from mcp_server.config import STATE_DIR, Settings
from mcp_server.core.file_store import FileStore
from mcp_server.core.postgres.store import PostgresStore
from mcp_server.errors import ConfigurationError, InvalidArgumentError
from mcp_server.moving.sides import Wish, open_sides
from mcp_server.server.services import services_for
from tests.builders import definition
from tests.core.session_builders import link
from tests.postgres_server import address, new_schema

PASSWORD = "hunter2-secret"  # noqa: S105


@pytest.fixture(autouse=True)
def schema(monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_STATE_SCHEMA", new_schema())


@pytest.fixture
def shop(tmp_path):
    """A project with a session."""
    folder = tmp_path / "shop"
    folder.mkdir()
    services_for(Settings(project=folder)).sessions.create(definition(), "a.py", {})
    return folder


@pytest.fixture
def other(tmp_path):
    """A project without any."""
    (tmp_path / "other").mkdir()
    return tmp_path / "other"


def places(sides):
    return [len(list(side.store.summaries())) for side in (sides.source, sides.target)]


@pytest.mark.parametrize("prefix", ["", "file:"])
@pytest.mark.parametrize("inside", ["", STATE_DIR])
def test_a_project_and_its_folder_of_state_are_the_same_place(shop, other, prefix, inside):
    sides = open_sides(Wish(f"{prefix}{shop / inside}", f"{prefix}{other / inside}"))
    assert places(sides) == [1, 0]
    assert (sides.source.is_shared, sides.target.is_shared, sides.project) == (False, False, None)


def test_a_folder_of_state_that_was_put_aside_is_a_source(shop, other, tmp_path):
    backup = tmp_path / "backup"
    (shop / STATE_DIR).rename(backup)
    assert places(open_sides(Wish(str(backup), str(other)))) == [1, 0]


def test_a_folder_of_state_that_no_server_looks_in_is_no_target(shop, tmp_path):
    backup = tmp_path / "backup"
    (shop / STATE_DIR).rename(backup)
    (shop / STATE_DIR).mkdir()
    with pytest.raises(InvalidArgumentError, match="--to holds state and is no project: 'backup'"):
        open_sides(Wish(str(shop), str(backup)))


def test_state_that_leads_out_of_the_project_is_no_place(shop, other, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (other / STATE_DIR.parent).mkdir(parents=True)
    link(other / STATE_DIR, tmp_path / "elsewhere", is_folder=True)
    with pytest.raises(ConfigurationError, match=r"--to: .* leads out of the project"):
        open_sides(Wish(str(shop), str(other)))


def test_a_database_of_the_environment_is_not_what_a_folder_means(shop, other, monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_STATE", "postgresql://me@127.0.0.1:1/x")
    assert places(open_sides(Wish(str(shop), str(other)))) == [1, 0]


def test_a_database_is_a_shared_place(shop):
    sides = open_sides(Wish(str(shop), address()))
    assert isinstance(sides.source.store, FileStore)
    assert isinstance(sides.target.store, PostgresStore)
    assert (sides.target.is_shared, sides.project) == (True, None)
    sides.target.store.close()


def test_out_of_a_database_the_project_is_the_one_that_is_named(other, monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_PROJECT_ID", "shop")
    sides = open_sides(Wish(address(), str(other), project=other))
    assert (sides.source.is_shared, sides.project) == (True, "shop")
    sides.source.store.close()


def test_out_of_a_database_all_projects_can_be_taken(other):
    sides = open_sides(Wish(address(), str(other), all_projects=True))
    assert sides.project is None
    sides.source.store.close()


def test_out_of_a_database_nobodys_sessions_are_refused(other):
    with pytest.raises(ConfigurationError) as refused:
        open_sides(Wish(address(), str(other), project=other))
    assert "--all-projects" in refused.value.remediation


def test_one_place_is_not_two(shop):
    with pytest.raises(InvalidArgumentError, match="--from and --to are the same place"):
        open_sides(Wish(str(shop), f"file:{shop / STATE_DIR}"))


def test_a_project_without_sessions_is_no_source(shop, other):
    with pytest.raises(InvalidArgumentError, match="--from holds no sessions: 'other'"):
        open_sides(Wish(str(other), str(shop)))


def test_what_is_not_there_is_no_place(shop, tmp_path):
    with pytest.raises(InvalidArgumentError, match="--to is not a folder: 'none'"):
        open_sides(Wish(str(shop), str(tmp_path / "none")))


@pytest.mark.parametrize(
    "written", [f"mysql://me:{PASSWORD}@db/x", f"postgresql://me:{PASSWORD}@127.0.0.1:1/x",
                f"postgresql://me:{PASSWORD}@127.0.0.1:x/x"],
)  # fmt: skip
def test_no_password_is_repeated(shop, written):
    with pytest.raises((InvalidArgumentError, ConfigurationError)) as refused:
        open_sides(Wish(str(shop), written))
    told = f"{refused.value.message} {refused.value.remediation} {refused.value!r}"
    assert PASSWORD not in told
    assert told.startswith("--to")
    assert "AOS_WORKFLOW_STATE " not in told
    assert PASSWORD not in repr(Wish(str(shop), written))
