"""Lines into messages: what is none is answered as JSON-RPC says."""

import json

import pytest
from mcp.types import JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from mcp_server.server.framing import TooLong
from mcp_server.server.messages import UnreadableError, read_message, too_long, write_message

REQUEST = {"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"a": [1]}}


def line(**changes):
    return json.dumps(REQUEST | changes).encode()


def refused(sent):
    """What the sender of a line is told: the id, the code, the text."""
    with pytest.raises(UnreadableError) as raised:
        read_message(sent)
    return told(raised.value)


def told(error):
    answer = json.loads(write_message(error.answer))
    assert answer.keys() == {"jsonrpc", "id", "error"}
    return answer["id"], answer["error"]["code"], answer["error"]["message"]


def test_a_request_is_read():
    assert read_message(line()) == JSONRPCRequest(**REQUEST)


def test_a_notification_is_read():
    sent = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert read_message(json.dumps(sent).encode()) == JSONRPCNotification(**sent)


def test_half_a_surrogate_pair_in_an_argument_is_for_the_tool_to_refuse():
    message = read_message(line(params={"name": "\ud83d"}))
    assert isinstance(message, JSONRPCRequest)
    assert message.params == {"name": "\ud83d"}


def test_half_a_surrogate_pair_can_be_answered():
    message = JSONRPCResponse(jsonrpc="2.0", id=1, result={"told": "\ud83d"})
    written = write_message(message)
    assert written == b'{"jsonrpc": "2.0", "id": 1, "result": {"told": "\\ud83d"}}\n'


@pytest.mark.parametrize("sent", [b"garbage", b'{"jsonrpc":"2.0","id":7,"method":"pi', b"{}}"])
def test_what_is_not_json_is_a_parse_error_of_no_request(sent):
    assert refused(sent) == (None, -32700, "Parse error: the line is not JSON")


def test_what_is_not_utf8_is_a_parse_error_of_no_request():
    assert refused(line() + b"\xff") == (None, -32700, "Parse error: the line is not UTF-8")


@pytest.mark.parametrize(
    ("params", "reason"),
    [(b"[" * 100_000 + b"]" * 100_000, "nested too deeply"), (b"9" * 5_000, "a number too long")],
)
@pytest.mark.parametrize(
    "form",
    [
        b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":%s}}',
        b'{"method":"ping","params":{"a":%s},"jsonrpc":"2.0","id":7}',
    ],
)
def test_json_that_cannot_be_read_is_answered_with_the_id_at_either_end(params, reason, form):
    assert refused(form % params) == (7, -32700, f"Parse error: {reason}")


@pytest.mark.parametrize("sent", [b"[]", b"7", b'"ping"', b"null", b"[" + line() + b"]", b"{}"])
def test_what_is_no_message_is_an_invalid_request(sent):
    assert refused(sent) == (None, -32600, "Invalid Request: not a message of JSON-RPC 2.0")


@pytest.mark.parametrize("known", [7, -1, "a-b", 10**30])
def test_an_invalid_request_is_answered_with_its_id(known):
    assert refused(line(id=known, method=5))[:2] == (known, -32600)


@pytest.mark.parametrize("unfit", [True, 1.5, None, [1], "\ud83d", "a\nb"])
def test_what_cannot_be_an_id_is_answered_with_none(unfit):
    assert refused(line(id=unfit, method=5))[:2] == (None, -32600)


def test_a_request_whose_id_is_none_is_no_notification():
    assert refused(line(id=[1])) == (
        None,
        -32600,
        "Invalid Request: not a message of JSON-RPC 2.0",
    )


def test_a_notification_may_speak_of_an_id():
    sent = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"id": 7}}
    assert read_message(json.dumps(sent).encode()) == JSONRPCNotification(**sent)


def test_an_unfit_answer_to_a_request_of_ours_is_not_answered_by_its_id():
    sent = json.dumps({"jsonrpc": "2.0", "id": 7, "result": 5}).encode()
    assert refused(sent)[:2] == (None, -32600)


def test_a_line_that_is_too_long_is_refused_with_its_sizes():
    skipped = TooLong(900, b'{"jsonrpc":"2.0","id":7,"method":"tools/call",', b'"}}}')
    assert told(too_long(skipped, 600)) == (
        7,
        -32600,
        "Invalid Request: the message is too large: 900 bytes, at most 600",
    )


def test_the_id_of_a_line_that_is_too_long_may_stand_last():
    skipped = TooLong(900, b'{"method":"tools/call","params":', b'"}},"jsonrpc":"2.0","id":"x-1"}')
    assert told(too_long(skipped, 600))[0] == "x-1"


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (b'{"jsonrpc":"2.0","id":7,"result":{"x":"', b'"}}'),
        (b'{"method":"tools/call","params":{"a":"', b'"x":{"id":7}}}'),
        (b'{"method":"tools/call","params":{"id":7,"a":"', b'"}}'),
        (b'{"method":"tools/call","params":{"a":"', b'\\"id\\":7}'),
    ],
)
def test_an_id_that_is_not_the_requests_own_is_not_used(head, tail):
    assert told(too_long(TooLong(900, head, tail), 600))[0] is None
