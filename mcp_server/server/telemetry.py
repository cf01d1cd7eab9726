"""Figures on the calls that this server answers, for whoever runs it.

Made through the OpenTelemetry API alone: without an exporter every instrument does nothing, and
which exporter there is, if any, is decided by who starts the process. docs/figures.md lists names
and attributes.

Rules. A call is counted where it is answered, from its answer: a verification that a worker process
carries out is counted by the server that tells the agent what it came to, once, however often it is
asked. Attributes come from closed sets, but for names of workflows, which are counted only of
sessions that exist and only up to a limit: no ids, no paths, no text of an agent's. Counting
happens behind the answer, inside the dispatcher's own envelope, so that a failure in it is an
incident in the log and never another answer. Safe for many threads.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import get_current_span

from mcp_server import __version__
from mcp_server.core.models import SessionState
from mcp_server.core.transitions import Action
from mcp_server.core.watching import Watched, watching
from mcp_server.gates.observation import Judgement

Answer = dict[str, Any]
CarryOut = Callable[[], Awaitable[Answer]]

ACTION = "aos_workflow.action"
WORKFLOW = "aos_workflow.workflow_type"
PHASE = "aos_workflow.phase"
VERDICT = "aos_workflow.verdict"
SPAN_ERROR = "aos_workflow.error_type"
"""Beside `error.type`, which the SDK sets on its spans when the answer is made."""
ERROR = "error.type"

OTHER = "_OTHER"
"""What the conventions call a value that is not of the known ones."""

MAX_WORKFLOWS = 100
"""How many names of workflows are told apart; further ones are counted as `OTHER`."""

_REMEMBERED = 1_000
"""How many judged attempts are remembered, so that none is counted again."""

_CALL_SECONDS = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    30,
    60,
    120,
    300,
)
"""Those of the conventions for MCP, and finer ones below, where reads are."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SESSION_SECONDS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 4, 8)),
    *(days * _DAY for days in (1, 2, 7, 30)),
)


class Instruments:
    """What is counted, on the meter of one provider."""

    def __init__(self, provider: MeterProvider | None = None) -> None:
        """Count to `provider`, or to the one of the process, whenever that is set."""
        meter = get_meter("aos-workflow", __version__, provider)
        self._calls = meter.create_histogram(
            "aos_workflow.action.duration",
            unit="s",
            description="Time to answer a call; its count is the number of calls.",
            explicit_bucket_boundaries_advisory=_CALL_SECONDS,
        )
        self._started = meter.create_counter(
            "aos_workflow.sessions.started",
            unit="{session}",
            description="Sessions that were started.",
        )
        self._finished = meter.create_histogram(
            "aos_workflow.session.duration",
            unit="s",
            description="Time from the start of a session to its last gate; its count is the"
            " number of finished sessions.",
            explicit_bucket_boundaries_advisory=_SESSION_SECONDS,
        )
        self._verdicts = meter.create_counter(
            "aos_workflow.gate.verdicts",
            unit="{verdict}",
            description="What gates said of submissions.",
        )
        self._workflows: set[str] = set()
        self._judged: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._guard = threading.Lock()

    def count(self, action: object, answer: Answer, seconds: float, watched: Watched) -> None:
        """Count a call that took `seconds` to answer, and what it did to a session."""
        attributes: dict[str, str] = {ACTION: _known_action(action)}
        if "error_type" in answer:
            attributes[ERROR] = answer["error_type"]
        self._calls.record(seconds, attributes)
        if watched.found is None or watched.last is None:
            _tell_span(attributes, {})
            return
        workflow = {WORKFLOW: self._known_workflow(watched.found.workflow_type)}
        _tell_span(attributes, {**workflow, PHASE: watched.found.current_phase})
        if action == Action.START:
            self._started.add(1, workflow)
        elif action == Action.COMPLETE_PHASE:
            self._count_completion(answer, watched.found, watched.last, workflow)

    def _count_completion(
        self,
        answer: Answer,
        found: SessionState,
        last: SessionState,
        workflow: Mapping[str, str],
    ) -> None:
        verdict = _verdict(answer)
        if verdict is not None:
            phase = answer.get("phase_completed", found.current_phase)
            # A gate that could not look leaves no trace: each time it is asked is a time of its
            # own. Yes and no it says once of an attempt; a call that is repeated hears it again.
            is_repeated = verdict is not Judgement.COULD_NOT_VERIFY and not self._is_new(
                (found.session_id, phase, _attempt(found, phase), verdict)
            )
            if is_repeated:
                return
            self._verdicts.add(1, {**workflow, VERDICT: str(verdict)})
        if answer.get("workflow_complete"):
            lasted = (last.last_updated - last.created_at).total_seconds()
            self._finished.record(max(lasted, 0.0), workflow)

    def _known_workflow(self, name: str) -> str:
        with self._guard:
            if name not in self._workflows:
                if len(self._workflows) >= MAX_WORKFLOWS:
                    return OTHER
                self._workflows.add(name)
        return name

    def _is_new(self, judged: tuple[object, ...]) -> bool:
        with self._guard:
            is_new = judged not in self._judged
            self._judged[judged] = None
            if len(self._judged) > _REMEMBERED:
                self._judged.popitem(last=False)
        return is_new


_used: ContextVar[Instruments | None] = ContextVar("instruments", default=None)


@lru_cache(maxsize=1)
def _of_the_process() -> Instruments:
    return Instruments()


@contextmanager
def counting_to(provider: MeterProvider) -> Iterator[None]:
    """Count the calls inside to `provider` instead of the process's own."""
    token = _used.set(Instruments(provider))
    try:
        yield
    finally:
        _used.reset(token)


async def counted(
    enveloped: Callable[[Any, CarryOut], Awaitable[Answer]], action: Any, carry_out: CarryOut
) -> Answer:
    """Answer a call by `enveloped`, and count it; counting never changes the answer.

    A call that its client cancels has no answer, and is not counted.
    """
    began = time.perf_counter()
    with watching() as watched:
        answer = await enveloped(action, carry_out)
    seconds = time.perf_counter() - began

    async def count() -> Answer:
        instruments = _used.get() or _of_the_process()
        instruments.count(action, answer, seconds, watched)
        return {}

    await enveloped(action, count)
    return answer


def _tell_span(call: Mapping[str, str], session: Mapping[str, str | int]) -> None:
    span = get_current_span()
    if span.is_recording():
        span.set_attributes({SPAN_ERROR if name == ERROR else name: value
                             for name, value in {**call, **session}.items()})  # fmt: skip


def _known_action(action: object) -> str:
    return str(action) if isinstance(action, str) and action in _ACTIONS else OTHER


_ACTIONS = frozenset(map(str, Action))


def _verdict(answer: Answer) -> Judgement | None:
    """Return what the gate said, if the answer tells of that."""
    if answer.get("error_type") == "VerificationUnavailable":
        return Judgement.COULD_NOT_VERIFY
    if "checkpoint_passed" not in answer or "overridden" in answer:
        return None
    return Judgement.PASS if answer["checkpoint_passed"] else Judgement.FAIL


def _attempt(state: SessionState, phase: int) -> int:
    return max((a.attempt for a in state.history if a.phase == phase), default=1)
