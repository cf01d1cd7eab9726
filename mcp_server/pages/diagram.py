"""The phases and gates of a workflow as a Mermaid flowchart. Pure.

Nodes are named by the numbers of phases only; what authors wrote stands in quoted labels.
"""

from collections.abc import Iterator, Sequence

from mcp_server.core.definitions import Phase
from mcp_server.gates.model import Gate
from mcp_server.pages.escaping import label
from mcp_server.pages.words import heading, plural

_END = "finish"
_LISTED = "listed"


def flowchart(phases: Sequence[Phase], *, is_dynamic: bool) -> str:
    """Return a fenced diagram: each phase leads to its gate, which lets on or back."""
    stops = [f"phase{phase.phase_number}" for phase in phases]
    stops += [_LISTED, _END] if is_dynamic else [_END]
    lines = ["flowchart TD", f'    begin(["start"]) --> {stops[0]}']
    for phase, following in zip(phases, stops[1:], strict=False):
        lines += _phase(phase, following)
    if is_dynamic:
        lines += _gated(_LISTED, '[["each phase of the task list"]]', "its own gate", _END)
    lines.append(f'    {_END}(["completed"])')
    return "\n".join(["```mermaid", *lines, "```"])


def _phase(phase: Phase, following: str) -> Iterator[str]:
    box = f'["{label(heading(phase))}"]'
    name = f"phase{phase.phase_number}"
    yield from _gated(name, box, _summary(phase.gate), following)


def _gated(name: str, box: str, summary: str, following: str) -> Iterator[str]:
    gate = name.replace("phase", "gate") if name != _LISTED else f"{_LISTED}Gate"
    yield f"    {name}{box} --> {gate}"
    yield f'    {gate}{{"{summary}"}}'
    yield f"    {gate} -->|passes| {following}"
    yield f"    {gate} -.->|refuses| {name}"


def _summary(gate: Gate) -> str:
    fields = len(gate.evidence_schema)
    if not fields:
        return "any evidence" if not gate.cross_field_validation else "rules only"
    verified = len(gate.verified_fields)
    lenient = "" if gate.checkpoint.strict else ", lenient"
    return f"{plural(fields, 'field')}, {verified} verified{lenient}"
