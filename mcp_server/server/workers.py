"""Runs verifications in processes of their own and waits for them, not longer than an agent can.

A verification that outlives the wait goes on; the same call picks its result up, in this server or,
through the session's journal, in any other. One session has at most one verification at a time, in
all servers. A verification is stopped only when the last call that waits for it here is taken back
by its client; then nothing of it is recorded. Safe for many threads.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import mcp_server
from mcp_server.config import STATE_VARIABLE, Settings
from mcp_server.core import views
from mcp_server.core.callers import Caller
from mcp_server.core.encoding import digest, encode
from mcp_server.core.store import SessionStore
from mcp_server.core.transitions import Action
from mcp_server.errors import ConflictError, VerificationUnavailableError, from_data
from mcp_server.server.calls import current_call

Answer = dict[str, Any]

_POLL_SECONDS = 0.1

_STOP_PATIENCE = 10.0
"""Seconds in which a worker that is told to stop has ended its command; then it is killed."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """A verification that this server started, who waits for it, and in the end its result.

    `after` is one that was stopped, whose end this one waits for.
    """

    key: str
    after: "_Run | None" = None
    done: threading.Event = field(default_factory=threading.Event)
    result: Mapping[str, Any] = field(default_factory=dict)
    waiting: set[threading.Event] = field(default_factory=set)
    process: "subprocess.Popen[bytes] | None" = None
    stopped: threading.Event = field(default_factory=threading.Event)


class VerificationWorkers:
    """The verifications of one project."""

    def __init__(
        self, settings: Settings, store: SessionStore, caller: Callable[[], Caller]
    ) -> None:
        """Wait for each as long as `settings` say; `store` knows what other servers run.

        `caller` says on whose behalf the running call verifies.
        """
        self._settings = settings
        self._store = store
        self._caller = caller
        self._runs: dict[str, _Run] = {}
        self._stopped: dict[str, _Run] = {}
        self._guard = threading.Lock()

    def verify(self, session_id: str, phase: int, evidence: Mapping[str, Any]) -> Answer | None:
        """Return the answer, or None while it runs on; raises the refusal that it came to."""
        deadline = time.monotonic() + self._settings.verify_wait
        woken = threading.Event()
        run = self._run_for(session_id, phase, evidence, woken)
        call = current_call()
        call.listen(left=woken.set, cancelled=partial(self._give_up, session_id, run, woken))
        woken.wait(self._settings.verify_wait)
        if call.has_left:
            # Nobody reads this; why the call ended, and whether that stops the run, is told later.
            return None
        with self._guard:
            run.waiting.discard(woken)
        if not run.done.is_set():
            return None
        with self._guard:
            if self._runs.get(session_id) is run:
                del self._runs[session_id]
        if "busy" in run.result:
            self._wait_for_others(session_id, deadline)
            return None
        if "refusal" in run.result:
            raise from_data(run.result["refusal"])
        if "answer" not in run.result:
            raise _broken_off(session_id)
        answer: Answer = run.result["answer"]
        return answer

    def standing(self, session_id: str) -> Answer:
        """Return what get_state says of a verification that runs, or could not be had."""
        with self._guard:
            run = self._runs.get(session_id)
        if run is not None and run.done.is_set():
            refusal = run.result.get("refusal", {})
            if refusal.get("kind") != VerificationUnavailableError.__name__:
                return {}
            unverified = refusal["fields"].get("unverified", [])
            return {"verification": "could_not_verify", "unverified": unverified}
        if run is not None or self._store.is_verifying(session_id):
            again = views.call(Action.GET_STATE, session_id=session_id)
            return {"verification": "running", "next": again}
        return {}

    def _run_for(
        self, session_id: str, phase: int, evidence: Mapping[str, Any], woken: threading.Event
    ) -> _Run:
        key = digest(encode([phase, dict(evidence)]))
        with self._guard:
            run = self._runs.get(session_id)
            if run is not None and run.key == key:
                run.waiting.add(woken)
                if run.done.is_set():
                    woken.set()
                return run
            if run is not None and not run.done.is_set():
                raise ConflictError(
                    "Session modified by another operation: another submission of this session is"
                    " being verified",
                    remediation="Wait for it: get_state says when it is done.",
                    fields={"next": views.call(Action.GET_STATE, session_id=session_id)},
                )
            run = self._runs[session_id] = _Run(key, self._stopped.pop(session_id, None))
            run.waiting.add(woken)
        job = {
            "settings": self._settings.as_job(),
            "caller": asdict(self._caller()),
            "session_id": session_id,
            "phase": phase,
            "evidence": dict(evidence),
        }
        threading.Thread(target=self._carry_out, args=(run, encode(job)), daemon=True).start()
        return run

    def _carry_out(self, run: _Run, job: bytes) -> None:
        try:
            if run.after is not None:
                run.after.done.wait()
            process = self._begin(run)
            if process is not None:
                output, _ = process.communicate(job)
                run.result = json.loads(output)
        except (OSError, ValueError) as error:
            if not run.stopped.is_set():
                logger.warning("a verification broke off: %s", error)
        finally:
            with self._guard:
                run.done.set()
                waiting = tuple(run.waiting)
            for woken in waiting:
                woken.set()

    def _begin(self, run: _Run) -> "subprocess.Popen[bytes] | None":
        if run.stopped.is_set():
            return None
        process = _worker()
        with self._guard:
            run.process = process
            is_unwanted = run.stopped.is_set()
        if is_unwanted:
            _end_soon(process)
        return process

    def _give_up(self, session_id: str, run: _Run, woken: threading.Event) -> None:
        """Stop `run` unless it is done, or somebody else than who `woken` is for waits for it."""
        woken.set()
        with self._guard:
            was_waiting = woken in run.waiting
            run.waiting.discard(woken)
            if not was_waiting or run.waiting or run.done.is_set():
                return
            run.stopped.set()
            if self._runs.get(session_id) is run:
                del self._runs[session_id]
                self._stopped[session_id] = run
            process = run.process
        if process is not None:
            _end_soon(process)

    def _wait_for_others(self, session_id: str, deadline: float) -> None:
        while self._store.is_verifying(session_id) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _worker() -> "subprocess.Popen[bytes]":
    # Without -P a module that somebody puts into the working folder would be imported here.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "mcp_server.verifying"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_environment(),
        # What ends the server, be it typed at its terminal, is not meant for the worker.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _end_soon(process: "subprocess.Popen[bytes]") -> None:
    threading.Thread(target=_end, args=(process,), daemon=True).start()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Have a worker end its command and itself, by force if it does not."""
    process.terminate()
    try:
        process.wait(_STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        _kill_group(process)


if sys.platform == "win32":

    def _kill_group(process: "subprocess.Popen[bytes]") -> None:
        process.kill()

else:

    def _kill_group(process: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    package = str(Path(mcp_server.__file__).parent.parent)
    search = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    # The settings come with the job; others may read a process's environment, and the address of
    # a database may hold a password.
    inherited = {name: value for name, value in os.environ.items() if name != STATE_VARIABLE}
    # The server counts; a worker that exported nothing would still wait for an exporter.
    return inherited | {"PYTHONPATH": search, "OTEL_SDK_DISABLED": "true"}


def _broken_off(session_id: str) -> VerificationUnavailableError:
    return VerificationUnavailableError(
        "the verification broke off before it came to a result",
        remediation="Send the same call again; if it happens again, the server's log says why.",
        fields={
            "checkpoint_passed": False,
            "next": views.call(Action.GET_STATE, session_id=session_id),
        },
    )
