"""What a field must be, and how it is known, in few words."""

import pytest

from mcp_server.core.definitions import Phase, Task
from mcp_server.gates.model import EvidenceField, Gate
from mcp_server.pages.words import heading, known_by, must_be, task_title


def said(**field) -> str:
    made = EvidenceField.model_validate(field)
    return must_be(Gate(evidence_schema={"a": made}), made)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({}, ""),
        ({"type": "boolean"}, "true"),
        ({"type": "boolean", "required": False}, ""),
        ({"type": "boolean", "const": False}, "equal to `false`"),
        ({"enum": ["go", "no | go"]}, r'one of `"go"`, `"no \| go"`'),
        ({"minimum": 1, "maximum": 9}, "at least 1; at most 9"),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1.5}, "more than 0; less than 1.5"),
        ({"multipleOf": 5}, "a multiple of 5"),
        ({"minLength": 1, "maxLength": 40}, "at least 1 character; at most 40 characters"),
        ({"pattern": "^(a|b)$"}, r"matches `^(a\|b)$`"),
        ({"minItems": 1, "maxItems": 2}, "at least 1 item; at most 2 items"),
        ({"uniqueItems": True}, "no item twice"),
        ({"uniqueItems": False}, "items may repeat"),
        ({"minProperties": 2, "maxProperties": 3}, "at least 2 keys; at most 3 keys"),
        ({"items": {"type": "string", "minLength": 5}}, "each item string, at least 5 characters"),
        ({"items": {}}, "each item anything"),
        ({"items": False}, "items `false`"),
        (
            {"properties": {"passed": {"minimum": 1}, "failed": {"const": 0}, "other": True}},
            "`passed`: at least 1; `failed`: equal to `0`; `other`: `true`",
        ),
        ({"items": {"type": ["string", "null"]}}, 'each item `["string","null"]`'),
        ({"items": {"required": ["a", "b"]}}, "each item needs `a`, `b`"),
        ({"anyOf": [{"minimum": 1}]}, 'anyOf `[{"minimum":1}]`'),
        ({"title": "A", "default": 1, "examples": [1], "$comment": "c"}, ""),
    ],
)
def test_the_keywords_of_a_field_are_put_into_words(field, words):
    assert said(**field) == words


def test_a_schema_that_goes_deep_is_shown_as_it_is_written():
    deep = {"items": {"items": {"items": {"items": {"minimum": 1}}}}}
    assert said(**deep) == 'each item each item each item items `{"minimum":1}`'


def test_a_validator_is_shown_with_its_source_and_parameters():
    gate = Gate.model_validate(
        {
            "evidence_schema": {
                "a": {"validator": "below", "validator_params": {"most": 20}},
                "b": {"validator": "some"},
            },
            "validators": {
                "below": "lambda x, most: x < most",
                "some": "lambda x: x == 1 or x == 2",
            },
        }
    )
    assert [must_be(gate, field) for field in gate.evidence_schema.values()] == [
        'below: `lambda x, most: x < most` with `{"most":20}`',
        "some: `lambda x: x == 1 or x == 2`",
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({}, "claimed"),
        ({"verify": {"file": "a.md"}}, "observed: `file a.md`"),
        (
            {"verify": {"file": "a.md", "fresh": True}},
            "observed: `file a.md`, written in this phase",
        ),
        (
            {"verify": [{"command": "test"}, {"git": "clean"}]},
            "executed: `command test`, or observed: `git clean`",
        ),
        (
            {"verify": {"command": "test"}, "assurance": "executed"},
            "executed: `command test`; at least executed",
        ),
        ({"verify": {"approval": "Is it good?"}}, "approved: `approval: Is it good?`"),
    ],
)
def test_how_a_field_is_known_names_probe_and_strength(field, words):
    assert known_by(EvidenceField.model_validate(field)) == words


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Phase 2: Build", "Phase 2: Build"),
        ("phase 2 - Build", "phase 2 - Build"),
        ("Build", "Phase 2: Build"),
        ("Phase 21: Build", "Phase 2: Phase 21: Build"),
    ],
)
def test_a_heading_has_the_number_of_its_phase_once(title, shown):
    assert heading(Phase(phase_number=2, title=title, gate=Gate())) == shown


@pytest.mark.parametrize(
    ("title", "shown"),
    [("Task 1: Look", "Look"), ("Look", "Look"), ("Task 2: Look", "Task 2: Look"),
     ("Task 1:", "Task 1:")],
)  # fmt: skip
def test_a_task_is_titled_without_its_number(title, shown):
    assert task_title(Task(task_number=1, title=title, file="", content="")) == shown
