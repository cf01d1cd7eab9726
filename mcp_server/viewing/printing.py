"""Lines, tables and JSON on the console: the one door through which foreign text gets there.

On a terminal a table has headings and folds what is long; anywhere else it is one row a line, with
tabs between the cells and nothing cut off, for other programs to read.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mcp_server.core.visible import visible

Part = str | tuple[str, str]
"""Text, or text and its style."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    is_number: bool = False
    only_on_terminal: bool = False
    from_width: int | None = 0
    """How wide a terminal must be to show it; None: none does."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells, and the style of each or of all."""

    cells: Sequence[str]
    style: str = ""
    styles: Mapping[int, str] = field(default_factory=dict)


def line(*parts: Part) -> Text:
    """Return a line of styled parts that a terminal shows and does not obey."""
    made = Text()
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        made.append(visible(text), style=style or None)
    return made


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines as they are, however long."""
    for one in lines:
        console.print(one, soft_wrap=True)


def print_table(console: Console, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Print rows under headings on a terminal, and apart by tabs elsewhere."""
    if not console.is_terminal:
        for row in rows:
            cells = (visible(cell) for column, cell in zip(columns, row.cells, strict=True)
                     if not column.only_on_terminal)  # fmt: skip
            print_plain(console, "\t".join(cells))
        return
    shown = [
        (index, one)
        for index, one in enumerate(columns)
        if one.from_width is not None and console.width >= one.from_width
    ]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for _, one in shown:
        table.add_column(one.title, justify="right" if one.is_number else "left", overflow="fold")
    for row in rows:
        cells_of = [line((row.cells[index], row.styles.get(index, ""))) for index, _ in shown]
        table.add_row(*cells_of, style=row.style)
    console.print(table, soft_wrap=False)


def json_text(document: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """Return `document` as JSON of plain ASCII, with nothing in it that a terminal obeys."""
    return json.dumps(document, indent=indent, default=str)


def print_json(console: Console, document: Mapping[str, Any], *, indent: int | None = 2) -> None:
    """Print one JSON document."""
    print_plain(console, json_text(document, indent=indent))


def print_plain(console: Console, text: str) -> None:
    """Print a line byte for byte, and at once: the console would make spaces of tabs."""
    console.file.write(f"{text}\n")
    console.file.flush()


def tell_warnings(warnings: list[str]) -> None:
    """Print warnings to standard error, where they are in nobody's way."""
    for warning in warnings:
        tell_note(f"warning: {warning}")


def tell_note(note: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(f"aos-workflow: {visible(note)}\n")
