"""What may go wrong with a database, and how long to go on trying.

A fault passes if the same statement may succeed later: the connection was lost, the database
restarts, is full, or has become the standby of another. Everything else is answered at once. No
message names the address: it may hold a password.
"""

import random
import time
from collections.abc import Callable

import psycopg

from mcp_server.errors import DiskRefusedError, StoreUnavailableError, WorkflowError

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0

_PASSING_CLASSES = frozenset({"08", "40", "53", "57"})
"""Connection exceptions, rollbacks, lack of resources, interventions of the operator."""

_PASSING_STATES = frozenset({"25006", "25P02", "25P03"})
"""A server that only reads now, as after a failover, and a transaction that waited too long."""

_NO_RIGHT = "42501"
_DISK_FULL = "53100"


class Patience:
    """How long a fault is put up with: a number of seconds from its making, in growing pauses."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Be patient for `seconds`."""
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds
        self._tries = 0
        self._chance = random.SystemRandom()

    @property
    def left(self) -> float:
        """How many seconds are left."""
        return max(0.0, self._end - self._clock())

    def wait_after(self, error: psycopg.Error) -> None:
        """Pause before the next try; raises what is said when trying again is of no use."""
        if not is_passing(error):
            raise lasting(error) from error
        pause = min(_FIRST_PAUSE * 2**self._tries, _LONGEST_PAUSE)
        # Servers that lost one database must not all come back to it at the same instant.
        pause *= self._chance.uniform(0.5, 1.0)
        self._tries += 1
        if self.left <= pause:
            raise exhausted(error, self._seconds) from error
        self._sleep(pause)


def is_passing(error: psycopg.Error) -> bool:
    """Tell whether the same may succeed later."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state[:2] in _PASSING_CLASSES or state in _PASSING_STATES


def lasting(error: psycopg.Error) -> Exception:
    """Return what is said of a fault that does not pass: the error itself, if it is ours."""
    if error.sqlstate == _NO_RIGHT:
        return DiskRefusedError(
            "the database refuses: its user lacks a right on the tables of the sessions",
            remediation="Ask the people of the project to give the server's user of the database"
            " its rights back.",
        )
    return error


def exhausted(error: psycopg.Error, seconds: float) -> WorkflowError:
    """Return what is said when a fault did not pass in time."""
    if error.sqlstate == _DISK_FULL:
        return DiskRefusedError(
            "the disk of the database is full",
            remediation="Nothing was stored. Ask the people of the project to make room, then send"
            " the same call again.",
        )
    return StoreUnavailableError(
        f"the database of the sessions did not answer in {seconds:g} s",
        remediation="Retry: look with get_state whether the change was stored, else send the same"
        " call again. If it lasts, ask the people of the project to look at the database.",
    )
