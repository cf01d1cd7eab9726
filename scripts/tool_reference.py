"""The tables of the reference on the tool and on gates, from the code."""

import inspect
from collections.abc import Mapping
from typing import Any

from mcp_server.core.transitions import TABLE, PersonAction
from mcp_server.errors import WorkflowError
from mcp_server.linting.gate_schema import gate_schema
from mcp_server.linting.json_keywords import KEYWORDS
from mcp_server.server.tools.actions import ACTIONS
from mcp_server.server.tools.arguments import ARGUMENTS

_GATE_PARTS = {
    "checkpoint": "Checkpoint",
    "evidence_schema": "EvidenceField",
    "cross_field_validation": "CrossFieldRule",
}


def tool_reference() -> dict[str, str]:
    """Return the parts of the reference by their names in the document."""
    return {
        "arguments": arguments(),
        "errors": errors(),
        "transitions": transitions(),
        "gate fields": gate_fields(),
    }


def arguments() -> str:
    """Return the table of the tool's arguments."""
    rows = [
        f"| `{name}` | {schema['type']} | {schema['description']}{_choices(schema)} |"
        for name, schema in ARGUMENTS.items()
    ]
    return "\n".join(["| argument | type | what it is |", "|---|---|---|", *rows])


def errors() -> str:
    """Return the table of what can go wrong."""
    rows = [
        f"| `{kind.error_type}` | {_first_line(kind).removesuffix('.')} |"
        for kind in WorkflowError.__subclasses__()
    ]
    return "\n".join(["| error_type | when |", "|---|---|", *rows])


def transitions() -> str:
    """Return the table of what may happen to a session."""
    rows = [
        f"| {before} | {_person(action)}`{action}` | {outcome} | {after} |"
        for (before, action), outcomes in TABLE.items()
        for outcome, after in outcomes.items()
    ]
    return "\n".join(["| status | action | outcome | status after |", "|---|---|---|---|", *rows])


def gate_fields() -> str:
    """Return the table of the keys of a gate, without those of JSON Schema."""
    schema = gate_schema()
    parts = {"the gate": schema, **{f"`{place}`": schema["$defs"][name]
                                   for place, name in _GATE_PARTS.items()}}  # fmt: skip
    rows = [
        f"| {place} | `{key}` | {described['description']} |"
        for place, part in parts.items()
        for key, described in part["properties"].items()
        if key not in KEYWORDS and "description" in described
    ]
    return "\n".join(["| in | key | meaning |", "|---|---|---|", *rows])


def _choices(schema: Mapping[str, Any]) -> str:
    # The actions have a table of their own.
    named = schema.get("enum", ())
    return f": {', '.join(f'`{name}`' for name in named)}" if 0 < len(named) < len(ACTIONS) else ""


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _person(action: object) -> str:
    return "a person's " if isinstance(action, PersonAction) else ""
