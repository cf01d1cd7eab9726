"""Completing a phase: the one path on which a gate lets a phase pass.

`complete` is what the tool calls. It picks up what an earlier call on the same submission came to,
leaves a submission whose verification takes long to a worker, and does everything else at once by
`conclude`, which is also what the worker calls. `conclude` lets the server look, without holding
the session, and then judges and records under the session's lock, if the attempt is still the one
that it looked at. Nothing is recorded of a gate that could not look.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from mcp_server.core import lifecycle, refusals, views
from mcp_server.core.definitions import Definition
from mcp_server.core.encoding import decode, digest, encode
from mcp_server.core.lifecycle import Submission
from mcp_server.core.limits import Limits, require_evidence
from mcp_server.core.models import Change, Conclusion, SessionState
from mcp_server.core.pass_answer import passed
from mcp_server.core.pinning import Pinned
from mcp_server.core.state_manager import Draft, StateManager
from mcp_server.core.transitions import Action, require_legal
from mcp_server.core.waiting import wait_here
from mcp_server.errors import ConflictError, WorkflowError
from mcp_server.gates.evaluation import Verdict, evaluate
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Judgement, Observation
from mcp_server.gates.probe_settings import session_values
from mcp_server.gates.probes.look import Approved, PhaseFacts

Answer = dict[str, Any]

_WARNINGS_KEPT = 1_000
"""Bytes of warnings that are kept for whoever picks a result up later."""


class Looker(Protocol):
    """What finds values out for the engine."""

    def observe(
        self, gate: Gate, claims: Mapping[str, Any], facts: PhaseFacts
    ) -> dict[str, Observation]:
        """Return what was found of each field that wants a look."""

    def takes_long(self, gate: Gate) -> bool:
        """Tell whether looking would run a command."""

    def commit_for(self, *gates: Gate) -> str | None:
        """Return the commit that is checked out, if any of `gates` will ask what changed since."""


class Workers(Protocol):
    """What verifies a submission while the server answers other calls."""

    def verify(self, session_id: str, phase: int, evidence: Mapping[str, Any]) -> Answer | None:
        """Return the answer, or None while it runs on; raises the refusal that it came to."""

    def standing(self, session_id: str) -> Answer:
        """Return what get_state says of a verification that runs, or could not be had."""


class Completion:
    """Judges submissions and records what came of them."""

    def __init__(
        self,
        sessions: StateManager,
        pinned: Pinned,
        looker: Looker,
        workers: Workers | None,
        limits: Limits,
    ) -> None:
        """Without `workers` everything is done at once, however long it takes."""
        self._sessions = sessions
        self._pinned = pinned
        self._looker = looker
        self._workers = workers
        self._limits = limits

    def complete(self, state: SessionState, phase: int, evidence: Mapping[str, Any]) -> Answer:
        """Judge the evidence for the current phase of a session and let it pass, or refuse.

        `state` is the session as it was just read, and `evidence` is within the limits. Raises
        GateRefusedError when the gate says no, VerificationUnavailableError when it could not look,
        and StateError for any but the current phase.
        """
        session_id = state.session_id
        if _is_concluded(state, phase, evidence):
            return self._concluded(state, phase)
        if self._workers is None or not self._takes_long(state, phase):
            return self._conclude(state, phase, evidence)
        wait_here()
        answer = self._workers.verify(session_id, phase, evidence)
        if answer is not None:
            return answer
        state = self._sessions.load(session_id)
        if _is_concluded(state, phase, evidence):
            return self._concluded(state, phase)
        again = views.call(Action.COMPLETE_PHASE, session_id=session_id, phase=phase,
                           evidence=views.repeated(evidence))  # fmt: skip
        return {"verification": "running", "phase": phase, "next": again}

    def conclude(
        self, session_id: str, phase: int, evidence: Mapping[str, Any], *, remember: bool = False
    ) -> Answer:
        """Look, judge and record at once; raises what `complete` raises.

        `remember` lets the same submission, sent again, pick up what it came to.
        """
        seen_at = self._sessions.load_here(session_id)
        if remember and _is_concluded(seen_at, phase, evidence):
            return self._concluded(seen_at, phase)
        return self._conclude(seen_at, phase, evidence, remember=remember)

    def _conclude(
        self,
        seen_at: SessionState,
        phase: int,
        evidence: Mapping[str, Any],
        *,
        remember: bool = False,
    ) -> Answer:
        observations = self._observations(seen_at, phase, evidence)
        refusal: WorkflowError | None = None
        answer: Answer = {}
        now = self._sessions.clock()
        with self._sessions.edit(seen_at.session_id) as draft:
            state = draft.state
            require_legal(state.status, Action.COMPLETE_PHASE)
            definition = self._pinned(state.definition.digest)
            definition.phase(phase)
            if phase < state.current_phase:
                raise refusals.phase_behind(state, phase)
            if phase > state.current_phase:
                refusal = refusals.phase_ahead(state, phase)
                entry = refusals.entry(phase, refusal, now)
                draft.record(lifecycle.refuse_skip(state, entry, now))
            else:
                if observations is not None and state.history != seen_at.history:
                    raise _moved_on(state)
                claims = self._claims(definition.phase(phase).gate, state, evidence)
                judged = _Judged(definition, state, claims, observations or {})
                concluded = _conclusion(phase, evidence, judged.verdict) if remember else None
                refusal, answer = self._record(draft, judged, concluded)
        if refusal is not None:
            raise refusal
        return answer

    def _record(
        self, draft: Draft, judged: "_Judged", concluded: Conclusion | None
    ) -> tuple[WorkflowError | None, Answer]:
        state, now, verdict = draft.state, self._sessions.clock(), judged.verdict
        if verdict.outcome is Judgement.COULD_NOT_VERIFY:
            raise refusals.unavailable(state, verdict, judged.observations)
        observed = {name: lifecycle.record_of(seen, now)
                    for name, seen in judged.observations.items()
                    if seen.judgement is Judgement.PASS}  # fmt: skip
        submission = lifecycle.prepare(verdict.values, verdict.known, observed)
        if submission.blobs:
            wait_here()
        if verdict.outcome is Judgement.PASS:
            following = judged.definition.phase_after(judged.phase)
            commit = self._looker.commit_for(*([following.gate] if following else ()))
            change: Change = lifecycle.pass_phase(
                state, submission, now, commit=commit, concluded=concluded
            )
            after = draft.record(change)
            return None, passed(after, judged.definition, judged.phase, submission, verdict)
        refusal = refusals.gate_refused(state, verdict, judged.gate, judged.observations)
        entry = refusals.entry(judged.phase, refusal, now, verdict)
        draft.record(lifecycle.refuse_phase(state, submission, entry, now, concluded=concluded))
        return refusal, {}

    def standing(self, session_id: str) -> Answer:
        """Return what get_state says of a verification that runs, or could not be had."""
        if self._workers is None:
            return {}
        return self._workers.standing(session_id)

    def _observations(
        self, state: SessionState, phase: int, evidence: Mapping[str, Any]
    ) -> dict[str, Observation] | None:
        """Return what looking shows, or None where there is nothing to look for."""
        gate = self._gate(state, phase)
        if gate is not None and not gate.judges_at_once:
            wait_here()
        if gate is None or not gate.verified_fields:
            return None
        return self._looker.observe(gate, self._merged(state, evidence), facts_of(state))

    def _takes_long(self, state: SessionState, phase: int) -> bool:
        gate = self._gate(state, phase)
        return gate is not None and self._looker.takes_long(gate)

    def _gate(self, state: SessionState, phase: int) -> Gate | None:
        """Return the gate if it is the current phase's and may be asked now."""
        if phase != state.current_phase or not lifecycle.may_complete(state):
            return None
        return self._pinned(state.definition.digest).phase(phase).gate

    def _merged(self, state: SessionState, evidence: Mapping[str, Any]) -> dict[str, Any]:
        """Return `evidence` over what earlier attempts at the current phase submitted."""
        given = {name: value for name, value in evidence.items() if value is not None}
        kept = {
            name: item.value
            if item.inline
            else decode(self._sessions.store.blob(state.session_id, item.sha256))
            for name, item in state.evidence.get(state.current_phase, {}).items()
        }
        if kept:
            # Each of them alone is within the limits.
            require_evidence(kept | given, self._limits)
        return kept | given

    def _claims(
        self, gate: Gate, state: SessionState, evidence: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what is claimed: of what the server finds out itself, only what is said now.

        Earlier claims of that were true of what stood there then.
        """
        merged = self._merged(state, evidence)
        return {name: value for name, value in merged.items()
                if evidence.get(name) is not None or name not in gate.verified_fields}  # fmt: skip

    def _concluded(self, state: SessionState, phase: int) -> Answer:
        """Return what the last change came to, which judged this very submission."""
        definition = self._pinned(state.definition.digest)
        if phase not in state.completed_phases:
            raise refusals.repeated(state, definition.phase(phase).gate)
        submission = Submission(state.evidence.get(phase, {}), {})
        warnings = state.concluded.warnings if state.concluded else ()
        verdict = Verdict(Judgement.PASS, warnings=warnings)
        return passed(state, definition, phase, submission, verdict)


def facts_of(state: SessionState) -> PhaseFacts:
    """Return what looks know of the session and its current phase."""
    return PhaseFacts(
        session_id=state.session_id,
        target_file=state.target_file,
        options=state.options,
        phase=state.current_phase,
        attempt=state.attempt,
        started=state.phase_started,
        commit=state.phase_commit,
        first_commit=state.first_commit,
        approvals=tuple(
            Approved(a.field, a.by, a.time, a.files)
            for a in state.approvals
            if a.phase == state.current_phase
        ),
    )


class _Judged:
    """A submission with what was seen and what the gate says of both."""

    def __init__(
        self,
        definition: Definition,
        state: SessionState,
        merged: Mapping[str, Any],
        observations: Mapping[str, Observation],
    ) -> None:
        self.definition = definition
        self.phase = state.current_phase
        self.gate = definition.phase(self.phase).gate
        self.observations = observations
        self.verdict = evaluate(
            self.gate, merged, observations, session_values(state.target_file, state.session_id)
        )


def _conclusion(phase: int, evidence: Mapping[str, Any], verdict: Verdict) -> Conclusion:
    warnings = tuple(views.bounded(map(views.clip, verdict.warnings), _WARNINGS_KEPT))
    return Conclusion(phase=phase, evidence=digest(encode(dict(evidence))), warnings=warnings)


def _is_concluded(state: SessionState, phase: int, evidence: Mapping[str, Any]) -> bool:
    concluded = state.concluded
    return concluded is not None and concluded.is_of(phase, digest(encode(dict(evidence))))


def _moved_on(state: SessionState) -> ConflictError:
    return ConflictError(
        "Session modified by another operation while the server was looking",
        remediation="Read the session again with get_state, then retry.",
        fields={"next": views.call(Action.GET_STATE, session_id=state.session_id)},
    )
