"""The page of a workflow: its diagram, its tables, and that names stay names."""

import re
from itertools import pairwise

import pytest

from mcp_server.core.definitions import Metadata, Phase, Task
from mcp_server.gates.model import Gate
from mcp_server.pages.diagram import flowchart
from mcp_server.pages.page import ANYTHING, LENIENT, OVERRIDE, page
from tests.builders import definition, library
from tests.gates.gate_builders import lenient
from tests.pages.page_builders import HOSTILE, STATIC_NAMES, as_seen, inlines, parsed, rows, shown

METADATA = Metadata(workflow_type="small_v1", name="Small", description="A small workflow")
HEADINGS = ["field", "type", "required", "what it is", "what it must be", "how it is known"]


def headings(tokens, tag) -> list[str]:
    return [
        shown(inline)
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.tag == tag
    ]


def diagram_of(text) -> list[str]:
    (fence,) = (token for token in parsed(text) if token.type == "fence")
    assert fence.info == "mermaid"
    return fence.content.splitlines()


def one_phase(gate=None, **changes) -> str:
    gate = gate or Gate()
    phase = Phase(phase_number=1, title="Work", gate=gate, **changes)
    return page(METADATA, (phase,))


@pytest.mark.parametrize("name", STATIC_NAMES)
def test_the_page_of_a_built_in_workflow_has_all_its_phases_tasks_and_fields(name):
    shelf = library()
    made = shelf.load(name)
    text = page(shelf.metadata(shelf.find(name)), made.phases)
    tokens = parsed(text)
    fields = [field for phase in made.phases for field in phase.gate.evidence_schema]
    tasks = [task for phase in made.phases for task in phase.tasks]
    found = rows(tokens)

    assert headings(tokens, "h1") == [made.name]
    assert headings(tokens, "h2") == [phase.title for phase in made.phases]
    assert [shown(row[0]) for row in found if len(row) == 6 and shown(row[0]) != "field"] == fields
    assert len([row for row in found if len(row) == 3 and shown(row[0]) != "task"]) == len(tasks)
    assert len(found) == len(fields) + len(tasks) + 2 * len(made.phases)
    assert {token.type for token in tokens if token.level == 0 and token.nesting >= 0} <= {
        "heading_open", "paragraph_open", "bullet_list_open", "table_open", "fence", "inline",
    }  # fmt: skip


@pytest.mark.parametrize("name", STATIC_NAMES)
def test_the_diagram_has_a_node_and_a_gate_for_each_phase(name):
    made = library().load(name)
    lines = flowchart(made.phases, is_dynamic=False).splitlines()
    text = "\n".join(lines)
    for phase, following in zip(made.phases, (*made.phases[1:], None), strict=True):
        number = phase.phase_number
        after = f"phase{following.phase_number}" if following else "finish"
        box = rf'^    phase{number}\["[^"]+"\] --> gate{number}$'
        assert len(re.findall(box, text, re.MULTILINE)) == 1
        assert f"    gate{number} -->|passes| {after}" in lines
        assert f"    gate{number} -.->|refuses| phase{number}" in lines
    assert f'    begin(["start"]) --> phase{made.phase_numbers[0]}' in lines
    assert len(lines) == 4 * len(made.phases) + 5


def test_a_page_reads_like_this():
    gate = Gate.model_validate(
        {
            "evidence_schema": {
                "tests": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "Passing tests",
                    "verify": {"junit": "reports/junit.xml", "count": "passed"},
                },
                "note": {"type": "string", "required": False},
            },
            "cross_field_validation": [
                {"rule": "lambda e: e['tests'] > 0", "error_message": "run *all* tests"},
                {"rule": "lambda e: True"},
            ],
        }
    )
    task = Task(task_number=3, title="Task 3: Do", file="", content="", estimated_duration="1 h")
    text = one_phase(gate, description="Do the work", tasks=(task,))
    assert text.partition("```\n\n")[2] == (
        "## Phase 1: Work\n\n"
        "Do the work\n\n"
        "| task | title | time |\n| --- | --- | --- |\n| 3 | Do | 1 h |\n\n"
        "### Gate of phase 1\n\n"
        "| field | type | required | what it is | what it must be | how it is known |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| `tests` | integer | yes | Passing tests | at least 1 |"
        " observed: `junit reports/junit.xml (passed)`, written in this phase |\n"
        "| `note` | string | no |  |  | claimed |\n\n"
        "Rules over several fields:\n\n"
        "- `lambda e: e['tests'] > 0`; if not: run \\*all\\* tests\n"
        "- `lambda e: True`\n"
    )


def test_a_weak_gate_is_called_so():
    assert LENIENT in one_phase(lenient(evidence_schema={"a": {}}))
    assert OVERRIDE in one_phase(Gate.model_validate({"checkpoint": {"allow_override": True}}))
    assert ANYTHING in one_phase()
    strict = one_phase(Gate.model_validate({"evidence_schema": {"a": {}}}))
    assert not any(words in strict for words in (LENIENT, OVERRIDE, ANYTHING))


@pytest.mark.parametrize(
    ("gate", "summary"),
    [
        ({}, "any evidence"),
        ({"cross_field_validation": [{"rule": "lambda e: True"}]}, "rules only"),
        ({"evidence_schema": {"a": {"verify": {"file": "a"}}}}, "1 field, 1 verified"),
        (
            {"checkpoint": {"strict": False}, "evidence_schema": {"a": {}, "b": {}}},
            "2 fields, 0 verified, lenient",
        ),
    ],
)
def test_the_diagram_says_what_a_gate_asks_for(gate, summary):
    assert f'    gate1{{"{summary}"}}' in diagram_of(one_phase(Gate.model_validate(gate)))


def test_a_dynamic_workflow_says_where_its_other_phases_come_from():
    described = Metadata.model_validate(
        {
            "workflow_type": "listed_v1",
            "dynamic_phases": True,
            "dynamic_config": {"source_path_key": "plan", "parser": "spec_tasks_parser"},
            "phases": [
                {"phase_number": 0, "phase_name": "Plan"},
                {"phase_number": "1-N", "phase_name": "Each part", "purpose": "Do | it"},
            ],
        }
    )
    phases = definition(1, first=0).phases
    text = page(described, phases)
    assert "in the option `plan`, and `spec_tasks_parser` reads it" in text
    assert text.endswith("\n\n**Each part.** Do &#124; it\n")
    assert "**Plan" not in text
    lines = diagram_of(text)
    assert "    gate0 -->|passes| listed" in lines
    assert "    listedGate -->|passes| finish" in lines
    alone = diagram_of(page(described, ()))
    assert alone[1] == '    begin(["start"]) --> listed'


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_more_than_a_name(name):
    gate = Gate.model_validate(
        {
            "evidence_schema": {
                name: {
                    "description": name, "const": name, "validator": name,
                    "verify": {"approval": name}, "properties": {name: {"const": name}},
                },
            },
            "validators": {name: "lambda x: x != '|'"},
            "cross_field_validation": [{"rule": "lambda e: True", "error_message": name}],
        }
    )  # fmt: skip
    task = Task(task_number=1, title=name, file="", content="", estimated_duration=name)
    phase = Phase(phase_number=1, title=name, description=name, tasks=(task,), gate=gate)
    described = Metadata(workflow_type="a", name=name, description=name, version=name,
                         category=name, tags=(name,), estimated_duration=name)  # fmt: skip

    text = page(described, (phase,))
    tokens = parsed(text)

    assert headings(tokens, "h1") == [as_seen(name)]
    assert headings(tokens, "h2") == [f"Phase 1: {as_seen(name)}"]
    assert [len(row) for row in rows(tokens)] == [3, 3, 6, 6]
    assert [shown(cell) for cell in rows(tokens)[1]] == ["1", as_seen(name), as_seen(name)]
    assert shown(rows(tokens)[3][0]) == as_seen(name)
    kinds = {child.type for inline in inlines(tokens) for child in inline.children}
    assert kinds <= {"text", "text_special", "code_inline", "softbreak",
                     "strong_open", "strong_close"}  # fmt: skip
    strong = [child for inline in inlines(tokens) for child in inline.children
              if child.type == "strong_open"]  # fmt: skip
    assert len(strong) == len(["Workflow", "Version", "Category", "Tags", "Phases", "Takes"])
    assert "\x1b" not in text
    assert "\u202e" not in text
    lines = diagram_of(text)
    assert len(lines) == 7
    assert re.fullmatch(r'    phase1\["Phase 1(:|#58;) [^"\[\]{}|<>`]*"\] --> gate1', lines[2])
