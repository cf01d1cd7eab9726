"""The signs of phases and the bars that they make."""

import pytest

from mcp_server.viewing.signs import ASCII, MAX_CELLS, STYLES, UNICODE, phase_bar, signs_for


def drawn(standings, signs=UNICODE):
    return "".join(cell for cell, _ in phase_bar(standings, signs))


@pytest.mark.parametrize(
    ("encoding", "signs"),
    [
        ("utf-8", UNICODE),
        ("UTF8", UNICODE),
        ("ascii", ASCII),
        ("cp1252", ASCII),
        ("latin-1", ASCII),
    ],
)
def test_only_utf_has_all_signs(encoding, signs):
    assert signs_for(encoding) is signs


def test_each_phase_has_a_cell():
    standings = ["completed", "overridden", "current", "ahead"]
    assert drawn(standings) == "██▓░"
    assert drawn(standings, ASCII) == "##>."


@pytest.mark.parametrize(("standing", "cell"), [("refused", "✗"), ("paused", "‖")])
def test_where_a_session_is_stopped_shows(standing, cell):
    assert drawn(["completed", standing, "ahead"]) == f"█{cell}░"


@pytest.mark.parametrize("at", [0, 1, 49, 98, 99])
def test_a_long_workflow_is_scaled_down_and_keeps_where_it_stands(at):
    standings = ["completed"] * at + ["refused"] + ["ahead"] * (99 - at)
    shown = drawn(standings)
    assert len(shown) == MAX_CELLS
    assert shown.count("✗") == 1


@pytest.mark.parametrize("signs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_each_standing_has_a_sign_of_its_own(signs):
    shown = [signs.of(standing) for standing in STYLES]
    assert len(set(shown)) == len(STYLES)
    assert all(len(sign) == 1 for sign in shown)
    assert not signs.is_ascii or all(sign.isascii() for sign in shown)
