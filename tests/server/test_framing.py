"""Bytes into lines, some of them too long."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.server.framing import KEPT, LineFramer, TooLong

LIMIT = 600


def framed(*chunks):
    """All lines that `chunks` come to, the rest after the last newline included."""
    framer = LineFramer(LIMIT)
    lines = [line for chunk in chunks for line in framer.feed(chunk)]
    rest = framer.finish()
    return lines if rest is None else [*lines, rest]


def test_lines_come_without_their_newlines():
    assert framed(b"one\ntwo\n\nthree\n") == [b"one", b"two", b"", b"three"]


def test_what_stands_after_the_last_newline_is_the_last_line():
    assert framed(b"one\nha", b"lf") == [b"one", b"half"]


def test_a_line_of_exactly_the_limit_is_whole():
    assert framed(b"x" * LIMIT + b"\n") == [b"x" * LIMIT]


def test_a_line_over_the_limit_leaves_its_length_and_its_ends():
    long = b"a" * 300 + b"b" * 300 + b"c" * 300
    skipped = TooLong(size=900, head=b"a" * KEPT, tail=b"c" * KEPT)
    assert framed(b"one\n", long, b"\ntwo\n") == [b"one", skipped, b"two"]


def test_a_long_line_without_an_end_is_told_of_too():
    assert framed(b"x" * (LIMIT + 1)) == [TooLong(LIMIT + 1, b"x" * KEPT, b"x" * KEPT)]


@given(
    st.lists(st.integers(0, 2 * LIMIT), max_size=6),
    st.lists(st.integers(1, LIMIT), max_size=20),
)
def test_the_lines_do_not_depend_on_how_the_bytes_arrive(lengths, cuts):
    sent = b"".join(bytes([65 + n % 26]) * length + b"\n" for n, length in enumerate(lengths))
    chunks = []
    rest = sent
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    assert framed(*chunks, rest) == framed(sent)


def test_nothing_of_a_line_that_never_ends_is_held():
    framer = LineFramer(LIMIT)
    chunk = b"x" * 65_536
    tracemalloc.start()
    try:
        for _ in range(100):
            assert list(framer.feed(chunk)) == []
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4 * len(chunk)
