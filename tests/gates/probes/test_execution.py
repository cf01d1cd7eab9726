"""The command probe: what is run, what is refused, and what a run comes to."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mcp_server.gates.commands import Command
from mcp_server.gates.probe_settings import CommandSettings
from mcp_server.gates.probes.execution import command_environment
from mcp_server.gates.probes.look import Found
from tests.gates.probes.execution_builders import DEFINED, Bench
from tests.gates.probes.probe_builders import look_at

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the commands of these tests are of Unix")

REMEDY = "a person runs `aos-workflow trust` in the project, on a terminal"
REPORT = {"text": "report.txt"}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


VALUES = {
    "boolean": True,
    "integer": 0,
    "number": 0,
    "string": "12 passed",
    "dict": True,
    None: True,
}


@pytest.mark.parametrize(("type_", "value"), VALUES.items(), ids=str)
def test_without_a_report_the_value_is_what_fits_the_fields_type(bench, type_, value):
    bench.trusted("echo begun; printf '\\033[32m12 passed\\033[0m\\n\\n'")
    assert bench.look(type=type_) == Found(value)


def test_text_is_empty_without_output_and_short_with_much(bench):
    bench.trusted("exit 0")
    assert bench.look(type="string") == Found("")
    bench.trusted(f"echo {'a' * 300}")
    assert bench.look(type="string") == Found("a" * 200)


def test_a_command_of_the_gate_is_run_once_trusted(bench):
    argv = ["sh", "-c", "pwd; echo $GREETING"]
    settings = {"command": {"argv": argv, "env": ["GREETING=hello"], "timeout": 9}}
    assert bench.unavailable(settings) == (
        "nobody has trusted command sh -c 'pwd; echo $GREETING' in this project", REMEDY, False,
    )  # fmt: skip
    bench.agree(Command(None, tuple(argv), 9, ("GREETING=hello",)))
    assert bench.look(settings, type="string") == Found("hello")


def test_another_exit_code_is_a_failure_that_shows_the_end_of_the_output(bench):
    bench.trusted(f'echo {"x" * 600}; echo "$PWD/a.py and $HOME/b.py"; exit 4')
    reason = bench.refused()
    shown = "./a.py and ~/b.py"
    assert reason == (
        "command test ended with exit code 4, not 0; its output ends:\n"
        + "x" * (499 - len(shown)) + "\n" + shown
    )  # fmt: skip


def test_a_gate_may_take_other_exit_codes(bench):
    bench.trusted("exit 5")
    settings = {"command": "test", "exit_codes": [0, 5]}
    assert bench.look(settings, type="integer") == Found(5)
    assert bench.refused() == ("command test ended with exit code 5, not 0; it printed nothing")


def test_a_report_that_the_run_wrote_is_read(bench):
    bench.trusted("echo 7 > report.txt")
    found = bench.look({"command": "test", "report": REPORT})
    assert (found.value, [source.path for source in found.sources]) == ("7\n", ["report.txt"])


def test_a_report_that_the_run_did_not_write_is_stale(bench):
    bench.trusted("exit 0")
    bench.write("report.txt", "7\n")
    reason = bench.refused({"command": "test", "report": REPORT})
    assert reason.startswith("command test ran; report.txt is stale: it was written at ")


def test_no_report_is_a_failure(bench):
    bench.trusted("rm -f report.txt")
    bench.write("report.txt", "7\n")
    reason = bench.refused({"command": "test", "report": REPORT})
    assert reason == "command test ran; report.txt is not there"


NOT_WRITTEN = "command test did not write report.txt: it was there before the run"


def test_a_report_dated_to_the_time_of_the_run_is_refused(bench):
    bench.trusted("exit 0")
    bench.write("report.txt", "7\n")
    later = time.time() + 3
    os.utime(bench.root / "report.txt", (later, later))
    assert bench.refused({"command": "test", "report": REPORT}) == NOT_WRITTEN


def test_a_report_that_only_another_look_asks_for_must_be_of_the_run_too(bench):
    bench.trusted("exit 0")
    bench.write("report.txt", "7\n")
    later = time.time() + 3
    os.utime(bench.root / "report.txt", (later, later))
    look = look_at(bench.root)
    assert bench.look(look=look) == Found(value=True)
    assert bench.refused({"command": "test", "report": REPORT}, look=look) == NOT_WRITTEN


def test_a_report_that_was_only_touched_is_refused(bench):
    # Its change time is that of the run, but neither its content nor its date is.
    bench.trusted("chmod 600 report.txt")
    bench.write("report.txt", "7\n")
    later = time.time() + 3
    os.utime(bench.root / "report.txt", (later, later))
    assert bench.refused({"command": "test", "report": REPORT}) == NOT_WRITTEN


def test_the_same_report_written_again_counts(bench):
    bench.trusted("echo 7 > report.txt")
    settings = {"command": "test", "report": REPORT}
    assert bench.look(settings).value == bench.look(settings).value == "7\n"


def test_looks_of_one_verification_share_a_run(bench):
    bench.trusted("echo run >> runs.txt; exit 3")
    look = look_at(bench.root)
    settings = {"command": "test", "exit_codes": [3]}
    assert bench.look(settings, look=look) == Found(value=True)
    assert bench.look(settings, look=replace(look, type="integer", name="other")) == Found(3)
    assert bench.refused(look=look).startswith("command test ended with exit code 3")
    assert (bench.root / "runs.txt").read_text("utf-8") == "run\n"
    bench.look(settings)
    assert (bench.root / "runs.txt").read_text("utf-8") == "run\nrun\n"


def test_an_unknown_name_gives_way_to_another_probe(bench):
    remedy = f"define test in {DEFINED}, then {REMEDY}"
    assert bench.unavailable() == (f"{DEFINED} defines no command 'test'", remedy, False)
    bench.write(DEFINED, "lint: {argv: [a]}\nbuild: {argv: [b]}\n")
    assert bench.unavailable() == (
        f"{DEFINED} defines no command 'test'; there are: lint, build", remedy, False,
    )  # fmt: skip


def test_what_nobody_trusted_is_not_run(bench):
    bench.define("touch ran")
    assert bench.unavailable() == (
        "nobody has trusted command test in this project", REMEDY, False,
    )  # fmt: skip
    assert not (bench.root / "ran").exists()


def test_a_store_that_others_may_write_is_named_as_the_reason(bench):
    bench.trusted("touch ran")
    bench.store.folder.chmod(0o777)
    assert bench.unavailable() == (
        ("nobody has trusted command test in this project: the folder of trusted commands is not"
        " believed, it may be written by others"), REMEDY, False,
    )  # fmt: skip


CHANGES = {
    "argv": lambda bench: bench.write(DEFINED, "test: {argv: ['true'], timeout: 30}"),
    "time limit": lambda bench: bench.define("exit 1", timeout=31),
    "environment": lambda bench: bench.define("exit 1", more=", env: [A=1]"),
    "script": lambda bench: bench.write("run.sh", "touch ran; exit 0"),
    "script taken away": lambda bench: (bench.root / "run.sh").unlink(),
    "definition taken away": lambda bench: bench.write(DEFINED, "lint: {argv: [a]}"),
    "file taken away": lambda bench: (bench.root / DEFINED).unlink(),
    "folder taken away": lambda bench: shutil.rmtree(bench.root / ".praxis-os"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_changed_since_it_was_trusted_is_final(bench, change):
    bench.trusted("exit 1")
    change(bench)
    assert not bench.executor.would_run(CommandSettings(name="test"))
    assert bench.unavailable() == (
        ("command test changed since a person trusted it (its definition, or a program or script of"
        " the project that it runs)"), f"put it back as it was, or {REMEDY}", True,
    )  # fmt: skip
    assert not (bench.root / "ran").exists()


def test_a_script_of_a_command_of_the_gate_is_watched_too(bench):
    bench.write("run.sh", "exit 1")
    bench.agree(Command(None, ("sh", "run.sh")))
    bench.write("run.sh", "exit 0")
    reason, _, final = bench.unavailable({"command": {"argv": ["sh", "run.sh"]}})
    assert (reason.partition(" (")[0], final) == (
        "command sh run.sh changed since a person trusted it", True,
    )  # fmt: skip


def _link_out(bench):
    outside = bench.root.parent / "outside.yaml"
    outside.write_text("test: {argv: ['true']}", encoding="utf-8")
    (bench.root / DEFINED).unlink()
    (bench.root / DEFINED).symlink_to(outside)


MALFORMED = {
    "key": (lambda bench: bench.write(DEFINED, "test:\n  argv: [a]\n  shell: 1\n"),
            (f"{DEFINED}:3: unknown key 'shell': there are argv, timeout, timeout_seconds,"
            " time_limit, env, environment")),
    "YAML": (lambda bench: bench.write(DEFINED, "test: [\n"),
             f"{DEFINED}:2: not YAML: did not find expected node content"),
    "bytes": (lambda bench: (bench.root / DEFINED).write_bytes(b"test: \xff"),
              f"{DEFINED} is not UTF-8 text"),
    "link": (_link_out, f"{DEFINED} leads out of the project"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_definitions_that_cannot_be_read_are_final(bench, change, reason):
    bench.trusted("exit 0")
    change(bench)
    seen, remedy, final = bench.unavailable()
    assert (seen, final) == (reason, True)
    assert remedy.startswith(f"mend {DEFINED}")


def test_a_command_of_the_gate_that_is_none_is_final(bench):
    assert bench.unavailable({"command": {"argv": ["pytest -q"]}}) == (
        "the gate: argv is one text, and there is no shell: write ['pytest', '-q']",
        f"mend the gate, then {REMEDY}", True,
    )  # fmt: skip


def test_a_program_that_is_not_there_is_nobodys_failure(bench):
    bench.write(DEFINED, "test: {argv: [no-such-program]}")
    bench.agree()
    assert bench.unavailable() == (
        "command test could not be started: No such file or directory",
        f"install the program, or correct argv in {DEFINED}, then {REMEDY}", True,
    )  # fmt: skip


def test_a_time_limit_that_passed_is_nobodys_failure(bench):
    bench.trusted('echo "at $PWD"; exec sleep 60', timeout=0.2)
    assert bench.unavailable() == (
        "command test did not end within 0.2 seconds; its output ends:\nat .",
        f"make it faster, or raise timeout in {DEFINED}, then {REMEDY}", True,
    )  # fmt: skip


def test_what_would_run_is_what_is_trusted_now(bench):
    settings = CommandSettings(name="test")
    assert not bench.executor.would_run(settings)
    bench.define("touch ran")
    assert not bench.executor.would_run(settings)
    bench.agree()
    assert bench.executor.would_run(settings)
    assert not (bench.root / "ran").exists()


def waiting(bench):
    """Trust a command that says that it is there, on a pipe that it then holds."""
    os.mkfifo(bench.root / "pipe")
    bench.trusted("exec 3> pipe; echo here >&3; exec sleep 60")
    return os.open(bench.root / "pipe", os.O_RDONLY | os.O_NONBLOCK)


def word(pipe):
    os.set_blocking(pipe, True)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        said = os.read(pipe, 100)
        if said:
            return said
        time.sleep(0.01)
    raise AssertionError("the command did not begin")


def test_a_run_that_is_stopped_ends_and_is_nobodys_failure(bench):
    pipe = waiting(bench)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(bench.unavailable()))
    thread.start()
    assert word(pipe) == b"here\n"
    bench.executor.stop()
    thread.join(10)
    assert seen == [("command test was stopped before it ended", "submit the evidence again", True)]
    assert os.read(pipe, 1) == b""


SERVER = """
import sys
from pathlib import Path
from tests.gates.probes.execution_builders import Bench
Bench(Path(sys.argv[1])).look()
"""


def test_a_server_that_is_killed_takes_its_command_along(tmp_path):
    pipe = waiting(Bench(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)], cwd=Path(__file__).parents[3]
    ) as server:
        assert word(pipe) == b"here\n"
        server.send_signal(signal.SIGKILL)
        assert server.wait(10) == -signal.SIGKILL
        assert os.read(pipe, 1) == b""


ENVIRONMENT = {
    "PATH": "/bin:./bin::bin:/usr/bin",
    "HOME": "/home/alex",
    "LC_ALL": "C.UTF-8",
    "LC_TOKEN": "t0ken",
    "TZ": "UTC",
    "SystemRoot": "C:\\Windows",
    "EDITOR": "vi",
    "API_KEY": "k3y",
    "CI": "1",
    "PYTHONPATH": "src",
}
PLAIN = {
    "PATH": "/bin:/usr/bin",
    "HOME": "/home/alex",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "SystemRoot": "C:\\Windows",
}

PASSED = {
    "nothing else": ((), {}),
    "a variable that is set": (("CI",), {"CI": "1"}),
    "a variable that is not set": (("DEBUG",), {}),
    "a value": (("PYTHONPATH=lib", "EMPTY=", "A=b=c"),
                {"PYTHONPATH": "lib", "EMPTY": "", "A": "b=c"}),
    "a secret by its name": (("API_KEY",), {"API_KEY": "k3y"}),
    "another path": (("PATH=bin",), {"PATH": "bin"}),
}  # fmt: skip


@pytest.mark.parametrize(("env", "more"), PASSED.values(), ids=PASSED)
def test_a_command_finds_the_plainest_environment_and_what_it_names(env, more):
    command = Command("test", ("true",), env=env)
    assert command_environment(command, ENVIRONMENT) == PLAIN | more
