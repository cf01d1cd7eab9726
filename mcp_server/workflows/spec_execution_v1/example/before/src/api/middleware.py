"""What happens around each call to the API."""

import logging
from collections.abc import Callable

LOG = logging.getLogger("access")


def handle(customer: str, endpoint: str, call: Callable[[], int]) -> int:
    """Run `call` for `customer` and return its status."""
    status = call()
    LOG.info("%s %s %s", customer, endpoint, status)
    return status
