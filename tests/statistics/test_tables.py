"""Tables and bars on terminals of every kind: wide, narrow, without colour, without blocks."""

import io
import re

import pytest
from rich.console import Console, Group

from mcp_server.statistics.charts import ChartBar, bars
from mcp_server.statistics.tables import duration, told
from tests.statistics.story_builders import Story, figures

ESCAPE = "\x1b"


def shown(part, width=80, encoding="utf-8", **settings):
    """What a terminal shows, line by line."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    terminal = {"force_terminal": True, "color_system": None, "legacy_windows": False, **settings}
    Console(file=file, width=width, highlight=False, **terminal).print(part)
    file.flush()
    return raw.getvalue().decode(encoding).splitlines()


def stories():
    return [
        Story().refused(1, "tests: too few", "report: gone").retried(2).passed(15).passed(35),
        Story().refused(1, "tests: too few"),
        Story(workflow_type="other_v1"),
    ]


def everything(**changes):
    return Group(*told(figures(*stories(), **changes)))


def test_the_whole_of_it():
    assert [line.rstrip() for line in shown(everything(), encoding="ascii")] == [
        "3 sessions: 1 active, 1 failed, 1 completed",
        "Completed ones took 35m 0s on average.",
        "",
        "Started per day",
        "2026-03-14  3  ########################################",
        "",
        "Most used workflows",
        "small_v1  2  ########################################",
        "other_v1  1  ####################",
        "",
        "Where phases fail",
        "small_v1: 2 started, 1 completed, 35m 0s on average",
        "phase  attempts  refused  rate  median",
        "    1         3        2   67%  15m 0s",
        "    2         1        0    0%  20m 0s",
        "phase 1 refused for tests (2), report (1)",
        "",
        "other_v1: 1 started, 0 completed",
    ]


def test_one_session_has_no_plural_and_no_average():
    (first, *_) = shown(Group(*told(figures(Story()))))
    assert first == "1 session: 1 active"


@pytest.mark.parametrize("width", [20, 40, 79, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_it_fits_the_terminal_and_nothing_is_cut(width, encoding):
    name = "a_workflow_with_a_name_that_is_far_too_long_for_this_terminal_v1"
    lines = shown(Group(*told(figures(*stories(), Story(workflow_type=name)))), width, encoding)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    together = "".join(line.split("  ")[0].strip() for line in lines)
    assert name in together.replace(" ", "")


def test_forty_columns_hold_the_table_of_phases_unfolded():
    assert "    1         3        2   67%  15m 0s" in [line.rstrip() for line in
                                                       shown(everything(), 40)]  # fmt: skip


def test_without_colour_there_is_no_colour(monkeypatch):
    settings = {"color_system": "standard"}
    coloured = "\n".join(shown(everything(), **settings))
    assert f"{ESCAPE}[36m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    plain = "\n".join(shown(everything(), **settings))
    assert ESCAPE + "[1m" in plain
    assert ESCAPE + "[3" not in plain


def test_a_rate_that_alarms_stands_out():
    coloured = "\n".join(shown(everything(), color_system="standard"))
    assert re.findall(rf"{ESCAPE}\[31m *(\d+%)", coloured) == ["67%"]


def test_names_that_a_terminal_would_obey_are_written_out():
    walk = Story(workflow_type="w\x1b[2J").refused(1, "f\x1b]0;t\x07: no", missing=["a\nb"])
    lines = shown(Group(*told(figures(walk))))
    assert r"w\x1b[2J: 1 started, 0 completed" in lines
    assert r"phase 1 refused for a\nb (1), f\x1b]0;t\x07 (1)" in lines
    assert ESCAPE not in "".join(lines)


def test_words_that_rich_would_read_as_markup_are_shown_as_they_are():
    assert "[red]w[/red]: 1 started, 0 completed" in shown(
        Group(*told(figures(Story(workflow_type="[red]w[/red]"))))
    )


def test_three_fields_are_named_and_the_rest_is_counted():
    walk = Story().refused(1, missing=["e", "d", "c", "b", "a"])
    assert "phase 1 refused for a (1), b (1), c (1), and 2 more" in shown(
        Group(*told(figures(walk)))
    )


def test_a_phase_without_attempts_has_no_rate_and_no_time():
    walk = Story(phases=(1, 2, 3)).passed(1).rolled_back(9)
    rows = [line.split() for line in shown(Group(*told(figures(walk)))) if line[:5].strip() == "2"]
    assert rows == [["2", "0", "0", "-", "-"]]


@pytest.mark.parametrize(
    ("share", "blocks", "signs"),
    [
        (0.0, "", ""),
        (0.0001, "▏", "#"),
        (0.05, "▌", "#"),
        (0.5, "█████", "#####"),
        (0.99, "█████████▉", "##########"),
        (1.0, "██████████", "##########"),
    ],
)
def test_a_bar_is_as_long_as_its_share_and_anything_is_seen(share, blocks, signs):
    assert shown(ChartBar(share), 10)[0].rstrip() == blocks
    assert shown(ChartBar(share), 10, "ascii") == [signs]
    assert shown(ChartBar(share), 10, legacy_windows=True)[0].rstrip() in (signs, blocks)


def test_bars_are_measured_by_the_largest():
    assert [bar.share for bar in bars([1, 4, 0])] == [0.25, 1.0, 0.0]
    assert [bar.share for bar in bars([0])] == [0.0]
    assert list(bars([])) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0s"),
        (59.4, "59s"),
        (59.6, "1m 0s"),
        (3_599, "59m 59s"),
        (3_600, "1h 0m"),
        (86_399, "23h 59m"),
        (86_400, "1d 0h"),
        (400 * 86_400 + 3 * 3_600, "400d 3h"),
    ],
)
def test_a_time_is_told_in_two_units(seconds, text):
    assert duration(seconds) == text
