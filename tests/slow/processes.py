"""Processes of their own for writers: quick to start, so that hundreds can be killed."""

import multiprocessing
from collections.abc import Callable, Iterable
from typing import Any

SEED_VARIABLE = "AOS_TEST_SEED"

FORKS: Any = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
"""Each process is a fork of one that has imported the package and done nothing else, if it can."""

FORKS.set_forkserver_preload(
    [
        "mcp_server.core.workflow_engine",
        "mcp_server.core.file_store",
        "tests.slow.writers",
        "pytest",
    ]
)

PATIENCE = 120
"""Seconds after which a process that should have ended long ago is a failure."""


def run_together(target: Callable[..., None], arguments: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Run `target(*given, together, report)` for each of `arguments`, at once.

    Each must report once, by `report(value)`; returns what they reported, in their order.
    """
    given = list(arguments)
    together = FORKS.Barrier(len(given), timeout=PATIENCE)
    ears, workers = [], []
    for one in given:
        ear, mouth = FORKS.Pipe(duplex=False)
        worker = FORKS.Process(target=_reporting, args=(target, one, together, mouth), daemon=True)
        worker.start()
        mouth.close()
        ears.append(ear)
        workers.append(worker)
    try:
        reports = [_heard(ear) for ear in ears]
        for worker in workers:
            worker.join(PATIENCE)
        assert [worker.exitcode for worker in workers] == [0] * len(workers)
    finally:
        # One that failed leaves the others waiting for it.
        for worker in workers:
            worker.kill()
    return reports


def _heard(ear: Any) -> Any:
    assert ear.poll(PATIENCE), "a process did not report"
    return ear.recv()


def _reporting(target: Callable[..., None], given: tuple[Any, ...], together: Any, mouth: Any):
    target(*given, together, mouth.send)
