"""What a client offers while a person types a workflow, a session or a phase.

The best comes first: what begins with what was typed before what contains it, sessions that
changed last before older ones. At most 100 values, as the protocol has it, and how many there are
if that is known: of sessions no more are looked at than are offered, and one to tell whether there
are more.
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
from mcp_server.core.selection import UNFINISHED
from mcp_server.core.transitions import Status
from mcp_server.server import prompts, resources, services
from mcp_server.server.services import Services
from mcp_server.server.tools.workflow_tools import enveloped

MAX_VALUES = 100
MAX_TYPED = 256

Reference = PromptReference | ResourceTemplateReference
_Source = Callable[[Services, Mapping[str, str]], Iterable[str]]
_Statuses = frozenset[Status] | None


async def complete(
    ref: Reference, argument: CompletionArgument, context: CompletionContext | None
) -> Completion:
    """Return the values that an argument of a prompt or a template could have."""
    asked = (_name_of(ref), argument.name)
    typed = argument.value[:MAX_TYPED].casefold()
    known = dict((context.arguments if context else None) or {})
    found: list[str] = []

    async def carried_out() -> dict[str, Any]:
        look = partial(_values, services.current(), asked, typed, known)
        found.extend(await anyio.to_thread.run_sync(look))
        return {}

    # Where nothing can be looked up, nothing is offered: the request itself says what is wrong.
    if asked in _SESSIONS or asked in _SOURCES:
        await enveloped("", carried_out)
    matching = matches(found, typed)
    has_more = len(matching) > MAX_VALUES
    return Completion(
        values=matching[:MAX_VALUES],
        total=None if has_more and asked in _SESSIONS else len(matching),
        has_more=has_more,
    )


def matches(values: Sequence[str], typed: str) -> list[str]:
    """Return the values that fit what was typed, those that begin with it first."""
    wanted = typed.casefold()
    beginning = [value for value in values if value.casefold().startswith(wanted)]
    within = [value for value in values if wanted in value.casefold()[1:]]
    return list(dict.fromkeys([*beginning, *within]))


def _values(
    at_hand: Services, asked: tuple[str, str], typed: str, known: Mapping[str, str]
) -> list[str]:
    if asked in _SESSIONS:
        return _ids(at_hand, _SESSIONS[asked], typed)
    return list(_SOURCES[asked](at_hand, known))


def _ids(at_hand: Services, groups: Sequence[_Statuses], typed: str) -> list[str]:
    """Return the ids of sessions of each group that begin with a text, then those that hold it."""
    found: dict[str, None] = {}
    for narrowed in ({"beginning": typed}, {"containing": typed}) if typed else ({},):
        for statuses in groups:
            # Where enough begin so, the others are not sought, which is the dearer question.
            if len(found) <= MAX_VALUES:
                latest = at_hand.sessions.latest(MAX_VALUES + 1, statuses, **narrowed)
                found |= dict.fromkeys(one.session_id for one in latest)
    return list(found)


def _name_of(ref: Reference) -> str:
    return ref.name if isinstance(ref, PromptReference) else ref.uri


def _workflow_types(at_hand: Services, _known: Mapping[str, str]) -> Iterable[str]:
    return sorted(
        found.metadata.workflow_type
        for found in at_hand.library.listing()
        if isinstance(found, Listed)
    )


def _phases(at_hand: Services, known: Mapping[str, str]) -> Iterable[str]:
    state = at_hand.sessions.load(known.get("session_id", ""))
    return (str(number) for number in state.phases)


_SOURCES: Mapping[tuple[str, str], _Source] = {
    (resources.WORKFLOW, "type"): _workflow_types,
    (prompts.START, "workflow_type"): _workflow_types,
    (prompts.REVIEW, "phase"): _phases,
}

_REFUSED = frozenset({Status.FAILED})

_SESSIONS: Mapping[tuple[str, str], Sequence[_Statuses]] = {
    (resources.SESSION, "id"): (None,),
    (resources.HISTORY, "id"): (None,),
    (prompts.CONTINUE, "session_id"): (UNFINISHED,),
    (prompts.EXPLAIN, "session_id"): (_REFUSED, UNFINISHED),
    (prompts.REVIEW, "session_id"): (None,),
}
"""Where ids of sessions are asked for: in which statuses they may be, the best first."""
