"""Whose children processes are, and what they hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.validating import processes
from mcp_server.validating.processes import (
    NotMeasuredError,
    Process,
    children,
    parsed,
    resident,
    running,
)

TABLE = [Process(1, 0, 10), Process(2, 1, 20), Process(3, 2, 40), Process(4, 3, 80),
         Process(9, 1, 160)]  # fmt: skip


def test_what_a_process_started_counts_with_it():
    assert children(TABLE, 1) == {2, 9}
    assert resident(TABLE, {2}) == 140
    assert resident(TABLE, set()) == 0


def test_a_circle_of_parents_ends():
    assert resident([Process(1, 2, 1), Process(2, 1, 2)], {1}) == 3


def test_lines_of_three_numbers_are_processes():
    text = "  1     0  1234\nPID PPID RSS\n\n77 1 5 6\n 20 1 10\n"
    assert parsed(text, unit=1024) == [Process(1, 0, 1_263_616), Process(20, 1, 10_240)]


def test_this_process_and_its_child_are_seen():
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        found = {process.pid: process for process in running()}
        child.communicate(b"\n")
    assert found[child.pid].parent == os.getpid()
    assert found[os.getpid()].resident > 1_000_000


@pytest.mark.skipif(sys.platform == "win32", reason="there is no ps")
def test_ps_tells_the_same_and_not_of_itself(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    told = tmp_path / "ps"
    told.write_text('#!/bin/sh\necho "$$ 1 7"\necho "5 1 2"\n', encoding="utf-8")
    told.chmod(0o755)
    monkeypatch.setattr(processes, "_PS", (str(told),))
    assert running() == [Process(5, 1, 2_048)]


@pytest.mark.parametrize("command", ["no-such-program-anywhere", sys.executable])
def test_a_system_that_does_not_tell_is_not_measured(monkeypatch, tmp_path, command):
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    teller = (command, "-c", "") if Path(command).is_absolute() else (command,)
    monkeypatch.setattr(processes, "_PS", teller)
    monkeypatch.setattr(processes, "_POWERSHELL", teller)
    with pytest.raises(NotMeasuredError):
        running()
