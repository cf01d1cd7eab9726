"""Foreign text on a terminal: shown, and not obeyed."""

import pytest

from mcp_server.core.visible import visible, without_controls

PLAIN = "Grüße, 世界: a/b (1) ✓"


def test_plain_text_is_left_as_it_is():
    assert visible(PLAIN) == PLAIN
    assert without_controls(f"{PLAIN}\n\tindented") == f"{PLAIN}\n\tindented"


@pytest.mark.parametrize(
    ("sign", "written"),
    [
        ("\x1b", r"\x1b"),
        ("\n", r"\n"),
        ("\r", r"\r"),
        ("\t", r"\t"),
        ("\x07", r"\x07"),
        ("\x7f", r"\x7f"),
        ("\x9b", r"\x9b"),
        ("\u202e", r"\u202e"),
        ("\u200b", r"\u200b"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_cannot_be_seen_is_written_out_in_a_line(sign, written):
    assert visible(f"a{sign}b") == f"a{written}b"


def test_what_a_terminal_obeys_is_written_out_in_lines():
    assert without_controls("a\x1b[2J\rb\x9bc\n") == r"a\x1b[2J\x0db\x9bc" + "\n"
