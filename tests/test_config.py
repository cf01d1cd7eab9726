"""Where the project root is, and which settings hold."""

import json
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from mcp_server.config import PROJECT_VARIABLE, Root, Settings, discover_root, load_settings
from mcp_server.errors import ConfigurationError


@pytest.fixture
def nested(tmp_path, monkeypatch):
    """Start in outer/middle/inner, below a home folder that is elsewhere."""
    inner = tmp_path / "outer" / "middle" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(inner)
    return tmp_path / "outer"


def test_the_root_is_the_strongest_hint_that_is_left(nested, tmp_path):
    flag, variable = tmp_path / "flag", tmp_path / "variable"
    middle, inner = nested / "middle", nested / "middle" / "inner"
    for folder in (flag, variable, nested / ".praxis-os", middle / ".git"):
        folder.mkdir()
    environment = {PROJECT_VARIABLE: str(variable)}

    assert discover_root(environment, flag) == Root(flag, "--project")
    assert discover_root(environment) == Root(variable, PROJECT_VARIABLE)
    assert discover_root({}) == Root(nested, "nearest folder with .praxis-os")
    (nested / ".praxis-os").rmdir()
    assert discover_root({}) == Root(middle, "nearest folder with .git")
    (middle / ".git").rmdir()
    assert discover_root({}) == Root(inner, "working directory")


def test_of_two_marked_folders_the_nearer_one_is_the_root(nested):
    (nested / ".praxis-os").mkdir()
    (nested / "middle" / ".praxis-os").mkdir()
    assert discover_root({}).path == nested / "middle"


def test_the_git_file_of_a_worktree_marks_a_root_too(nested):
    (nested / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    assert discover_root({}) == Root(nested, "nearest folder with .git")


def test_the_root_has_its_links_resolved(nested, tmp_path):
    (tmp_path / "link").symlink_to(nested)
    assert discover_root({}, tmp_path / "link").path == nested


def test_a_tilde_in_a_named_root_is_the_home_folder(nested, tmp_path):
    (tmp_path / "home" / "work").mkdir()
    found = discover_root({PROJECT_VARIABLE: "~/work"})
    assert found == Root(tmp_path / "home" / "work", PROJECT_VARIABLE)


@pytest.mark.parametrize("marker", [None, ".praxis-os", ".git"])
def test_a_home_folder_is_refused_however_it_is_marked(nested, tmp_path, monkeypatch, marker):
    home = tmp_path / "home"
    if marker:
        (home / marker).mkdir()
    monkeypatch.chdir(home)
    with pytest.raises(ConfigurationError) as refusal:
        discover_root({})
    assert refusal.value.message == (
        "the working directory is a home folder or the root of the file system, and nothing says"
        " which project to serve"
    )
    assert refusal.value.remediation == (
        "Pass --project FOLDER, or set AOS_WORKFLOW_PROJECT, or start the server in a project"
        " folder."
    )


def test_a_home_folder_is_never_found_from_below(nested, tmp_path, monkeypatch):
    work = tmp_path / "home" / "work"
    work.mkdir()
    (tmp_path / "home" / ".praxis-os").mkdir()
    (tmp_path / "home" / ".git").mkdir()
    monkeypatch.chdir(work)
    assert discover_root({}) == Root(work, "working directory")


def test_a_home_folder_behind_a_link_is_known_as_one(nested, tmp_path, monkeypatch):
    (tmp_path / "alias").symlink_to(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "alias"))
    monkeypatch.chdir(tmp_path / "home")
    with pytest.raises(ConfigurationError):
        discover_root({})


def test_the_root_of_the_file_system_is_refused(monkeypatch):
    monkeypatch.chdir("/")
    with pytest.raises(ConfigurationError):
        discover_root({})


def test_the_root_of_the_file_system_is_refused_where_nobody_has_a_home(monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.chdir("/")
    with pytest.raises(ConfigurationError):
        discover_root({})


def test_a_home_folder_and_the_file_system_are_served_when_named(nested, tmp_path):
    home = tmp_path / "home"
    assert discover_root({}, home) == Root(home, "--project")
    assert discover_root({PROJECT_VARIABLE: "/"}) == Root(Path("/"), PROJECT_VARIABLE)


@pytest.mark.parametrize("kind", ["missing", "file", "circle", "~nobody-of-this-name"])
def test_a_named_root_that_is_no_folder_is_refused_without_its_path(tmp_path, kind):
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    named = kind if kind.startswith("~") else str(tmp_path / kind)
    with pytest.raises(ConfigurationError) as refusal:
        discover_root({PROJECT_VARIABLE: named})
    assert refusal.value.message == f"AOS_WORKFLOW_PROJECT is not a folder: {kind!r}"
    assert refusal.value.remediation == (
        "Name an existing folder, or start the server inside the project."
    )


def test_settings_have_the_documented_defaults(tmp_path):
    assert load_settings({}, tmp_path).model_dump() == {
        "project": tmp_path,
        "max_evidence_size": 10 * 1024 * 1024,
        "max_active_sessions": 100,
        "max_options_size": 64 * 1024,
        "max_note_size": 4 * 1024,
        "max_depth": 64,
        "lock_timeout": 10.0,
        "project_id": None,
        "verify_wait": 45.0,
        "state": None,
        "state_schema": "aos_workflow",
        "state_timeout": 30.0,
    }


def test_state_is_kept_inside_the_project(tmp_path):
    folder = load_settings({}, tmp_path).state_folder
    assert folder == tmp_path / ".praxis-os" / "state" / "workflows"


def test_variables_set_what_they_name(tmp_path):
    environment = {
        "AOS_WORKFLOW_PROJECT": str(tmp_path),
        "AOS_WORKFLOW_MAX_EVIDENCE_SIZE": "1",
        "AOS_WORKFLOW_MAX_ACTIVE_SESSIONS": "2",
        "AOS_WORKFLOW_MAX_OPTIONS_SIZE": "3",
        "AOS_WORKFLOW_MAX_NOTE_SIZE": "5",
        "AOS_WORKFLOW_MAX_DEPTH": "6",
        "AOS_WORKFLOW_LOCK_TIMEOUT": "0.5",
        "AOS_WORKFLOW_PROJECT_ID": "shop",
        "AOS_WORKFLOW_VERIFY_WAIT": "7",
        "AOS_WORKFLOW_STATE": "postgresql://ada:secret@db/work",
        "AOS_WORKFLOW_STATE_SCHEMA": "sessions",
        "AOS_WORKFLOW_STATE_TIMEOUT": "8",
        "AOS_WORKFLOW_UNKNOWN": "ignored",
    }
    assert load_settings(environment).model_dump() == {
        "project": tmp_path,
        "max_evidence_size": 1,
        "max_active_sessions": 2,
        "max_options_size": 3,
        "max_note_size": 5,
        "max_depth": 6,
        "lock_timeout": 0.5,
        "project_id": "shop",
        "verify_wait": 7.0,
        "state": SecretStr("postgresql://ada:secret@db/work"),
        "state_schema": "sessions",
        "state_timeout": 8.0,
    }


def test_an_empty_variable_is_an_unset_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".praxis-os").mkdir()
    environment = {"AOS_WORKFLOW_PROJECT": "", "AOS_WORKFLOW_MAX_ACTIVE_SESSIONS": ""}
    assert load_settings(environment) == Settings(project=tmp_path)


def test_the_environment_of_the_process_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_PROJECT", str(tmp_path))
    monkeypatch.setenv("AOS_WORKFLOW_MAX_ACTIVE_SESSIONS", "7")
    assert load_settings() == Settings(project=tmp_path, max_active_sessions=7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_EVIDENCE_SIZE", "ten"),
        ("MAX_EVIDENCE_SIZE", "0"),
        ("MAX_EVIDENCE_SIZE", "1.5"),
        ("MAX_ACTIVE_SESSIONS", "-1"),
        ("MAX_OPTIONS_SIZE", "64 KiB"),
        ("LOCK_TIMEOUT", "0"),
        ("LOCK_TIMEOUT", "nan"),
        ("LOCK_TIMEOUT", "inf"),
        ("STATE", "mysql://ada:secret@db/work"),
        ("STATE", "relative/folder"),
        ("STATE_SCHEMA", "Sessions"),
        ("STATE_SCHEMA", "a; DROP TABLE b"),
        ("STATE_SCHEMA", "sessions\n"),
        ("STATE_TIMEOUT", "0"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(tmp_path, name, value):
    variable = f"AOS_WORKFLOW_{name}"
    with pytest.raises(ConfigurationError, match=rf"\A{variable} is not usable: ") as refusal:
        load_settings({variable: value}, tmp_path)
    assert refusal.value.remediation == f"Correct or unset {variable}, then start the server again."


def test_a_password_is_in_no_error_and_no_representation(tmp_path):
    password = "tell" + "nobody"
    address = f"//ada:{password}@db/work"
    settings = load_settings({"AOS_WORKFLOW_STATE": f"postgresql:{address}"}, tmp_path)
    assert password not in f"{settings!r} {settings} {settings.model_dump_json()}"
    with pytest.raises(ConfigurationError) as refusal:
        load_settings({"AOS_WORKFLOW_STATE": f"mysql:{address}"}, tmp_path)
    told = "".join(traceback.format_exception(refusal.value))
    assert "it must begin with postgresql://" in told
    assert password not in told


def test_a_job_for_another_process_holds_the_settings_whole(tmp_path):
    settings = load_settings({"AOS_WORKFLOW_STATE": "postgresql://ada:secret@db/work"}, tmp_path)
    assert Settings.model_validate(json.loads(json.dumps(settings.as_job()))) == settings
    assert Settings.model_validate(Settings(project=tmp_path).as_job()).state is None


def test_a_flag_goes_before_the_variable(tmp_path):
    environment = {"AOS_WORKFLOW_STATE": "postgresql://of-the-variable/work"}
    settings = load_settings(environment, tmp_path, "postgresql://of-the-flag/work")
    assert settings.state == SecretStr("postgresql://of-the-flag/work")


def test_settings_cannot_change(tmp_path):
    settings = Settings(project=tmp_path)
    with pytest.raises(ValidationError):
        settings.max_active_sessions = 1
