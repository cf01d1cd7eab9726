"""`watch` on a real terminal, while another process changes sessions."""

import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.config import PROJECT_VARIABLE
from tests.builders import write_workflow

pty = pytest.importorskip("pty", reason="these terminals are those of Unix")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

REPOSITORY = Path(__file__).resolve().parents[2]
CLI = "from mcp_server.cli import main; main()"
AGENT = """
import asyncio, sys
from mcp_server.server.tools.workflow_tools import aos_workflow
for line in sys.stdin:
    action, *words = line.split()
    given = dict(word.split("=") for word in words)
    if "phase" in given:
        given |= {"phase": int(given["phase"])}
    if "tests" in given:
        given["evidence"] = {"tests": int(given.pop("tests")), "report": "r.xml"}
    answer = asyncio.run(aos_workflow(action, **given))
    print(answer.get("session_id", answer["status"]), flush=True)
"""
PATIENCE = 60
CLEAR = ("\x1b[2J", "\x1b[3J", "\x1bc")
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


def environment(project, **more):
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return kept | {PROJECT_VARIABLE: str(project), "PYTHONPATH": str(REPOSITORY),
                   "TERM": "xterm-256color", **more}  # fmt: skip


class Agent:
    """Another process that works on sessions, one step at a time."""

    def __init__(self, project):
        self._process = subprocess.Popen(
            [sys.executable, "-c", AGENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=environment(project), text=True, encoding="utf-8",
        )  # fmt: skip

    def __call__(self, step):
        self._process.stdin.write(f"{step}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(PATIENCE)


@pytest.fixture
def agent(small):
    made = Agent(small)
    yield made
    made.close()


class Screen:
    """`aos-workflow watch` on a terminal of its own."""

    def __init__(self, project, rows=24, columns=100, **more):
        self._screen, self._inner = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self._inner)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLI, "watch", "--interval", "0.05"],
            stdin=self._inner, stdout=self._inner, stderr=self._inner,
            env=environment(project, **more), preexec_fn=self._take,  # noqa: PLW1509
        )  # fmt: skip
        self.seen = ""

    def _take(self):
        os.setsid()
        fcntl.ioctl(self._inner, termios.TIOCSCTTY, 0)

    def resize(self, rows, columns):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._inner, termios.TIOCSWINSZ, size)

    def wait_for(self, pattern):
        """Read on until `pattern` is on the screen in what comes, and return what came."""
        came = ""
        while not re.search(pattern, came):
            ready, _, _ = select.select([self._screen], [], [], PATIENCE)
            assert ready, f"{pattern!r} never came; what came: {came[-2000:]!r}"
            came += os.read(self._screen, 65536).decode(errors="replace")
        self.seen += came
        return came

    def press(self, keys):
        os.write(self._screen, keys.encode())

    def end(self):
        """Wait for its end and return its exit code and what it printed last."""
        came = self.wait_for(re.escape(LEAVE))
        code = self.process.wait(PATIENCE)
        return code, came

    def close(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self._inner)
        os.close(self._screen)

    @property
    def settings(self):
        return termios.tcgetattr(self._inner)


@pytest.fixture
def screens():
    made = []

    def show(project, **settings):
        made.append(Screen(project, **settings))
        return made[-1]

    yield show
    for one in made:
        one.close()


def test_a_screen_follows_what_another_process_does_and_leaves_the_terminal_as_it_was(
    small, agent, screens
):
    screen = screens(small)
    screen.wait_for("q to leave")
    session_id = agent("start workflow_type=small_v1 target_file=src/a.py")
    screen.wait_for(f"{session_id}.*started")
    agent(f"complete_phase session_id={session_id} phase=1 tests=0")
    screen.wait_for("gate 1 refused")
    agent(f"retry_phase session_id={session_id} phase=1")
    screen.wait_for("phase 1 tried again")
    agent(f"complete_phase session_id={session_id} phase=1 tests=3")
    screen.wait_for("gate 1 passed")
    other = agent("start workflow_type=small_v1 target_file=src/b.py")
    newest = screen.wait_for(f"{other}.*started(.|\n)*q to leave")
    assert newest.rindex(other) < newest.rindex(session_id)
    agent(f"delete_session session_id={other}")
    screen.wait_for("1 sessions")
    screen.press("q")
    code, _ = screen.end()
    assert code == 0
    assert screen.seen.startswith(ENTER)
    assert screen.seen.endswith(LEAVE)
    assert not any(clear in screen.seen for clear in CLEAR)
    assert "Traceback" not in screen.seen
    assert screen.settings == screen.before


def test_a_screen_that_changes_its_size_is_drawn_anew_within_it(small, agent, screens):
    session_id = agent("start workflow_type=small_v1 target_file=src/a.py")
    screen = screens(small, rows=24, columns=100)
    screen.wait_for(session_id)
    screen.wait_for("q to leave")
    screen.resize(6, 50)
    drawn = screen.wait_for(r"small_v1_a_py_\w*…(.|\n)*q to leave[^\x1b]*\x1b\[0m *\r\n +\x1b\[H")
    last = drawn[drawn.rindex("\x1b[1m1 sessions") :]
    lines = re.sub(r"\x1b\[[\d;]*[mH]", "", last).split("\r\n")
    assert len(lines) <= 7
    assert max(map(len, lines)) <= 50
    screen.press("q")
    assert screen.end()[0] == 0


@pytest.mark.parametrize("key", ["q", "Q", "\x1b", "\x03"], ids=["q", "Q", "escape", "ctrl-c"])
def test_these_keys_leave(small, screens, key):
    screen = screens(small)
    screen.wait_for("q to leave")
    screen.press(key)
    assert screen.end()[0] == 0
    assert screen.settings == screen.before


def test_an_arrow_leaves_nothing(small, agent, screens):
    screen = screens(small)
    screen.wait_for("q to leave")
    screen.press("\x1b[A")
    agent("start workflow_type=small_v1 target_file=src/a.py")
    screen.wait_for("started")
    screen.press("q")
    assert screen.end()[0] == 0


def test_a_polite_kill_leaves_the_terminal_as_it_was(small, screens):
    screen = screens(small)
    screen.wait_for("q to leave")
    screen.process.send_signal(signal.SIGTERM)
    code, _ = screen.end()
    assert code == 128 + signal.SIGTERM
    assert screen.settings == screen.before


def test_a_terminal_that_is_not_utf_8_gets_ascii(small, agent, screens):
    session_id = agent("start workflow_type=small_v1 target_file=src/a.py")
    agent(f"complete_phase session_id={session_id} phase=1 tests=0")
    screen = screens(small, PYTHONIOENCODING="ascii", NO_COLOR="1")
    shown = screen.wait_for("q to leave")
    assert shown.isascii()
    assert "x." in re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert "\x1b[31m" not in shown
    screen.press("q")
    assert screen.end()[0] == 0


def test_elsewhere_each_change_is_a_line_at_once_and_ctrl_c_ends_it(small, agent):
    watching = subprocess.Popen(
        [sys.executable, "-c", CLI, "watch", "--json", "--interval", "0.05"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(small), text=True, encoding="utf-8",
    )  # fmt: skip
    first = agent("start workflow_type=small_v1 target_file=src/a.py")
    told = json.loads(watching.stdout.readline())
    assert (told["session_id"], told["last"]) == (first, "started")
    agent(f"complete_phase session_id={first} phase=1 tests=0")
    assert json.loads(watching.stdout.readline())["last"] == "gate 1 refused"
    watching.send_signal(signal.SIGINT)
    rest, problems = watching.communicate(timeout=PATIENCE)
    assert (watching.returncode, rest, problems) == (0, "", "")
