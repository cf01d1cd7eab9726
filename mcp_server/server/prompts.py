"""The prompts, which most clients offer as slash commands.

Each looks up what is stored and says it together with the exact calls that follow, so that the
model needs no call to find out where it is. What agents wrote is quoted as data. Raises MCPError,
with a text that teaches, for an argument that leads nowhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio.to_thread
from mcp import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    GetPromptResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from mcp_server.errors import InvalidArgumentError, NotFoundError, quoted
from mcp_server.server import prompt_templates, prompt_texts, services
from mcp_server.server.resources import taught
from mcp_server.server.services import Services
from mcp_server.server.tools.workflow_tools import enveloped

START = "start_workflow"
CONTINUE = "continue_session"
EXPLAIN = "explain_refusal"
REVIEW = "review_session"

MAX_ARGUMENT = 1_000

Arguments = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Spec:
    title: str
    description: str
    text: Callable[[Services, Arguments], str]
    template: Callable[[Arguments], str]
    arguments: Mapping[str, str]
    optional: frozenset[str] = frozenset()


_SESSION = "Id of the session, as list_sessions shows it"

PROMPTS: Mapping[str, _Spec] = {
    START: _Spec(
        "Start a workflow",
        "Walk a workflow on a file or folder, phase by phase, each with its gate",
        prompt_texts.start,
        prompt_templates.start,
        {
            "workflow_type": "Which workflow, such as code_review_v1",
            "target_file": "What to work on: a path relative to the project root",
        },
    ),
    CONTINUE: _Spec(
        "Continue where I stopped",
        "Take up the session that changed last, or the one that is named",
        prompt_texts.continue_session,
        prompt_templates.continue_session,
        {"session_id": f"{_SESSION}; without it the open one that changed last"},
        frozenset({"session_id"}),
    ),
    EXPLAIN: _Spec(
        "Why did the gate refuse?",
        "Explain what the gate of a session's phase found missing or wrong, and what to do",
        prompt_texts.explain_refusal,
        prompt_templates.explain_refusal,
        {"session_id": _SESSION},
    ),
    REVIEW: _Spec(
        "Review this session",
        "Check what was done in a session, and how far each piece of evidence can be trusted",
        prompt_texts.review_session,
        prompt_templates.review_session,
        {"session_id": _SESSION, "phase": "Only this phase; without it all of them"},
        frozenset({"phase"}),
    ),
}


def listed() -> list[Prompt]:
    """Return the prompts as clients list them."""
    return [
        Prompt(
            name=name,
            title=spec.title,
            description=spec.description,
            arguments=[
                PromptArgument(
                    name=argument, description=about, required=argument not in spec.optional
                )
                for argument, about in spec.arguments.items()
            ],
        )
        for name, spec in PROMPTS.items()
    ]


async def get(name: str, arguments: Mapping[str, Any] | None) -> GetPromptResult:
    """Return a prompt filled in with what is stored; raises MCPError."""
    text = ""

    async def carried_out() -> dict[str, Any]:
        nonlocal text
        spec = _spec(name)
        given = _given(name, spec, arguments or {})
        if prompt_templates.is_template(given):
            text = spec.template(given)
        else:
            text = await anyio.to_thread.run_sync(partial(spec.text, services.current(), given))
        return {}

    answer = await enveloped("", carried_out)
    if answer["status"] == "error":
        is_theirs = answer["error_type"] in {"NotFoundError", "ValueError"}
        raise MCPError(INVALID_PARAMS if is_theirs else INTERNAL_ERROR, taught(answer))
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=PROMPTS[name].title, messages=[message])


def _spec(name: str) -> _Spec:
    if name not in PROMPTS:
        raise NotFoundError(
            f"no prompt {quoted(name)}", remediation=f"There are: {', '.join(PROMPTS)}."
        )
    return PROMPTS[name]


def _given(name: str, spec: _Spec, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the known arguments that are not empty; clients send what was left blank as ""."""
    given = {
        key: str(arguments[key]).strip()
        for key in spec.arguments
        if arguments.get(key) is not None and str(arguments[key]).strip()
    }
    missing = [key for key in spec.arguments if key not in given and key not in spec.optional]
    if missing:
        raise InvalidArgumentError(
            f"{name} needs {' and '.join(missing)}",
            remediation="; ".join(f"{key}: {spec.arguments[key]}" for key in missing) + ".",
        )
    for key, value in given.items():
        if len(value) > MAX_ARGUMENT:
            raise InvalidArgumentError(
                f"{key} is too large: {len(value)} characters, at most {MAX_ARGUMENT}",
                remediation=f"Shorten {key}.",
            )
    return given
