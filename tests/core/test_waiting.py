"""Waiting: where a call may not be kept waiting it says so, and elsewhere goes on."""

import pytest

from mcp_server.core.waiting import WouldWaitError, wait_here, without_waiting


def test_a_call_may_be_kept_waiting_unless_somebody_says_otherwise():
    wait_here()
    with without_waiting(), pytest.raises(WouldWaitError):
        wait_here()
    wait_here()


def test_what_is_raised_inside_ends_it_too():
    with pytest.raises(LookupError), without_waiting():
        raise LookupError
    wait_here()
