"""What is wrong with a tool as it is listed, found by breaking ours in one place."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from mcp.types import Tool

from mcp_server.validating.publication import (
    OF_THE_LIST,
    OF_THE_TOOL,
    is_listed_once,
    replaces_the_old,
)

PUBLISHED = json.loads(
    (Path(__file__).parent.parent / "server" / "published_tool.json").read_text(encoding="utf-8")
)


def tool(**changed: Any) -> Tool:
    return Tool.model_validate({**copy.deepcopy(PUBLISHED), **changed})


def found(made: Tool) -> dict[str, list[str]]:
    problems = {name: list(judge(made)) for name, judge in OF_THE_TOOL.items()}
    return {name: told for name, told in problems.items() if told}


def with_input(**changed: Any) -> Tool:
    return tool(inputSchema={**copy.deepcopy(PUBLISHED["inputSchema"]), **changed})


def with_actions(*actions: str) -> Tool:
    made = copy.deepcopy(PUBLISHED["inputSchema"])
    made["properties"]["action"]["enum"] = list(actions)
    return tool(inputSchema=made)


ACTIONS = tuple(PUBLISHED["inputSchema"]["properties"]["action"]["enum"])


def test_our_own_tool_has_no_problem():
    assert found(tool()) == {}
    assert [list(judge([tool()])) for judge in OF_THE_LIST.values()] == [[], []]


def test_a_tool_that_is_missing_or_there_twice_is_found():
    assert list(is_listed_once([])) == [
        "aos_workflow is listed 0 times; the server lists no tool at all"
    ]
    assert list(is_listed_once([tool(), tool()])) == [
        "aos_workflow is listed 2 times; the server lists 'aos_workflow', 'aos_workflow'"
    ]


def test_only_names_that_nothing_else_has_are_old_tools():
    others = [tool(name=name) for name in ("get_task", "start_workflow", "complete_phase")]
    assert list(replaces_the_old([tool(), *others])) == [
        "the old tool start_workflow is listed beside aos_workflow"
    ]


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (with_actions(*ACTIONS[1:]), f"not among the published actions: {ACTIONS[0]}"),
        (with_actions(*ACTIONS, "stop"), "published actions that do not exist: 'stop'"),
        (with_actions(*ACTIONS, ACTIONS[0]), "an action is published more than once"),
        (with_input(properties={}), "the input schema gives no enum of actions"),
        (with_input(properties=["action"]), "the input schema gives no enum of actions"),
        (with_input(required=[]), "required is [], not action alone"),
        (with_input(anyOf=[{}]), "the input schema uses anyOf"),
        (tool(description=None),
         f"not in the description: {', '.join(sorted(ACTIONS, key=ACTIONS.index))}"),
        (tool(description=PUBLISHED["description"] + " " * 3_500),
         f"the description has {len(PUBLISHED['description']) + 3_500:,} characters, over 3,500"),
        (tool(outputSchema=None), "there is no output schema"),
        (tool(outputSchema={"type": "object", "required": ["session_id"]}),
         "the output schema does not admit success: \"'session_id' is a required property\""),
        (tool(outputSchema={"type": "object", "properties": {"status": {"const": "success"}}}),
         "the output schema does not admit error: \"'success' was expected\""),
        (tool(annotations={"readOnlyHint": True}),
         "the annotations say read-only of a tool that deletes"),
        (tool(annotations={"destructiveHint": False}),
         "the annotations say not destructive of a tool that deletes"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_one_thing_wrong_is_found(made, problem):
    assert problem in [text for texts in found(made).values() for text in texts]


def test_an_argument_that_is_missing_or_not_described_is_found():
    schema = copy.deepcopy(PUBLISHED["inputSchema"])
    del schema["properties"]["cursor"], schema["properties"]["phase"]["description"]
    assert [*found(tool(inputSchema=schema)).values()] == [
        ["arguments that are not published: cursor", "the argument 'phase' has no description"]
    ]


def test_an_output_schema_that_points_elsewhere_is_looked_up_nowhere():
    schema = {"$ref": "https://example.org/schema.json"}
    (problems,) = found(tool(outputSchema=schema)).values()
    assert len(problems) == 2
    assert all("Unresolvable" in text for text in problems)


def test_a_definition_that_costs_too_much_is_found():
    properties = copy.deepcopy(PUBLISHED["inputSchema"]["properties"])
    properties["phase"]["description"] = "x" * 8_192
    problems = found(with_input(properties=properties))["is small"]
    assert len(problems) == 2
    assert problems[0].endswith("over 4,608")
    assert problems[1].endswith("over 8,192")
