"""The process between the server and a command: what it reports, and that nothing outlives it."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from mcp_server.gates.probes import supervisor

pytestmark = pytest.mark.skipif(os.name == "nt", reason="groups and pipes are those of Unix")

TIME = 10


def job(code, tmp_path, **changes):
    """A job for a Python of its own: a command that is there on every system."""
    return {
        "argv": [sys.executable, "-I", "-S", "-c", code],
        "cwd": str(tmp_path),
        "env": {"PATH": os.environ["PATH"], "GIVEN": "yes"},
        "timeout": 30,
        "grace": 0.3,
        **changes,
    }


@contextmanager
def supervising(given):
    with subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(json.dumps(given).encode() + b"\n")
        process.stdin.flush()
        yield process


def answer_of(process):
    line = process.stdout.readline()
    assert process.wait(TIME) == 0
    assert process.stderr.read() == b""
    answer = json.loads(line)
    assert answer.pop("duration") < TIME
    return answer


def result_of(given):
    with supervising(given) as process:
        return answer_of(process)


def result(**changes):
    return {
        "exit_code": None,
        "timed_out": False,
        "cancelled": False,
        "output": "",
        "problem": None,
    } | changes


class Witness:
    """A pipe with a name that processes hold open: its end means that all of them have gone."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "witness"
        os.mkfifo(self.path)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def says(self):
        """The next word, empty when nobody holds the pipe any more."""
        ready, _, _ = select.select([self._descriptor], [], [], TIME)
        assert ready, "nobody wrote, and somebody still holds the pipe"
        return os.read(self._descriptor, 100)


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path)


HOLD = "import os, signal, time\nf = os.open({path!r}, os.O_WRONLY)\nos.write(f, b'here')\n"
STAY = "time.sleep(60)\n"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def holding(witness, *, then=STAY, stubborn=False):
    """Code of a process that holds the witness, says so and then does what `then` says."""
    return (HOLD.replace("f =", STUBBORN + "f =") if stubborn else HOLD).format(
        path=str(witness.path)
    ) + then


def test_a_command_that_ends_is_reported(tmp_path):
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    answer = result_of(job(code, tmp_path))
    assert sorted(answer.pop("output").split()) == ["err", "out"]
    answer["output"] = ""
    assert answer == result(exit_code=3)


def test_the_command_stands_in_its_folder_with_its_environment_and_no_input(tmp_path):
    code = (
        "import os, sys; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}),"
        " sys.stdin.read() == '', os.getpgid(0) == os.getpid() == os.getsid(0))"
    )
    answer = result_of(job(code, tmp_path))
    assert answer == result(
        exit_code=0, output=f"{tmp_path.resolve()} ['GIVEN', 'PATH'] True True\n"
    )


def test_only_the_end_of_the_output_is_kept(tmp_path):
    answer = result_of(job("print('a' * 1_000_000 + 'b' * 16_383)", tmp_path))
    assert answer == result(exit_code=0, output="b" * 16_383 + "\n")


def test_output_that_is_no_text_is_made_text(tmp_path):
    code = "import sys; sys.stdout.buffer.write(bytes([255]) * 20_000)"
    assert result_of(job(code, tmp_path)) == result(exit_code=0, output="\ufffd" * 16_384)


def test_a_signal_that_ends_the_command_is_a_negative_code(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert result_of(job(code, tmp_path)) == result(exit_code=-9)


NOT_STARTED = {
    "not there": (["no-such-program"], "No such file or directory"),
    "no program": (["/etc/passwd"], "Permission denied"),
    "there is no shell": (["exit 0; true"], "No such file or directory"),
}


@pytest.mark.parametrize(("argv", "problem"), NOT_STARTED.values(), ids=NOT_STARTED)
def test_what_cannot_be_started_is_a_problem(tmp_path, argv, problem):
    assert result_of(job("", tmp_path, argv=argv)) == result(problem=problem)


def test_the_time_limit_ends_the_command(tmp_path, witness):
    with supervising(job(holding(witness), tmp_path, timeout=1)) as process:
        assert witness.says() == b"here"
        assert answer_of(process) == result(timed_out=True)
        assert witness.says() == b""


def test_a_command_that_will_not_end_is_ended_by_force(tmp_path, witness):
    with supervising(job(holding(witness, stubborn=True), tmp_path)) as process:
        assert witness.says() == b"here"
        process.stdin.close()
        assert answer_of(process) == result(cancelled=True)
        assert witness.says() == b""


@pytest.mark.parametrize("stubborn", [False, True], ids=["plain", "stubborn"])
def test_what_a_command_leaves_behind_is_ended(tmp_path, witness, stubborn):
    inner = holding(witness, stubborn=stubborn)
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-ISc', {inner!r}])\n"
    # The command itself ends once its child is there.
    code += f"open({str(tmp_path / 'go')!r}).read(); print('done')"
    os.mkfifo(tmp_path / "go")
    with supervising(job(code, tmp_path)) as process:
        assert witness.says() == b"here"
        (tmp_path / "go").write_text("", encoding="utf-8")
        assert answer_of(process) == result(exit_code=0, output="done\n")
        assert witness.says() == b""


def grandparent(witness):
    inner = holding(witness, stubborn=True)
    return f"import subprocess, sys; subprocess.run([sys.executable, '-ISc', {inner!r}])\n"


CANCELLING = {
    "the end of its input": lambda process: process.stdin.close(),
    "being told to end": lambda process: process.send_signal(signal.SIGTERM),
    "an interrupt": lambda process: process.send_signal(signal.SIGINT),
}


@pytest.mark.parametrize("cancel", CANCELLING.values(), ids=CANCELLING)
def test_a_cancelled_run_takes_grandchildren_along(tmp_path, witness, cancel):
    with supervising(job(grandparent(witness), tmp_path)) as process:
        assert witness.says() == b"here"
        cancel(process)
        assert answer_of(process) == result(cancelled=True)
        assert witness.says() == b""


def test_a_server_that_does_not_read_any_more_is_no_error(tmp_path, witness):
    with supervising(job(holding(witness), tmp_path)) as process:
        assert witness.says() == b"here"
        process.stdout.close()
        process.stdin.close()
        assert process.wait(TIME) == 0
        assert (witness.says(), process.stderr.read()) == (b"", b"")


def test_without_a_job_nothing_is_done():
    done = subprocess.run(
        [sys.executable, "-I", "-S", supervisor.__file__],
        input=b"",
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_a_process_that_escaped_with_the_output_holds_nobody_up(tmp_path, witness):
    inner = holding(witness)
    code = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-ISc', {inner!r}], start_new_session=True)\n"
        f"open({str(tmp_path / 'go')!r}).read(); print('done', flush=True)"
    )
    code = code.replace("subprocess.Popen(", "p = subprocess.Popen(")
    code += "; print(p.pid)"
    os.mkfifo(tmp_path / "go")
    began = time.monotonic()
    with supervising(job(code, tmp_path)) as process:
        assert witness.says() == b"here"
        (tmp_path / "go").write_text("", encoding="utf-8")
        answer = answer_of(process)
    word, escaped = answer["output"].split()
    os.kill(int(escaped), signal.SIGKILL)
    assert (word, answer["exit_code"]) == ("done", 0)
    assert time.monotonic() - began < 30
