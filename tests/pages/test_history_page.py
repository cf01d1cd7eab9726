"""A journal as a table: one row a change, the newest first."""

import pytest

from mcp_server.core import lifecycle
from mcp_server.core.journal import encode_line
from mcp_server.pages.history_page import BUDGET, history_page
from tests.core.lifecycle_builders import LATER, LATEST, ONE, WAVED, approval
from tests.core.session_builders import ERROR, ID, birth
from tests.pages.page_builders import HOSTILE, inlines, parsed, rows, shown


def journal(*following):
    """The records of a session that was begun, and of what followed."""
    change = birth().model_copy(update={"principal": "ada"})
    records = [encode_line(change, None)[1]]
    for follow in following:
        change = follow(change.state)
        records.append(encode_line(change, records[-1])[1])
    return records


def refuse(state):
    return lifecycle.refuse_phase(state, ONE, ERROR, LATER)


def test_each_change_is_a_row_with_what_it_came_to():
    records = journal(
        refuse,
        lambda state: lifecycle.override_phase(state, WAVED),
        lambda state: lifecycle.pause(state, "for today", LATEST),
    )
    told = history_page(ID, records, 4)
    assert told.startswith(
        f"# History of `{ID}`\n\n4 changes, newest first; `aos-workflow verify {ID}` tells whether"
        " the chain holds.\n\n"
    )
    cells = [[shown(cell) for cell in row] for row in rows(parsed(told))]
    assert cells[0] == [
        "change",
        "when",
        "action",
        "phase",
        "came to",
        "then",
        "by",
        "note",
        "hash",
    ]
    hashes = [record.hash[:12] for record in records]
    assert cells[1:] == [
        ["4", "2026-03-14 13:00:00 UTC", "pause", "2", "done", "paused, phase 2", "", "for today",
         hashes[3]],
        ["3", "2026-03-14 13:00:00 UTC", "override", "1", "passed", "active, phase 2", "",
         "alex: an experiment", hashes[2]],
        ["2", "2026-03-14 12:01:30 UTC", "complete_phase", "1", "refused", "failed, phase 1", "",
         "the gate said no", hashes[1]],
        ["1", "2026-03-14 12:00:00 UTC", "start", "1", "done", "active, phase 1", "ada", "",
         hashes[0]],
    ]  # fmt: skip


def test_an_approval_names_who_and_what():
    told = history_page(ID, journal(lambda state: lifecycle.approve(state, approval())), 2)
    assert "| alex approved agreed |" in told


def test_a_line_that_cannot_be_read_is_a_row_too():
    told = history_page(ID, [*journal(), "line 2 is not what its hash says"], 2)
    assert "| ? |  |  |  |  |  |  | cannot be read: line 2 is not what its hash says |  |" in told


def test_what_is_left_out_is_counted():
    assert history_page(ID, journal(refuse), 9).endswith("\n\n7 earlier changes not shown.\n")
    long = history_page(ID, ["broken " * 100] * 500, 500)
    assert len(long) < BUDGET + 1_000
    assert "… and " in long


@pytest.mark.parametrize("note", HOSTILE, ids=ascii)
def test_a_note_stays_a_note(note):
    told = history_page(ID, journal(lambda state: lifecycle.pause(state, note, LATER)), 2)
    tokens = parsed(told)
    assert {len(row) for row in rows(tokens)} == {9}
    kinds = {child.type for token in inlines(tokens) for child in token.children or ()}
    assert kinds <= {"text", "text_special", "code_inline"}
