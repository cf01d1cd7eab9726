"""Asking the person behind the client, where a gate wants a person and the client can ask.

On connections of the newest protocol the question is the result, and the client calls again with
the person's answer; on older ones the client is asked while the call runs. Either way the answer
comes from the client, outside of the tool's arguments: nothing that the agent passes can grant
anything. Clients may say that they can ask and never do: no answer is no consent.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

import anyio
from mcp import MCPError
from mcp.server.elicitation import AcceptedElicitation, render_elicitation_schema
from mcp.server.mcpserver import Context
from mcp.types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import is_version_at_least
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.core.transitions import Action

ASKS_BY_RESULT = "2026-07-28"
"""The first protocol revision on which a result carries the question."""

MAX_ROUNDS = 8
_KEY = "person"

Answer = dict[str, Any]
Answerer = Callable[[Mapping[str, Any]], Awaitable[Answer]]


NOBODY = "the client was asked for a person's word, and none came back"


def _unnamed(schema: dict[str, Any]) -> None:
    # Clients may show what a form says of itself: the names in this code are not for people.
    for key in ("title", "description"):
        schema.pop(key, None)


class ApprovalForm(BaseModel):
    """What the client shows for an approval."""

    model_config = ConfigDict(json_schema_extra=_unnamed)

    approve: bool = Field(description="I have looked at it, and approve it")
    name: str = Field("", max_length=80, description="Your name, for the record")


class OverrideForm(BaseModel):
    """What the client shows for an override."""

    model_config = ConfigDict(json_schema_extra=_unnamed)

    wave_through: bool = Field(description="Let the phase pass although the gate said no")
    reason: str = Field("", max_length=1_000, description="Why; needed to wave it through")
    name: str = Field("", max_length=80, description="Your name, for the record")


class Question(BaseModel):
    """What a person is asked; what they saw is what their answer is for."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["approve", "override"]
    session_id: str
    phase: int
    attempt: int
    message: str
    field: str = ""
    question: str = ""
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def form(self) -> type[ApprovalForm | OverrideForm]:
        """The form of the answer."""
        return ApprovalForm if self.kind == "approve" else OverrideForm


class Said(BaseModel):
    """A person's yes to a question."""

    question: Question
    by: str
    reason: str = ""


Find = Callable[[Mapping[str, Any], Answer], Awaitable[Question | None]]
Record = Callable[[Said, Mapping[str, Any]], Awaitable[Answer]]
Recall = Callable[[Question], Awaitable[Answer]]


class Asker:
    """Puts a gate's questions to the person behind a client."""

    def __init__(
        self, answer: Answerer, find: Find, record: Record, recall: Recall, patience: float
    ) -> None:
        """Answer calls with `answer`, whose results `find` turns into questions.

        `record` keeps a yes and answers the call anew; `recall` answers once more with the refusal
        that a question was about. A client on an older connection has
        `patience` seconds for each question.
        """
        self._answer = answer
        self._find = find
        self._record = record
        self._recall = recall
        self._patience = patience

    async def answer(
        self, ctx: Context[Any, Any], raw: Mapping[str, Any]
    ) -> Answer | InputRequiredResult:
        """Answer a call, asking the person where that helps."""
        told = _told(ctx)
        if told is None:
            result = await self._answer(raw)
        else:
            question, reply = told
            result = await self._heard(question, reply, raw)
            if result.get("declined"):
                return result
        for _ in range(MAX_ROUNDS):
            worth_it = is_asked_for(raw, result) and _can_ask(ctx)
            question_now = await self._find(raw, result) if worth_it else None
            if question_now is None:
                break
            if _asks_by_result(ctx):
                return _as_result(question_now)
            reply_now = await self._elicit(ctx, question_now)
            result = await self._heard(question_now, reply_now, raw, result)
            if result.get("declined"):
                break
        return result

    async def _heard(
        self,
        question: Question,
        reply: ApprovalForm | OverrideForm | None,
        raw: Mapping[str, Any],
        refused: Answer | None = None,
    ) -> Answer:
        if isinstance(reply, ApprovalForm) and reply.approve:
            return await self._record(Said(question=question, by=reply.name), raw)
        if isinstance(reply, OverrideForm) and reply.wave_through and reply.reason.strip():
            said = Said(question=question, by=reply.name, reason=reply.reason)
            return await self._record(said, raw)
        # Asked once, answered once: the refusal stands, and says so.
        result = refused
        if result is None:
            again = question.kind == "approve"
            result = await (self._answer(raw) if again else self._recall(question))
        # Clients without a person at hand decline on their own: only a form that was filled in
        # tells of one.
        did_not = f"a person was asked, and did not {question.kind}"
        return result | {"declined": did_not if reply is not None else NOBODY}

    async def _elicit(
        self, ctx: Context[Any, Any], question: Question
    ) -> ApprovalForm | OverrideForm | None:
        with anyio.move_on_after(self._patience):
            try:
                result = await ctx.elicit(question.message, question.form)
            except (MCPError, ValueError):
                # The client cannot ask after all, or what came back does not fit the form.
                return None
            if isinstance(result, AcceptedElicitation):
                return result.data
        return None


def _can_ask(ctx: Context[Any, Any]) -> bool:
    capabilities = ctx.client_capabilities
    asks = capabilities.elicitation if capabilities is not None else None
    return asks is not None and (asks.form is not None or asks.url is None)


def _asks_by_result(ctx: Context[Any, Any]) -> bool:
    version = ctx.protocol_version
    return version is not None and is_version_at_least(version, ASKS_BY_RESULT)


def _as_result(question: Question) -> InputRequiredResult:
    params = ElicitRequestFormParams(
        message=question.message, requested_schema=render_elicitation_schema(question.form)
    )
    return InputRequiredResult(
        input_requests={_KEY: ElicitRequest(params=params)},
        # The SDK seals this: what comes back is what was asked.
        request_state=question.model_dump_json(),
    )


def _told(
    ctx: Context[Any, Any],
) -> tuple[Question, ApprovalForm | OverrideForm | None] | None:
    """Return the question that this call answers, and the answer, if it answers one."""
    state, replies = ctx.request_state, ctx.input_responses
    if not state or not replies:
        return None
    try:
        question = Question.model_validate_json(state)
    except ValidationError:
        return None
    reply = replies.get(_KEY)
    if isinstance(reply, ElicitResult) and reply.action == "accept":
        with suppress(ValidationError):
            return question, question.form.model_validate(reply.content)
    return question, None


def is_asked_for(raw: Mapping[str, Any], answer: Answer) -> bool:
    """Tell whether the call is one whose refusal a person could do something about."""
    return raw.get("action") == Action.COMPLETE_PHASE and answer.get("status") == "error"
