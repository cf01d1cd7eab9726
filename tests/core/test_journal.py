"""One line of a journal: written as bytes, read back, and every way in which it can be wrong."""

import json

import pytest

from mcp_server.core.encoding import digest, encode
from mcp_server.core.journal import LineError, Step, decode_line, decode_step, encode_line
from mcp_server.core.lifecycle import prepare, refuse_phase
from mcp_server.core.models import NO_HASH
from tests.builders import NOON
from tests.core.session_builders import ERROR, ID, birth, noted, passed


def signed(content: dict) -> bytes:
    """A line whose hash is right, whatever it says."""
    body = encode(content)
    return body[:-1] + b',"hash":"' + digest(body[:-1]).encode() + b'"}'


def content_of(line: bytes) -> dict:
    content = json.loads(line)
    del content["hash"]
    return content


LINE = encode_line(birth(), None)[0]
SECOND = encode_line(passed(birth().state, {"size": 1.5}), encode_line(birth(), None)[1])[0][:-1]


def test_a_line_is_one_json_object_that_ends_in_its_hash():
    line, record = encode_line(birth(), None)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    parsed = json.loads(line)
    assert list(parsed)[-1] == "hash"
    state = parsed.pop("state")
    assert parsed == {
        "schema_version": 1,
        "seq": 1,
        "time": "2026-03-14T12:00:00+00:00",
        "action": "start",
        "phase": 1,
        "outcome": "done",
        "principal": None,
        "previous": NO_HASH,
        "hash": record.hash,
    }
    assert state == birth().state.model_dump(mode="json")


def test_lines_form_a_chain():
    _, first = encode_line(birth(), None)
    line, second = encode_line(passed(first.state), first)
    parsed = json.loads(line)
    assert (first.seq, second.seq, parsed["seq"]) == (1, 2, 2)
    assert (parsed["previous"], parsed["hash"]) == (first.hash, second.hash)
    assert (parsed["action"], parsed["outcome"], parsed["phase"]) == ("complete_phase", "passed", 1)


def test_the_hash_covers_the_previous_one():
    _, first = encode_line(birth(), None)
    change = noted(first.state, "same")
    other = first.model_copy(update={"hash": "f" * 64})
    assert encode_line(change, first)[1].hash != encode_line(change, other)[1].hash


@pytest.mark.parametrize(
    "change",
    [
        birth(options={"deep": [{"a": None}], "text": "\u6587\u4ef6 \u2028 \\ \" \n"}),
        birth(phases=(0, 3, 5)),
        birth(target_file="\U0001f600.py"),
        passed(birth().state, {"number": 0.1, "big": 10**30, "small": 1e-300, "null": None}),
        passed(birth().state, {"log": "x" * 5_000}),
        refuse_phase(birth().state, prepare({"a": 1}), ERROR, NOON),
    ],
    ids=["options", "phases", "unicode target", "numbers", "large evidence", "refused"],
)  # fmt: skip
def test_a_record_is_read_back_as_it_was_written(change):
    line, record = encode_line(change, None)
    assert decode_line(line[:-1]) == record


def test_any_altered_byte_is_damage():
    assert decode_line(SECOND).seq == 2
    for place in range(len(SECOND)):
        for other in (SECOND[place] ^ 1, SECOND[place] ^ 0x80, ord("\n")):
            altered = SECOND[:place] + bytes([other]) + SECOND[place + 1 :]
            with pytest.raises(LineError):
                decode_line(altered)


def test_any_cut_is_damage():
    for length in range(len(SECOND)):
        with pytest.raises(LineError):
            decode_line(SECOND[:length])


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\0" * 4096,
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b'{"schema_version": 1, "state": {}}',
        b"[" * 100_000,
    ],
    ids=["empty", "zeros", "words", "list", "null", "text", "object", "utf-16", "part", "deep"],
)  # fmt: skip
def test_what_is_no_record_is_damage(line):
    with pytest.raises(LineError, match=r"\Athe last line is not a record\Z"):
        decode_line(line)


def test_a_line_without_its_hash_is_damage():
    with pytest.raises(LineError, match=r"\Aline 2 is not what its hash says\Z"):
        decode_line(encode(content_of(SECOND)))


def test_a_line_that_was_written_again_in_another_order_is_damage():
    parsed = json.loads(SECOND)
    again = json.dumps({"hash": parsed.pop("hash"), **parsed}).encode()
    with pytest.raises(LineError, match=r"\Aline 2 is not what its hash says\Z"):
        decode_line(again)


def test_a_newer_schema_is_named_even_where_its_hash_is_another():
    newer = content_of(SECOND) | {"schema_version": 2}
    told = r"\Awritten by a newer server \(schema 2, this one knows 1\)\Z"
    for line in (signed(newer), encode({**newer, "hash": "of another kind"})):
        with pytest.raises(LineError, match=told):
            decode_line(line)


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "asleep"},
        {"current_phase": "first"},
        {"created_at": "2026-03-14T12:00:00"},
        {"history": None},
        {"evidence": {"1": {"a": {"known": "rumoured"}}}},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_a_signed_line_that_holds_no_session_is_damage(broken):
    content = content_of(SECOND)
    with pytest.raises(LineError, match=r"\Aline 2 does not hold a session\Z"):
        decode_line(signed(content | {"state": content["state"] | broken}))


def test_unknown_fields_survive_reading_and_writing_at_every_level():
    content = content_of(SECOND)
    state = content["state"]
    state["later"] = {"kept": [1, 2]}
    state["definition"]["later"] = 1
    state["history"][0]["later"] = 2
    state["evidence"]["1"]["size"]["later"] = 3
    record = decode_line(signed(content | {"later": "of the line"}))
    line, _ = encode_line(noted(record.state, "written by this server"), record)
    assert json.loads(line)["state"] == state | {"checkpoint_note": "written by this server"}


def test_the_session_is_named_by_its_line():
    assert decode_line(LINE[:-1]).state.session_id == ID


def test_what_happened_is_read_without_the_state():
    head, state, _ = SECOND.partition(b',"state":')
    assert decode_step(head + state + b"no JSON") == Step(NOON, "complete_phase", "passed", 1)
    assert decode_step(SECOND) == Step(NOON, "complete_phase", "passed", 1)


def test_what_happened_is_found_in_whatever_order_it_stands():
    assert decode_step(signed(content_of(SECOND))) == Step(NOON, "complete_phase", "passed", 1)


def test_of_a_refusal_what_was_recorded_is_read_too():
    line, _ = encode_line(refuse_phase(birth().state, prepare({"a": 1}), ERROR, NOON), None)
    assert decode_step(line[:-1]) == Step(NOON, "complete_phase", "refused", 1, ERROR)


def test_actions_that_only_a_newer_server_knows_are_read_as_they_are():
    line = signed(content_of(SECOND) | {"action": "teleport", "outcome": "arrived"})
    assert decode_step(line) == Step(NOON, "teleport", "arrived", 1)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        SECOND[:100],
        SECOND.replace(b'"phase":1', b'"phase":"one"', 1),
        SECOND.replace(b'"time":"2026', b'"time":"soon', 1),
        SECOND.replace(b'"time":"2026-03-14T12:00:00+00:00"', b'"time":"0001-01-01T00:00+14:00"'),
        SECOND.replace(b'"outcome":"passed"', b'"outcome":"refused"'),
    ],
)
def test_what_says_not_what_happened_is_refused(line):
    with pytest.raises(LineError, match="a line is not a record"):
        decode_step(line)
