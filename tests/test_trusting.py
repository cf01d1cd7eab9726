"""Trusting commands, as a person does it: on a terminal that nothing else can stand in for."""

import os
import select
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcp_server import terminal
from mcp_server.cli import app
from mcp_server.config import Settings
from mcp_server.gates.commands import Command, parse_commands
from mcp_server.gates.trust import Trust, TrustStore, default_trust_folder, program_digest
from mcp_server.server.services import services_for
from tests.builders import write_workflow
from tests.terminals import Answered

pty = pytest.importorskip("pty", reason="these terminals are those of Unix")
termios = pytest.importorskip("termios")

REPOSITORY = Path(__file__).parent.parent
CLI = "from mcp_server.cli import main; main()"
ON_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(os.open(sys.argv.pop(1), os.O_RDWR), termios.TIOCSCTTY, 0)\n" + CLI
)
QUESTION = "May the server run this in this project? [y/N] "

DEFINED = """\
test:
  argv: [pytest, -q, "a b"]
  timeout: 120
  env: [CI]
lint:
  argv: [sh, lint.sh]
"""
GATE = {
    "evidence_schema": {
        "built": {"type": "boolean", "verify": {"command": {"argv": ["make", "all"]}}},
        "named": {"type": "boolean", "verify": [{"command": "test"}, {"file": "a.txt"}]},
    }
}
SHOWN = """
test   from .praxis-os/commands.yaml
    pytest -q 'a b'
    time limit 120 s; environment: CI
    {test}

lint   from .praxis-os/commands.yaml
    sh lint.sh
    time limit 600 s; environment: nothing of its own
    content of its program: {digest}
    {lint}

(in a gate)   from .praxis-os/workflows/small_v1/phases/1/gate-definition.yaml, \
.praxis-os/workflows/small_v1/phases/2/gate-definition.yaml
    make all
    time limit 600 s; environment: nothing of its own
    {make}
"""
NEW = "new: nobody has trusted it"


@pytest.fixture
def home(project, monkeypatch, tmp_path):
    """The project with two named commands and one in its gates, and a home without decisions."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("LOGNAME", "alex")
    (project / ".praxis-os").mkdir()
    (project / ".praxis-os" / "commands.yaml").write_text(DEFINED, encoding="utf-8")
    (project / "lint.sh").write_text("exit 0\n", encoding="utf-8")
    write_workflow(project / ".praxis-os" / "workflows", gate=GATE)
    return project


def define(project, text):
    (project / ".praxis-os" / "commands.yaml").write_text(text, encoding="utf-8")


class Person:
    """Somebody in front of `aos-workflow trust`, in a process of its own on its own terminal."""

    def __init__(self, piped):
        self._screen, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, os.ttyname(inner), "trust"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd=REPOSITORY,
        )
        self._inner = inner
        self._seen = ""
        self.process.stdin.write(piped)
        self.process.stdin.flush()

    def answer(self, text):
        """Answer the next question."""
        while "[y/N] " not in self._seen:
            ready, _, _ = select.select([self._screen], [], [], 20)
            assert ready, "nothing more was shown"
            self._seen += os.read(self._screen, 4096).decode()
        self._seen = self._seen.partition("[y/N] ")[2]
        os.write(self._screen, f"{text}\n".encode())

    def leave(self):
        """The exit code, and what went to the pipes."""
        out, err = self.process.communicate(timeout=20)
        os.close(self._inner)
        os.close(self._screen)
        return self.process.returncode, out + err


@pytest.fixture
def sit_down():
    """Start a `Person`; whoever still sits there after the test is sent away."""
    people = []
    yield lambda piped: people.append(Person(piped)) or people[-1]
    for person in people:
        person.process.kill()
        person.process.communicate()


@pytest.fixture
def at_terminal(monkeypatch):
    return lambda answers, *arguments, **more: Answered(
        monkeypatch, answers, "trust", *arguments, **more
    )


def standings(project):
    store = TrustStore(default_trust_folder())
    commands = [
        *parse_commands((project / ".praxis-os" / "commands.yaml").read_text("utf-8")).values(),
        Command(None, ("make", "all")),
    ]
    return [
        store.standing(
            project,
            Command(c.name, c.argv, c.timeout, c.env, program=program_digest(project, c.argv)),
        )
        for c in commands
    ]


def agree(project, *commands):
    store = TrustStore(default_trust_folder())
    for c in commands:
        c = Command(c.name, c.argv, c.timeout, c.env, program=program_digest(project, c.argv))  # noqa: PLW2901
        store.trust(project, c, who="sam", when=datetime(2026, 3, 14, tzinfo=UTC))


def agree_to_all(project):
    text = (project / ".praxis-os" / "commands.yaml").read_text("utf-8")
    agree(project, *parse_commands(text).values(), Command(None, ("make", "all")))


def run(*arguments):
    return CliRunner().invoke(app, ["trust", *arguments])


def shown(project, **lines):
    digest = program_digest(project, ("sh", "lint.sh"))[:12]
    return SHOWN.format(**{"test": NEW, "lint": NEW, "make": NEW, "digest": digest} | lines)


def test_the_list_shows_every_command_with_its_file_and_asks_nothing(home):
    result = run("--list")
    assert (result.exit_code, result.stdout) == (
        0, shown(home) + "Commands: 3; not trusted: 3.\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "piped", "code", "standing"),
    [("y", "n", 0, Trust.TRUSTED), ("n", "y", 1, Trust.UNKNOWN)],
    ids=["yes", "no"],
)
def test_the_terminal_answers_whatever_the_pipes_say(home, sit_down, typed, piped, code, standing):
    person = sit_down(f"{piped}\n".encode() * 3)
    for _ in range(3):
        person.answer(typed)
    assert person.leave() == (code, b"")
    assert standings(home) == [standing] * 3


def test_a_person_answers_for_each_command(home, at_terminal):
    done = at_terminal(["y", "YES", "y"])
    assert (done.code, done.printed) == (0, "")
    assert done.screen.replace(f"    {QUESTION}", "") == shown(home) + (
        "Commands: 3; not trusted: 0.\n"
    )
    assert standings(home) == [Trust.TRUSTED] * 3
    [who] = {made.who for made in TrustStore(default_trust_folder()).decisions(home)}
    assert who == "alex"


def test_only_a_clear_yes_is_one(home, at_terminal):
    done = at_terminal(["", "n", "yess"])
    assert (done.code, done.screen.splitlines()[-1]) == (
        1, QUESTION.join([" " * 4, "Commands: 3; not trusted: 3."]),
    )  # fmt: skip
    assert standings(home) == [Trust.UNKNOWN] * 3


def test_the_end_of_what_is_typed_is_no_yes(home, at_terminal):
    assert at_terminal([], "--revoke", "test").code == 2
    agree_to_all(home)
    assert at_terminal([], "--revoke", "test", hang_up=True).code == 1
    assert standings(home) == [Trust.TRUSTED] * 3


def test_a_pipe_cannot_answer(home):
    done = subprocess.run(
        [sys.executable, "-c", CLI, "trust"],
        input="y\ny\ny\n",
        text=True,
        capture_output=True,
        check=False,
        start_new_session=True,
        cwd=REPOSITORY,
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        (
            "aos-workflow: there is no terminal to ask on, and nothing else may answer. A person"
            " runs this command on a terminal.\n"
        ),
    )
    assert standings(home) == [Trust.UNKNOWN] * 3


def test_what_is_no_terminal_cannot_answer(home, monkeypatch, tmp_path):
    (tmp_path / "answers").write_text("y\n" * 3, encoding="utf-8")
    monkeypatch.setattr(terminal, "TERMINAL", (str(tmp_path / "answers"),) * 2)
    assert (run().exit_code, run().stdout) == (2, "")


def test_no_option_says_yes(home):
    assert [run(option).exit_code for option in ("--yes", "-y", "--force")] == [2, 2, 2]


def test_nothing_is_asked_where_all_is_trusted(home):
    agree_to_all(home)
    line = "trusted by sam on 2026-03-14"
    assert (run().exit_code, run().stdout) == (
        0, shown(home, test=line, lint=line, make=line) + "Commands: 3; not trusted: 0.\n",
    )  # fmt: skip


def test_only_what_changed_is_asked_again_old_beside_new(home, at_terminal):
    agree_to_all(home)
    define(home, DEFINED.replace('"a b"', "--exitfirst").replace("120", "60"))
    (home / "lint.sh").write_text("exit 1\n", encoding="utf-8")
    done = at_terminal(["y", "n"])
    first, second, third = done.screen.split(QUESTION)
    assert first == (
        "\ntest   from .praxis-os/commands.yaml\n"
        "    pytest -q --exitfirst\n"
        "    time limit 60 s; environment: CI\n"
        "    CHANGED since sam trusted it on 2026-03-14; then:\n"
        "        pytest -q 'a b'\n"
        "        time limit 120 s; environment: CI\n    "
    )
    assert "the same line, but its program or script had another content" in second
    assert "trusted by sam on 2026-03-14" in third
    assert done.code == 1
    assert standings(home) == [Trust.TRUSTED, Trust.CHANGED, Trust.TRUSTED]


def test_a_script_that_is_edited_while_the_person_thinks_is_not_trusted(home, sit_down):
    person = sit_down(b"")
    person.answer("n")
    (home / "lint.sh").write_text("exit 1\n", encoding="utf-8")
    person.answer("y")
    person.answer("n")
    assert person.leave()[0] == 1
    assert standings(home) == [Trust.UNKNOWN, Trust.CHANGED, Trust.UNKNOWN]


def test_what_a_terminal_would_act_on_is_written_out(home):
    define(home, 'test: {argv: ["rm\\e[2K", "a\\nb", "\\u202ecba"], env: ["A=\\r"]}\n')
    lines = run("--list").stdout.splitlines()
    assert lines[2:4] == [
        "    'rm\\x1b[2K' 'a\\nb' '\\u202ecba'",
        "    time limit 600 s; environment: A=\\r",
    ]


def test_a_project_without_commands_has_nothing_to_ask(project, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    result = run()
    assert result.exit_code == 0
    assert ".praxis-os/commands.yaml" not in result.stdout


def test_definitions_that_cannot_be_read_are_named_with_their_line(home):
    define(home, "test:\n  argv: [a]\n  timeot: 5\n")
    result = run("--list")
    assert (result.exit_code, result.stderr) == (
        2,
        (
            "aos-workflow: .praxis-os/commands.yaml:3: unknown key 'timeot': did you mean timeout?."
            " Mend .praxis-os/commands.yaml:3.\n"
        ),
    )


def test_a_workflow_that_cannot_be_read_is_named_and_the_others_are_shown(home):
    (home / ".praxis-os/workflows/small_v1/metadata.json").write_text("{", encoding="utf-8")
    result = run("--list")
    assert result.exit_code == 0
    first, *others = result.stdout.splitlines()
    assert first.startswith("Not read: .praxis-os/workflows/small_v1/metadata.json:1: not JSON")
    assert others[-1] == "Commands: 2; not trusted: 2."


def test_a_store_that_others_may_write_is_refused(home):
    agree_to_all(home)
    default_trust_folder().chmod(0o777)
    result = run("--list")
    assert (result.exit_code, result.stderr) == (
        2,
        (
            "aos-workflow: the folder of trusted commands is not believed: it may be written by"
            " others. Give it to its owner alone (mode 0700, files 0600), outside the project.\n"
        ),
    )


def test_trust_is_taken_back_on_the_terminal(home, at_terminal):
    agree_to_all(home)
    done = at_terminal(["y"], "--revoke", "test")
    assert (done.code, done.screen, done.printed) == (
        0, "No longer trust test? [y/N] ", "test is no longer trusted.\n",
    )  # fmt: skip
    assert standings(home) == [Trust.UNKNOWN, Trust.TRUSTED, Trust.TRUSTED]


def test_without_a_yes_trust_is_kept(home, at_terminal):
    agree_to_all(home)
    done = at_terminal(["n"], "--revoke", "make all")
    assert (done.code, done.printed) == (1, "")
    assert standings(home) == [Trust.TRUSTED] * 3


def test_what_is_not_trusted_cannot_be_taken_back(home):
    agree_to_all(home)
    result = run("--revoke", "deploy")
    assert (result.exit_code, result.stderr) == (
        2,
        "aos-workflow: no command 'deploy' is trusted. Trusted: "
        + ", ".join(made.title for made in TrustStore(default_trust_folder()).decisions(home))
        + ".\n",
    )


def test_commands_that_only_a_session_follows_are_shown_too(home):
    services = services_for(Settings(project=home))
    services.engine.start("small_v1", "a.py")
    gate = home / ".praxis-os" / "workflows" / "small_v1" / "phases" / "2" / "gate-definition.yaml"
    gate.write_text(gate.read_text(encoding="utf-8").replace("all", "install"), encoding="utf-8")

    told = run("--list").stdout

    assert "    make install\n" in told
    assert "    make all\n" in told
    assert "phase 2 of a session of small_v1" in told


def test_workflows_whose_phases_come_from_a_list_are_no_problem(home):
    assert "Not read" not in run("--list").stdout
