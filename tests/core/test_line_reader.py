"""Reading a store's lines: what is remembered is believed by its hash alone."""

import pytest

from mcp_server.core.journal import decode_line, encode_line
from mcp_server.core.line_reader import LineReader
from mcp_server.errors import DamagedStateError
from tests.core.session_builders import ID, OTHER_ID, birth, noted


def lines(number, **changes):
    """As many lines of one session, each with its record."""
    made = [encode_line(birth(**changes), None)]
    while len(made) < number:
        last = made[-1][1]
        made.append(encode_line(noted(last.state, f"note {last.seq}"), last))
    return [(line[:-1], record) for line, record in made]


LINE, RECORD = lines(1)[0]


@pytest.fixture
def reader():
    return LineReader("files")


def test_a_line_is_decoded_once_and_remembered(reader):
    first = reader.record(ID, LINE)
    assert first == RECORD
    assert reader.record(ID, LINE) is first
    assert LineReader("files").known(LINE) is None


def test_a_line_that_was_written_need_not_be_decoded(reader):
    reader.remember(LINE, RECORD)
    assert reader.record(ID, LINE) is RECORD


def test_any_altered_byte_of_a_line_that_is_remembered_is_damage(reader):
    reader.remember(LINE, RECORD)
    for place in range(len(LINE)):
        altered = LINE[:place] + bytes([LINE[place] ^ 1]) + LINE[place + 1 :]
        with pytest.raises(DamagedStateError) as refusal:
            reader.record(ID, altered)
        assert refusal.value.message.startswith(f"session {ID} cannot be read: ")
        assert refusal.value.remediation.startswith("Its files were left as they are.")
        assert reader.known(altered) is None


def test_a_line_of_another_session_is_damage_though_it_is_remembered(reader):
    reader.remember(LINE, RECORD)
    with pytest.raises(DamagedStateError) as refusal:
        reader.record(OTHER_ID, LINE)
    assert refusal.value.message == f"session {OTHER_ID} cannot be read: it holds session {ID}"


def test_the_lines_that_came_last_are_remembered(reader):
    made = lines(40)
    for line, record in made:
        reader.remember(line, record)
    assert [reader.known(line) is not None for line, _ in made] == [False] * 8 + [True] * 32


def test_a_line_that_comes_again_counts_as_the_last_one(reader):
    made = lines(33)
    for line, record in [*made[:32], made[0], made[32]]:
        reader.remember(line, record)
    assert [reader.known(line) is not None for line, _ in made[:2]] == [True, False]


def test_a_long_line_is_decoded_each_time(reader):
    ((line, record),) = lines(1, options={"text": "x" * 64 * 1024})
    reader.remember(line, record)
    assert reader.known(line) is None
    assert reader.record(ID, line) == record == decode_line(line)
