"""Texts of authors stay texts, wherever they stand."""

import re

import pytest

from mcp_server.pages.escaping import code, label, markdown, plain
from tests.pages.page_builders import HOSTILE, as_seen, inlines, parsed, rows, shown

each_name = pytest.mark.parametrize("name", HOSTILE)
PLAIN_PARTS = {"text", "text_special"}


def parts(token) -> set[str]:
    return {child.type for child in token.children if child.content or child.nesting}


@each_name
@pytest.mark.parametrize("before", ["", "# ", "- ", "Some words "])
def test_markdown_shows_a_text_as_it_is(name, before):
    (inline,) = inlines(parsed(f"{before}{markdown(name)}\n"))
    assert shown(inline).removeprefix("Some words ") == as_seen(name)
    assert parts(inline) <= PLAIN_PARTS


@each_name
def test_a_paragraph_before_a_text_stays_a_paragraph(name):
    tokens = parsed(f"Before\n{markdown(name)}\n")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]


@each_name
def test_a_cell_holds_a_text_as_it_is(name):
    table = f"| a | b |\n| --- | --- |\n| {markdown(name)} | {code(name, in_cell=True)} |\n"
    first, second = rows(parsed(table))[1]
    assert shown(first) == shown(second) == as_seen(name)
    assert parts(first) <= PLAIN_PARTS
    assert parts(second) <= PLAIN_PARTS or parts(second) == {"code_inline"}


@each_name
def test_code_shows_a_text_as_it_is_outside_of_tables_too(name):
    (inline,) = inlines(parsed(f"Say {code(name)} here\n"))
    assert shown(inline) == f"Say {as_seen(name)} here"


def test_what_needs_no_escape_has_none():
    assert markdown("Phase 1: Release v1.0.0, 3-4 hours (or snake_case)!") == (
        "Phase 1: Release v1.0.0, 3-4 hours (or snake_case)!"
    )
    assert code("^(a|b)$") == "`^(a|b)$`"
    assert code("^(a|b)$", in_cell=True) == r"`^(a\|b)$`"
    assert code("") == ""


def test_a_bar_behind_a_backslash_is_no_code_in_a_cell():
    assert code(r"a\|b") == r"`a\|b`"
    # Parsers disagree on where the cell would end.
    assert code(r"a\|b", in_cell=True) == r"a\\&#124;b"


@each_name
def test_a_label_has_nothing_that_mermaid_reads(name):
    escaped = label(name)
    signs = re.sub(r"#\d+;", "", escaped)
    assert re.search(r"[\"'`<>\[\]{}|;#%&*\\$~^@!\n\r]", signs) is None
    decoded = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), escaped)
    assert decoded == as_seen(name)


def test_a_label_keeps_a_colon_unless_mermaid_would_take_it_for_a_style():
    assert label("Phase 1: A & B") == "Phase 1: A #38; B"
    assert label('style:"x"') == "style#58;#34;x#34;"
    assert label('classDef:"x"') == "classDef#58;#34;x#34;"


def test_a_long_text_is_cut_before_it_is_escaped():
    assert plain("ab cd", 4) == "ab …"
    assert markdown("*" * 500, 3) == r"\*\*…"
    assert label('"' * 500, 2) == "#34;…"
