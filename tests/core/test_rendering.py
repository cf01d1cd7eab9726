"""The text half: fields first, Markdown last, nothing lost, no line too long."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.rendering import MAX_LINE, render


def test_fields_come_one_a_line_and_nested_ones_are_indented():
    answer = {
        "status": "success",
        "count": 2,
        "open": False,
        "note": None,
        "definition": {"version": "1.0.0", "digest": "abc"},
        "phases": [1, 2],
        "sessions": [{"id": "a", "tags": []}, {"id": "b", "options": {}}],
        "problems": ["first, with a comma", "second"],
    }
    assert render(answer) == (
        "status: success\n"
        "count: 2\n"
        "open: false\n"
        "note: null\n"
        "definition:\n"
        "  version: 1.0.0\n"
        "  digest: abc\n"
        "phases: [1, 2]\n"
        "sessions:\n"
        "  - id: a\n"
        "    tags: []\n"
        "  - id: b\n"
        "    options: {}\n"
        "problems:\n"
        "  - first, with a comma\n"
        "  - second"
    )


def test_a_nested_list_and_a_text_of_many_lines_keep_their_shape():
    assert render({"rows": [[1, [2]], "x"], "text": "one\ntwo"}) == (
        "rows:\n  -\n    - 1\n    - [2]\n  - x\ntext: one\n  two"
    )


@pytest.mark.parametrize("holder", ["phase_content", "task_content"])
def test_markdown_comes_last_and_as_it_is(holder):
    content = '# Title\n\n"quoted" `code`\n\n- item\n'
    answer = {"status": "success", holder: {"title": "T", "content": content}, "next": "call"}
    assert render(answer) == (
        f"status: success\n{holder}:\n  title: T\nnext: call\n\n{content.rstrip()}"
    )


def test_a_long_line_is_broken_at_a_space_and_loses_nothing():
    words = " ".join(f"word{n}" for n in range(2_000))
    lines = render({"text": words}).split("\n")
    assert max(map(len, lines)) <= MAX_LINE
    assert "".join(lines) == f"text: {words}"


def test_a_long_line_without_a_space_is_broken_anyway():
    lines = render({"phase_content": {"content": "x" * 5_000}}).split("\n")
    assert max(map(len, lines)) <= MAX_LINE
    assert sum(line.count("x") for line in lines) == 5_000


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(words.filter(bool), plain, max_size=5))
def test_every_text_of_any_answer_is_in_its_rendering(answer):
    text = render(answer)
    assert all(len(line) <= MAX_LINE for line in text.split("\n"))
    flat = "".join(text.split())

    def check(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                assert "".join(key.split()) in flat
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)
        elif isinstance(value, str):
            assert "".join(value.split()) in flat
        else:
            assert json.dumps(value) in flat

    check(answer)


@pytest.mark.parametrize("text", ["null", "true", "false", "[]", "{}", "12", "-1.5", ""])
def test_text_that_could_be_taken_for_something_else_is_quoted(text):
    assert render({"note": text}) == f'note: "{text}"'


def test_what_a_terminal_would_obey_is_shown_and_not_sent():
    assert render({"note": "\x1b[2Jgone\x00"}) == "note: \\x1b[2Jgone\\x00"


def test_other_line_ends_in_markdown_stay_what_they_are():
    content = "one\u2028two\x0cthree\n"
    assert render({"task_content": {"content": content}}).endswith("one\u2028two\x0cthree")
