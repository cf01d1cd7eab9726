"""Workflows as people look at them: which there are, and what one asks for; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mcp_server.core.definitions import Metadata, Phase
from mcp_server.core.encoding import encode
from mcp_server.core.library import Listed
from mcp_server.errors import DefinitionError
from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.pages.words import task_title
from mcp_server.viewing.shapes import (
    FieldRow,
    GateView,
    PhaseView,
    WorkflowList,
    WorkflowRow,
    WorkflowView,
)

_SILENT = frozenset({"type", "title", "description", "default", "examples", "$comment", "verify"})


def workflow_list(
    listing: Iterable[Listed | DefinitionError], category: str | None = None
) -> WorkflowList:
    """Return what can be started, by name, and what is wrong with what cannot."""
    rows, warnings = list[WorkflowRow](), list[str]()
    for found in listing:
        if isinstance(found, DefinitionError):
            warnings.append(found.message)
        elif category is None or found.metadata.category == category:
            rows.append(_row(found))
    rows.sort(key=lambda row: row["workflow_type"])
    return {"workflows": rows, "count": len(rows), "warnings": warnings}


def workflow_view(metadata: Metadata, phases: Sequence[Phase], source: str) -> WorkflowView:
    """Return one workflow with all its phases, or those that do not come from a list."""
    dynamic = metadata.is_dynamic
    return {
        "workflow_type": metadata.workflow_type,
        "name": metadata.name or metadata.workflow_type,
        "version": metadata.version,
        "category": metadata.category,
        "description": metadata.description,
        "estimated_duration": metadata.estimated_duration,
        "source": source,
        "tags": list(metadata.tags),
        "total_phases": "dynamic" if dynamic else len(phases),
        "list_option": metadata.dynamic_config.source_path_key if dynamic else None,
        "phases": [_phase(phase) for phase in phases],
    }


def _row(found: Listed) -> WorkflowRow:
    metadata = found.metadata
    return {
        "workflow_type": metadata.workflow_type,
        "name": metadata.name or metadata.workflow_type,
        "version": metadata.version,
        "category": metadata.category,
        "description": metadata.description,
        "phases": found.phases,
        "estimated_duration": metadata.estimated_duration,
        "source": found.source,
        "tags": list(metadata.tags),
    }


def _phase(phase: Phase) -> PhaseView:
    return {
        "phase_number": phase.phase_number,
        "title": phase.title,
        "description": phase.description,
        "tasks": [
            {
                "task_number": task.task_number,
                "title": task_title(task),
                "estimated_duration": task.estimated_duration,
            }
            for task in phase.tasks
        ],
        "gate": _gate(phase.gate),
    }


def _gate(gate: Gate) -> GateView:
    return {
        "strict": gate.checkpoint.strict,
        "allow_override": gate.checkpoint.allow_override,
        "fields": [_field(gate, name, field) for name, field in gate.evidence_schema.items()],
        "rules": [rule.error_message or rule.rule for rule in gate.cross_field_validation],
    }


def _field(gate: Gate, name: str, field: EvidenceField) -> FieldRow:
    return {
        "field": name,
        "type": field.type or "any",
        "required": field.required,
        "description": field.description,
        "must_be": list(_conditions(gate, field)),
        "known_by": [f"{probe.gives}: {probe.described}" for probe in field.probes] or ["claimed"],
        "assurance": str(field.assurance) if field.assurance else None,
    }


def _conditions(gate: Gate, field: EvidenceField) -> Iterator[str]:
    if field.must_be_true:
        yield "true"
    for keyword, value in _keywords(field.json_schema).items():
        yield f"{keyword} {encode(value).decode()}"
    if field.validator:
        given = f" with {encode(field.validator_params).decode()}" if field.validator_params else ""
        yield f"{field.validator}: {gate.validators[field.validator]}{given}"


def _keywords(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {keyword: value for keyword, value in schema.items() if keyword not in _SILENT}
