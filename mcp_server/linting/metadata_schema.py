"""The JSON Schema of metadata.json: what the model says, and the keys that only people read. Pure.

The linter takes its known keys from here, so that an editor and the linter know the same ones.
"""

from functools import lru_cache
from typing import Any

from mcp_server.core.definitions import Metadata
from mcp_server.core.task_source import PARSERS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_COUNT: Schema = {"type": "integer", "minimum": 0}

_MEANINGS = {
    "workflow_type": "Name that sessions are started with; the name of the definition's folder",
    "version": "Version of the definition, such as 1.0.0",
    "name": "Name for people",
    "description": "What the workflow is for, in a sentence",
    "category": "What workflows are listed by, such as implementation",
    "tags": "Words to find the workflow by",
    "total_phases": 'Number of phase folders, or "dynamic"',
    "start_phase": "Number of the first phase that is served; folders below it are not",
    "estimated_duration": "How long the whole takes, in words",
    "phases": "One entry for each phase; the folders are right about which phases there are",
    "dynamic_phases": "Whether phases come from a task list that is named at start",
    "phase_number": 'Number of the phase folder, or a range such as "1-N"',
    "phase_name": "Title of the phase",
    "purpose": "What the phase is for, in a sentence",
    "checkpoint": "What a phase without a gate file asks for",
    "required_evidence": "Names of the evidence without which the phase does not end",
    "dynamic_config": "Where the phases of a dynamic workflow come from",
    "source_type": "Kind of the task list, for people",
    "source_path_key": "Key of the start options that holds the path of the task list",
    "templates": "Markdown of each phase and task, with placeholders such as [TASK_NAME]",
    "phase": "File in the definition's folder that phases are told by",
    "task": "File in the definition's folder that tasks are told by",
    "parser": "What reads the task list",
}

_FOR_PEOPLE: Schema = {
    "author": {"description": "Who wrote the definition"},
    "created_date": {"description": "Day it was written", **_TEXT},
    "updated_date": {"description": "Day it was last changed", **_TEXT},
    "target_language": {"description": "Programming language it is meant for"},
    "primary_outputs": {"description": "What there is when the workflow has ended", **_TEXTS},
    "core_utilities": {
        "description": "Further documents of the definition",
        "type": "array",
        "items": {"type": "object"},
    },
    "prerequisites": {"description": "What there has to be before the start"},
    "success_criteria": {"description": "How to tell that it went well"},
    "usage": {"description": "When to take this workflow, and an example call"},
    "quality_standards": {"description": "What the work is measured by"},
    "workflow_features": {"description": "What the workflow does in a particular way"},
    "notes": {"description": "Anything else"},
    "$schema": {"description": "Where an editor finds this schema", **_TEXT},
}

_TASK_ENTRY: Schema = {
    "type": "object",
    "properties": {
        "task_number": {"description": "Number of the task file", **_COUNT},
        "name": {"description": "Name of the task", **_TEXT},
        "file": {"description": "Name of the file in the phase's folder", **_TEXT},
        "purpose": {"description": "What the task is for", **_TEXT},
    },
}

_PHASE_FOR_PEOPLE: Schema = {
    "description": {"description": "What the phase is about", **_TEXT},
    "phase_file": {"description": "Path of phase.md in the definition's folder", **_TEXT},
    "estimated_effort": {"description": "How long the phase takes, in words", **_TEXT},
    "estimated_duration": {"description": "How long the phase takes, in words", **_TEXT},
    "key_deliverables": {"description": "What there is when the phase has ended", **_TEXTS},
    "validation_criteria": {"description": "How to tell that the phase went well", **_TEXTS},
    "tasks": {"description": "The tasks; the files decide", "type": "array", "items": _TASK_ENTRY},
    "task_execution": {"description": "How the tasks of a dynamic phase are served"},
    "skippable": {"description": "Whether people may leave the phase out", "type": "boolean"},
    "skip_condition": {"description": "When people may leave the phase out", **_TEXT},
    "dependencies": {"description": "Phases that come before this one"},
    "notes": {"description": "Anything else"},
}


@lru_cache(maxsize=1)
def metadata_schema() -> Schema:
    """Return the schema of metadata.json."""
    made = Metadata.model_json_schema()
    made["$defs"]["PhaseMetadata"]["properties"] |= _unsaid(made["$defs"]["PhaseMetadata"],
                                                            _PHASE_FOR_PEOPLE)  # fmt: skip
    made["properties"] |= _unsaid(made, _FOR_PEOPLE)
    # Numbers are read as text here: "version": 1.1 is as good as "1.1".
    for name in ("version", "estimated_duration"):
        made["properties"][name]["type"] = ["string", "number"]
    made["$defs"]["DynamicConfig"]["properties"]["parser"]["enum"] = list(PARSERS)
    for part in (made, *made["$defs"].values()):
        describe(part["properties"], _MEANINGS)
    return {
        "$schema": DIALECT,
        **made,
        "title": "Metadata of a workflow",
        "description": "metadata.json of a workflow definition; other keys are kept, and unread",
    }


def known_keys() -> frozenset[str]:
    """Return the keys that metadata.json may have."""
    return frozenset(metadata_schema()["properties"])


def known_keys_of(part: str) -> frozenset[str]:
    """Return the keys that a PhaseMetadata, a DynamicConfig, a DynamicTemplates may have."""
    return frozenset(metadata_schema()["$defs"][part]["properties"])


def describe(properties: Schema, meanings: dict[str, str]) -> None:
    """Give properties their descriptions, and drop the titles that only repeat their names."""
    for name, schema in properties.items():
        schema.pop("title", None)
        if name in meanings:
            schema["description"] = meanings[name]


def _unsaid(made: Schema, further: Schema) -> Schema:
    return {name: schema for name, schema in further.items() if name not in made["properties"]}
