"""Measure, print, and write what was measured to docs/benchmarks.md, section by section.

Without arguments everything is measured; `python -m benchmarks speed sizes` measures these alone
and leaves the other sections as they are.
"""

import argparse
import os
import platform
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.tables import Section

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

SECTIONS = ("sizes", "speed", "state", "soak")


def main() -> int:
    """Measure what is asked for; fail when a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[*SECTIONS, []], help="default: all")
    held = True
    for name in parser.parse_args().section or SECTIONS:
        measure: Callable[[], Section] = import_module(f"benchmarks.{name}").section
        section = measure()
        held = held and section.holds
        sys.stdout.write(f"{section.text}\n")
        write(name, f"{section.text.rstrip()}\n\n{_machine()}\n")
    return 0 if held else 1


def write(name: str, text: str) -> None:
    """Put the text of a section in its place in the document."""
    document = DOCUMENT.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    written, found = place.subn(lambda m: f"{m[1]}\n{text}\n{m[2]}", document)
    if not found:
        raise ValueError(f"{DOCUMENT.name} has no place for {name}")
    DOCUMENT.write_text(written, encoding="utf-8")


def _machine() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    where = f"{platform.system()}, {platform.machine()}, {os.cpu_count()} processors"
    return f"Measured {datetime.now(UTC):%Y-%m-%d} by {python} on {where}."


if __name__ == "__main__":
    raise SystemExit(main())
