"""Values at a pointer in JSON, YAML and TOML, and the documents that are refused."""

import json

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probe_settings import parse_probe
from mcp_server.gates.probes.documents import (
    MAX_JSON,
    MAX_PARTS,
    MAX_TOML,
    MAX_VALUE,
    MAX_YAML,
    look_json,
    look_toml,
    look_yaml,
)
from tests.gates.probes.probe_builders import look_at, written

LOOKS = {"json": look_json, "yaml": look_yaml, "toml": look_toml}

DATA = {"project": {"name": "x", "tags": ["a", "b"], "size": 2.5, "live": True, "old": None}}
SAME = {
    "json": json.dumps(DATA),
    "yaml": "project: {name: x, tags: [a, b], size: 2.5, live: true, old: null}\n",
    "toml": "[project]\nname = 'x'\ntags = ['a', 'b']\nsize = 2.5\nlive = true\n",
}


def value_in(root, kind, text, pointer=""):
    written(root, f"a.{kind}", text)
    settings = parse_probe({kind: f"a.{kind}", "pointer": pointer})
    return LOOKS[kind](settings, look_at(root)).value


def refusal_of(root, kind, text, pointer=""):
    with pytest.raises(LookFailedError) as raised:
        value_in(root, kind, text, pointer)
    assert [source.path for source in raised.value.sources] == [f"a.{kind}"]
    return raised.value.reason


@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/project/name", "x"),
        ("/project/size", 2.5),
        ("/project/live", True),
        ("/project/tags", ["a", "b"]),
        ("/project/tags/1", "b"),
    ],
)
def test_the_value_at_a_pointer_is_found(tmp_path, kind, pointer, value):
    assert value_in(tmp_path, kind, SAME[kind], pointer) == value


def test_no_pointer_is_the_whole_document(tmp_path):
    assert value_in(tmp_path, "json", SAME["json"]) == DATA
    assert value_in(tmp_path, "yaml", SAME["yaml"]) == DATA


def test_a_finding_shows_its_file(tmp_path):
    written(tmp_path, "a.json", "[1]")

    [source] = look_json(parse_probe({"json": "a.json"}), look_at(tmp_path)).sources

    assert (source.path, source.size) == ("a.json", 3)


POINTERS = {
    "slash": ({"a/b": 1}, "/a~1b", 1),
    "tilde": ({"m~n": 1}, "/m~0n", 1),
    "tilde and one": ({"~1": 1, "/": 2}, "/~01", 1),
    "empty key": ({"": {"": 1}}, "//", 1),
    "key that is a number": ({"0": 1}, "/0", 1),
    "no percent signs": ({"c%d": 1}, "/c%d", 1),
    "anything but ASCII": ({"größe": 1}, "/größe", 1),
    "null": ({"a": None}, "/a", None),
}


@pytest.mark.parametrize(("data", "pointer", "value"), POINTERS.values(), ids=POINTERS)
def test_a_pointer_is_read_as_its_standard_says(tmp_path, data, pointer, value):
    assert value_in(tmp_path, "json", json.dumps(data), pointer) == value


MISSING = {
    "key": ({"a": {"b": 1, "c": 2}}, "/a/x", "'x' is missing at /a, where 'b', 'c' are"),
    "key at the top": ({"b": 1}, "/x/y", "'x' is missing at the top, where 'b' are"),
    "key of nothing": ({"a": {}}, "/a/x", "'x' is missing at /a, where nothing is"),
    "some of many keys": (
        {str(n): n for n in range(11)},
        "/x",
        "'x' is missing at the top, where '0', '1', '2', '3', '4', '5', '6', '7' and 3 more are",
    ),
    "index": ({"a": [1, 2]}, "/a/2", "'2' is missing at /a, where a list of 2 is"),
    "index with a zero": ({"a": [1, 2]}, "/a/01", "'01' is missing at /a, where a list of 2 is"),
    "index from the end": ({"a": [1, 2]}, "/a/-1", "'-1' is missing at /a, where a list of 2 is"),
    "index after the end": ({"a": [1, 2]}, "/a/-", "'-' is missing at /a, where a list of 2 is"),
    "index of other digits": (
        {"a": [1, 2]}, "/a/\u0661", "'\u0661' is missing at /a, where a list of 2 is",
    ),
    "part of a text": ({"a": "xyz"}, "/a/0", "'0' is missing at /a, where the value 'xyz' is"),
    "part of a number": ({"a": 5}, "/a/0", "'0' is missing at /a, where the value 5 is"),
    "part of null": ({"a": None}, "/a/b", "'b' is missing at /a, where null is"),
    "key beside a path": (
        {"/home/me": 1}, "/x", "'x' is missing at the top, where that looks like a path are",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "pointer", "reason"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_named_with_what_is_there(tmp_path, data, pointer, reason):
    assert refusal_of(tmp_path, "json", json.dumps(data), pointer) == (
        f"a.json has no {pointer}: {reason}"
    )


def test_keys_that_are_no_text_are_written_as_json_writes_them(tmp_path):
    text = "2: two\ntrue: yes\nnull: {2.5: x}\n"

    assert value_in(tmp_path, "yaml", text, "/2") == "two"
    assert value_in(tmp_path, "yaml", text, "/true") is True
    assert value_in(tmp_path, "yaml", text, "/null/2.5") == "x"
    assert value_in(tmp_path, "yaml", text) == {"2": "two", "true": True, "null": {"2.5": "x"}}


def test_dates_are_text(tmp_path):
    text = "day = 2024-02-03\nhour = 10:00:00\nat = 2024-02-03T10:00:00Z\n"

    assert value_in(tmp_path, "toml", text) == {
        "day": "2024-02-03",
        "hour": "10:00:00",
        "at": "2024-02-03T10:00:00+00:00",
    }


REFUSED = {
    "json syntax": ("json", "{'a': 1}", "JSON: Expecting property name enclosed in double"),
    "json nothing": ("json", "", "JSON: Expecting value: line 1 column 1 (char 0)"),
    "json more after it": ("json", "1 2", "JSON: Extra data: line 1 column 3 (char 2)"),
    "json duplicate": ("json", '{"a": 1, "a": 2}', "JSON: duplicate key 'a'"),
    "json duplicate inside": ("json", '[{"b": {"a": 1, "a": 1}}]', "JSON: duplicate key 'a'"),
    "json NaN": ("json", '{"a": NaN}', "JSON: NaN is not a finite number"),
    "json Infinity": ("json", "[-Infinity]", "JSON: -Infinity is not a finite number"),
    "json beyond all": ("json", "[1e999]", "JSON: 1e999 is not a finite number"),
    "json endless number": ("json", "9" * 5_000, "JSON: Exceeds the limit (4300 digits) for"),
    "json half a character": ("json", r'"\ud800"', "JSON: 'utf-8' codec can't encode"),
    "json deep": ("json", "[" * 100_000, "JSON: it nests too deep"),
    "json deep mapping": ("json", '{"a":' * 100_000, "JSON: it nests too deep"),
    "yaml syntax": ("yaml", "a: 1\nb: [1\nc: 2\n", "YAML: not YAML: did not find expected ','"),
    "yaml line": ("yaml", "a: 1\nb: 2\na: 3\n", "YAML: duplicate key 'a', line 3"),
    "yaml object": ("yaml", "!!python/name:os.system x", "YAML: the tag 'tag:yaml.org,2002:python"),
    "yaml deep": ("yaml", "[" * 100_000, "YAML: nested deeper than 64, line 1"),
    "yaml without line": ("yaml", "a: \0\n", "YAML: not YAML: ReaderError"),
    "yaml huge number": ("yaml", "0x" + "f" * 9_000, "YAML: a number of 9002 characters is over"),
    "toml syntax": ("toml", "a = \n", "TOML: Invalid value (at line 1, column 5)"),
    "toml duplicate": ("toml", "a = 1\na = 2\n", "TOML: Cannot overwrite a value (at line 2"),
    "toml NaN": ("toml", "a = nan\n", "TOML: Out of range float values are not JSON compliant"),
    "toml deep": ("toml", "a = " + "[" * 100_000, "TOML: it nests too deep"),
    "toml deep mapping": ("toml", "a = " + "{a = " * 100_000, "TOML: it nests too deep"),
    "toml long key": ("toml", "a." * 500_000 + "a = 1", "TOML: a dotted key has more than 64"),
    "toml long table": ("toml", f"[{'a . ' * 64}a]", "TOML: a dotted key has more than 64 parts"),
    "toml long key inside": (
        "toml", "x = {" + "\"a\".'b'." * 32 + "c = 1}", "TOML: a dotted key has more than 64 parts",
    ),
    "not text": ("json", b'"\xff"', "UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_plain_data_is_refused(tmp_path, kind, text, reason):
    told = refusal_of(tmp_path, kind, text)

    assert told.startswith(
        f"a.{kind} is not {reason} text" if reason == "UTF-8" else
        f"a.{kind} cannot be read as {reason}"
    )  # fmt: skip
    assert len(told) < 300


def test_a_dotted_key_of_some_length_is_read(tmp_path):
    assert value_in(tmp_path, "toml", "a." * 63 + "b = 1", "/a" * 63) == {"b": 1}


def test_a_text_with_many_dots_is_no_dotted_key(tmp_path):
    text = "it. " + "And so. " * 100

    assert value_in(tmp_path, "toml", f"a = '{text}'\nb = {[f'{n}.py' for n in range(99)]}", "/a")


SIZES = {"json": MAX_JSON, "yaml": MAX_YAML, "toml": MAX_TOML}


@pytest.mark.parametrize(("kind", "size"), SIZES.items())
def test_a_document_has_a_size_above_which_it_is_refused(tmp_path, kind, size):
    text = SAME[kind] + "\n" * (size - len(SAME[kind]))
    assert value_in(tmp_path, kind, text, "/project/name") == "x"

    assert refusal_of(tmp_path, kind, text + "\n", "/project/name") == (
        f"a.{kind} cannot be read as {kind.upper()}: it has {size + 1} bytes, at most {size}"
        " are read"
    )


def test_a_json_document_has_a_number_of_parts_above_which_it_is_refused(tmp_path):
    text = "[" + "1," * (MAX_PARTS - 1) + "1]"
    assert value_in(tmp_path, "json", text, "/0") == 1

    assert refusal_of(tmp_path, "json", text[:-1] + ",1]", "/0") == (
        f"a.json cannot be read as JSON: it has more than {MAX_PARTS} parts"
    )


def test_a_yaml_bomb_is_refused(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    assert refusal_of(tmp_path, "yaml", "\n".join(lines), "/a0/0").startswith(
        "a.yaml cannot be read as YAML: more than 20000 parts, line "
    )


def test_a_value_has_a_size_above_which_it_is_refused(tmp_path):
    fits = "ä" * ((MAX_VALUE - 2) // 2)
    assert value_in(tmp_path, "json", json.dumps([fits]), "/0") == fits

    assert refusal_of(tmp_path, "json", json.dumps([fits + "x"]), "/0") == (
        f"the value in a.json is over {MAX_VALUE} bytes; point to a part of it"
    )


def test_a_value_that_writes_out_as_a_huge_one_is_refused(tmp_path):
    text = f"a: &a {'x' * 500_000}\nb: [{', '.join(['*a'] * 15_000)}]\n"

    assert refusal_of(tmp_path, "yaml", text, "/b") == (
        f"the value in a.yaml is over {MAX_VALUE} bytes; point to a part of it"
    )


def test_parts_of_a_value_are_not_shared(tmp_path):
    value = value_in(tmp_path, "yaml", "a: &a [1]\nb: *a\n")
    value["a"].append(2)

    assert value["b"] == [1]
