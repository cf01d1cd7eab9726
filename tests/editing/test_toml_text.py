"""TOML tables are put in and taken out, and every other byte stays."""

import tomllib

import pytest

from mcp_server.editing.toml_text import TomlText, TomlTextError

PATH = ("servers", "mine")
TABLE = {"command": "run", "args": ["a", 'b"c'], "required": True}
BLOCK = '[servers.mine]\ncommand = "run"\nargs = ["a", "b\\"c"]\nrequired = true\n'

OTHERS = """\
# of the team
model = "x"   # keep me
notes = '''
[servers.mine]
command = "not a table"
'''
matrix = [
    [1, 2], # [servers.mine]
]

[servers.one]   # first
command = 'it''s'

# about the second
[servers."two.three"]
command = "b"
""".replace("'it''s'", '"it\'s"')


def test_a_table_is_added_at_the_end():
    assert TomlText(OTHERS).with_table(PATH, TABLE) == f"{OTHERS}\n{BLOCK}"


def test_a_document_begins_with_its_first_table():
    assert TomlText("").with_table(PATH, TABLE) == BLOCK


def test_a_last_line_without_an_end_gets_one():
    assert TomlText("a = 1").with_table(PATH, TABLE) == f"a = 1\n\n{BLOCK}"


def test_the_ends_of_lines_are_those_of_the_file():
    text = OTHERS.replace("\n", "\r\n")
    added = TomlText(text).with_table(PATH, TABLE)
    assert added == text + "\r\n" + BLOCK.replace("\n", "\r\n")
    assert TomlText(added).without_table(PATH) == text


def test_names_that_need_quotes_get_them():
    added = TomlText("").with_table(("servers", "a b"), {"x": "\x7f\n"})
    assert added == '[servers."a b"]\nx = "\\u007f\\n"\n'


@pytest.mark.parametrize("after", ["", "\n# about the next\n[next]\na = 1\n"])
def test_a_table_is_replaced_where_it_stands_with_the_tables_under_it(after):
    old = "[servers.mine]\ncommand = 'old'\n[servers.mine.env]\nA = '1'\n"
    text = f"{OTHERS}\n{old}{after}"
    assert TomlText(text).with_table(PATH, TABLE) == f"{OTHERS}\n{BLOCK}{after}"


def test_tables_that_stand_apart_are_replaced_together():
    others = OTHERS[OTHERS.index("[servers.one]") :]
    text = f"[ servers . 'mine' ]\ncommand = 'old'\n{others}\n[servers.mine.env]\nA = '1'\n"
    replaced = TomlText(text).with_table(PATH, TABLE)
    assert replaced == f"{BLOCK}{others}\n"


@pytest.mark.parametrize(
    "after", ["", "\n# about the next\n[next]\na = 1\n", "\n[[next]]\n[[next]]\n"]
)
def test_a_table_is_taken_out_and_nothing_else(after):
    text = f"{OTHERS}\n{BLOCK}{after}"
    assert TomlText(text).without_table(PATH) == OTHERS + after


def test_a_table_that_holds_the_others_stays():
    assert TomlText(f"[servers]\n\n{BLOCK}").without_table(PATH) == "[servers]\n"


@pytest.mark.parametrize(
    "text",
    [
        "servers = {mine = {command = 'x'}}\n",
        "servers = {}\n",
        "servers = 1\n",
        "[servers]\nmine.command = 'x'\n",
        "[servers]\nmine = {command = 'x'}\n",
        "[[servers.mine]]\ncommand = 'x'\n",
        "servers.mine.command = 'x'\n",
    ],
)
def test_what_does_not_stand_as_a_table_is_not_edited(text):
    with pytest.raises(TomlTextError, match=r"servers\.mine does not stand as a table"):
        TomlText(text).with_table(PATH, TABLE)


@pytest.mark.parametrize(
    "text", ["servers = {mine = {command = 'x'}}\n", "[servers]\nmine.command = 'x'\n"]
)
def test_what_does_not_stand_as_a_table_is_not_taken_out(text):
    with pytest.raises(TomlTextError, match=r"servers\.mine does not stand as a table"):
        TomlText(text).without_table(PATH)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2\n", 2),
        ('a = """', 1),
        ("a = [\n1,", 2),
        ("a = " + "[" * 9999, None),
    ],
)
def test_what_is_no_toml_is_refused_with_its_line_where_it_is_known(text, line):
    with pytest.raises(TomlTextError) as refused:
        TomlText(text)
    assert refused.value.line == line
    assert "line" not in refused.value.reason


def test_strings_of_every_kind_hide_what_looks_like_a_table():
    lines = ['a = """\n[servers.mine]\n\\""""""', "b = '''\n[servers.mine]\n''''", "c = '#'",
             'd = "\\"["', "e = [\n'''x\n]''',\n{f = 1},\n]"]  # fmt: skip
    text = "\n".join(lines) + "\n"
    added = TomlText(text).with_table(PATH, TABLE)
    assert added == f"{text}\n{BLOCK}"
    assert tomllib.loads(added)["servers"] == {"mine": TABLE}
    assert TomlText(added).without_table(PATH) == text
