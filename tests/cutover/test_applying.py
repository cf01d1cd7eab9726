"""The transaction: kept only if all is well, and otherwise as if nothing had been."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_server.cutover import backup as backups
from mcp_server.cutover.applying import Applied, apply, only_one
from mcp_server.cutover.changes import Change
from mcp_server.cutover.interrupts import InterruptedCutover, Interrupts
from mcp_server.errors import CutoverError
from tests.cutover.projects import contents, lay

NOW = datetime(2026, 11, 27, tzinfo=UTC)
CHANGES = (
    Change("a.py", b"x = 1\n", b"x = 2\n", 0o644),
    Change("new.py", None, b"y = 1\n", 0o644),
)


def project(tmp_path: Path) -> Path:
    return lay(tmp_path, {"a.py": "x = 1\n"})


def applied(
    root: Path, verify: Callable[[], Sequence[str]], changes: Sequence[Change] = CHANGES
) -> Applied:
    made = backups.make(root, changes, [], [], NOW)
    with Interrupts() as interrupts:
        return apply(made, changes, verify, interrupts, lambda: NOW)


def status(root: Path) -> str:
    (folder,) = (root / ".praxis-os/backups").glob("cutover-*/")
    return (folder / "status").read_text(encoding="ascii").strip()


def test_what_verifies_is_kept(tmp_path):
    root = project(tmp_path)
    assert applied(root, lambda: ()) == Applied(())
    assert contents(root) == {"a.py": b"x = 2\n", "new.py": b"y = 1\n"}
    assert status(root) == "done"


def test_verification_sees_the_changes(tmp_path):
    root = project(tmp_path)
    seen = []
    applied(root, lambda: seen.append((contents(root), status(root))) or ())
    assert seen == [({"a.py": b"x = 2\n", "new.py": b"y = 1\n"}, "applying")]


def full() -> Sequence[str]:
    raise OSError(28, "No space left on device")


def refused() -> Sequence[str]:
    raise CutoverError("it is not so", remediation="Stop.")


def interrupted() -> Sequence[str]:
    signal.raise_signal(signal.SIGINT)
    return ()


@pytest.mark.parametrize(("verify", "problem"), [
    (lambda: ["get_task is gone"], "get_task is gone"),
    (full, "the disk refused: No space left on device"),
    (refused, "it is not so"),
    (interrupted, "SIGINT came"),
])  # fmt: skip
def test_what_does_not_verify_is_restored(verify, problem, tmp_path):
    root = project(tmp_path)
    before = contents(root)
    done = applied(root, verify)
    assert done.problems == (problem,)
    assert done.restored.files == ("a.py", "new.py")
    assert (contents(root), status(root)) == (before, "restored")


def test_what_nobody_expected_is_restored_too(tmp_path):
    def broken() -> Sequence[str]:
        raise ZeroDivisionError

    root = project(tmp_path)
    before = contents(root)
    with pytest.raises(ZeroDivisionError):
        applied(root, broken)
    assert (contents(root), status(root)) == (before, "restored")


def test_what_would_not_compile_is_restored(tmp_path):
    root = project(tmp_path)
    changes = (Change("a.py", b"x = 1\n", b"return\n", 0o644),)
    (problem,) = applied(root, lambda: (), changes).problems
    assert problem.startswith("a.py would not compile: 'return' outside function")
    assert contents(root) == {"a.py": b"x = 1\n"}


def test_a_file_that_somebody_changed_meanwhile_is_not_written_over(tmp_path):
    root = project(tmp_path)
    made = backups.make(root, CHANGES, [], [], NOW)
    lay(root, {"new.py": "theirs\n"})
    with Interrupts() as interrupts:
        done = apply(made, CHANGES, lambda: (), interrupts, lambda: NOW)
    assert done.problems == ("somebody changed new.py in the meantime",)
    assert contents(root) == {"a.py": b"x = 1\n", "new.py": b"theirs\n"}


def test_a_second_cutover_is_refused(tmp_path):
    with (
        only_one(tmp_path),
        pytest.raises(CutoverError, match="another cutover"),
        only_one(tmp_path),
    ):
        pass
    with only_one(tmp_path):
        pass


def test_later_signals_are_ignored_and_handlers_come_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupts():
        with pytest.raises(InterruptedCutover, match="SIGINT"):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_each_wish_to_stop_interrupts(name):
    with Interrupts(), pytest.raises(InterruptedCutover, match=name):
        os.kill(os.getpid(), getattr(signal, name))
