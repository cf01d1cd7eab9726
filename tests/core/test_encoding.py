"""JSON as it is stored, measured and hashed."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.encoding import MAX_DEPTH, digest, encode, encode_submitted
from mcp_server.errors import InvalidArgumentError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\u00e9"), inner),
    max_leaves=20,
)  # fmt: skip


def nested(levels: int, kind: type, leaf: bool) -> object:
    value = 1 if leaf else kind()
    for _ in range(levels if leaf else levels - 1):
        value = {"k": value} if kind is dict else kind([value])
    return value


def test_json_is_compact_sorted_and_utf8():
    assert encode({"b": [1, None, True], "a": "\u00e9\n"}) == (
        b'{"a":"\xc3\xa9\\n","b":[1,null,true]}'
    )


def test_the_order_of_keys_is_kept_on_request():
    assert encode({"b": 1, "a": 2}, sort_keys=False) == b'{"b":1,"a":2}'


def test_the_digest_is_sha256_in_hexadecimal():
    assert digest(b"content") == hashlib.sha256(b"content").hexdigest()


@given(JSON)
def test_what_is_submitted_is_read_back_the_same(value):
    assert json.loads(encode_submitted("evidence", value)) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "Out of range float values are not JSON compliant"),
        ([float("inf")], "Out of range float values are not JSON compliant"),
        ({"a": {1, 2}}, "Object of type set is not JSON serializable"),
        ({"a": b"bytes"}, "Object of type bytes is not JSON serializable"),
        ({(1, 2): 3}, "keys must be str, int, float, bool or None, not tuple"),
        ("\ud800", "it holds a lone surrogate, which UTF-8 cannot encode"),
        ({"\udfff": 1}, "it holds a lone surrogate, which UTF-8 cannot encode"),
    ],
    ids=["nan", "infinity", "set", "bytes", "tuple key", "lone surrogate", "surrogate key"],
)
def test_what_json_cannot_hold_is_refused_by_name(value, reason):
    with pytest.raises(InvalidArgumentError) as refusal:
        encode_submitted("options", value)
    # Python's own words go on after the reason in some versions.
    assert refusal.value.message.startswith(f"options is not plain JSON: {reason}")
    assert refusal.value.remediation == (
        "Submit objects with text keys, lists, text, finite numbers, true, false."
    )


@pytest.mark.parametrize("kind", [list, dict, tuple])
@pytest.mark.parametrize("leaf", [True, False], ids=["around a number", "empty inside"])
def test_nesting_is_accepted_to_the_last_level(kind, leaf):
    value = nested(MAX_DEPTH, kind, leaf)
    assert json.loads(encode_submitted("evidence", value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("kind", [list, dict, tuple])
@pytest.mark.parametrize("leaf", [True, False], ids=["around a number", "empty inside"])
@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 5_000])
def test_nesting_is_refused_beyond_the_last_level(kind, leaf, levels):
    with pytest.raises(InvalidArgumentError) as refusal:
        encode_submitted("evidence", nested(levels, kind, leaf))
    assert refusal.value.message == "evidence is nested too deep: more than 64 levels"
    assert refusal.value.remediation == (
        "Flatten evidence, or put the deep part into a file and submit its path."
    )


def test_a_value_that_holds_itself_is_refused():
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(InvalidArgumentError, match="nested too deep"):
        encode_submitted("evidence", circle)
