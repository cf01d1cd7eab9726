"""How imported sessions are stored: whole or not at all, once, and beside others at work."""

import errno
import os
import threading
from pathlib import Path

import pytest

from mcp_server.core import durable
from mcp_server.core.library import WorkflowLibrary
from mcp_server.importing import ImportReport, import_state
from mcp_server.server.services import Services
from tests.core.session_builders import disk, refusing
from tests.core.test_durable import System
from tests.importing_builders import FAILED, ID, LARGE, fresh, outcomes, put, reason, stored_ids


class CrashError(BaseException):
    """The process ends here: no handler of ours runs."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of the older server's state, empty as yet."""
    folder = tmp_path / "old"
    folder.mkdir()
    return folder


def test_a_disk_that_refuses_is_a_reason_and_leaves_nothing(old, services, monkeypatch):
    put(old, 0, phase_artifacts=LARGE)
    with disk(monkeypatch, write=refusing(errno.ENOSPC)):
        text = reason(import_state(old, services, apply=True))
    assert text == "the state folder refused: No space left on device"
    assert stored_ids(services) == set()
    assert outcomes(import_state(old, services, apply=True)) == ["imported"]


def crashing_at(call: int) -> System:
    """An operating system under a process that ends at the `call`th opening, writing or syncing."""
    left = call

    def counted(name):
        def run(*arguments, **named):
            nonlocal left
            left -= 1
            if left < 0:
                raise CrashError
            return getattr(os, name)(*arguments, **named)

        return run

    return System(**{name: counted(name) for name in ("open", "write", "fsync", "close")})


@pytest.mark.parametrize(("state", "lines"), [(FAILED, 3), ({"completed": 3}, 4)])
def test_after_a_crash_at_any_instant_a_session_is_whole_or_absent(
    old, tmp_path, monkeypatch, state, lines
):
    put(old, 0, **{**state, "phase_artifacts": LARGE})
    seen = set()
    for call in range(1_000):
        project = tmp_path / f"project-{call}"
        project.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(durable, "os", crashing_at(call))
            try:
                import_state(old, fresh(project), apply=True)
                crashed = False
            except CrashError:
                crashed = True
        services = fresh(project)
        there = stored_ids(services)
        assert there in (set(), {ID})
        seen.add((crashed, bool(there)))
        if there:
            assert services.engine.get_phase(ID)["total_phases"] == 3
        import_state(old, services, apply=True)
        assert services.sessions.verify(ID).holds
        assert len(services.sessions.store.lines(ID)) == lines
        assert not list((project / ".praxis-os").rglob("*.new"))
        if not crashed:
            break
    assert seen == {(True, False), (True, True), (False, True)}


def test_two_imports_at_once_store_each_session_once(old, project):
    for number in range(6):
        put(old, number)
    both = [fresh(project), fresh(project)]
    barrier = threading.Barrier(2)
    reports: list[ImportReport] = []

    def run(services: Services) -> None:
        barrier.wait()
        reports.append(import_state(old, services, apply=True))

    threads = [threading.Thread(target=run, args=[services]) for services in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pairs = zip(*map(outcomes, reports), strict=True)
    assert [sorted(pair) for pair in pairs] == [["already imported", "imported"]] * 6


def test_a_session_that_another_import_stores_in_the_meantime_is_there_already(
    old, project, monkeypatch
):
    put(old)
    first, second = fresh(project), fresh(project)
    load = WorkflowLibrary.load

    def overtaken(library, name):
        monkeypatch.setattr(WorkflowLibrary, "load", load)
        assert outcomes(import_state(old, second, apply=True)) == ["imported"]
        return load(library, name)

    monkeypatch.setattr(WorkflowLibrary, "load", overtaken)
    assert outcomes(import_state(old, first, apply=True)) == ["already imported"]


def test_a_damaged_session_of_that_id_is_left_as_it_is(old, services):
    put(old)
    import_state(old, services, apply=True)
    journal = services.settings.state_folder / f"{ID}.jsonl"
    journal.write_bytes(b"damage\n")
    assert f"session {ID} cannot be read" in reason(import_state(old, services, apply=True))
    assert journal.read_bytes() == b"damage\n"


def test_a_lock_that_somebody_holds_is_a_reason(old, project, services, monkeypatch):
    put(old)
    other = fresh(project, lock_timeout=0.05)
    with services.sessions.store.exclusive():
        assert "is locked by" in reason(import_state(old, other, apply=True))
