"""How problems are told: for people, as JSON, and as annotations; nothing in them is obeyed."""

import json

from mcp_server.linting.problems import Problem, Severity, closest, listed
from mcp_server.linting.reporting import Format, told

ERROR = Problem(Severity.ERROR, "a/b.yaml", 3, "gate/x", "no good", "Mend it.")
WARNING = Problem(Severity.WARNING, "a/c.md", None, "text/y", "not nice", "Polish it.")
HOSTILE = Problem(
    Severity.ERROR, "a,b:\x1b[2J%.md", 1, "c/d", "x\r\n::set-output::%0A", "y\n::z\ud800"
)


def test_people_read_a_line_for_each_and_the_counts():
    assert told([ERROR, WARNING, WARNING], 2, Format.TEXT) == (
        "a/b.yaml:3: error: no good (gate/x)\n"
        "    Mend it.\n"
        "a/c.md: warning: not nice (text/y)\n"
        "    Polish it.\n"
        "a/c.md: warning: not nice (text/y)\n"
        "    Polish it.\n"
        "1 error, 2 warnings in 2 definitions.\n"
    )


def test_nothing_wrong_is_said_in_a_line():
    assert told([], 1, Format.TEXT) == "0 errors, 0 warnings in 1 definition.\n"


def test_json_holds_everything():
    assert json.loads(told([ERROR, WARNING], 4, Format.JSON)) == {
        "definitions": 4,
        "errors": 1,
        "warnings": 1,
        "problems": [
            {"severity": "error", "file": "a/b.yaml", "line": 3, "code": "gate/x",
             "message": "no good", "remedy": "Mend it."},
            {"severity": "warning", "file": "a/c.md", "line": None, "code": "text/y",
             "message": "not nice", "remedy": "Polish it."},
        ],
    }  # fmt: skip


def test_github_gets_an_annotation_for_each():
    assert told([ERROR, WARNING], 1, Format.GITHUB) == (
        "::error file=a/b.yaml,line=3,title=gate/x::no good%0AMend it.\n"
        "::warning file=a/c.md,title=text/y::not nice%0APolish it.\n"
        "1 error, 1 warning in 1 definition.\n"
    )


def test_an_annotation_cannot_be_broken_out_of():
    first, *rest = told([HOSTILE], 1, Format.GITHUB).splitlines()

    assert first == (
        "::error file=a%2Cb%3A\\x1b[2J%25.md,line=1,title=c/d"
        "::x%0D%0A::set-output::%250A%0Ay%0A::z\\ud800"
    )
    assert len(rest) == 1


def test_a_terminal_is_not_made_to_obey():
    shown = told([HOSTILE], 1, Format.TEXT)

    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 3
    shown.encode("utf-8")
    told([HOSTILE], 1, Format.JSON).encode("utf-8")


def test_the_closest_name_is_found_whatever_its_case_and_dashes():
    known = ["minLength", "maxLength", "workflow_type"]

    assert closest("minlenght", known) == "minLength"
    assert closest("Workflow-Type", known) == "workflow_type"
    assert closest("colour", known) is None


def test_many_names_are_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed(range(10), 3) == "0, 1, 2 and 7 more"
