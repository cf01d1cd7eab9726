"""Decisions of people on commands: what is believed, and what a program's digest covers."""

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mcp_server.errors import ConfigurationError
from mcp_server.gates.commands import Command
from mcp_server.gates.trust import Trust, TrustStore, default_trust_folder, program_digest

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
TEST = Command("test", ("pytest", "-q"))
INLINE = Command(None, ("sh", "run.sh"), source="a gate", program="1234")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path):
    return TrustStore(tmp_path / "config" / "trusted")


def agree(store, root, command=TEST, when=NOON):
    store.trust(root, command, who="alex", when=when)


def test_nothing_is_trusted_before_anybody_said_so(store, root):
    assert store.standing(root, TEST) is Trust.UNKNOWN
    assert (store.trusted_names(root), store.problem(root)) == (frozenset(), None)


def test_what_was_agreed_to_is_trusted_by_every_store_on_the_folder(store, root):
    agree(store, root)
    agree(store, root, INLINE)
    again = TrustStore(store.folder)
    assert [again.standing(root, c) for c in (TEST, INLINE)] == [Trust.TRUSTED] * 2
    assert again.trusted_names(root) == {"test"}


def test_a_decision_says_all_that_was_agreed_to(store, root):
    agree(store, root)
    [decision] = store.decisions(root)
    assert decision.model_dump() == {
        "project": str(root),
        "name": "test",
        "argv": ("pytest", "-q"),
        "timeout": 600.0,
        "env": (),
        "settings": TEST.settings_digest,
        "digest": TEST.digest,
        "source": ".praxis-os/commands.yaml",
        "who": "alex",
        "when": NOON,
    }


def test_the_folder_and_its_files_are_the_owners_alone(store, root):
    agree(store, root)
    [file] = store.folder.iterdir()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (store.folder, file)]
    assert modes == [0o700, 0o600]


OTHERS = {
    "argv": (replace(TEST, argv=("true",)), Trust.CHANGED),
    "time limit": (replace(TEST, timeout=1), Trust.CHANGED),
    "environment": (replace(TEST, env=("PATH=evil",)), Trust.CHANGED),
    "program": (replace(TEST, program="beef"), Trust.CHANGED),
    "the same under another name": (replace(TEST, name="lint"), Trust.UNKNOWN),
    "the same in a gate": (replace(TEST, name=None), Trust.UNKNOWN),
    "the file that it comes from": (replace(TEST, source="elsewhere"), Trust.TRUSTED),
    "script of a command in a gate": (replace(INLINE, program="beef"), Trust.CHANGED),
    "argv in a gate": (replace(INLINE, argv=("sh", "other.sh")), Trust.UNKNOWN),
    "the line of a gate under a name": (replace(INLINE, name="test"), Trust.CHANGED),
}


@pytest.mark.parametrize(("command", "standing"), OTHERS.values(), ids=OTHERS)
def test_another_content_is_not_trusted(store, root, command, standing):
    agree(store, root)
    agree(store, root, INLINE)
    assert store.standing(root, command) is standing


def test_trust_is_of_one_project(store, root, tmp_path):
    agree(store, root)
    other = tmp_path / "other"
    other.mkdir()
    assert (store.standing(other, TEST), store.trusted_names(other)) == (
        Trust.UNKNOWN,
        frozenset(),
    )


def test_a_project_is_the_same_through_a_link(store, root, tmp_path):
    agree(store, root)
    (tmp_path / "link").symlink_to(root)
    assert store.standing(tmp_path / "link", TEST) is Trust.TRUSTED


def test_going_back_to_what_was_trusted_before_asks_again(store, root):
    agree(store, root)
    stronger = replace(TEST, argv=("pytest", "--strict"))
    agree(store, root, stronger, NOON.replace(hour=13))
    assert (store.standing(root, stronger), store.standing(root, TEST)) == (
        Trust.TRUSTED,
        Trust.CHANGED,
    )
    assert len(list(store.folder.iterdir())) == 1


def test_agreeing_twice_changes_nothing(store, root):
    agree(store, root)
    agree(store, root)
    assert len(store.decisions(root)) == 1


def test_trust_can_be_taken_back(store, root):
    agree(store, root)
    agree(store, root, INLINE)
    assert (store.revoke(root, "test"), store.revoke(root, "test")) == (1, 0)
    assert store.standing(root, TEST) is Trust.UNKNOWN
    assert (store.standing(root, INLINE), store.revoke(root, "sh run.sh")) == (Trust.TRUSTED, 1)


def test_an_edited_decision_counts_for_nothing(store, root):
    agree(store, root)
    [file] = store.folder.iterdir()
    other = replace(TEST, argv=("true",))
    file.write_text(
        file.read_text(encoding="utf-8").replace(TEST.digest, other.digest), encoding="utf-8"
    )
    assert (store.standing(root, other), store.problem(root)) == (Trust.UNKNOWN, None)


def test_files_that_are_no_decisions_are_passed_over(store, root):
    agree(store, root)
    (store.folder / "notes.txt").write_text("hello", encoding="utf-8")
    (store.folder / "abc.json").write_text("{}", encoding="utf-8")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (store.folder / f"{empty}.json").touch()
    assert (store.standing(root, TEST), store.problem(root)) == (Trust.TRUSTED, None)


def _open_to_all(path):
    path.chmod(0o777 if path.is_dir() else 0o666)


def _make_link(path):
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


def _give_away(path):
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(path, 12_345, -1)


UNBELIEVABLE = {
    "folder that others may write": ("folder", _open_to_all, "it may be written by others"),
    "file that others may write": ("file", _open_to_all, "a file in it may be written by others"),
    "folder that is a link": ("folder", _make_link, "it is a link"),
    "file that is a link": ("file", _make_link, "a file in it is a link"),
    "folder of somebody else": ("folder", _give_away, "it belongs to another user"),
    "file of somebody else": ("file", _give_away, "a file in it belongs to another user"),
}


@pytest.mark.skipif(os.name == "nt", reason="modes and owners are those of Unix")
@pytest.mark.parametrize(("what", "change", "problem"), UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_a_store_that_others_may_have_written_is_not_believed(store, root, what, change, problem):
    agree(store, root)
    [file] = store.folder.iterdir()
    change(store.folder if what == "folder" else file)

    assert (store.standing(root, TEST), store.problem(root)) == (Trust.UNKNOWN, problem)
    assert store.trusted_names(root) == frozenset()
    for act in (lambda: agree(store, root), lambda: store.revoke(root, "test")):
        with pytest.raises(ConfigurationError) as raised:
            act()
        assert raised.value.message == f"the folder of trusted commands cannot be used: {problem}"


def test_a_store_inside_the_project_is_not_believed(root, tmp_path):
    store = TrustStore(root / "config" / "trusted")
    agree(store, tmp_path / "elsewhere")
    agree(TrustStore(store.folder), tmp_path / "elsewhere", INLINE)
    assert store.problem(root) == "it lies inside the project"
    with pytest.raises(ConfigurationError, match="it lies inside the project"):
        agree(store, root)
    (tmp_path / "config").symlink_to(root / "config")
    assert TrustStore(tmp_path / "config" / "trusted").problem(root) == "it lies inside the project"


def test_links_in_a_circle_are_a_problem_and_not_a_crash(root, tmp_path):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert TrustStore(tmp_path / "circle" / "trusted").problem(root).startswith("it cannot be read")


def test_decisions_stand_in_the_users_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_trust_folder().name == "trusted"
    assert default_trust_folder().parent.name == "aos-workflow"


RUNS_OF_THE_PROJECT = {
    "program": ("./run.sh",),
    "program without a dot": ("scripts/run.sh",),
    "script of a shell": ("bash", "run.sh"),
    "after an option": ("bash", "-e", "run.sh", "other"),
    "after an option with a value": ("python3.12", "-X", "dev", "-u", "run.sh"),
    "interpreter by its path": ("/usr/bin/python3", "run.sh"),
    "interpreter of Windows": ("C:\\Ruby\\ruby.exe", "run.sh"),
}
FILES = ("run.sh", "scripts/run.sh")


def write_scripts(root):
    (root / "scripts").mkdir()
    for name in FILES:
        (root / name).write_text("exit 0\n", encoding="utf-8")


@pytest.mark.parametrize("argv", RUNS_OF_THE_PROJECT.values(), ids=RUNS_OF_THE_PROJECT)
def test_editing_what_a_command_runs_of_the_project_is_seen(root, argv):
    write_scripts(root)
    before = program_digest(root, argv)
    for name in FILES:
        (root / name).write_text("exit 1\n", encoding="utf-8")
    after = program_digest(root, argv)
    assert len(before) == len(after) == 64
    assert before != after


def test_an_absolute_path_into_the_project_is_seen_too(root):
    write_scripts(root)
    assert program_digest(root, (str(root / "run.sh"),)) == program_digest(root, ("./run.sh",))


def test_an_interpreter_of_the_project_counts_beside_its_script(root):
    write_scripts(root)
    (root / "python").symlink_to("/bin/sh")
    whole = program_digest(root, ("./python", "run.sh"))
    (root / "python").unlink()
    (root / "python").symlink_to("/bin/cat")
    assert program_digest(root, ("./python", "run.sh")) != whole
    assert whole.endswith("+" + program_digest(root, ("sh", "run.sh")))


RUNS_NOTHING_OF_IT = {
    "program of the system": ("pytest", "run.sh"),
    "program outside": ("/bin/true",),
    "module": ("python", "-m", "pytest", "run.sh"),
    "module among options": ("python", "-Im", "pytest", "run.sh"),
    "script outside": ("python", "/bin/true", "run.sh"),
    "nothing there": ("./none.sh",),
    "folder": ("bash", "scripts"),
    "no argument": ("bash",),
    "text that is no path": ("bash", "-c", "exit\0"),
}


@pytest.mark.parametrize("argv", RUNS_NOTHING_OF_IT.values(), ids=RUNS_NOTHING_OF_IT)
def test_what_lies_elsewhere_has_no_digest(root, argv):
    write_scripts(root)
    assert program_digest(root, argv) == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_place_of_a_script_holds_nobody_up(root):
    os.mkfifo(root / "run.sh")
    assert program_digest(root, ("bash", "run.sh")) == ""
