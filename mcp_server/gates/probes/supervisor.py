"""Runs one command and sees that nothing of it is left: a process of its own, between two others.

Started as `python -I -S supervisor.py` with the standard library alone. The first line on standard
input is the job, as JSON: `argv`, `cwd`, `env`, `timeout`, and how long `grace` lets what is told
to end do so. The server keeps that pipe open; its end means that the server has gone or wants no
more, and the command goes too. The answer is one line of JSON on standard output.

The command gets a session and a process group of its own, which is ended as a whole, also when the
command itself ended in order. A process that leaves the group by a session of its own escapes.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

KEPT = 16 * 1024
"""Bytes of the output's end that are kept."""

GRACE = 2.0
CANCELLED, ENDED = "cancelled", "ended"

_LAST_OUTPUT = 1.0
"""Seconds to wait for output when a process that escaped still holds the pipe."""


class Tail:
    """Reads a pipe to its end and keeps the last bytes."""

    def __init__(self, descriptor: int) -> None:
        """Read `descriptor` in a thread of its own."""
        self._kept = bytearray()
        self._descriptor = descriptor
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError):
            while chunk := os.read(self._descriptor, 65_536):
                self._kept += chunk
                del self._kept[:-KEPT]

    def text(self) -> str:
        """Return what was kept, after a last moment for what is still in the pipe."""
        self._thread.join(_LAST_OUTPUT)
        return bytes(self._kept).decode("utf-8", "replace")


def run(job: dict[str, Any], events: "queue.SimpleQueue[str]") -> dict[str, Any]:
    """Run the job's command until it ends, its time is up or `events` says that it is cancelled."""
    began = time.monotonic()
    result = {"exit_code": None, "timed_out": False, "cancelled": False, "output": "",
              "problem": None}  # fmt: skip
    try:
        child = _start(job)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or type(error).__name__
        return result | {"problem": problem, "duration": time.monotonic() - began}
    assert child.stdout is not None  # noqa: S101 - a pipe was asked for
    tail = Tail(child.stdout.fileno())
    threading.Thread(target=_tell_end, args=(child, events), daemon=True).start()
    event = None
    with suppress(queue.Empty):
        event = events.get(timeout=max(began + job["timeout"] - time.monotonic(), 0))
    duration = time.monotonic() - began
    stop(child, job.get("grace", GRACE))
    return result | {
        "exit_code": child.returncode if event == ENDED else None,
        "timed_out": event is None,
        "cancelled": event == CANCELLED,
        "duration": duration,
        "output": tail.text(),
    }


def _start(job: dict[str, Any]) -> "subprocess.Popen[bytes]":
    kinds: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        kinds = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(  # noqa: S603 - a person trusted this argv; there is no shell
        job["argv"],
        cwd=job["cwd"],
        env=job["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        **kinds,
    )


def _tell_end(child: "subprocess.Popen[bytes]", events: "queue.SimpleQueue[str]") -> None:
    if hasattr(os, "waitid"):
        # Left unreaped, the child keeps its number, so that no other group can have it.
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    else:
        child.wait()
    events.put(ENDED)


if sys.platform == "win32":

    def stop(child: "subprocess.Popen[bytes]", grace: float) -> None:
        """End the command and what it started."""
        if child.poll() is None:
            subprocess.run(  # noqa: S603 - fixed words and a number
                ["taskkill", "/F", "/T", "/PID", str(child.pid)],  # noqa: S607 - part of Windows
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        with suppress(subprocess.TimeoutExpired):
            child.wait(grace)
        child.kill()
        child.wait()

else:

    def stop(child: "subprocess.Popen[bytes]", grace: float) -> None:
        """End the whole group, by force after `grace` seconds, and reap the command."""
        until = time.monotonic() + grace
        _signal(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(grace)
        while _signal(child.pid, 0) and time.monotonic() < until:
            time.sleep(0.01)
        _signal(child.pid, signal.SIGKILL)
        child.wait()

    def _signal(group: int, number: int) -> bool:
        """Send a signal to a group and tell whether anybody is left in it."""
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def read_job() -> dict[str, Any]:
    """Return the job; ends the process if there is none to come."""
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(0, 65_536)
        if not chunk:
            raise SystemExit(1)
        line += chunk
    job: dict[str, Any] = json.loads(line)
    return job


def _watch_input(events: "queue.SimpleQueue[str]") -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    events.put(CANCELLED)


def main() -> None:
    """Read the job, run it and answer."""
    events: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: events.put(CANCELLED))
    job = read_job()
    threading.Thread(target=_watch_input, args=(events,), daemon=True).start()
    answer = memoryview((json.dumps(run(job, events)) + "\n").encode())
    # Nobody may be left to read it.
    with suppress(OSError):
        while answer:
            answer = answer[os.write(1, answer) :]


if __name__ == "__main__":
    main()
