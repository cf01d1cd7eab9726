"""What is found of files, matches and text, and what is refused instead of guessed."""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.patterns import PatternBudget
from mcp_server.gates.probe_settings import parse_probe
from mcp_server.gates.probes.documents import (
    MAX_SEARCHED,
    MAX_SEEN,
    MAX_SOURCES,
    MAX_TEXT,
    MAX_VALUES,
    look_count,
    look_file,
    look_json,
    look_text,
    look_toml,
    look_yaml,
)
from tests.gates.probes.probe_builders import look_at, written

LOOKS = {
    "file": look_file,
    "count": look_count,
    "text": look_text,
    "json": look_json,
    "yaml": look_yaml,
    "toml": look_toml,
}

NOTES = "# Risks\n- R1: slow\n- R2: dear\n- R1: slow\n"


def found(root, verify, **about):
    settings = parse_probe(verify)
    budget = PatternBudget(about.pop("seconds", 1.0))
    return LOOKS[settings.probe](settings, replace(look_at(root, **about), budget=budget))


def refused(root, verify, **about):
    with pytest.raises(LookFailedError) as raised:
        found(root, verify, **about)
    return raised.value


def shows(error):
    return [source.path for source in error.sources]


def test_a_finding_names_the_file_with_size_digest_and_time(tmp_path):
    file = written(tmp_path, "notes.md", NOTES)
    os.utime(file, (1_600_000_000, 1_600_000_000))

    [source] = found(tmp_path, {"count": "notes.md", "pattern": "R"}).sources

    assert (source.path, source.size) == ("notes.md", len(NOTES))
    assert source.sha256 == hashlib.sha256(NOTES.encode()).hexdigest()
    assert source.modified == datetime.fromtimestamp(1_600_000_000, UTC)


def test_a_finding_names_some_files_of_many(tmp_path):
    for number in range(MAX_SOURCES + 5):
        written(tmp_path, f"{number:03}.md")

    seen = found(tmp_path, {"file": "*.md"})

    assert seen.value == MAX_SOURCES + 5
    assert [source.path for source in seen.sources] == [f"{n:03}.md" for n in range(MAX_SOURCES)]


FILES_BY_TYPE = {
    "string": "docs/a.md, docs/b.md",
    "integer": 2,
    "number": 2,
    "boolean": True,
    "list": ["docs/a.md", "docs/b.md"],
}


@pytest.mark.parametrize(("type_", "value"), FILES_BY_TYPE.items())
def test_files_are_given_as_the_type_of_the_field_wants(tmp_path, type_, value):
    written(tmp_path, "docs/a.md")
    written(tmp_path, "docs/b.md")

    assert found(tmp_path, {"file": "docs/*.md"}, type=type_).value == value


def test_the_only_file_is_its_path(tmp_path):
    written(tmp_path, "docs/a.md")

    assert found(tmp_path, {"file": "docs/*.md"}, type="string").value == "docs/a.md"


def test_a_file_that_two_globs_find_is_one_file(tmp_path):
    written(tmp_path, "a.md", "- x\n")

    assert found(tmp_path, {"file": ["a.md", "*.md"]}).value == 1
    assert found(tmp_path, {"count": ["a.md", "*.md"], "pattern": "x"}).value == 1


def test_a_file_smaller_than_asked_fails_with_both_sizes(tmp_path):
    written(tmp_path, "a.md", "12345")
    written(tmp_path, "b.md", "1234")

    assert found(tmp_path, {"file": "*.md", "min_size": 4}, type="boolean").value is True
    error = refused(tmp_path, {"file": "*.md", "min_size": 5})

    assert error.reason == "b.md has 4 bytes, at least 5 are asked for"
    assert shows(error) == ["b.md"]


def test_an_empty_file_fails_unless_that_is_allowed(tmp_path):
    written(tmp_path, "a.md", "")

    assert refused(tmp_path, {"file": "a.md"}).reason == (
        "a.md has 0 bytes, at least 1 are asked for"
    )
    assert found(tmp_path, {"file": "a.md", "min_size": 0}).value == 1


def test_fewer_files_than_asked_fail(tmp_path):
    written(tmp_path, "a.md")
    written(tmp_path, "b.md")

    assert found(tmp_path, {"file": "*.md", "minimum": 2}).value == 2
    error = refused(tmp_path, {"file": "*.md", "minimum": 3})

    assert error.reason == "there are 2 files *.md, at least 3 are asked for"
    assert shows(error) == ["a.md", "b.md"]


MATCHES_BY_TYPE = {
    None: 3,
    "integer": 3,
    "number": 3,
    "list": ["R1", "R2", "R1"],
    "string": "R1",
    "boolean": True,
}


@pytest.mark.parametrize(("type_", "value"), MATCHES_BY_TYPE.items())
def test_matches_are_given_as_the_type_of_the_field_wants(tmp_path, type_, value):
    written(tmp_path, "notes.md", NOTES)

    verify = {"count": "notes.md", "pattern": r"^- (\w+):", "minimum": 3}

    assert found(tmp_path, verify, type=type_).value == value


WITHOUT_MATCH = {"integer": 0, "list": [], "boolean": False}


@pytest.mark.parametrize(("type_", "value"), WITHOUT_MATCH.items())
def test_no_match_is_a_value_too(tmp_path, type_, value):
    written(tmp_path, "notes.md", NOTES)

    assert found(tmp_path, {"count": "notes.md", "pattern": "X"}, type=type_).value == value


def test_no_match_is_no_text(tmp_path):
    written(tmp_path, "notes.md", NOTES)

    error = refused(tmp_path, {"count": "notes.md", "pattern": "X"}, type="string")

    assert (error.reason, shows(error)) == ("there are no matches of X in notes.md", ["notes.md"])


def test_equal_matches_can_be_counted_once(tmp_path):
    written(tmp_path, "a.md", NOTES)
    written(tmp_path, "b.md", "- R3: late\n")
    verify = {"count": "*.md", "pattern": r"^- (\w+):", "distinct": True}

    assert found(tmp_path, verify).value == 3
    assert found(tmp_path, verify, type="list").value == ["R1", "R2", "R3"]


def test_fewer_matches_than_asked_fail(tmp_path):
    written(tmp_path, "notes.md", NOTES)
    verify = {"count": "notes.md", "pattern": r"R\d"}

    assert refused(tmp_path, verify | {"minimum": 4}).reason == (
        r"there are 3 matches of R\d in notes.md, at least 4 are asked for"
    )
    assert refused(tmp_path, verify | {"minimum": 3, "distinct": True}).reason == (
        r"there are 2 matches of R\d in notes.md, at least 3 are asked for"
    )


VALUES = {
    "no group": ("a=1 b=2", r"\w=\d", ["a=1", "b=2"]),
    "a group": ("a=1 b=2", r"\w=(\d)", ["1", "2"]),
    "the group that took part": ("a=1 b:2", r"\w=(\d)|\w:(\d)", ["1", "2"]),
    "no group took part": ("a b=2", r"a|\w=(\d)", ["a", "2"]),
    "an empty group": ("a= b=2", r"\w=(\d?)", ["", "2"]),
    "lines as Windows ends them": ("- a\r\n- b\r\n", r"^- \w$", ["- a", "- b"]),
    "across lines": ("one\ntwo\n", r"(?s)one.two", ["one\ntwo"]),
}


@pytest.mark.parametrize(("text", "pattern", "values"), VALUES.values(), ids=VALUES)
def test_the_value_of_a_match_is_its_group_or_the_whole(tmp_path, text, pattern, values):
    written(tmp_path, "a.txt", text)

    assert found(tmp_path, {"count": "a.txt", "pattern": pattern}, type="list").value == values


def test_a_list_has_an_end_and_is_not_cut_short(tmp_path):
    written(tmp_path, "a.txt", "x" * MAX_VALUES)
    verify = {"count": "*.txt", "pattern": "x"}
    assert len(found(tmp_path, verify, type="list").value) == MAX_VALUES

    written(tmp_path, "b.txt", "x")

    assert found(tmp_path, verify).value == MAX_VALUES + 1
    assert refused(tmp_path, verify, type="list").reason == (
        "there are 1001 matches of x in *.txt, a list has at most 1000"
    )


def test_distinct_matches_beyond_a_list_are_counted(tmp_path):
    written(tmp_path, "a.txt", "".join(f"{n},{n}\n" for n in range(MAX_VALUES + 7)))

    assert found(
        tmp_path, {"count": "a.txt", "pattern": r"\d+", "distinct": True}
    ).value == MAX_VALUES + 7  # fmt: skip


def test_a_long_match_is_counted_and_is_no_value(tmp_path):
    written(tmp_path, "a.txt", "x" * (MAX_TEXT + 1))
    verify = {"count": "a.txt", "pattern": "x+"}

    assert found(tmp_path, verify, type="integer").value == 1
    error = refused(tmp_path, verify, type="list")

    assert error.reason == "a match of x+ has 4001 characters, as a value at most 4000"
    assert shows(error) == ["a.txt"]


def test_distinct_matches_do_not_fill_the_memory(tmp_path):
    each = MAX_TEXT - 100
    written(tmp_path, "a.txt", "".join(f"{n} " for n in range(MAX_SEEN // each)) + "x" * each)

    error = refused(
        tmp_path,
        {"count": "a.txt", "pattern": rf"(?s)(?=(.{{{each}}}))", "distinct": True},
    )

    assert error.reason == "there are over 2030 distinct matches, too many"


BOMBS = {
    "backtracking": (r"(x+x+)+y", "x" * 5_000 + "z\ny"),
    "each place reads the rest": (r"(?s)(?:.(?=.*z))+?(?=q)", "x" * 50_000 + "q"),
}


@pytest.mark.parametrize("verify", [{"count": "a.txt"}, {"text": "a.txt"}], ids=str)
@pytest.mark.parametrize(("pattern", "text"), BOMBS.values(), ids=BOMBS)
def test_a_pattern_that_takes_too_long_fails(tmp_path, verify, pattern, text):
    written(tmp_path, "a.txt", text)

    error = refused(tmp_path, verify | {"pattern": pattern}, seconds=0.1)

    assert error.reason == f"the pattern {pattern!r} takes too long on this text"
    assert shows(error) == ["a.txt"]


@pytest.mark.parametrize("verify", [{"count": "a.txt"}, {"text": "a.txt"}], ids=str)
def test_a_text_that_is_too_large_to_match_in_fails(tmp_path, verify):
    written(tmp_path, "a.txt", "ab" * (MAX_SEARCHED // 2))
    assert found(tmp_path, verify | {"pattern": "b"}, type="boolean").value is True

    written(tmp_path, "a.txt", "ab" * (MAX_SEARCHED // 2) + "c")

    assert refused(tmp_path, verify | {"pattern": "b"}).reason == (
        "a.txt has 500001 characters, patterns are matched in at most 500000"
    )


def test_text_is_the_whole_without_what_surrounds_it(tmp_path):
    written(tmp_path, "VERSION", "\ufeff\r\n 1.2.3\r\nbeta \r\n")

    assert found(tmp_path, {"text": "VERSION"}, type="string").value == "1.2.3\nbeta"


def test_text_is_the_first_match(tmp_path):
    written(tmp_path, "notes.md", NOTES)

    assert found(tmp_path, {"text": "notes.md", "pattern": r"^- \w+: (\w+)$"}).value == "slow"
    assert found(tmp_path, {"text": "notes.md", "pattern": r"^- \w+"}).value == "- R1"
    error = refused(tmp_path, {"text": "notes.md", "pattern": "^R"})

    assert error.reason == "nothing in notes.md matches ^R"
    assert shows(error) == ["notes.md"]


def test_what_text_contains_must_be_there(tmp_path):
    written(tmp_path, "notes.md", NOTES)
    verify = {"text": "notes.md", "pattern": r"R\d"}

    assert found(tmp_path, verify | {"contains": "R2: dear\n"}, type="boolean").value is True
    assert found(tmp_path, verify | {"contains": "R2: dear\n"}, type="string").value == "R1"
    error = refused(tmp_path, verify | {"contains": "r2: dear"}, type="boolean")

    assert error.reason == "notes.md does not contain 'r2: dear'"
    assert shows(error) == ["notes.md"]


def test_a_whole_text_has_an_end_and_is_not_cut_short(tmp_path):
    written(tmp_path, "a.txt", "x" * MAX_TEXT + "\n")
    assert found(tmp_path, {"text": "a.txt"}).value == "x" * MAX_TEXT

    written(tmp_path, "a.txt", "x" * MAX_TEXT + "y\n")

    assert found(tmp_path, {"text": "a.txt"}, type="boolean").value is True
    assert refused(tmp_path, {"text": "a.txt"}, type="string").reason == (
        "a.txt has 4001 characters, as a value at most 4000"
    )


def test_blank_text_is_not_true(tmp_path):
    written(tmp_path, "a.txt", " \n")

    assert found(tmp_path, {"text": "a.txt"}, type="boolean").value is False


@pytest.mark.parametrize("probe", ["text", "json", "yaml", "toml"])
def test_a_value_comes_from_one_file(tmp_path, probe):
    written(tmp_path, "a.x", "")
    written(tmp_path, "b.x", "")

    error = refused(tmp_path, {probe: "*.x"})

    assert error.reason == "there are 2 files *.x, there must be one"
    assert shows(error) == ["a.x", "b.x"]
