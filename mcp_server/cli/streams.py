"""Standard streams that may be closed, full, or read by nobody.

What a command prints is its work: if that cannot be written the command has failed, and says so.
What it remarks on standard error is a courtesy, and the exit code says the same: if that cannot be
written the command goes on.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer

INTERRUPTED = 130
NOT_READ = 141
"""What a process ends with that the closed pipe's own signal ends."""
NOT_WRITTEN = 74
"""What sysexits.h has for an error of output."""


class NotWrittenError(OSError):
    """Standard output took nothing, but for want of a reader."""


class _Output(io.FileIO):
    """A file whose refusals can be told from those of all other files."""

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise NotWrittenError(error.errno, error.strerror) from error


class _Courtesy(io.FileIO):
    """A file that drops what it cannot hold."""

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError:
            return memoryview(data).nbytes  # type: ignore[arg-type]


def prepare_streams() -> None:
    """Have each stream there, and what a terminal has no sign for written out."""
    _fill_gaps()
    sys.stdout = _over(_Output, sys.stdout, sys.__stdout__)
    sys.stderr = _over(_Courtesy, sys.stderr, sys.__stderr__)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


@contextmanager
def ending_quietly() -> Iterator[None]:
    """End a command that is interrupted, or cannot print, by its exit code and one line at most."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt as error:
        raise typer.Exit(INTERRUPTED) from error
    except NotWrittenError as error:
        _let_go()
        sys.stderr.write(f"aos-workflow: the output cannot be written: {error.strerror}\n")
        raise typer.Exit(NOT_WRITTEN) from error
    except OSError as error:
        if not _is_closed_pipe(error):
            raise
        _let_go()
        raise typer.Exit(NOT_READ) from error
    except SystemExit as error:
        # The console of help and tables ends by itself, and as if something had gone wrong.
        if isinstance(error.__context__, BrokenPipeError):
            raise typer.Exit(NOT_READ) from error
        raise


def _fill_gaps() -> None:
    """Put something into the place of each closed stream, which the next open file would take.

    Nothing can be written to standard output that was closed, and all to standard error.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one.
            os.open(os.devnull, flags)
            os.set_inheritable(number, True)  # noqa: FBT003 - it has no name
    # None says that Python found the stream closed when it began.
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            opened = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
            setattr(sys, f"__{name}__", opened)


def _over(kind: type[io.FileIO], stream: TextIO, original: TextIO | None) -> TextIO:
    # A terminal is left as it is: Windows writes there in a way of its own.
    if stream is not original or not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        return stream
    raw: Any = kind(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        # Python that is told to buffer nothing has nothing in between either.
        raw if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _let_go() -> None:
    """Lead standard output nowhere, so that flushing it at the end says nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_closed_pipe(error: OSError) -> bool:
    # Windows has no name for it.
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == 22)  # noqa: PLR2004
