"""JSON as a tree: what is JSON to clients, and where its parts stand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.cutover.json_tree import MAX_DEPTH, JsonTreeError, parse

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(values, st.sampled_from([None, 2]), st.booleans())
def test_the_tree_has_the_value_that_was_written(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    tree = parse(text)
    assert tree.value == value
    assert all(parse(text[node.start : node.end]).value == node.value for _, node in tree.walk())


def test_comments_and_trailing_commas_are_taken():
    text = '// a\n{"a": [1, 2,], /* "b": 3 */ "c": "x // y",}\n'
    assert parse(text).value == {"a": [1, 2], "c": "x // y"}
    assert dict(parse(text).walk())["a", 1].value == 2


@pytest.mark.parametrize(("text", "line"), [
    ("", 1), ("{", 1), ("[1 2]", 1), ('{"a" 1}', 1), ('{"a": 1}\n}', 2), ('{\n"a": nope}', 2),
    ("[1,,2]", 1), ("{1: 2}", 1), (":", 1), ("01", 1), ('"\\x"', 1), ("[" * (MAX_DEPTH + 5), 1),
    ("1-2", 1),
])  # fmt: skip
def test_what_is_no_json_is_told_with_its_line(text, line):
    with pytest.raises(JsonTreeError) as told:
        parse(text)
    assert told.value.line == line
