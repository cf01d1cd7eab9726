"""Where the parts of a JSON text stand, and which keys stand twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.linting.json_source import JsonError, JsonSource

TEXT = """\
{
  "a": 1, "b": [
    {"c": "x \\" } ] , : {"},
    [[], {}],
    null
  ],

  "d\\u0065": {"b": {
      "c": -1.5e3}}
}
"""

LINES = {
    (): 1,
    ("a",): 2,
    ("b",): 2,
    ("b", 0): 3,
    ("b", 0, "c"): 3,
    ("b", 1): 4,
    ("b", 1, 1): 4,
    ("b", 2): 5,
    ("de",): 8,
    ("de", "b"): 8,
    ("de", "b", "c"): 9,
    ("de", "b", "nothing", 7): 8,
    ("nothing",): 1,
}


@pytest.mark.parametrize(("path", "line"), LINES.items())
def test_each_part_has_its_line(path, line):
    assert JsonSource(TEXT).line_of(path) == line


def test_keys_that_stand_twice_are_found_at_every_depth():
    deep = "[" * 30 + '{"x": 1,\n"x": 2}' + "]" * 30
    source = JsonSource(f'{{"a": {{"b": 1}},\n"a": {{"b": 2,\n "b": [{{"a": 0}}]}}, "c": {deep}}}')

    assert source.duplicates == [("a", 2), ("b", 3), ("x", 4)]


def test_what_lies_very_deep_has_the_line_of_what_is_around_it():
    source = JsonSource('{"a":\n' * 20 + "1" + "}" * 20)

    assert source.line_of(("a",) * 8) == 8
    assert source.line_of(("a",) * 20) == 8


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("{\n  x}", "Expecting property name enclosed in double quotes", 2),
        ("[" * 100_000, "nested too deep", None),
        ("1" * 5000, "a number has too many digits", None),
    ],
    ids=["syntax", "deep", "digits"],
)
def test_what_is_not_json_is_refused(text, reason, line):
    with pytest.raises(JsonError) as raised:
        JsonSource(text)

    assert (str(raised.value), raised.value.line) == (reason, line)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4)
                      | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20)  # fmt: skip


def placed(value, path=()):
    yield path, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(
        value, list) else ()  # fmt: skip
    for key, part in parts:
        yield from placed(part, (*path, key))


@given(value=values)
def test_with_one_part_on_each_line_each_part_has_a_line_of_its_own(value):
    text = json.dumps(value, indent=1)
    source = JsonSource(text)
    rows = text.split("\n")

    assert source.duplicates == []
    for path, part in placed(value):
        if 0 < len(path) <= 7:
            row = rows[source.line_of(path) - 1].strip()
            opens = json.dumps(part)[:1] if part else json.dumps(part)
            key = f"{json.dumps(path[-1])}: " if isinstance(path[-1], str) else ""
            assert row.startswith(key + opens)
