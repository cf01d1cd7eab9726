"""Short calls: in the loop what was short and waits for nobody, in a thread everything else."""

import threading
from functools import partial

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from mcp_server.core.waiting import wait_here
from mcp_server.server.short_calls import SHORT_SECONDS, ShortCalls, told_by


class Clock:
    """A clock that goes on by `step` each time it is looked at."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def where() -> str:
    """Tell whether this is the thread of the loop."""
    return "loop" if threading.current_thread() is threading.main_thread() else "thread"


def waits() -> str:
    wait_here()
    return where()


def fails() -> None:
    raise LookupError(where())


async def run(calls: ShortCalls, method=where):
    return await calls.run(anyio.to_thread.run_sync, method)


async def test_the_first_call_of_a_kind_goes_to_a_thread_and_short_ones_after_it_do_not():
    calls = ShortCalls(Clock())
    assert [await run(calls) for _ in range(3)] == ["thread", "loop", "loop"]


async def test_each_kind_of_call_is_judged_by_itself():
    calls = ShortCalls(Clock())
    await run(calls)
    assert await run(calls, waits) == "thread"
    assert await run(calls) == "loop"


async def test_after_a_long_call_a_thread_is_used_until_one_was_short():
    clock = Clock()
    calls = ShortCalls(clock)
    await run(calls)
    clock.step = SHORT_SECONDS
    assert await run(calls) == "loop"
    assert await run(calls) == "thread"
    clock.step = 0.0
    assert await run(calls) == "thread"
    assert await run(calls) == "loop"


async def test_a_call_that_would_wait_is_made_again_in_a_thread():
    calls = ShortCalls(Clock())
    assert [await run(calls, waits) for _ in range(2)] == ["thread", "thread"]


async def test_calls_that_come_together_do_not_wait_for_each_other():
    calls, told = ShortCalls(Clock()), []
    await run(calls)

    async def one() -> None:
        told.append(await run(calls))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(one)
    # The last one is alone by the time it goes on only if the others were answered before it came.
    assert told[:1] == ["thread"]
    assert await run(calls) == "loop"


@pytest.mark.parametrize(("is_alone", "place"), [(True, "loop"), (False, "thread")])
async def test_a_transport_that_counts_its_requests_is_believed(is_alone, place):
    calls = ShortCalls(Clock())
    await run(calls)
    with told_by(lambda: is_alone):
        assert await run(calls) == place
    assert await run(calls) == "loop"


async def test_calls_that_are_made_already_are_company_whatever_the_transport_says():
    calls, go_on = ShortCalls(Clock()), threading.Event()
    await run(calls)
    async with anyio.create_task_group() as tasks:
        with told_by(lambda: False):
            tasks.start_soon(run, calls, lambda: go_on.wait(10))
        await anyio.lowlevel.checkpoint()
        with told_by(lambda: True):
            assert await run(calls) == "thread"
        go_on.set()


async def test_what_a_call_raises_is_raised_wherever_it_runs():
    calls = ShortCalls(Clock())
    for place in ("thread", "loop", "loop"):
        with pytest.raises(LookupError, match=place):
            await run(calls, fails)


async def test_arguments_are_handed_on():
    calls = ShortCalls(Clock())
    shown = partial(calls.run, anyio.to_thread.run_sync, "{} {word}".format)
    assert [await shown(1, word="a") for _ in range(2)] == ["1 a", "1 a"]
