"""Tables, lines and JSON: for people on a terminal, for programs elsewhere, safe in both."""

import json

import pytest

from mcp_server.viewing.printing import (
    Column,
    Row,
    json_text,
    line,
    print_json,
    print_lines,
    print_table,
    tell_warnings,
)
from tests.viewing.viewing_builders import (
    EVIL,
    EVIL_SHOWN,
    obeyed,
    plain_console,
    printed,
    terminal,
)

COLUMNS = (
    Column("name"),
    Column("ago", only_on_terminal=True),
    Column("at", from_width=None),
    Column("what for", from_width=100),
)
LONG = "word " * 60
ROWS = [Row(("first", "1 s", "noon", LONG.strip())), Row(("second", "2 s", "dawn", "b"))]


def test_elsewhere_a_row_is_a_line_with_tabs_and_nothing_is_cut_off():
    console = plain_console()
    print_table(console, COLUMNS, ROWS)
    assert console.file.getvalue() == f"first\tnoon\t{LONG.strip()}\nsecond\tdawn\tb\n"


def test_a_table_without_rows_is_nothing_elsewhere():
    console = plain_console()
    print_table(console, COLUMNS, [])
    assert console.file.getvalue() == ""


@pytest.mark.parametrize(
    ("width", "headings"), [(80, ["name", "ago"]), (120, ["name", "ago", "what", "for"])]
)
def test_on_a_terminal_there_are_headings_and_columns_for_which_there_is_room(width, headings):
    console = terminal(width)
    print_table(console, COLUMNS, ROWS)
    first, *rest = printed(console).strip().splitlines()
    assert first.split() == headings
    assert max(map(len, rest)) <= width


def test_a_cell_cannot_end_its_row_or_begin_another_cell():
    console = plain_console()
    print_table(console, (Column("a"), Column("b")), [Row(("x\ty", "1\n2"))])
    assert console.file.getvalue() == "x\\ty\t1\\n2\n"


@pytest.mark.parametrize("make", [plain_console, terminal])
def test_a_terminal_does_not_obey_a_cell_or_a_line(make):
    console = make()
    print_table(console, (Column("a"),), [Row((EVIL,))])
    print_lines(console, [line("said: ", (EVIL, "red"))])
    assert obeyed(console.file.getvalue()) == []
    assert printed(console).count(EVIL_SHOWN) == 2


def test_a_line_is_not_folded():
    console = terminal(20)
    print_lines(console, [line(LONG)])
    assert printed(console) == f"{LONG}\n"


def test_what_looks_like_markup_is_text():
    console = terminal()
    print_lines(console, [line("[red]x[/red] :smile:")])
    assert printed(console) == "[red]x[/red] :smile:\n"


def test_json_is_plain_ascii_that_says_the_same():
    document = {"text": f"{EVIL}\x7f é\n", "none": None}
    text = json_text(document)
    assert json.loads(text) == document
    assert text.isascii()
    assert obeyed(text) == []


def test_a_json_document_is_printed_alone():
    console = terminal(20)
    print_json(console, {"long": LONG})
    assert console.file.getvalue() == json_text({"long": LONG}) + "\n"


def test_warnings_go_to_standard_error(capsys):
    tell_warnings([f"bad {EVIL}"])
    assert capsys.readouterr() == ("", f"aos-workflow: warning: bad {EVIL_SHOWN}\n")
