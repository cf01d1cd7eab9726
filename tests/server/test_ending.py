"""What signals do while the server serves: the first begins the end, the second is the end."""

import asyncio
import signal
import subprocess
import sys

import pytest

from mcp_server.server.ending import told_by_signals
from tests.wire import GUARD

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="raises signals in this process")

BOTH = (signal.SIGTERM, signal.SIGINT)


@pytest.mark.parametrize("first", BOTH, ids=lambda sent: sent.name)
async def test_after_the_first_signal_a_second_of_either_kind_ends_the_process(first):
    told = []
    with told_by_signals(lambda: told.append("end")):
        signal.raise_signal(first)
        await asyncio.sleep(0)
        assert told == ["end"]
        assert [signal.getsignal(number) for number in BOTH] == [signal.SIG_DFL] * 2


async def test_what_signals_did_before_they_do_afterwards():
    before = [signal.getsignal(number) for number in BOTH]
    with told_by_signals(lambda: None):
        assert [signal.getsignal(number) for number in BOTH] != before
    assert [signal.getsignal(number) for number in BOTH] == before


STUCK = """
import threading
from mcp_server.server.ending import be_gone_soon

threading.Thread(target=threading.Event().wait).start()
be_gone_soon()
print("told", flush=True)
"""


def test_a_thread_that_waits_for_ever_does_not_keep_the_process():
    with subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"told\n"
            # It says within a second; what is over that is for the machine.
            assert process.wait(4) == 0
        finally:
            process.kill()
            process.wait(GUARD)
