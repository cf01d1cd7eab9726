"""Whether the process lives, and whether it can serve: for balancers and supervisors.

Open to everybody, so an answer names parts and how they are, and nothing of the machine. A check
that is asked for often is made once a second.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mcp_server.errors import WorkflowError
from mcp_server.server.services import Services

LIVENESS = "/healthz"
READINESS = "/readyz"

_FRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_UNAVAILABLE = 503

Check = Callable[[], Awaitable[bool]]

logger = logging.getLogger(__name__)


class Readiness:
    """The checks of one server, and whether it is about to end."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        """Be ready while all of `checks` hold."""
        self._checks = dict(checks)
        self._found: dict[str, bool] = {}
        self._looked = float("-inf")
        self._lock = anyio.Lock()
        self.draining = False

    async def found(self) -> dict[str, bool]:
        """Return each check and whether it holds, as of a moment ago."""
        async with self._lock:
            if time.monotonic() - self._looked >= _FRESH_SECONDS:
                self._found = {name: await _holds(name, c) for name, c in self._checks.items()}
                self._looked = time.monotonic()
        return {**self._found, "accepting": not self.draining}


def routes(readiness: Readiness) -> list[Route]:
    """Return the routes of both questions."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        found = await readiness.found()
        is_ready = all(found.values())
        told = {name: "ok" if holds else "failed" for name, holds in found.items()}
        return JSONResponse(
            {"status": "ok" if is_ready else "unavailable", "checks": told},
            status_code=200 if is_ready else _UNAVAILABLE,
        )

    return [Route(LIVENESS, live), Route(READINESS, ready)]


def project_checks(services: Services) -> dict[str, Check]:
    """Return the checks of a project: its folder is there, and its store answers."""

    def store_answers() -> bool:
        next(iter(services.sessions.store.summaries(live_only=True)), None)
        return True

    return {
        "project": partial(anyio.to_thread.run_sync, services.settings.project.is_dir),
        "store": partial(anyio.to_thread.run_sync, store_answers, abandon_on_cancel=True),
    }


async def _holds(name: str, check: Check) -> bool:
    try:
        with anyio.fail_after(_PATIENCE_SECONDS):
            return await check()
    except (WorkflowError, OSError) as error:
        logger.warning("not ready: %s: %s", name, error)
        return False
