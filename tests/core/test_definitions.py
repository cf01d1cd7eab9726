"""Definitions: what is found in them, and that a snapshot says all there is."""

import json

import pytest
from pydantic import ValidationError

from mcp_server.core.definitions import Definition, Metadata, PhaseMetadata
from mcp_server.errors import NotFoundError
from tests.builders import BUILT_IN_NAMES, definition, library

METADATA = {"workflow_type": "small_v1"}


def test_metadata_needs_no_more_than_its_name():
    metadata = Metadata.model_validate(METADATA)

    assert metadata.model_dump() == {
        "workflow_type": "small_v1",
        "version": "0",
        "name": None,
        "description": "",
        "category": "general",
        "tags": (),
        "total_phases": None,
        "start_phase": None,
        "estimated_duration": "",
        "phases": (),
        "dynamic_phases": False,
        "dynamic_config": {
            "source_type": "",
            "source_path_key": "spec_path",
            "templates": {"phase": None, "task": None},
            "parser": "spec_tasks_parser",
        },
    }
    assert metadata.is_dynamic is False


def test_unknown_keys_of_metadata_are_kept():
    written = {
        **METADATA,
        "author": "us",
        "phases": [
            {"phase_number": 1, "outputs": ["a"], "checkpoint": {"required_evidence": [], "x": 1}}
        ],
    }

    dumped = Metadata.model_validate(written).model_dump(mode="json")

    assert dumped["author"] == "us"
    assert dumped["phases"][0]["outputs"] == ["a"]
    assert dumped["phases"][0]["checkpoint"]["x"] == 1


def test_numbers_are_accepted_where_text_is_meant():
    metadata = Metadata.model_validate({**METADATA, "version": 1.5, "estimated_duration": 30})

    assert (metadata.version, metadata.estimated_duration) == ("1.5", "30")


BROKEN = {
    "no name": {"workflow_type": None},
    "boolean version": {"version": True},
    "phases that are no list": {"phases": {"1": {}}},
    "phase without number": {"phases": [{"phase_name": "a"}]},
    "required evidence that is one text": {
        "phases": [{"phase_number": 1, "checkpoint": {"required_evidence": "plan"}}]
    },
    "start phase that is text": {"start_phase": "first"},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_broken_metadata_is_refused(change):
    with pytest.raises(ValidationError):
        Metadata.model_validate({**METADATA, **change})


DYNAMIC = {
    "said by a flag": ({"dynamic_phases": True, "total_phases": 3}, True),
    "said by the total": ({"total_phases": "dynamic"}, True),
    "said by neither": ({"total_phases": 3}, False),
}


@pytest.mark.parametrize(("change", "expected"), DYNAMIC.values(), ids=DYNAMIC)
def test_a_dynamic_workflow_says_so(change, expected):
    assert Metadata.model_validate({**METADATA, **change}).is_dynamic is expected


NUMBERS = {"number": (2, 2), "text": ("2", 2), "padded": ("02", 2), "range": ("1-N", "1-N")}


@pytest.mark.parametrize(("written", "number"), NUMBERS.values(), ids=NUMBERS)
def test_the_number_of_a_phase_is_a_number_or_a_range(written, number):
    assert PhaseMetadata.model_validate({"phase_number": written}).phase_number == number


def test_the_entry_of_a_phase_is_found_by_its_number():
    entries = [{"phase_number": "1-N"}, {"phase_number": "2", "phase_name": "Two"}]
    metadata = Metadata.model_validate({**METADATA, "phases": entries})

    assert metadata.phase(2) is metadata.phases[1]
    assert metadata.phase(1) is None


def test_phases_and_tasks_are_found_by_number():
    made = definition(phases=3, first=0)

    assert made.phase_numbers == (0, 1, 2)
    assert made.phase(1) is made.phases[1]
    assert made.phase(1).task(1) is made.phases[1].tasks[0]
    assert made.phase_after(0) is made.phases[1]
    assert made.phase_after(2) is None


def test_the_phase_after_is_the_next_that_exists():
    made = definition(phases=3)
    gapped = made.model_copy(update={"phases": (made.phases[0], made.phases[2])})

    assert gapped.phase_after(1) is made.phases[2]


def test_an_unknown_phase_is_answered_with_those_that_exist():
    with pytest.raises(NotFoundError) as raised:
        definition().phase(3)

    assert (str(raised.value), raised.value.remediation, raised.value.details) == (
        "small_v1 has no phase 3",
        "Its phases are: 1, 2.",
        {"phases": [1, 2]},
    )


def test_an_unknown_task_is_answered_with_those_that_exist():
    with pytest.raises(NotFoundError) as raised:
        definition().phase(2).task(0)

    assert (str(raised.value), raised.value.remediation, raised.value.details) == (
        "phase 2 has no task 0",
        "Its tasks are: 1.",
        {"phase": 2, "task_numbers": [1]},
    )


def test_a_phase_without_tasks_says_so():
    phase = definition().phase(1).model_copy(update={"tasks": ()})

    with pytest.raises(NotFoundError) as raised:
        phase.task(1)

    assert raised.value.remediation == "Its tasks are: none."


def test_a_workflow_without_phases_cannot_exist():
    with pytest.raises(ValidationError):
        Definition.model_validate({**definition().model_dump(), "phases": ()})


def test_a_definition_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        definition().phases[0].title = "Other"


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
def test_a_snapshot_gives_back_the_definition_and_its_digest(name):
    made = library().load(name)

    again = Definition.from_snapshot(made.snapshot)

    assert again.snapshot == made.snapshot
    assert again.digest == made.digest
    assert [phase.gate.required_fields for phase in again.phases] == [
        phase.gate.required_fields for phase in made.phases
    ]


def test_the_snapshot_is_json_with_the_fields_in_the_order_of_the_author():
    written = json.loads(definition().snapshot)

    assert list(written["phases"][0]["gate"]["evidence_schema"]) == ["tests", "report"]


def test_the_digest_changes_with_any_part():
    made = definition()
    phase = made.phases[1].model_copy(update={"content": "# Phase 2\n\nmore"})
    other = made.model_copy(update={"phases": (made.phases[0], phase)})

    assert definition().digest == made.digest
    assert Definition.model_validate(other.model_dump()).digest != made.digest
