"""What an author may write under `verify`: each probe as it should be, then one thing broken."""

import pytest
from pydantic import ValidationError

from mcp_server.gates.observation import Known
from mcp_server.gates.probe_settings import (
    KNOWN_PROBES,
    CommandSettings,
    GitSettings,
    JUnitSettings,
    parse_probe,
    parse_verify,
    session_values,
)

VALID = {
    "file": {"file": "a.md", "min_size": 10, "minimum": 2, "fresh": True},
    "count": {"count": "a.md", "pattern": r"^- (\w+)$", "minimum": 3, "distinct": True},
    "text": {"text": "a.md", "pattern": "a(b)", "contains": "b"},
    "json": {"json": "a.json", "pointer": "/a/b"},
    "yaml": {"yaml": "a.yaml", "pointer": "/a/0"},
    "toml": {"toml": "a.toml", "pointer": ""},
    "junit": {"junit": "a.xml", "count": "passed", "tests": ["t"], "of": "tests/t.py"},
    "coverage": {"coverage": "a.xml", "count": "branches", "of": "{target_file}"},
    "git": {"git": "changed", "matching": ["src/**"], "never": ["tests/**"], "since": "session"},
    "command": {"command": "test", "report": {"junit": "a.xml"}, "exit_codes": [0, 1]},
    "approval": {"approval": "Ship it?", "of": ["docs/a.md"]},
}


def refusal_of(value):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - its words are what is asserted
        parse_verify(value)
    if isinstance(raised.value, ValidationError):
        [error] = raised.value.errors()
        return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
    return str(raised.value)


def test_each_probe_is_tried_here():
    assert VALID.keys() == KNOWN_PROBES.keys()


@pytest.mark.parametrize(("probe", "value"), VALID.items(), ids=VALID)
def test_a_probe_has_its_settings(probe, value):
    settings = parse_probe(value)

    assert (type(settings), settings.probe) == (KNOWN_PROBES[probe], probe)
    written = settings.model_dump(mode="json", exclude_unset=True, exclude={"report"})
    given = {settings.main if key == probe else key: each for key, each in value.items()}
    given.pop("report", None)
    assert written == {
        key: [each] if key == "path" else each for key, each in given.items()
    }  # fmt: skip


@pytest.mark.parametrize(("probe", "value"), VALID.items(), ids=VALID)
def test_settings_can_stand_below_the_name(probe, value):
    others = {key: each for key, each in value.items() if key != probe}
    main = {KNOWN_PROBES[probe].main: value[probe]}

    assert parse_probe({probe: main | others}) == parse_probe(value)


@pytest.mark.parametrize("value", VALID.values(), ids=VALID)
def test_a_setting_that_nobody_knows_is_refused(value):
    assert refusal_of(value | {"minimun": 3}) == "minimun: Extra inputs are not permitted"


@pytest.mark.parametrize("value", VALID.values(), ids=VALID)
def test_settings_cannot_be_changed(value):
    settings = parse_probe(value)

    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, settings.main, "other")


DESCRIBED = {
    "file": "file a.md",
    "count": r"count a.md, matches of ^- (\w+)$",
    "text": "text a.md, b",
    "json": "json a.json at /a/b",
    "yaml": "yaml a.yaml at /a/0",
    "toml": "toml a.toml",
    "junit": "junit a.xml (passed)",
    "coverage": "coverage a.xml (branches of {target_file})",
    "git": "git changed src/**, not tests/**",
    "command": "command test, then junit a.xml",
    "approval": "approval: Ship it?",
}


@pytest.mark.parametrize(("probe", "words"), DESCRIBED.items(), ids=DESCRIBED)
def test_a_probe_is_described_in_a_few_words(probe, words):
    assert parse_probe(VALID[probe]).described == words


def test_probes_are_known_in_different_ways():
    ways = {probe: KNOWN_PROBES[probe].gives for probe in KNOWN_PROBES}

    assert ways.pop("command") is Known.EXECUTED
    assert ways.pop("approval") is Known.APPROVED
    assert set(ways.values()) == {Known.OBSERVED}


def test_reports_are_always_fresh_unless_said_otherwise():
    fresh = {probe for probe in VALID if getattr(parse_probe({probe: "x"} | _needed(probe)),
                                                 "fresh", False)}  # fmt: skip

    assert fresh == {"junit", "coverage"}
    assert parse_probe({"junit": "a.xml", "fresh": False}).fresh is False


def _needed(probe):
    return {"count": {"pattern": "x"}, "git": {"git": "clean"}}.get(probe, {})


BROKEN = {
    "file without a size": ("file", {"min_size": -1}, "greater than or equal to 0"),
    "size that is none": ("file", {"min_size": "much"}, "valid integer"),
    "no file at least": ("file", {"minimum": 0}, "greater than or equal to 1"),
    "path that is a number": ("file", {"file": 5}, "valid tuple"),
    "no path": ("file", {"file": []}, "at least 1 item"),
    "count without pattern": ("count", {"pattern": None}, "valid string"),
    "no regular expression": ("count", {"pattern": "(a"}, "is not a regular expression"),
    "pattern that is a bomb": ("count", {"pattern": "((a{999}){999})"}, "over 10000 parts"),
    "pattern that is too long": ("text", {"pattern": "a" * 9_999}, "9999 characters is over"),
    "nothing to contain": ("text", {"contains": ""}, "at least 1 character"),
    "pointer without a slash": ("json", {"pointer": "a/b"}, "match pattern"),
    "pointer of a fragment": ("yaml", {"pointer": "#/a"}, "match pattern"),
    "pointer with an escape that is none": ("json", {"pointer": "/a/~2"}, "match pattern"),
    "pointer with half an escape": ("json", {"pointer": "/a~"}, "match pattern"),
    "pointer that is a number": ("toml", {"pointer": 1}, "valid string"),
    "count of other tests": ("junit", {"count": "flaky"}, "'total', 'passed', 'failed'"),
    "tests that are a number": ("junit", {"tests": 1}, "valid tuple"),
    "target out of the project": ("junit", {"of": "../t.py"}, "leaves the project"),
    "count of other parts": ("coverage", {"count": "files"}, "'lines' or 'branches'"),
    "other check": ("git", {"git": "pushed"}, "'commit', 'clean' or 'changed'"),
    "since another time": ("git", {"since": "ever"}, "'phase' or 'session'"),
    "commit of changes": ("git", {"commit": "HEAD"}, "commit goes with git: commit"),
    "globs of a clean tree": ("git", {"git": "clean"}, "go with git: changed"),
    "no globs": ("git", {"never": []}, "at least 1 item"),
    "two commands": ("command", {"argv": ["x"]}, "needs either name or argv"),
    "no command": ("command", {"command": None}, "needs either name or argv"),
    "time limit of a named command": ("command", {"timeout": 5}, "stand in .praxis-os"),
    "environment of a named command": ("command", {"env": ["CI"]}, "stand in .praxis-os"),
    "no exit codes": ("command", {"exit_codes": []}, "at least 1 item"),
    "report that is a tree": ("command", {"report": {"git": "clean"}}, "a report is read by"),
    "report that is unknown": ("command", {"report": {"tap": "x"}}, "unknown probe"),
    "report out of the project": ("command", {"report": {"junit": "/x"}}, "leaves the project"),
    "no question": ("approval", {"approval": ""}, "at least 1 character"),
    "long question": ("approval", {"approval": "?" * 1_001}, "at most 1000 characters"),
    "approval of what is outside": ("approval", {"of": "../x"}, "leaves the project"),
}


@pytest.mark.parametrize(("probe", "change", "words"), BROKEN.values(), ids=BROKEN)
def test_one_broken_setting_is_refused(probe, change, words):
    assert words in refusal_of(VALID[probe] | change)


@pytest.mark.parametrize("probe", ["count", "git"])
def test_a_setting_that_a_probe_needs_is_missing(probe):
    name = {"count": "pattern", "git": "check"}[probe]
    given = {"count": {"count": "a.md"}, "git": {"git": {"check": None}}}[probe]

    assert refusal_of(given).startswith(f"{name}: ")


@pytest.mark.parametrize("pointer", ["", "/", "//", "/a~0b/~1c", "/a b/\n", "/größe/-"])
def test_a_pointer_has_what_pointers_have(pointer):
    assert parse_probe({"json": "a.json", "pointer": pointer}).pointer == pointer


def test_a_command_can_be_given_with_its_arguments():
    settings = parse_probe({"command": {"argv": ["make", "test"], "timeout": 5, "env": "CI=1"}})

    assert settings == CommandSettings(argv=("make", "test"), timeout=5, env=("CI=1",))
    assert settings.described == "command make test"
    for timeout in (0, 86_401, "inf", "nan"):
        assert "timeout" in refusal_of({"command": {"argv": ["make"], "timeout": timeout}})


PATHS = ["a.md", "docs/**/*.md", "foo..bar.py", "..a/b", ".praxis-os/x.md", "a b.md", "größe.md"]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_inside_the_project_is_taken(path):
    assert parse_probe({"file": path}).path == (path,)


@pytest.mark.parametrize(
    "path",
    ["/a.md", "../a.md", "a/../../b", "a/..", "~/a.md", "C:/a.md", "c:a.md", "\\a", "a\\b.md",
     "file:///a.md", "file:a.md", "//host/a.md"],
)  # fmt: skip
def test_a_path_that_leaves_the_project_is_refused(path):
    reason = f"Value error, the path {path!r} leaves the project; write it relative, with /"

    assert refusal_of({"file": path}) == f"path.0: {reason}"
    assert refusal_of({"file": ["a.md", path]}) == f"path.1: {reason}"


@pytest.mark.parametrize("path", ["", " ", "\n"])
def test_an_empty_path_is_refused(path):
    assert refusal_of({"file": path}) == "path.0: Value error, a path is empty"


FILLED = ["{target_file}", "docs/{target_stem}-{session_id}.md", "{options.report}/x.xml",
          "{evidence.document}", "{target_dir}/{target_name}", "{evidence.a-b}"]  # fmt: skip


@pytest.mark.parametrize("path", FILLED)
def test_a_placeholder_that_is_filled_is_taken(path):
    assert parse_probe({"file": path}).path == (path,)


@pytest.mark.parametrize(
    "hole",
    ["{target}", "{}", "{options}", "{options.}", "{evidence.a.b}", "{environ.HOME}",
     "{options. a}", "{evidence.x\n}", "{Target_file}", "{target_file }", "{target_file.parent}"],
)  # fmt: skip
def test_a_placeholder_that_nothing_fills_is_refused(hole):
    known = "{session_id}, {target_dir}, {target_file}, {target_name}, {target_stem}"
    path = f"docs/{hole}.md"

    assert refusal_of({"file": path}) == (
        f"path.0: Value error, nothing fills {hole} in {path!r}; there are {known}, {{options.KEY}}"
        " and {evidence.FIELD}"
    )


def test_the_session_fills_placeholders():
    assert session_values("src/core/app.py", "s-1") == {
        "target_file": "src/core/app.py",
        "target_dir": "src/core",
        "target_name": "app.py",
        "target_stem": "app",
        "session_id": "s-1",
    }
    assert session_values("app.py", "s-1")["target_dir"] == "."


GIT_FORMS = {
    "clean": ({"git": "clean"}, {"check": "clean"}),
    "clean by a key": ({"git": {"clean": True}}, {"check": "clean"}),
    "changed": ({"git": "changed"}, {"check": "changed"}),
    "changed globs": ({"git": {"changed": "a/*"}}, {"check": "changed", "matching": ["a/*"]}),
    "never": ({"git": {"never": "a/*"}}, {"check": "changed", "never": ["a/*"]}),
    "changed and never": (
        {"git": {"changed": ["a"], "never": ["b"], "since": "session"}},
        {"check": "changed", "matching": ["a"], "never": ["b"], "since": "session"},
    ),
    "commit": ({"git": {"commit": "HEAD"}}, {"check": "commit", "commit": "HEAD"}),
    "claimed commit": (
        {"git": "commit", "commit": "{evidence.commit}"},
        {"check": "commit", "commit": "{evidence.commit}"},
    ),
}


@pytest.mark.parametrize(("value", "settings"), GIT_FORMS.values(), ids=GIT_FORMS)
def test_git_has_short_forms(value, settings):
    assert parse_probe(value) == GitSettings(**settings)


GIT_BROKEN = {
    "not clean": ({"git": {"clean": False}}, "clean: Extra inputs are not permitted"),
    "clean and changed": (
        {"git": {"clean": True, "changed": "a"}}, "changed: Extra inputs are not permitted",
    ),
    "matching twice": (
        {"git": {"changed": "a", "matching": "b", "check": "changed"}},
        "changed: Extra inputs are not permitted",
    ),
    "commit that nothing fills": (
        {"git": {"commit": "{evidence}"}}, ": Value error, nothing fills {evidence} in ",
    ),
    "commit and changed": ({"git": {"commit": "HEAD", "changed": "a"}}, ": Value error, commit"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "reason"), GIT_BROKEN.values(), ids=GIT_BROKEN)
def test_a_short_form_that_makes_no_sense_is_refused(value, reason):
    assert refusal_of(value).startswith(reason)


def test_count_is_a_probe_and_a_setting_of_others():
    assert parse_probe({"count": "passed", "junit": "a.xml"}) == JUnitSettings(
        path="a.xml", count="passed"
    )
    assert parse_probe({"count": "a.md", "pattern": "x"}).probe == "count"


def test_the_target_of_a_report_has_two_names():
    for probe in ("junit", "coverage"):
        assert parse_probe({probe: "a.xml", "target": "a.py"}).of == "a.py"


NO_PROBE = {
    "text": ("a.md", "verify takes a probe, such as {file: path}, not 'a.md'"),
    "nothing": (None, "verify takes a probe, such as {file: path}, not None"),
    "empty list": ([], "verify is empty"),
    "list in a list": ([[]], "verify takes a probe, such as {file: path}, not []"),
    "empty": ({}, "unknown probe in verify: []; one of approval, command, count, coverage, file,"),
    "unknown": ({"flie": "a"}, "unknown probe in verify: ['flie']; one of approval, command"),
    "two": ({"file": "a", "json": "b"}, "verify names two probes, file and json; write a list"),
    "two of a list": ([{"file": "a"}, {"git": "x", "yaml": "b"}], "verify names two probes, git"),
    "said twice": ({"file": {"path": "a", "fresh": True}, "fresh": False}, "verify says 'fresh'"),
    "path twice": ({"file": "a", "path": "b"}, "verify says 'path' twice"),
    "nothing below": ({"file": {}}, "path: Field required"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "reason"), NO_PROBE.values(), ids=NO_PROBE)
def test_what_names_no_probe_is_refused(value, reason):
    assert refusal_of(value).startswith(reason)


def test_a_list_keeps_its_order():
    probes = parse_verify([VALID["command"], VALID["junit"], VALID["file"]])

    assert [settings.probe for settings in probes] == ["command", "junit", "file"]


def test_one_probe_is_a_list_of_one():
    assert parse_verify(VALID["file"]) == (parse_probe(VALID["file"]),)


def test_a_report_is_a_probe_of_its_own():
    settings = parse_probe({"command": "test", "report": {"junit": "a.xml", "count": "passed"}})

    assert settings.report == JUnitSettings(path="a.xml", count="passed")
    assert settings.model_copy().report is settings.report
