"""What happens around each call to the API."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from billing.recorder import Recorder, UsageEvent

LOG = logging.getLogger("access")


def handle(
    customer: str,
    endpoint: str,
    call: Callable[[], int],
    *,
    key: str = "",
    recorder: Recorder | None = None,
) -> int:
    """Run `call` for `customer` and return its status; without a recorder usage is not counted."""
    status = call()
    LOG.info("%s %s %s", customer, endpoint, status)
    if recorder and status < 500:
        recorder.record(UsageEvent(key, customer, endpoint, datetime.now(UTC)))
    return status
