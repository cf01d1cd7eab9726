"""Runs verifications in processes of their own and waits for them, not longer than an agent can.

A verification that outlives the wait goes on; the same call picks its result up, in this server or,
through the session's journal, in any other. One session has at most one verification at a time, in
all servers. Safe for many threads.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import mcp_server
from mcp_server.config import Settings
from mcp_server.core import views
from mcp_server.core.callers import Caller
from mcp_server.core.encoding import digest, encode
from mcp_server.core.store import SessionStore
from mcp_server.core.transitions import Action
from mcp_server.errors import ConflictError, VerificationUnavailableError, from_data

Answer = dict[str, Any]

_POLL_SECONDS = 0.1

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """A verification that this server started, and in the end its result."""

    key: str
    done: threading.Event = field(default_factory=threading.Event)
    result: Mapping[str, Any] = field(default_factory=dict)


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
        self._guard = threading.Lock()

    def verify(self, session_id: str, phase: int, evidence: Mapping[str, Any]) -> Answer | None:
        """Return the answer, or None while it runs on; raises the refusal that it came to."""
        deadline = time.monotonic() + self._settings.verify_wait
        run = self._run_for(session_id, phase, evidence)
        if not run.done.wait(self._settings.verify_wait):
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

    def _run_for(self, session_id: str, phase: int, evidence: Mapping[str, Any]) -> _Run:
        key = digest(encode([phase, dict(evidence)]))
        with self._guard:
            run = self._runs.get(session_id)
            if run is not None and run.key == key:
                return run
            if run is not None and not run.done.is_set():
                raise ConflictError(
                    "Session modified by another operation: another submission of this session is"
                    " being verified",
                    remediation="Wait for it: get_state says when it is done.",
                    fields={"next": views.call(Action.GET_STATE, session_id=session_id)},
                )
            run = self._runs[session_id] = _Run(key)
        job = {
            "settings": self._settings.model_dump(mode="json"),
            "caller": asdict(self._caller()),
            "session_id": session_id,
            "phase": phase,
            "evidence": dict(evidence),
        }
        threading.Thread(target=_carry_out, args=(run, encode(job)), daemon=True).start()
        return run

    def _wait_for_others(self, session_id: str, deadline: float) -> None:
        while self._store.is_verifying(session_id) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _carry_out(run: _Run, job: bytes) -> None:
    package = str(Path(mcp_server.__file__).parent.parent)
    search = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    # Without -P a module that somebody puts into the working folder would be imported here.
    try:
        process = subprocess.run(
            [sys.executable, "-P", "-m", "mcp_server.verifying"],
            input=job,
            stdout=subprocess.PIPE,
            # The server counts; a worker that exported nothing would still wait for an exporter.
            env=os.environ | {"PYTHONPATH": search, "OTEL_SDK_DISABLED": "true"},
            start_new_session=True,
            check=False,
        )
        run.result = json.loads(process.stdout)
    except (OSError, ValueError) as error:
        logger.warning("a verification broke off: %s", error)
    finally:
        run.done.set()


def _broken_off(session_id: str) -> VerificationUnavailableError:
    return VerificationUnavailableError(
        "the verification broke off before it came to a result",
        remediation="Send the same call again; if it happens again, the server's log says why.",
        fields={
            "checkpoint_passed": False,
            "next": views.call(Action.GET_STATE, session_id=session_id),
        },
    )
