"""Which workflows there are, and what one asks for."""

import pytest

from mcp_server.core.definitions import Metadata
from mcp_server.errors import DefinitionError, InvalidArgumentError, NotFoundError
from mcp_server.viewing.finding import find_workflow, find_workflows
from mcp_server.viewing.shapes import WorkflowList, WorkflowView
from mcp_server.viewing.workflows_text import print_workflow, print_workflows
from mcp_server.viewing.workflows_view import workflow_view
from tests.builders import BUILT_IN_NAMES, DYNAMIC_NAME, definition, gate, write_workflow
from tests.viewing.viewing_builders import (
    EVIL,
    EVIL_SHOWN,
    misfits,
    obeyed,
    plain_console,
    printed,
    terminal,
)

OWN = ".praxis-os/workflows"
METADATA = Metadata(workflow_type="small_v1", name="Small", category="test", tags=("a", "b"))
BROKEN = {"evidence_schema": {"tests": {"type": "nonsense"}}}
GATE = {
    "checkpoint": {"strict": False, "allow_override": True},
    "evidence_schema": {
        "tests": {
            "type": "integer",
            "required": True,
            "description": "Passing tests",
            "minimum": 1,
            "assurance": "observed",
            "verify": [
                {"command": "test", "report": {"junit": "r.xml", "count": "passed"}},
                {"junit": "r.xml", "count": "passed"},
            ],
        },
        "ready": {"type": "boolean", "required": True},
        "notes": {"type": "string", "required": False, "validator": "filled"},
    },
    "validators": {"filled": "lambda x: len(x) > 0"},
    "cross_field_validation": [{"rule": "lambda e: True", "error_message": "always holds"}],
}


def viewed():
    phases = definition(1).phases
    return workflow_view(METADATA, [phases[0].model_copy(update={"gate": gate(**GATE)})], "here")


def test_all_that_can_be_started_is_listed_by_name(services):
    listed = find_workflows(services, None)
    assert [row["workflow_type"] for row in listed["workflows"]] == sorted(
        [*BUILT_IN_NAMES, DYNAMIC_NAME]
    )
    assert listed["count"] == 5
    assert listed["warnings"] == []
    assert {row["source"] for row in listed["workflows"]} == {"built-in"}
    assert misfits(listed, WorkflowList) == []


def test_a_definition_whose_gate_is_broken_is_a_warning_for_it_cannot_be_started(services, project):
    write_workflow(project / OWN)
    write_workflow(project / OWN, "broken_v1", gate=BROKEN)
    listed = find_workflows(services, "test")
    assert [row["workflow_type"] for row in listed["workflows"]] == ["small_v1"]
    (warning,) = listed["warnings"]
    assert warning.startswith(f"{OWN}/broken_v1/phases/1/gate-definition.yaml:3: ")


def test_a_definition_whose_metadata_is_broken_is_a_warning(services, project):
    folder = write_workflow(project / OWN)
    (folder / "metadata.json").write_text("{", encoding="utf-8")
    listed = find_workflows(services, None)
    assert listed["count"] == 5
    assert [OWN in warning for warning in listed["warnings"]] == [True]


def test_a_category_that_there_is_not_is_refused_with_those_there_are(services):
    with pytest.raises(InvalidArgumentError) as refused:
        find_workflows(services, "nonsense")
    assert refused.value.message == "no workflow of category 'nonsense'"
    assert refused.value.remediation == (
        "There are: code_generation, documentation, implementation, quality."
    )


def test_a_row_elsewhere_holds_all_of_the_description(services, project):
    write_workflow(project / OWN, metadata={"description": "long " * 200})
    console = plain_console()
    print_workflows(console, find_workflows(services, "test"))
    assert console.file.getvalue() == f"small_v1\t2\ttest\t{OWN}\t{'long ' * 200}\n"


@pytest.mark.parametrize("name", [*BUILT_IN_NAMES, DYNAMIC_NAME])
def test_each_built_in_workflow_can_be_shown(services, name):
    view = find_workflow(services, name)
    assert misfits(view, WorkflowView) == []
    assert (view["list_option"] is None) == (name != DYNAMIC_NAME)
    console = terminal()
    print_workflow(console, view)
    assert all(f"{phase['gate']['fields'][0]['field']} (" in printed(console)
               for phase in view["phases"])  # fmt: skip


def test_what_a_gate_asks_for_is_said_with_how_it_is_found_out():
    tests, ready, notes = viewed()["phases"][0]["gate"]["fields"]
    assert tests == {
        "field": "tests",
        "type": "integer",
        "required": True,
        "description": "Passing tests",
        "must_be": ["minimum 1"],
        "known_by": [
            "executed: command test, then junit r.xml (passed)",
            "observed: junit r.xml (passed)",
        ],
        "assurance": "observed",
    }
    assert (ready["must_be"], ready["known_by"]) == (["true"], ["claimed"])
    assert notes["must_be"] == ["filled: lambda x: len(x) > 0"]


def test_a_workflow_reads_as_lines():
    console = plain_console()
    print_workflow(console, viewed())
    assert console.file.getvalue().splitlines() == [
        "Small  small_v1 0",
        "test | here | a | b",
        "",
        "Phase 1",
        "  1. Task 1",
        "  Gate, lenient: some refusals only warn, a person may wave it through",
        "    tests (integer)",
        "      Passing tests",
        "      must be: minimum 1",
        "      known by: executed: command test, then junit r.xml (passed) (at least observed)",
        "            or: observed: junit r.xml (passed)",
        "    ready (boolean)",
        "      must be: true",
        "      known by: claimed",
        "    notes (string, may be left out)",
        "      must be: filled: lambda x: len(x) > 0",
        "      known by: claimed",
        "    rule: always holds",
    ]


def test_a_gate_that_asks_for_nothing_says_so():
    empty = gate(evidence_schema={})
    phase = definition(1).phases[0].model_copy(update={"gate": empty})
    console = plain_console()
    print_workflow(console, workflow_view(METADATA, [phase], "here"))
    assert "any evidence passes, and is only claimed" in console.file.getvalue()


def test_a_workflow_that_there_is_not_and_one_that_is_broken_are_refused(services, project):
    write_workflow(project / OWN, "broken_v1", gate=BROKEN)
    with pytest.raises(NotFoundError):
        find_workflow(services, "none_v1")
    with pytest.raises(DefinitionError):
        find_workflow(services, "broken_v1")


@pytest.mark.parametrize("make", [plain_console, terminal])
def test_a_terminal_does_not_obey_a_workflow(make):
    evil = viewed()
    evil |= {"name": EVIL, "description": EVIL, "category": EVIL, "tags": [EVIL], "source": EVIL}
    phase = evil["phases"][0]
    phase |= {"title": EVIL, "description": EVIL}
    phase["tasks"][0] |= {"title": EVIL, "estimated_duration": EVIL}
    phase["gate"]["rules"] = [EVIL]
    field = phase["gate"]["fields"][0]
    field |= {"field": EVIL, "description": EVIL, "must_be": [EVIL], "known_by": [EVIL]}
    console = make()
    print_workflow(console, evil)
    assert obeyed(console.file.getvalue()) == []
    assert printed(console).count(EVIL_SHOWN) == 14
