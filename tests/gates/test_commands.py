"""What a command is, and what commands.yaml may say."""

from dataclasses import replace

import pytest

from mcp_server.gates.commands import COMMANDS_FILE, Command, CommandError, parse_commands

FULL = """\
commands:
  test:
    argv: [pytest, -q, --junitxml=reports/junit.xml]
    timeout: 120
    env: [CI, PYTHONPATH=src]
  lint:
    argv:
      - ruff
      - check
"""


def test_commands_are_read_with_their_settings():
    assert parse_commands(FULL) == {
        "test": Command(
            "test",
            ("pytest", "-q", "--junitxml=reports/junit.xml"),
            120.0,
            ("CI", "PYTHONPATH=src"),
            ".praxis-os/commands.yaml",
        ),
        "lint": Command("lint", ("ruff", "check"), 600.0, (), ".praxis-os/commands.yaml"),
    }


SAME = {
    "without the top key": "test: {argv: [a, b], timeout: 5, env: [CI]}",
    "aliases": "commands: {test: {argv: [a, b], timeout_seconds: 5, environment: [CI]}}",
    "another alias": "commands: {test: {argv: [a, b], time_limit: 5.0, env: [CI]}}",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_other_spellings_say_the_same(text):
    assert parse_commands(text) == {"test": Command("test", ("a", "b"), 5.0, ("CI",))}


@pytest.mark.parametrize("text", ["", "# none yet\n", "commands:\n", "{}", "commands: {}"])
def test_a_file_may_define_nothing(text):
    assert parse_commands(text) == {}


NOT_NAMES = "commands is no mapping of names, such as test, to settings with an argv"
NOT_SPLIT = "argv is one text, and there is no shell: write "
NO_NAME = "is no name of a command: begin with a letter, then at most 31 of a-z, 0-9, _ and -"
NO_LIMIT = "test: timeout is not over 0 and at most 86400 seconds"
KEYS = "argv, timeout, timeout_seconds, time_limit, env, environment"

REFUSED = {
    "a list": ("- test\n", NOT_NAMES, 1),
    "list under the key": ("\ncommands: [test]\n", NOT_NAMES, 2),
    "another top key": (
        "version: 1\ncommands: {}\n", "unknown key 'version': there are commands", 1),
    "not YAML": ("commands:\n  test: [\n", "not YAML: did not find expected node content", 3),
    "defined twice": ("a: {argv: [x]}\na: {argv: [y]}\n", "duplicate key 'a'", 2),
    "unknown key": (
        "test:\n  argv: [a]\n  timout: 5\n", "unknown key 'timout': did you mean timeout?", 3),
    "key of a shell": (
        "test:\n  argv: [a]\n  shell: true\n",
        f"unknown key 'shell': there are {KEYS}", 3),
    "no argv": ("test:\n  timeout: 5\n", "test has no argv, such as [pytest, -q]", 1),
    "no settings": (
        "test: [pytest]\n", "test is not a mapping such as {argv: [pytest, -q]}", 1),
    "one text": (
        "test:\n  argv: pytest -q 'a b'\n", NOT_SPLIT + "['pytest', '-q', 'a b']", 2),
    "text with an open quote": ("test:\n  argv: say 'it\n", NOT_SPLIT + '[\'say\', "\'it"]', 2),
    "one text in a list": (
        "test:\n  argv: [pytest -q]\n", f"test: {NOT_SPLIT}['pytest', '-q']", 2),
    "empty": ("test:\n  argv: []\n", "test: argv is empty: it begins with the program", 2),
    "empty program": (
        "test:\n  argv: ['', a]\n", "test: argv is empty: it begins with the program", 2),
    "number": (
        "test:\n  argv:\n    - pytest\n    - 4\n",
        "'4' in argv is not text: write it in quotes", 4),
    "mapping as argv": ("test:\n  argv: {a: b}\n", "argv is not a list of texts", 2),
    "NUL": (
        'test:\n  argv: [a,\n    "b\\0"]\n',
        "test: a NUL character cannot be passed to a program", 3),
    "time limit of zero": (
        "test:\n  argv: [a]\n  time_limit: 0\n", NO_LIMIT, 3),
    "time limit of a week": (
        "test: {argv: [a], timeout: 604800}\n", NO_LIMIT, 1),
    "huge time limit": (
        "test: {argv: [a], timeout: 1" + "0" * 90 + "}\n",
        NO_LIMIT, 1),
    "time limit below zero": (
        "test: {argv: [a], timeout: -1" + "0" * 90 + "}\n",
        NO_LIMIT, 1),
    "time limit as text": (
        "test: {argv: [a], timeout: 10m}\n", "timeout is '10m', not a number of seconds", 1),
    "time limit that is true": (
        "test: {argv: [a], timeout: true}\n", "timeout is 'True', not a number of seconds", 1),
    "time limit twice": (
        "test:\n  argv: [a]\n  timeout: 5\n  time_limit: 9\n",
        "time_limit says timeout a second time", 4),
    "environment as a mapping": (
        "test:\n  argv: [a]\n  env: {CI: '1'}\n", "env is not a list of texts", 3),
    "environment without a name": (
        "test:\n  argv: [a]\n  environment: [CI, =x]\n",
        "test: '=x' is neither NAME nor NAME=value", 3),
    "name in capitals": ("a: {argv: [x]}\nTest: {argv: [x]}\n", f"'Test' {NO_NAME}", 2),
    "name with a newline": ('"a\\n": {argv: [x]}\n', f"'a\\n' {NO_NAME}", 1),
    "name that is a number": (
        "1: {argv: [x]}\n", "the name 1 is not text: write it in quotes", 1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason", "line"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_command_is_refused_with_its_line(text, reason, line):
    with pytest.raises(CommandError) as raised:
        parse_commands(text)

    assert (raised.value.reason, raised.value.line) == (reason, line)


def test_a_lone_surrogate_cannot_be_passed_on():
    with pytest.raises(CommandError, match="a lone surrogate"):
        Command(None, ("a", "\ud800"))


TEST = Command("test", ("pytest", "-q"), 600, ("CI",))

CHANGES = {
    "argument": {"argv": ("pytest", "-qq")},
    "order": {"argv": ("-q", "pytest")},
    "arguments run together": {"argv": ("pytest-q",)},
    "time limit": {"timeout": 601},
    "environment": {"env": ("CI", "A=1")},
    "program": {"program": "abc"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_digest_is_another_for_any_other_content(change):
    assert replace(TEST, **change).digest != TEST.digest


def test_the_digest_is_of_the_content_alone():
    assert replace(TEST, name="check", timeout=600.0, source="elsewhere").digest == TEST.digest


def test_the_digest_is_the_same_in_every_release():
    assert TEST.digest == "1b8e035c9e3b0f9c7275e23a5466be0f306911b85ea8b9931265f2e0c13cd66f"


def test_the_settings_digest_is_the_same_whatever_the_program_holds():
    other = replace(TEST, program="abc")
    assert other.settings_digest == TEST.settings_digest != other.digest


def test_a_command_is_titled_by_its_name_or_its_line():
    assert (TEST.title, Command(None, ("sh", "-c", "a b")).title) == ("test", "sh -c 'a b'")
    assert COMMANDS_FILE == ".praxis-os/commands.yaml"
