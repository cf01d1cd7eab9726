"""How commands end when they are interrupted, nobody reads on, or the terminal knows few signs."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.__main__ import WAITING
from mcp_server.config import PROJECT_VARIABLE
from tests.builders import write_workflow
from tests.calls import started

REPOSITORY = Path(__file__).resolve().parents[2]
CLI = "from mcp_server.cli import main; main()"
INTERRUPTED = """
import os, signal, sys
from mcp_server.viewing import finding
def interrupt(*_): os.kill(os.getpid(), signal.SIGINT); signal.pause()
finding.find_sessions = interrupt
"""
PATIENCE = 60
COLOUR = re.compile(r"\x1b\[(\d+;)*[39][0-7]m")

unix = pytest.mark.skipif(sys.platform == "win32", reason="these are the signals of Unix")
full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
FULL = "aos-workflow: the output cannot be written: No space left on device\n"
CLOSED = "aos-workflow: the output cannot be written: Bad file descriptor\n"


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows", metadata={"name": "Größe ✓"})
    return project


@pytest.fixture
async def begun(small):
    """The id of a session of the project."""
    return await started()


def environment(project, **more):
    return os.environ | {PROJECT_VARIABLE: str(project), "PYTHONPATH": str(REPOSITORY), **more}


def run(project, *words, code=CLI, **more):
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=environment(project, **more),
        capture_output=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


@unix
@pytest.mark.parametrize(
    "line",
    ["--help", "show --help", "workflows --json", "show code_review_v1", "render code_review_v1",
     "watch --once"],
)  # fmt: skip
def test_a_closed_pipe_ends_quietly(small, begun, line):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", CLI, *line.split()], stdout=writer, stderr=subprocess.PIPE,
            env=environment(small), check=False, timeout=PATIENCE,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def run_redirected(project, line, redirections):
    """Run a command as a shell does that redirects its streams."""
    shell = ["sh", "-c", f'exec "$@" {redirections}', "sh"]
    return subprocess.run(
        [*shell, sys.executable, "-c", CLI, *line.split()], env=environment(project),
        cwd=project, capture_output=True, text=True, encoding="utf-8", check=False,
        timeout=PATIENCE,
    )  # fmt: skip


@full_device
@pytest.mark.parametrize(
    "line",
    ["--help", "show --help", "workflows", "doctor --json", "show small_v1", "render small_v1",
     "watch --once"],
)  # fmt: skip
def test_output_that_finds_no_room_is_said_in_one_line(small, begun, line):
    done = run_redirected(small, line, ">/dev/full")
    assert (done.returncode, done.stdout, done.stderr) == (74, "", FULL)


@unix
@pytest.mark.parametrize("line", ["--help", "workflows", "doctor --json"])
def test_output_that_was_closed_is_said_in_one_line(small, line):
    done = run_redirected(small, line, ">&-")
    assert (done.returncode, done.stdout, done.stderr) == (74, "", CLOSED)


@unix
@pytest.mark.parametrize(
    ("line", "code"), [("schema gate", 0), ("lint --strict", 1), ("nonsense", 2)]
)
@pytest.mark.parametrize(
    "redirection", ["2>&-", pytest.param("2>/dev/full", marks=full_device), "2>&- <&-"]
)
def test_remarks_that_cannot_be_written_change_neither_output_nor_exit_code(
    small, line, code, redirection
):
    done, usual = run_redirected(small, line, redirection), run_redirected(small, line, "")
    assert usual.returncode == code
    assert (done.returncode, done.stdout, done.stderr) == (code, usual.stdout, "")


@unix
def test_without_any_stream_a_command_still_ends_in_its_exit_code(small):
    done = run_redirected(small, "workflows", "<&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (74, "", "")


@unix
def test_what_a_command_does_is_done_where_its_output_was_closed(small):
    done = run_redirected(small, "render small_v1 --output page.md", ">&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = (small / "page.md").read_text(encoding="utf-8")
    assert page == run_redirected(small, "render small_v1", "").stdout


@unix
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_remark_is_written_at_once_however_python_buffers(small, unbuffered):
    code = (
        "import os, sys; from mcp_server.cli.streams import prepare_streams; prepare_streams();"
        " sys.stderr.write('said\\n'); os._exit(0)"
    )
    done = run(small, code=code, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (0, b"said\n")


@unix
def test_a_server_that_is_typed_on_a_terminal_says_that_it_waits_and_how_to_end_it(small):
    pty = pytest.importorskip("pty")
    screen, inner = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", CLI, "serve"], env=environment(small), stdin=inner,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as server:  # fmt: skip
        os.close(inner)
        told = server.stderr.readline().decode()
        # A call that is answered says that it serves.
        os.write(screen, b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        answer = server.stdout.readline()
        server.send_signal(signal.SIGINT)
        try:
            printed, more = server.communicate(timeout=PATIENCE)
        finally:
            server.kill()
    os.close(screen)
    assert b'"id":1' in answer.replace(b" ", b"")
    assert (told, printed, more) == (WAITING, b"", b"")
    assert "Ctrl-C ends it" in told


@unix
def test_ctrl_c_ends_in_130_without_a_traceback(small):
    done = run(small, "sessions", code=INTERRUPTED + CLI)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, b"", b"")


@pytest.mark.parametrize(
    ("line", "encoding"),
    [("--help", "ascii"), ("show small_v1", "ascii"), ("sessions", "ascii"), ("lint", "ascii"),
     ("watch --once", "cp1252")],
)  # fmt: skip
def test_a_terminal_that_is_not_utf_8_is_written_what_it_knows(small, begun, line, encoding):
    done = run(small, *line.split(), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding)


def test_signs_without_a_place_in_the_encoding_are_written_out_or_replaced(small, begun):
    assert (
        b"Gr\\xf6\\xdfe \\u2713" in run(small, "show", "small_v1", PYTHONIOENCODING="ascii").stdout
    )
    shown = run(small, "show-session", begun, PYTHONIOENCODING="ascii").stdout
    assert b"> Phase 1: Work" in shown
    utf = run(small, "show-session", begun, PYTHONIOENCODING="utf-8").stdout.decode("utf-8")
    assert "▶ Phase 1: Work" in utf


@pytest.mark.parametrize("line", ["workflows", "sessions", "watch --once", "show small_v1"])
def test_elsewhere_there_is_no_escape_code_and_no_box(small, begun, line):
    shown = run(small, *line.split(), PYTHONIOENCODING="utf-8").stdout.decode("utf-8")
    assert "\x1b" not in shown
    assert not set(shown) & set("─│╭╮╰╯━┃")


@pytest.mark.parametrize("line", ["sessions", "show small_v1"])
def test_colour_can_be_turned_off_on_a_terminal(small, begun, line):
    forced = {"FORCE_COLOR": "1", "PYTHONIOENCODING": "utf-8", "TERM": "xterm"}
    coloured = run(small, *line.split(), **forced).stdout.decode("utf-8")
    plain = run(small, *line.split(), **forced, NO_COLOR="1").stdout.decode("utf-8")
    assert COLOUR.search(coloured)
    assert not COLOUR.search(plain)
