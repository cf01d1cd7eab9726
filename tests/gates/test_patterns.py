"""Patterns that are matched within their time, and those that are refused."""

import time

import pytest

from mcp_server.gates.patterns import (
    MAX_BRACKETS,
    MAX_EXPANDED,
    MAX_PATTERN,
    MAX_REMEMBERED,
    PatternBudget,
    PatternError,
    compiled,
)

SLOW = r"(x+x+)+y"
SLOW_TEXT = "x" * 5_000 + "z\ny"


def refusal_of(pattern):
    with pytest.raises(PatternError) as raised:
        compiled(pattern)
    return str(raised.value)


def test_a_pattern_finds_what_it_says():
    budget = PatternBudget()

    assert [found[0] for found in budget.finditer(compiled(r"\d+"), "1 a 22")] == ["1", "22"]
    assert budget.search(compiled(r"(\w)=(\d)"), "a b=2").groups() == ("b", "2")
    assert budget.search(compiled(r"\d"), "abc") is None


def test_line_ends_are_anchors_only_where_that_is_asked_for():
    text = "a\nb\n"

    assert [m[0] for m in PatternBudget().finditer(compiled("^.$", by_line=True), text)] == [
        "a",
        "b",
    ]
    assert PatternBudget().search(compiled("^b"), text) is None


NO_PATTERNS = {
    "open group": ("(a", "missing ) at position 2"),
    "open set": ("[a", "unterminated character set at position 2"),
    "nothing to repeat": ("*", "nothing to repeat at position 0"),
    "unknown group": (r"\1", "invalid group reference at position 2"),
    "unknown list": (r"\L<x>", "undefined named list at position 5"),
    "unknown property": (r"\p{foo}", "unknown property at position 7"),
    "repeated twice": ("a{9}{9}", "multiple repeat at position 4"),
    "no character": (r"\U99999999", r"bad hex escape \U99999999 at position 2"),
}


@pytest.mark.parametrize(("pattern", "reason"), NO_PATTERNS.values(), ids=NO_PATTERNS)
def test_what_is_no_regular_expression_is_refused(pattern, reason):
    assert refusal_of(pattern) == f"{pattern!r} is not a regular expression: {reason}"


def test_a_pattern_has_a_length():
    longest = "[ab]" * (MAX_PATTERN // 4)
    assert len(longest) == MAX_PATTERN
    assert PatternBudget().search(compiled(longest), "ab" * MAX_PATTERN)

    assert refusal_of(longest + "c") == (
        f"a pattern of {MAX_PATTERN + 1} characters is over {MAX_PATTERN}"
    )


EXPANSIONS = {
    "nested": "(((a{999}){999}){999})",
    "nested without groups that are kept": "(?:(?:(?:a{999}){999}){999})",
    "at once": f"a{{{MAX_EXPANDED + 1}}}",
    "beyond all numbers": "a{99999999999999999999}",
    "beyond all numbers, at most": "a{0,99999999999999999999}",
    "lazy": "(?:a{999}?){999}?",
    "possessive": "(?:a{999}+){999}+",
    "only least": "(?:a{999,}){999,}",
    "only most": "(?:a{,999}){,999}",
    "of a set with a bracket in it": "(?:[]()]{999}){999}",
    "of a set with what is escaped in it": r"(?:[\](]{999}){999}",
    "of an escaped bracket": r"(?:\({999}){999}",
    "ahead": "(?=(?:a{999}){999})",
    "behind": "(?<=(?:a{999}){999})",
    "named": "(?P<x>(?P<y>a{999}){999})",
    "of one of several": "(?:a|b{999}|c){999}",
    "one after another": "(?:a{999}b{999}){30}",
    "of at least one": "(?:" * 14 + "a" + ")+" * 14,
    "of at least two": "(?:" * 9 + "a" + "){2,}" * 9,
    "around comments": "(((a{999}(?#()){999}(?#()){40})",
    "around comments that go on": r"(((a{999}(?#\)()){999}(?#\)()){40})",
    "around flags": "(((a{999}(?i)){999}(?s-m)){40})",
    "with flags": "(?i:(?s-m:a{999}){999})",
    "around a class": "(?:[[:alpha:])]a{999}[[:^alpha:](]){999}",
    "around a property": r"(?:\p{Lu}\P{Script=Latin}\N{DIGIT ONE}{999}){999}",
    "of a group by its number": "(a)(?:(?(1)b{999}|c)){999}",
}


@pytest.mark.parametrize("pattern", EXPANSIONS.values(), ids=EXPANSIONS)
def test_a_pattern_that_writes_out_large_is_refused(pattern):
    assert refusal_of(pattern) == f"the repetitions in {pattern!r} come to over 10000 parts"


STRANGE = {
    "verbose": (r"(?x)a{99}#(", "(?x)"),
    "verbose in a group": ("(?ix:a)", "(?ix"),
    "sets in sets": ("(?V1)[[a]--[b]]", "(?V1"),
    "other order": ("(?r)a", "(?r)"),
    "longest match": ("(?p)a|ab", "(?p)"),
    "whole recursion": ("a(?R)?b", "(?R)"),
    "recursion by number": ("(a(?1)?b)", "(?1)"),
    "recursion by a number from here": ("(a(?-1)?b)", "(?-1"),
    "recursion by name": ("(?P<x>a(?&x)?b)", "(?&x"),
    "recursion by name, otherwise": ("(?P<x>a(?P>x)?b)", "(?P>"),
    "condition that looks": ("(?(?=a)b|c)", "(?(?"),
    "verb": ("a(*SKIP)b", "(*SK"),
    "fuzzy": ("(?:abc){e<=1}", "{e"),
    "fuzzy within bounds": ("(?:abc){1<=e<=2}", "{1<=e"),
    "fuzzy by cost": ("(?:abc){2i+2d<5}", "{2i"),
    "fuzzy after what is no property": (r"\p{e<=2}", "{e"),
    "what may be a class": ("[[:alpha:script=x:]]", "[:"),
}


@pytest.mark.parametrize(("pattern", "sign"), STRANGE.values(), ids=STRANGE)
def test_what_cannot_be_measured_is_refused(pattern, sign):
    assert refusal_of(pattern) == (
        f"{pattern!r} has {sign!r}, which is not taken here; put \\ before a sign that means itself"
    )


def test_a_pattern_has_a_number_of_groups():
    assert PatternBudget().search(compiled("(a)" * MAX_BRACKETS), "a" * MAX_BRACKETS)

    for pattern in ("(?:a)" * (MAX_BRACKETS + 1), "(" * 200 + ")" * 200, "(" * MAX_PATTERN):
        assert refusal_of(pattern) == f"{pattern[:80]!r} has over {MAX_BRACKETS} groups"


def test_a_text_has_a_length_that_groups_share():
    text = "a" * (MAX_REMEMBERED // 3)
    assert PatternBudget(1).search(compiled("(?:(a))$"), text)

    with pytest.raises(PatternError) as raised:
        PatternBudget(1).search(compiled("(?:(a))$"), text + "a")

    assert str(raised.value) == (
        "the pattern '(?:(a))$' is matched in at most 333333 characters, this text has 333334"
    )


@pytest.mark.parametrize(
    "pattern",
    ["a" * MAX_PATTERN, "(?i)" + "a" * (MAX_PATTERN - 4), "ab" * (MAX_PATTERN // 2),
     "(?:" * 12 + "a" + ")+" * 12, f"(?:ab){{{MAX_EXPANDED // 3}}}"],
    ids=range(5),
)  # fmt: skip
def test_what_no_clock_stops_is_short(pattern):
    begin = time.process_time()

    PatternBudget(1).search(compiled(pattern), "ab" * 1_000)

    assert time.process_time() - begin < 10


def test_what_takes_all_memory_is_a_refusal():
    class Greedy:
        """Takes all memory."""

        pattern = "a"

        def finditer(self, text, **_):
            raise MemoryError

    with pytest.raises(PatternError) as raised:
        PatternBudget().search(Greedy(), "a")

    assert str(raised.value) == "the pattern 'a' takes too much memory on this text"


FITTING = {
    "a date": (r"\d{4}-\d{2}-\d{2}", "2024-02-03"),
    "a digest": (r"[0-9a-f]{64}", "0f" * 32),
    "a group of some": (r"(?:[a-z]{1,9}, ){1,99}", "ab, c, "),
    "braces that repeat nothing": (r"\{9999999}", "{9999999}"),
    "braces in a set": ("[{9999999}]", "9"),
    "a property": (r"\p{Lu}{2}", "ÄÖ"),
    "a class": ("[[:alpha:]]{2}", "ab"),
    "a comment": ("a(?#of (that){2}", "aa"),
    "flags": ("(?i)A(?s-i:.)", "a\n"),
    "a group by its name": ("(?P<x>a)(?P=x)", "aa"),
    "a group by its number": ("(a)?(?(1)b|c)", "ab"),
    "a sign that means itself": (r"\{e<=1}\(?", "{e<=1}("),
    "other braces": ("{x}{,b}", "{x}{,b}"),
}


@pytest.mark.parametrize(("pattern", "text"), FITTING.values(), ids=FITTING)
def test_a_pattern_with_repetitions_of_some_size_is_matched(pattern, text):
    assert PatternBudget().search(compiled(pattern), text)[0] == text


def test_a_match_that_takes_too_long_is_given_up():
    with pytest.raises(PatternError) as raised:
        PatternBudget(0.05).search(compiled(SLOW), SLOW_TEXT)

    assert str(raised.value) == f"the pattern {SLOW!r} takes too long on this text"


def test_a_long_pattern_is_shortened_where_it_is_shown():
    with pytest.raises(PatternError) as raised:
        PatternBudget(0.05).search(compiled(SLOW + "z" * 200), SLOW_TEXT + "z" * 200)

    assert str(raised.value) == f"the pattern {SLOW + 'z' * 72!r} takes too long on this text"


def test_many_matches_that_are_each_cheap_share_one_time():
    matches = PatternBudget(0.05).finditer(compiled("a"), "a" * 1_000_000)

    with pytest.raises(PatternError, match="takes too long"):
        for _ in matches:
            pass


def test_many_searches_that_are_each_cheap_share_one_time():
    budget = PatternBudget(0.005)

    def search_often():
        for _ in range(50_000):
            budget.search(compiled("b"), "aaab")

    with pytest.raises(PatternError, match="takes too long"):
        search_often()


def test_what_one_search_took_is_gone_for_the_next():
    budget = PatternBudget(0.05)
    with pytest.raises(PatternError):
        budget.search(compiled(SLOW), SLOW_TEXT)

    with pytest.raises(PatternError, match="takes too long"):
        budget.search(compiled(SLOW), SLOW_TEXT[:-1])
