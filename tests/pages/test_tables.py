"""Tables, lists and times, none longer than it may be."""

from datetime import UTC, datetime

import pytest

from mcp_server.pages.tables import bounded_list, bounded_table, lasting, table, when


def test_a_table_has_a_heading_and_a_row_a_line():
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_table_that_is_too_long_says_how_much_it_leaves_out():
    rows = [(str(number),) for number in range(10)]
    assert bounded_table(("n",), rows, 12) == ["| n |\n| --- |\n| 0 |\n| 1 |", "… and 8 more."]
    assert bounded_table(("n",), rows, 60) == [table(("n",), rows)]


def test_a_list_shows_at_least_one_item():
    assert bounded_list(["x" * 100, "y"], 10) == ["x" * 100, "… and 1 more."]
    assert bounded_list(["x", "y"], 4) == ["x\ny"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (3_725, "1 h 2 min"),
        (90_061, "1 d 1 h"),
        (86_401, "1 d 1 s"),
    ],
)
def test_a_time_is_told_in_its_two_largest_units(seconds, said):
    assert lasting(seconds) == said


def test_a_moment_is_told_without_fractions():
    assert when(datetime(2026, 3, 14, 12, 0, 5, 999, UTC)) == "2026-03-14 12:00:05 UTC"
