"""Blocking calls, carried out where they cost least: short ones in the event loop itself.

While a thread works the loop answers others, but it costs a short call as much as its work. So a
call is made in the loop if three things hold: no other such call has come meanwhile, for the disk
syncs those of many threads at once; the last one of its kind was short, which tells of the disk and
of how much there is to look through; and it comes to nothing that may wait or take long, such as a
lock that is held, git, or a gate that looks. A call that does is made again in a thread: it says so
before it changes anything (`core.waiting`). Belongs to the event loop.

What else has come is known to a transport that counts its requests; where none does, a call waits
for the loop to go round until those that came with it have been counted here.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, ParamSpec, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from mcp_server.core.waiting import WouldWaitError, without_waiting

SHORT_SECONDS = 0.005
"""What a call may have taken the last time: less than a person or a client notices of another."""

_STEPS_BEHIND = 2
"""Steps of the loop by which the second of several requests is behind the first one."""

_MAX_LONG = 128
_long = anyio.CapacityLimiter(_MAX_LONG)

_is_alone: ContextVar[Callable[[], bool] | None] = ContextVar("is_alone", default=None)

_P = ParamSpec("_P")
_R = TypeVar("_R")


async def run(method: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call a blocking method in a worker thread, so that the server goes on answering others."""
    return await anyio.to_thread.run_sync(partial(method, *args, **kwargs))


async def run_long(method: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call a method that may take long, in a thread that is not one of those that answer.

    A call that ends early leaves the thread alone; what waits in it is told by `calls`.
    """
    call = partial(method, *args, **kwargs)
    return await anyio.to_thread.run_sync(call, limiter=_long, abandon_on_cancel=True)


@contextmanager
def told_by(is_alone: Callable[[], bool] | None) -> Iterator[None]:
    """Ask `is_alone`, if anybody knows, whether a call inside is the only one to be answered."""
    token = _is_alone.set(is_alone)
    try:
        yield
    finally:
        _is_alone.reset(token)


class ShortCalls:
    """The calls of one process that change or list sessions."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Measure by `clock`."""
        self._clock = clock
        self._seconds: dict[str, float] = {}
        self._running = 0

    async def run(
        self, in_thread: Callable[[Callable[[], Any]], Awaitable[Any]], method: Callable[_P, _R],
        *args: _P.args, **kwargs: _P.kwargs,
    ) -> _R:  # fmt: skip
        """Return what `method` returns, called in the loop if it is short, else by `in_thread`."""
        call = partial(self._timed, partial(method, *args, **kwargs), _kind_of(method))
        self._running += 1
        try:
            if await self._is_alone() and self._is_short(method):
                try:
                    with without_waiting():
                        return call()
                except WouldWaitError:
                    pass
            result: _R = await in_thread(call)
            return result
        finally:
            self._running -= 1

    async def _is_alone(self) -> bool:
        if is_alone := _is_alone.get():
            return self._running == 1 and is_alone()
        # Calls that came together have been counted by the time the first of them goes on.
        for _ in range(_STEPS_BEHIND):
            await anyio.lowlevel.checkpoint()
        return self._running == 1

    def _is_short(self, method: Callable[..., Any]) -> bool:
        # Of the first one of a kind nothing is known yet.
        return self._seconds.get(_kind_of(method), SHORT_SECONDS) < SHORT_SECONDS

    def _timed(self, call: Callable[[], _R], kind: str) -> _R:
        began = self._clock()
        try:
            return call()
        finally:
            self._seconds[kind] = self._clock() - began


def _kind_of(method: Callable[..., Any]) -> str:
    return method.__qualname__
