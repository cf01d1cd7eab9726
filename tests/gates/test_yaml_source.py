"""YAML as plain data with lines, and the documents that are refused."""

import time

import pytest

from mcp_server.gates.yaml_source import MAX_DEPTH, MAX_PARTS, SourceError, YamlSource

READ = {
    "nothing": ("", None),
    "comment": ("# only this\n", None),
    "text": ("a", "a"),
    "mapping": ("a: 1\nb: [x, 2.5, true, null]\n", {"a": 1, "b": ["x", 2.5, True, None]}),
    "date": ("day: 2024-02-30\n", {"day": "2024-02-30"}),
    "time": ("at: 2024-02-03T10:00:00Z\n", {"at": "2024-02-03T10:00:00Z"}),
    "date that is real": ("[2024-02-03]", ["2024-02-03"]),
    "block text": ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
    "alias": ("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
    "merge": ("a: &x {p: 1}\nb: {<<: *x, q: 2}\n", {"a": {"p": 1}, "b": {"p": 1, "q": 2}}),
    "tag of plain data": ("a: !!str 1\nb: !!int '2'\n", {"a": "1", "b": 2}),
    "equal keys apart": ("a: {x: 1}\nb: {x: 2}\n", {"a": {"x": 1}, "b": {"x": 2}}),
    "a number": ("9" * 100, int("9" * 100)),
    "numbers to the base of 60": ("[1:30, 1:30.5]", [90, 90.5]),
    "keys that are no text": ("1: a\n2.5: b\nno: c\n", {1: "a", 2.5: "b", False: "c"}),
    "a key of its own and a merged one": (
        "a: &x {1: p}\nb: {<<: *x, true: q}\n",
        {"a": {1: "p"}, "b": {1: "q"}},
    ),
    "anything but ASCII": ("größe: 東京\n", {"größe": "東京"}),
}


@pytest.mark.parametrize(("text", "data"), READ.values(), ids=READ)
def test_a_document_is_plain_data(text, data):
    assert YamlSource(text).data == data


REFUSED = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "duplicate key 'a'", 3),
    "duplicate key inside": ("a:\n  - x: 1\n    x: 2\n", "duplicate key 'x'", 3),
    "key that only differs by type": ("1: a\n'1': b\n", "duplicate key '1'", 2),
    "keys that are equal numbers": ("16: a\n0x10: b\n", "duplicate key '0x10'", 2),
    "keys that are equal numbers in part": ("1: a\n1.0: b\n", "duplicate key '1.0'", 2),
    "keys that are equal truths": ("true: a\nx: b\nyes: c\n", "duplicate key 'yes'", 3),
    "a key that is a truth and a number": ("1: a\ntrue: b\n", "duplicate key 'true'", 2),
    "keys that are nothing": ("~: a\nnull: b\n", "duplicate key 'null'", 2),
    "a key that is no number": (".nan: a\n", "not YAML: .nan is not a finite number", 1),
    "a date as a key, by its tag": (
        "!!timestamp 2024-01-01: a\n",
        "the tag 'tag:yaml.org,2002:timestamp' is not for plain data",
        1,
    ),
    "a long number": ("a: x\nb: " + "1" * 101, "a number of 101 characters is over 100", 2),
    "a long number in a list": (
        "- " + "1:" * 50 + "1", "a number of 101 characters is over 100", 1,
    ),
    "a long number as a key": ("1" * 101 + ": a", "a number of 101 characters is over 100", 1),
    "a long number by its tag": (
        "!!int '" + "1" * 101 + "'", "a number of 101 characters is over 100", 1,
    ),
    "a long number in a key": ("? [" + "1" * 101 + "]\n: 1", "not YAML: found unhashable key", 1),
    "duplicate merge": ("a: &x {p: 1}\nb:\n  <<: *x\n  <<: *x\n", "duplicate key '<<'", 4),
    "syntax": ("a: 1\nb: [1\nc: 2\n", "not YAML: did not find expected ',' or ']'", 3),
    "tab": ("a:\n\tb: 1\n", "not YAML: found character that cannot start any token", 2),
    "two documents": ("a: 1\n---\nb: 2\n", "not YAML: but found another document", 2),
    "unknown alias": ("a: 1\nb: *x\n", "not YAML: found undefined alias", 2),
    "key that is a list": ("a: 1\n? [b]\n: 2\n", "not YAML: found unhashable key", 2),
    "control character": ("a: \0\n", "not YAML: ReaderError", None),
    "lone surrogate": ("a: \ud800\n", "not YAML: UnicodeEncodeError", None),
    "number that is none": ("a: !!int x\n", "not YAML: ValueError", None),
    "number that is nothing": ("a: !!int ''\n", "not YAML: IndexError", None),
    "boolean that is none": ("a: !!bool x\n", "not YAML: KeyError", None),
    "no number": ("a: 1\nb: .nan\n", "not YAML: .nan is not a finite number", 2),
    "infinity": ("a: -.inf\n", "not YAML: -.inf is not a finite number", 1),
    "number beyond all": ("a: 1.0e+999\n", "not YAML: 1.0e+999 is not a finite number", 1),
    "object of Python": (
        "a: 1\nb: !!python/object/apply:os.system [x]\n",
        "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not for plain data",
        2,
    ),
    "own tag": ("a: !secret x\n", "the tag '!secret' is not for plain data", 1),
    "date by its tag": (
        "a: !!timestamp x\n", "the tag 'tag:yaml.org,2002:timestamp' is not for plain data", 1,
    ),
    "set": ("a: !!set {x}\n", "the tag 'tag:yaml.org,2002:set' is not for plain data", 1),
    "bytes": ("a: !!binary eA==\n", "the tag 'tag:yaml.org,2002:binary' is not for plain data", 1),
    "alias of itself": ("a: &x [*x]\n", "not YAML: RecursionError", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason", "line"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_plain_data_is_refused_with_its_line(text, reason, line):
    with pytest.raises(SourceError) as raised:
        YamlSource(text)

    assert (str(raised.value), raised.value.line) == (reason, line)


def _laughs(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def _merges(levels):
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


BOMBS = {
    "aliases of aliases": (_laughs(12), f"more than {MAX_PARTS} parts"),
    "merges of merges": (_merges(12), f"more than {MAX_PARTS} parts"),
    "many parts": ("- 1\n" * 250_000, f"more than {MAX_PARTS} parts"),
    "deep brackets": ("[" * 1_000_000, f"nested deeper than {MAX_DEPTH}"),
    "deep braces": ("{a: " * 250_000, f"nested deeper than {MAX_DEPTH}"),
    "deep bullets": ("- " * 500_000, f"nested deeper than {MAX_DEPTH}"),
    "deep keys": ("? " * 500_000, f"nested deeper than {MAX_DEPTH}"),
    "deep blocks": (
        "\n".join(" " * n + "a:" for n in range(1000)), f"nested deeper than {MAX_DEPTH}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_quickly(text, reason):
    begin = time.perf_counter()

    with pytest.raises(SourceError) as raised:
        YamlSource(text)

    assert str(raised.value) == reason
    assert time.perf_counter() - begin < 3


def test_a_document_of_the_greatest_depth_is_read():
    data = YamlSource("[" * MAX_DEPTH + "]" * MAX_DEPTH).data

    for _ in range(MAX_DEPTH - 1):
        [data] = data
    assert data == []


def test_a_document_of_the_greatest_size_is_read():
    assert YamlSource("- 1\n" * (MAX_PARTS - 1)).data == [1] * (MAX_PARTS - 1)


TEXT = """\
# a gate
checkpoint: {strict: true}

evidence_schema:
  tests:
    type: integer
    enum:
      - 1
      - 2
"""

LINES = {
    "the document": ((), 2),
    "a key": (("evidence_schema",), 4),
    "an inner key": (("evidence_schema", "tests", "type"), 6),
    "an element": (("evidence_schema", "tests", "enum", 1), 9),
    "a key in braces": (("checkpoint", "strict"), 2),
    "a part that is not there": (("evidence_schema", "tests", "required"), 5),
    "a path that goes nowhere": (("nothing", 3, "at all"), 2),
}


@pytest.mark.parametrize(("path", "line"), LINES.values(), ids=LINES)
def test_each_part_has_a_line_and_what_is_missing_that_of_its_surroundings(path, line):
    assert YamlSource(TEXT).line_of(path) == line


def test_nothing_has_no_line():
    assert YamlSource("").line_of(("a",)) is None
