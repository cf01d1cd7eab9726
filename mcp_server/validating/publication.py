"""What the tool must be as it is listed: one name, 14 actions, small, and plain to every client.

Pure: judges a list of tools that was fetched already.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from mcp.types import Tool
from referencing import Registry
from referencing.exceptions import Unresolvable

from mcp_server.core.transitions import Action
from mcp_server.server.tools.actions import ACTIONS
from mcp_server.validating.answers import TOOL_NAME, shown

MAX_DESCRIPTION = 3_500
MAX_PAID = 4_608
"""Bytes of name, description and input schema: what a model pays for."""
MAX_WHOLE = 8_192

OLD_TOOLS = frozenset(
    {
        "start_workflow",
        "get_current_phase",
        "get_workflow_state",
        "create_workflow",
        "validate_workflow",
    }
)
"""Tools that aos_workflow takes the place of, by names that nothing else has."""

_COMBINED = ("anyOf", "oneOf", "allOf", "$ref")
_ERROR = {
    "status": "error",
    "action": "start",
    "error": "why",
    "error_type": "ValueError",
    "remediation": "what to do",
}


def is_listed_once(tools: Sequence[Tool]) -> Iterator[str]:
    """Tell whether the tool is missing, or there more than once."""
    count = sum(tool.name == TOOL_NAME for tool in tools)
    if count != 1:
        names = ", ".join(shown(tool.name) for tool in tools[:10]) or "no tool at all"
        yield f"{TOOL_NAME} is listed {count} times; the server lists {names}"


def replaces_the_old(tools: Sequence[Tool]) -> Iterator[str]:
    """Tell which of the tools that it replaces are still there."""
    for name in sorted(OLD_TOOLS & {tool.name for tool in tools}):
        yield f"the old tool {name} is listed beside {TOOL_NAME}"


def has_all_actions(tool: Tool) -> Iterator[str]:
    """Tell how the published actions differ from the 14."""
    action = _properties(tool).get("action")
    published = action.get("enum") if isinstance(action, dict) else None
    if not isinstance(published, list):
        yield "the input schema gives no enum of actions"
        return
    wanted, found = {str(item) for item in Action}, {str(item) for item in published}
    if missing := sorted(wanted - found):
        yield f"not among the published actions: {', '.join(missing)}"
    if extra := sorted(found - wanted):
        yield f"published actions that do not exist: {', '.join(map(shown, extra[:5]))}"
    if len(found) != len(published):
        yield "an action is published more than once"


def describes_all_actions(tool: Tool) -> Iterator[str]:
    """Tell which actions the description leaves out."""
    text = tool.description or ""
    if missing := [str(action) for action in Action if str(action) not in text]:
        yield f"not in the description: {', '.join(missing)}"
    if len(text) > MAX_DESCRIPTION:
        yield f"the description has {len(text):,} characters, over {MAX_DESCRIPTION:,}"


def has_a_plain_input_schema(tool: Tool) -> Iterator[str]:
    """Tell what in the input schema a client may choke on, or a model cannot know."""
    schema, properties = tool.input_schema, _properties(tool)
    written = json.dumps(schema)
    for word in _COMBINED:
        if f'"{word}":' in written:
            yield f"the input schema uses {word}"
    if schema.get("required") != ["action"]:
        yield f"required is {shown(schema.get('required'))}, not action alone"
    taken = {name for spec in ACTIONS.values() for name in (*spec.needs, *spec.takes)}
    if missing := sorted(taken - properties.keys()):
        yield f"arguments that are not published: {', '.join(missing)}"
    for name, value in properties.items():
        if not isinstance(value, dict) or not value.get("description"):
            yield f"the argument {shown(name)} has no description"


def admits_errors(tool: Tool) -> Iterator[str]:
    """Tell whether the output schema keeps clients from seeing a refusal, or a success."""
    schema = tool.output_schema
    if schema is None:
        yield "there is no output schema"
        return
    for answer in ({"status": "success", "action": "get_state", "anything": [1]}, _ERROR):
        try:
            # An empty registry: a $ref of a server reaches no network.
            Draft202012Validator(schema, registry=Registry()).validate(answer)
        except (ValidationError, SchemaError, Unresolvable) as error:
            reason = str(error).splitlines()[0]
            yield f"the output schema does not admit {answer['status']}: {shown(reason)}"


def is_small(tool: Tool) -> Iterator[str]:
    """Tell whether the definition is larger than an agent should pay for."""
    paid = _size({"n": tool.name, "d": tool.description, "i": tool.input_schema})
    whole = _size(tool.model_dump(mode="json", by_alias=True, exclude_none=True))
    if paid > MAX_PAID:
        yield f"name, description and input schema have {paid:,} bytes, over {MAX_PAID:,}"
    if whole > MAX_WHOLE:
        yield f"the definition has {whole:,} bytes, over {MAX_WHOLE:,}"


def warns_of_deletion(tool: Tool) -> Iterator[str]:
    """Tell whether the annotations play down that the tool can delete."""
    hints = tool.annotations
    if hints is not None and hints.read_only_hint:
        yield "the annotations say read-only of a tool that deletes"
    if hints is not None and hints.destructive_hint is False:
        yield "the annotations say not destructive of a tool that deletes"


OF_THE_LIST = {
    "is listed once": is_listed_once,
    "stands in place of the old tools": replaces_the_old,
}
OF_THE_TOOL = {
    "publishes the 14 actions": has_all_actions,
    "describes the 14 actions": describes_all_actions,
    "has a flat input schema, every argument described": has_a_plain_input_schema,
    "has an output schema that admits success and error": admits_errors,
    "is small": is_small,
    "does not play down what it can do": warns_of_deletion,
}


def _properties(tool: Tool) -> dict[str, Any]:
    properties = tool.input_schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
