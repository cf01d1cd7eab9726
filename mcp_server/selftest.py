"""The self-test of gates: hostile submissions, replayed at every gate as `complete_phase` would.

`hostile` builds them, `throwaway` lays out where the probes look; here they go the way of every
submission (its size, the looks, the verdict), and what came of it is told. A submission is caught
if it does not pass. Exit codes: 0 nothing was let through, 1 something was, or a gate cannot be
read.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from mcp_server.core.definitions import Phase
from mcp_server.core.library import Place, WorkflowLibrary
from mcp_server.core.limits import Limits, require_evidence
from mcp_server.core.visible import visible
from mcp_server.errors import DefinitionError, InvalidArgumentError
from mcp_server.example import Example
from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.hostile import Hostile, submissions
from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.gates.observation import Judgement
from mcp_server.gates.plausible import plausible
from mcp_server.gates.vocabulary import ExpressionError
from mcp_server.throwaway import Bench
from mcp_server.viewing.finding import find_place
from mcp_server.viewing.printing import Column, Row, print_json, print_table

MAX_SHOWN = 5
"""Submissions let through that are named for one gate."""

_COLUMNS = (
    Column("workflow"),
    *(Column(title, is_number=True)
      for title in ("phase", "fields", "claims", "tried", "let through")),
    Column("remark"),
)  # fmt: skip

_ANYTHING: tuple[Any, ...] = (
    True,
    False,
    0,
    -1,
    10**6,
    0.5,
    "",
    "text",
    [],
    ["text"],
    {},
    {"a": 1},
)


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the self-test says of one gate."""

    workflow: str
    phase: int
    fields: int
    required: int
    claims: int
    """Required fields that nobody verifies."""
    tried: int
    let_through: tuple[Hostile, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Untested:
    """A workflow whose gates could not be read, and why."""

    workflow: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the self-test says of several workflows."""

    gates: tuple[GateReport, ...]
    untested: tuple[Untested, ...]

    @property
    def holds(self) -> bool:
        """Whether every gate could be read, and let nothing through."""
        return not self.untested and not any(gate.let_through for gate in self.gates)

    def as_data(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "holds": self.holds,
            "gates": [_as_data(gate) for gate in self.gates],
            "not_tested": [
                {"workflow": untested.workflow, "reason": untested.reason}
                for untested in self.untested
            ],
        }


def run_self_test(
    library: WorkflowLibrary,
    limits: Limits,
    names: Sequence[str],
    console: Console,
    *,
    as_json: bool = False,
) -> int:
    """Test the gates of the named workflows, or of all, tell the result and return the exit code.

    Raises NotFoundError for a name that no workflow has.
    """
    report = examine(library, limits, names, console, silent=as_json)
    if as_json:
        print_json(console, report.as_data())
    else:
        _tell(report, console)
    return 0 if report.holds else 1


def examine(
    library: WorkflowLibrary,
    limits: Limits,
    names: Sequence[str],
    console: Console,
    *,
    silent: bool = False,
) -> Report:
    """Return what the self-test says of the named workflows, or of all there are."""
    places = _places(library, names)
    gates: list[GateReport] = []
    untested: list[Untested] = []
    quiet = silent or not console.is_terminal
    with Progress(console=console, disable=quiet, transient=True) as progress:
        for place in progress.track(places, description="Testing gates"):
            try:
                gates += _test_workflow(library, place, limits)
            except DefinitionError as error:
                untested.append(Untested(place.name, error.message))
    return Report(tuple(gates), tuple(untested))


def examine_gate(bench: Bench, limits: Limits, workflow: str) -> GateReport:
    """Replay what no gate may let through at one gate."""
    gate = bench.gate
    good = plausible(gate)
    tried, let_through = 0, list[Hostile]()
    for hostile in submissions(gate, good, limits.evidence):
        tried += 1
        if _passes(bench, hostile, limits):
            let_through.append(hostile)
    return GateReport(
        workflow,
        bench.phase,
        fields=len(gate.evidence_schema),
        required=len(gate.required_fields),
        claims=sum(name not in gate.verified_fields for name in gate.required_fields),
        tried=tried,
        let_through=tuple(let_through),
        remarks=tuple(_remarks(gate, passes=good.passes and _is_taken(good.claims, limits))),
    )


def _places(library: WorkflowLibrary, names: Sequence[str]) -> list[Place]:
    named = [find_place(library, name) for name in dict.fromkeys(names)]
    return named or list(library.places())


def _test_workflow(library: WorkflowLibrary, place: Place, limits: Limits) -> Iterator[GateReport]:
    example = _example(place)
    for phase in _phases(library, place, example):
        bench = Bench.of(phase.gate, phase.phase_number, example)
        yield examine_gate(bench, limits, place.name)


def _phases(library: WorkflowLibrary, place: Place, example: Example | None) -> tuple[Phase, ...]:
    """Return all phases; those that come from a list are those of the example's list, if any."""
    if not library.metadata(place).is_dynamic:
        return library.load(place.name).phases
    if example is None:
        return library.static_phases(place)
    with tempfile.TemporaryDirectory(prefix="aos-workflow-list-") as folder:
        project = Path(folder).resolve()
        example.begin(project)
        return library.inside(project).load(place.name, example.options).phases


def _example(place: Place) -> Example | None:
    try:
        found = Example.of(place.folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # It only makes what is stale more tempting; nothing is judged by it.
        return None
    usable = found and isinstance(found.target_file, str) and isinstance(found.options, dict)
    return found if usable else None


def _passes(bench: Bench, hostile: Hostile, limits: Limits) -> bool:
    """Send a submission the way of every submission and tell whether it passes."""
    if not _is_taken(hostile.evidence, limits):
        return False
    looked = bench.observe(hostile) if hostile.project else {}
    verdict = evaluate(bench.gate, hostile.evidence, {**hostile.observations, **looked})
    return verdict.outcome is Judgement.PASS


def _is_taken(evidence: Mapping[str, Any], limits: Limits) -> bool:
    try:
        require_evidence(evidence, limits)
    except InvalidArgumentError:
        return False
    return True


def _remarks(gate: Gate, *, passes: bool) -> Iterator[str]:
    if not passes:
        yield "no passing example"
    if not gate.verified_fields:
        yield "claims only"
    required = (gate.evidence_schema[name] for name in gate.required_fields)
    if all(field.type == "boolean" and not field.probes for field in required):
        yield "proves nothing"
    if not gate.checkpoint.strict:
        yield "lenient"
    idle = {field.validator for field in gate.evidence_schema.values()
            if field.validator and _refuses_nothing(gate, field)}  # fmt: skip
    for name in sorted(idle):
        yield f"validator {name} refuses nothing"


def _refuses_nothing(gate: Gate, field: EvidenceField) -> bool:
    """Tell whether a field's validator is satisfied by values that have nothing in common."""
    try:
        return all(gate.expressions[field.validator or ""](value, **field.validator_params)
                   for value in _ANYTHING)  # fmt: skip
    except ExpressionError:
        return False


def _as_data(gate: GateReport) -> dict[str, Any]:
    return {
        "workflow": gate.workflow,
        "phase": gate.phase,
        "fields": gate.fields,
        "required": gate.required,
        "claims": gate.claims,
        "tried": gate.tried,
        "let_through": [
            {"kind": str(hostile.kind), "field": hostile.field, "what": hostile.what}
            for hostile in gate.let_through
        ],
        "remarks": list(gate.remarks),
    }


def _tell(report: Report, console: Console) -> None:
    if report.gates:
        print_table(console, _COLUMNS, map(_row, report.gates))
    for gate in report.gates:
        at = f"{gate.workflow}, phase {gate.phase}"
        for hostile in gate.let_through[:MAX_SHOWN]:
            where = f" {hostile.field}:" if hostile.field else ""
            said = f"{at} lets through: {hostile.kind}:{where} {hostile.what}"
            console.print(visible(said), style="red")
        if len(gate.let_through) > MAX_SHOWN:
            console.print(visible(f"{at}: ... and {len(gate.let_through) - MAX_SHOWN} more"))
    for untested in report.untested:
        console.print(visible(f"{untested.workflow}: not tested: {untested.reason}"), style="red")
    tried = sum(gate.tried for gate in report.gates)
    through = sum(len(gate.let_through) for gate in report.gates)
    gates = "1 gate" if len(report.gates) == 1 else f"{len(report.gates)} gates"
    console.print(
        f"{gates}, {tried} hostile submissions, {through} let through.",
        style="green" if report.holds else "red",
    )


def _row(gate: GateReport) -> Row:
    numbers = (gate.phase, gate.fields, gate.claims, gate.tried, len(gate.let_through))
    style = "red" if gate.let_through else "yellow" if gate.remarks else ""
    return Row((gate.workflow, *map(str, numbers), ", ".join(gate.remarks)), style)
