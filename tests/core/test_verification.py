"""The audit of a journal: every way to tamper with lines or evidence is found at its line."""

import pytest

from mcp_server.core.encoding import digest, encode
from mcp_server.core.journal import decode_line
from mcp_server.core.verification import Verification, verify
from mcp_server.errors import NotFoundError
from tests.core.session_builders import ID, OTHER_ID, birth, follow, noted, passed, stored
from tests.memory_store import MemoryStore

LARGE = {"tests": 3, "log": "x" * 5_000}


@pytest.fixture
def memory():
    """A store with a session of five lines, the second of which names large evidence."""
    store = MemoryStore()
    last = follow(store, passed(birth().state, LARGE), stored(store))
    for note in ("a", "b", "c"):
        last = follow(store, noted(last.state, note), last)
    return store


def audit(store, lines=None, expected=None):
    found = store.lines(ID) if lines is None else lines
    return verify(ID, found, lambda key: store.blob(ID, key), expected)


def rehashed(line, **changes):
    """A line with fields replaced and a fresh hash of its own."""
    body = line[: line.rindex(b',"hash":"')] + b"}"
    for old, new in changes.items():
        assert old.encode() in body
        body = body.replace(old.encode(), new.encode())
    return body[:-1] + b',"hash":"' + digest(body[:-1]).encode() + b'"}'


def test_a_sound_journal_holds_and_its_last_hash_is_told(memory):
    last = decode_line(memory.lines(ID)[-1])
    assert audit(memory) == Verification(ID, lines=5, last_hash=last.hash, evidence=2)
    assert audit(memory).holds


TAMPERED = {
    "a line deleted": (
        lambda n: [n[0], n[1], n[3], n[4]], 3, "it says it is line 4, and stands at 3"),
    "the first line deleted": (lambda n: n[1:], 1, "it says it is line 2, and stands at 1"),
    "two lines swapped": (
        lambda n: [n[0], n[1], n[3], n[2], n[4]], 3, "it says it is line 4, and stands at 3"),
    "a line repeated": (
        lambda n: [n[0], n[1], n[2], n[2], n[3], n[4]], 4, "it says it is line 3, and stands at 4"),
    "a byte edited": (
        lambda n: [n[0], n[1], n[2].replace(b'"a"', b'"z"'), n[3], n[4]], 3,
        "line 3 is not what its hash says"),
    "a line edited and hashed again": (
        lambda n: [n[0], n[1], rehashed(n[2], **{'"a"': '"z"'}), n[3], n[4]], 4,
        "it does not follow the line before it"),
    "a line of another session": (
        lambda n: [*n, rehashed(n[4], **{ID: OTHER_ID})], 6, f"it belongs to session {OTHER_ID}"),
    "words": (lambda n: [*n, b"words"], 6, "the last line is not a record"),
}  # fmt: skip


@pytest.mark.parametrize(("tamper", "line", "problem"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found_at_the_first_line_that_does_not_fit(memory, tamper, line, problem):
    result = audit(memory, tamper(memory.lines(ID)))
    assert (result.holds, result.line, result.problem) == (False, line, problem)


@pytest.mark.parametrize("spoil", ["altered", "missing"])
def test_large_evidence_that_is_not_what_a_line_names_is_found(memory, spoil):
    ((key, _),) = list(memory._blobs.items())
    if spoil == "missing":
        del memory._blobs[key]
    result = verify(
        ID, memory.lines(ID), lambda _: memory.blob(*key) if spoil == "missing" else b"x"
    )
    assert (result.line, result.problem) == (2, "evidence log of phase 1 is missing or altered")


def test_a_small_value_that_is_not_what_its_digest_says_is_found(memory):
    first, second, *_ = memory.lines(ID)
    real = decode_line(second).state.evidence[1]["tests"]
    assert real.sha256 == digest(encode(3))
    forged = rehashed(second, **{'"value":3': '"value":4'})
    result = audit(memory, [first, forged])
    assert (result.line, result.problem) == (2, "evidence tests of phase 1 is missing or altered")


def test_lines_cut_off_the_end_are_found_against_a_hash_that_was_noted(memory):
    noted_hash = decode_line(memory.lines(ID)[-1]).hash
    shorter = memory.lines(ID)[:-1]
    assert audit(memory, shorter).holds
    result = audit(memory, shorter, noted_hash)
    assert (result.holds, result.line) == (False, None)
    assert result.problem == (
        f"no line has the expected hash {noted_hash[:12]}: lines were cut off or rewritten"
    )


def test_a_session_that_went_on_still_holds_the_hash_that_was_noted(memory):
    noted_hash = decode_line(memory.lines(ID)[2]).hash
    assert audit(memory, expected=noted_hash).holds


def test_a_journal_without_a_line_does_not_hold(memory):
    assert audit(memory, []).problem == "the journal holds no whole line"


def test_an_unknown_session_cannot_be_audited(memory):
    with pytest.raises(NotFoundError):
        memory.lines(OTHER_ID)
