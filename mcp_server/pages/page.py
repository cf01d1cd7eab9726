"""The page itself: what a workflow is for, its diagram, and each phase with its tasks and gate.

Pure.
"""

from collections.abc import Iterator, Sequence

from mcp_server.core.definitions import Metadata, Phase
from mcp_server.gates.model import CrossFieldRule, EvidenceField, Gate
from mcp_server.pages.diagram import flowchart
from mcp_server.pages.escaping import code, markdown
from mcp_server.pages.tables import table
from mcp_server.pages.words import heading, known_by, must_be, task_title

MAX_DESCRIPTION = 4_000

LENIENT = (
    "**This gate is lenient:** a value of the wrong type, a value that is not what it must be, and"
    " a rule that does not hold only warn. What is required must be there, and a look that fails"
    " refuses all the same."
)
OVERRIDE = "A person may wave this phase through although the gate refuses."
ANYTHING = "The gate asks for nothing in particular: any evidence passes, and is only claimed."


def page(metadata: Metadata, phases: Sequence[Phase]) -> str:
    """Return the page of a workflow, or of the phases of one that lie in its own folders."""
    parts = [
        f"# {markdown(metadata.name or metadata.workflow_type)}",
        markdown(metadata.description, MAX_DESCRIPTION),
        _facts(metadata, phases),
        flowchart(phases, is_dynamic=metadata.is_dynamic),
    ]
    for phase in phases:
        parts += _phase(phase)
    if metadata.is_dynamic:
        parts += _listed_phases(metadata)
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(metadata: Metadata, phases: Sequence[Phase]) -> str:
    facts = [
        ("Workflow", code(metadata.workflow_type)),
        ("Version", markdown(metadata.version)),
        ("Category", markdown(metadata.category)),
        ("Tags", ", ".join(markdown(tag) for tag in metadata.tags)),
        ("Phases", f"{len(phases)} and those of a task list" if metadata.is_dynamic
         else str(len(phases))),
        ("Takes", markdown(metadata.estimated_duration)),
    ]  # fmt: skip
    return "\n".join(f"- **{name}:** {value}" for name, value in facts if value)


def _phase(phase: Phase) -> Iterator[str]:
    yield f"## {markdown(heading(phase))}"
    yield markdown(phase.description, MAX_DESCRIPTION)
    if phase.tasks:
        yield table(
            ("task", "title", "time"),
            [
                (str(task.task_number), markdown(task_title(task)),
                 markdown(task.estimated_duration or ""))
                for task in phase.tasks
            ],
        )  # fmt: skip
    yield f"### Gate of phase {phase.phase_number}"
    yield from _gate(phase.gate)


def _gate(gate: Gate) -> Iterator[str]:
    if not gate.checkpoint.strict:
        yield LENIENT
    if gate.checkpoint.allow_override:
        yield OVERRIDE
    if gate.evidence_schema:
        headings = ("field", "type", "required", "what it is", "what it must be", "how it is known")
        rows = [_row(gate, name, field) for name, field in gate.evidence_schema.items()]
        yield table(headings, rows)
    elif not gate.cross_field_validation:
        yield ANYTHING
    rules = [_rule(rule) for rule in gate.cross_field_validation]
    if rules:
        yield "Rules over several fields:"
        yield "\n".join(rules)


def _row(gate: Gate, name: str, field: EvidenceField) -> tuple[str, ...]:
    return (
        code(name, in_cell=True),
        field.type or "any",
        "yes" if field.required else "no",
        markdown(field.description),
        must_be(gate, field),
        known_by(field),
    )


def _rule(rule: CrossFieldRule) -> str:
    said = rule.error_message
    return f"- {code(rule.rule)}" + (f"; if not: {markdown(said)}" if said else "")


def _listed_phases(metadata: Metadata) -> Iterator[str]:
    config = metadata.dynamic_config
    yield "## Phases of the task list"
    yield (
        f"The other phases come from a task list: `start` is given its path in the option"
        f" {code(config.source_path_key)}, and {code(config.parser)} reads it. Each of its phases"
        " gets a gate of its own, made of what the list says that must hold at its end. They are"
        " pinned with the session."
    )
    for entry in metadata.phases:
        if isinstance(entry.phase_number, str):
            name = markdown(entry.phase_name or f"Phases {entry.phase_number}")
            yield f"**{name}.** {markdown(entry.purpose or '')}".rstrip()
