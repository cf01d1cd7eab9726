"""How the tool is published: description, schemas, annotations, the halves of a result.

The SDK checks arguments against a function's signature and answers misfits in its own words. Here
every argument is published with its schema but lets any value through, and the call is answered
from the raw arguments of the request, so that one dispatcher gives the one envelope for every
failure.
"""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mcp_server.core.rendering import render
from mcp_server.core.transitions import Action
from mcp_server.server.icons import ICON
from mcp_server.server.tools.actions import ACTIONS
from mcp_server.server.tools.arguments import ARGUMENTS
from mcp_server.server.tools.asking import Asker
from mcp_server.server.tools.progress import reporting

NAME = "aos_workflow"
TITLE = "Gated workflows"

ANNOTATIONS = ToolAnnotations(
    title=TITLE,
    read_only_hint=False,
    destructive_hint=True,
    idempotent_hint=False,
    open_world_hint=False,
)
"""True to the worst action: delete_session destroys."""

META = {
    "anthropic/alwaysLoad": True,
    # A longer result becomes a file of which the model is shown the beginning; but a task is
    # meant to be read to its end.
    "anthropic/maxResultSizeChars": 200_000,
}

_LEAD = "Walk a workflow of gated phases, one task at a time. Actions (needed, [optional]):"

_CLOSE = """\
A workflow is defined in files: phases, tasks, and a gate at the end of each phase that judges the
evidence before the next phase opens. The loop: list_workflows, start, then for each phase get_task
for every task, do the work, and complete_phase with the fields that get_phase shows under
checkpoint.evidence. A field with verified_by the server finds out for itself: leave it out, and
have what it looks at in place, written in this phase. verification "running": send the same call
again. Refused? Read validation_errors, mend the work, retry_phase, complete_phase. Lost? get_state.
Phases cannot be skipped; sessions survive restarts. Every answer has status, and `next`, the exact
next call, where you can go on; every error has remediation."""


def description() -> str:
    """Return the tool's description, the action list first."""
    lines = [f"- {action}({spec.signature}): {spec.summary}" for action, spec in ACTIONS.items()]
    return "\n".join([_LEAD, *lines, "", _CLOSE])


class _Published:
    """Publishes a schema for an argument whose value is checked by the dispatcher instead."""

    def __init__(self, schema: Mapping[str, Any], *, required: bool) -> None:
        self._schema = dict(schema)
        self._required = required

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        absent = core_schema.with_default_schema(core_schema.any_schema(), default=None)
        # A default inside a chain fills in for a missing value, but the field stays published as
        # required: its absence is for the dispatcher to answer.
        return core_schema.chain_schema([absent]) if self._required else absent

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self._schema


def _without_noise(schema: dict[str, Any]) -> None:
    # A null default says nothing, and contradicts the type.
    schema.pop("default", None)


def _published(schema: Mapping[str, Any], *, required: bool = False) -> Any:
    return Annotated[
        str, _Published(schema, required=required), Field(json_schema_extra=_without_noise)
    ]


class Envelope(BaseModel):
    """Any answer, success or error; every action adds fields of its own."""

    model_config = ConfigDict(extra="allow")

    status: _published({"type": "string", "enum": ["success", "error"]}, required=True)  # type: ignore[valid-type]
    action: _published({"type": "string"}, required=True)  # type: ignore[valid-type]
    next: _published({"type": "string"}) = ""  # type: ignore[valid-type]
    error: _published({"type": "string"}) = ""  # type: ignore[valid-type]
    error_type: _published({"type": "string"}) = ""  # type: ignore[valid-type]
    remediation: _published({"type": "string"}) = ""  # type: ignore[valid-type]


def publish(mcp_server: MCPServer[Any], asker: Asker) -> None:
    """Register the tool with an SDK server; `asker` gets the raw arguments of each call."""

    async def aos_workflow(
        ctx: Context[Any, Any], **_checked_by_answer: Any
    ) -> CallToolResult | InputRequiredResult:
        params = ctx.request_context.params or {}
        raw = params.get("arguments") or {}
        async with reporting(ctx, wanted=raw.get("action") == Action.COMPLETE_PHASE):
            answer = await asker.answer(ctx, raw)
        return answer if isinstance(answer, InputRequiredResult) else to_result(answer)

    aos_workflow.__signature__ = _signature()  # type: ignore[attr-defined]
    mcp_server.tool(
        name=NAME,
        title=TITLE,
        description=description(),
        annotations=ANNOTATIONS,
        icons=[ICON],
        meta=META,
    )(aos_workflow)


def to_result(answer: dict[str, Any]) -> CallToolResult:
    """Return an answer as a tool result, each of whose halves is complete on its own."""
    return CallToolResult(
        content=[TextContent(type="text", text=render(answer))],
        structured_content=answer,
        is_error=answer["status"] == "error",
    )


def _signature() -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("ctx", keyword, annotation=Context)]
    for name, schema in ARGUMENTS.items():
        required = name == "action"
        parameters.append(
            inspect.Parameter(
                name,
                keyword,
                default=inspect.Parameter.empty if required else None,
                annotation=_published(schema, required=required),
            )
        )
    returns = Annotated[CallToolResult, Envelope]
    return inspect.Signature(parameters, return_annotation=returns)
