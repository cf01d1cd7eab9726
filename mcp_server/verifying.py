"""One verification in a process of its own: looks, judges and records, then ends.

Started by the server for a gate that runs a command. It outlives the server's wait, and the server
itself: what it comes to stands in the session's journal, where any server finds it. While it runs
it holds the session's lease, which the system frees however it ends, so that nothing stays stuck.
Reads one job from standard input and writes one result to standard output, both JSON. Told to
terminate, it first ends its command and then lets go of the lease, so that no two runs overlap.
"""

import json
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mcp_server.config import Settings
from mcp_server.core.callers import Caller
from mcp_server.errors import WorkflowError
from mcp_server.server.services import acting, services_for

BUSY = {"busy": True}
_TERMINATED = 143


def verify(job: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out one job: `settings`, `caller`, `session_id`, `phase`, `evidence`."""
    try:
        services = services_for(Settings.model_validate(job["settings"]))
        session_id = job["session_id"]
        caller = Caller(**job["caller"])
        with acting(caller), services.sessions.store.verifying(session_id) as held:
            if not held:
                return BUSY
            conclude = services.engine.completion.conclude
            answer = conclude(session_id, job["phase"], job["evidence"], remember=True)
            return {"answer": answer}
    except WorkflowError as error:
        return {"refusal": error.as_data()}


def main() -> None:
    """Read the job, do it, write the result."""
    signal.signal(signal.SIGTERM, _stop)
    result = verify(json.loads(sys.stdin.buffer.read()))
    # The server may be gone by now; what counts is recorded.
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(json.dumps(result).encode("utf-8"))
        sys.stdout.buffer.flush()


def _stop(*_signal: object) -> None:
    # What the exception passes on its way out waits for the command's end and frees the lease.
    raise SystemExit(_TERMINATED)


if __name__ == "__main__":
    main()
