"""What a client offers while a person types a workflow, a session or a phase.

The best comes first: what begins with what was typed before what contains it, sessions that
changed last before older ones. At most 100 values, as the protocol has it, and how many there are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import anyio.to_thread
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from mcp_server.core.library import Listed
from mcp_server.core.transitions import Status
from mcp_server.server import prompts, resources, services
from mcp_server.server.services import Services
from mcp_server.server.tools.workflow_tools import enveloped

MAX_VALUES = 100
MAX_TYPED = 256

Reference = PromptReference | ResourceTemplateReference
_Source = Callable[[Services, Mapping[str, str]], Iterable[str]]


async def complete(
    ref: Reference, argument: CompletionArgument, context: CompletionContext | None
) -> Completion:
    """Return the values that an argument of a prompt or a template could have."""
    source = _SOURCES.get((_name_of(ref), argument.name))
    known = dict((context.arguments if context else None) or {})
    found: list[str] = []

    async def carried_out() -> dict[str, Any]:
        if source is not None:
            look = partial(_values, source, services.current(), known)
            found.extend(await anyio.to_thread.run_sync(look))
        return {}

    # Where nothing can be looked up, nothing is offered: the request itself says what is wrong.
    await enveloped("", carried_out)
    matching = matches(found, argument.value[:MAX_TYPED])
    return Completion(
        values=matching[:MAX_VALUES],
        total=len(matching),
        has_more=len(matching) > MAX_VALUES,
    )


def matches(values: Sequence[str], typed: str) -> list[str]:
    """Return the values that fit what was typed, those that begin with it first."""
    wanted = typed.casefold()
    beginning = [value for value in values if value.casefold().startswith(wanted)]
    within = [value for value in values if wanted in value.casefold()[1:]]
    return list(dict.fromkeys([*beginning, *within]))


def _values(source: _Source, at_hand: Services, known: Mapping[str, str]) -> list[str]:
    return list(source(at_hand, known))


def _name_of(ref: Reference) -> str:
    return ref.name if isinstance(ref, PromptReference) else ref.uri


def _workflow_types(at_hand: Services, _known: Mapping[str, str]) -> Iterable[str]:
    return sorted(
        found.metadata.workflow_type
        for found in at_hand.library.listing()
        if isinstance(found, Listed)
    )


def _all_sessions(at_hand: Services, _known: Mapping[str, str]) -> Iterable[str]:
    return (item.session_id for item in at_hand.sessions.by_last_change())


def _open_sessions(at_hand: Services, _known: Mapping[str, str]) -> Iterable[str]:
    return (item.session_id for item in at_hand.sessions.by_last_change(open_only=True))


def _refused_first(at_hand: Services, _known: Mapping[str, str]) -> Iterable[str]:
    found = at_hand.sessions.by_last_change(open_only=True)
    found.sort(key=lambda item: item.status is not Status.FAILED)
    return (item.session_id for item in found)


def _phases(at_hand: Services, known: Mapping[str, str]) -> Iterable[str]:
    state = at_hand.sessions.load(known.get("session_id", ""))
    return (str(number) for number in state.phases)


_SOURCES: Mapping[tuple[str, str], _Source] = {
    (resources.WORKFLOW, "type"): _workflow_types,
    (resources.SESSION, "id"): _all_sessions,
    (resources.HISTORY, "id"): _all_sessions,
    (prompts.START, "workflow_type"): _workflow_types,
    (prompts.CONTINUE, "session_id"): _open_sessions,
    (prompts.EXPLAIN, "session_id"): _refused_first,
    (prompts.REVIEW, "session_id"): _all_sessions,
    (prompts.REVIEW, "phase"): _phases,
}
