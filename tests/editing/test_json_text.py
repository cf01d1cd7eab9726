"""JSON is changed at one place, and every other byte stays."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.editing.json_text import (
    MAX_DEPTH,
    RELAXED,
    STRICT,
    WITH_COMMENTS,
    JsonText,
    JsonTextError,
)

ENTRY = {"command": "run", "args": ["a", "b"]}

COMMENTED = """\
// Servers of the team
{
    "servers": {
        /* the first */
        "one": {"command": "x", "args": []}, // keep me
        "two": {
            "url": "https://example.org/a//b" // last
        }
        // nothing below
    },
    "inputs": [],
}
"""


def test_a_member_is_added_behind_the_last_one_in_the_layout_of_the_file():
    assert JsonText(COMMENTED).with_value(["servers", "new"], ENTRY) == COMMENTED.replace(
        "        }\n        // nothing",
        '        },\n        "new": {\n            "command": "run",\n'
        '            "args": ["a", "b"]\n        }\n        // nothing',
    )


def test_a_comment_on_the_line_of_the_last_member_stays_there():
    text = '{\n  "a": 1 // one\n}\n'
    assert JsonText(text).with_value(["b"], 2) == '{\n  "a": 1, // one\n  "b": 2\n}\n'


def test_a_comma_behind_the_last_member_stays_the_style():
    text = '{\n\t"a": 1, // one\n}\n'
    assert JsonText(text).with_value(["b"], 2) == '{\n\t"a": 1, // one\n\t"b": 2,\n}\n'


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("{}", '{\n  "s": {\n    "n": 1\n  }\n}'),
        ("{}\n", '{\n  "s": {\n    "n": 1\n  }\n}\n'),
        ('{"a": 1}', '{"a": 1, "s": {"n": 1}}'),
        ('{"s": {}}', '{"s": {"n": 1}}'),
        ('{"s": {"a": 1}}', '{"s": {"a": 1, "n": 1}}'),
        ('{"s": {"n": 2}}', '{"s": {"n": 1}}'),
        ('{\n  "s": {}\n}', '{\n  "s": {\n    "n": 1\n  }\n}'),
        ('{\r\n  "s": {\r\n  }\r\n}', '{\r\n  "s": {\r\n    "n": 1\r\n  }\r\n}'),
        ('{\n  "s": { // none\n  }\n}', '{\n  "s": { // none\n    "n": 1\n  }\n}'),
        ('\ufeff{"s": {"n": [1, 2]}}', '\ufeff{"s": {"n": 1}}'),
    ],
)
def test_what_is_missing_on_the_way_is_made(text, changed):
    assert JsonText(text).with_value(["s", "n"], 1) == changed


def test_an_element_is_added_replaced_and_removed():
    text = '{"allow": ["a", "b"]}'
    assert JsonText(text).with_value(["allow", 2], "c") == '{"allow": ["a", "b", "c"]}'
    assert JsonText(text).with_value(["allow", 0], "c") == '{"allow": ["c", "b"]}'
    assert JsonText(text).without(["allow", 0]) == '{"allow": ["b"]}'
    assert JsonText(text).without(["allow", 1]) == '{"allow": ["a"]}'


def test_a_value_is_replaced_in_the_layout_of_the_file():
    text = '{\n\t"s": {\n\t\t"n": {\n\t\t\t"old": true\n\t\t} // note\n\t}\n}'
    assert JsonText(text).with_value(["s", "n"], {"new": None}) == text.replace(
        '"old": true', '"new": null'
    )


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ('{"a": 1, "n": 2, "b": 3}', '{"a": 1, "b": 3}'),
        ('{"a": 1, "n": 2}', '{"a": 1}'),
        ('{"n": 2}', "{}"),
        ('{\n  "n": 2,\n  "b": 3\n}', '{\n  "b": 3\n}'),
        ('{\n  "a": 1,\n  "n": 2\n}', '{\n  "a": 1\n}'),
        ('{\r\n  "a": 1,\r\n  "n": 2\r\n}', '{\r\n  "a": 1\r\n}'),
        ('{\n  "a": 1,\n  "n": {\n    "x": 2\n  },\n}', '{\n  "a": 1,\n}'),
        ('{\n  "a": 1, // one\n  "n": 2 // two\n}', '{\n  "a": 1 // one\n // two\n}'),
        ('{"n": 1 /* c */, "b": 2}', '{/* c */ "b": 2}'),
        ('{\n  "a": 1,\n  "n": 2 }', '{\n  "a": 1 }'),
        ('{ // note\n  "n": 2}', "{ // note\n}"),
    ],
)
def test_a_part_is_taken_out_with_its_line(text, changed):
    assert JsonText(text).without(["n"]) == changed
    assert JsonText(changed).find(["n"]) is None


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "a value is missing"),
        ('{\n"a": 1\n"b": 2}', 3, "'}' is missing"),
        ('{"a" 1}', 1, "':' is missing"),
        ("{a: 1}", 1, "a key in double quotes is missing"),
        ('{\n"a": "x\n"}', 2, "a text lacks the quote at its end"),
        ('{"a": "\\q"}', 1, "a text holds an unknown escape"),
        ('{"a": 01}', 1, "a value is missing"),
        ('{"a": NaN}', 1, "a value is missing"),
        ('{"a": ' + "9" * 5000 + "}", 1, "a number has too many digits"),
        ("{}\n{}", 2, "something stands behind the end"),
        ("{}\n/* x", 2, "a comment does not end"),
        ("[" * (MAX_DEPTH + 2), 1, "nested too deep"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text, line, reason):
    with pytest.raises(JsonTextError) as refused:
        JsonText(text)
    assert (refused.value.line, refused.value.reason) == (line, reason)


@pytest.mark.parametrize(
    ("text", "allowing"),
    [('{"a": 1} // c', WITH_COMMENTS), ('{"a": [1,]}', RELAXED), ('{"a": 1,}', RELAXED)],
)
def test_each_dialect_allows_what_its_program_does(text, allowing):
    JsonText(text, allowing)
    with pytest.raises(JsonTextError):
        JsonText(text, STRICT)


def test_comments_alone_do_not_allow_a_comma_behind_the_last_part():
    with pytest.raises(JsonTextError, match="a comma stands behind the last part"):
        JsonText('{"a": 1,}', WITH_COMMENTS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"s": {},\n"s": {}}', "the key 's' stands twice"),
        ('{"s": {"n": 1,\n"n": 2}}', "the key 'n' stands twice"),
        ('\n{"s": 1}', "there should be an object here, to hold 'n', and it is a number"),
        ('\n{"s": []}', "there should be an object here, to hold 'n', and it is an array"),
        ('\n{"s": "x"}', "there should be an object here, to hold 'n', and it is a text"),
        ('\n{"s": true}', "there should be an object here, to hold 'n', and it is true or false"),
        ('\n{"s": null}', "there should be an object here, to hold 'n', and it is null"),
    ],
)
def test_a_change_is_refused_where_its_place_is_not_certain(text, reason):
    for change in (
        lambda read: read.with_value(["s", "n"], 1),
        lambda read: read.without(["s", "n"]),
    ):
        with pytest.raises(JsonTextError) as refused:
            change(JsonText(text))
        assert (refused.value.line, refused.value.reason) == (2, reason)


def test_what_is_not_there_cannot_be_taken_out():
    with pytest.raises(KeyError):
        JsonText('{"s": {}}').without(["s", "n"])


_properties = settings(deadline=None, database=None, max_examples=100)

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
LAYOUTS = st.sampled_from(
    [{"indent": 2}, {"indent": "\t"}, {"indent": None}, {"indent": 0}, {"separators": (",", ":")}]
)
SPACES = st.sampled_from(["", " ", "\n", " // c\n", "/* c */", "\r\n\t"])


@st.composite
def commented(draw: st.DrawFn, value: object) -> str:
    """`value` as JSON with blanks and comments between all tokens, and commas behind last parts."""
    space = lambda: draw(SPACES)  # noqa: E731
    if not isinstance(value, dict | list):
        return space() + json.dumps(value) + space()
    if isinstance(value, dict):
        parts = [
            f"{space()}{json.dumps(k)}{space()}:{draw(commented(v))}" for k, v in value.items()
        ]
    else:
        parts = [draw(commented(item)) for item in value]
    last = "," if parts and draw(st.booleans()) else ""
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{space()}{opening}{','.join(parts)}{last}{space()}{closing}{space()}"


@_properties
@given(VALUES.flatmap(lambda value: st.tuples(st.just(value), commented(value))))
def test_any_layout_reads_as_what_it_says(case):
    value, text = case
    assert JsonText(text).data == value


@_properties
@given(
    st.dictionaries(st.text(max_size=3), VALUES, max_size=3).flatmap(
        lambda value: st.tuples(st.just(value), commented(value))
    ),
    VALUES,
)
def test_any_layout_can_be_added_to_and_taken_from(case, added):
    value, text = case
    changed = JsonText(text).with_value(["new"], added)
    assert JsonText(changed).data == value | {"new": added}
    assert list(JsonText(changed).data)[: len(value)] == list(value)
    without = JsonText(changed).without(["new"])
    assert JsonText(without).data == {key: val for key, val in value.items() if key != "new"}


@_properties
@given(st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=4), LAYOUTS, st.data())
def test_each_part_can_be_taken_out_of_any_layout(value, layout, data):
    key = data.draw(st.sampled_from(sorted(value)))
    text = data.draw(commented(value)) if data.draw(st.booleans()) else json.dumps(value, **layout)
    assert JsonText(JsonText(text).without([key])).data == {
        k: v for k, v in value.items() if k != key
    }


@_properties
@given(st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=4), LAYOUTS)
def test_adding_and_taking_out_again_gives_the_same_bytes(value, layout):
    value.pop("new", None)
    text = json.dumps(value or {"a": 1}, **layout)
    assert JsonText(JsonText(text).with_value(["new"], ENTRY)).without(["new"]) == text
