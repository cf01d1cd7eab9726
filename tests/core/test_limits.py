"""How much an agent may submit."""

import pytest

from mcp_server.core.limits import MAX_FIELD_NAME, MAX_FIELDS, Limits, require_evidence
from mcp_server.errors import InvalidArgumentError

TEN = Limits(evidence=10)


def refusal(evidence, limits=Limits()):  # noqa: B008 - it is frozen
    with pytest.raises(InvalidArgumentError) as refused:
        require_evidence(evidence, limits)
    return refused.value.message, refused.value.remediation


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("evidence", "limits"),
    [
        ({}, Limits()),
        ({"a b": 1, "\u6587": None, "-": [True]}, Limits()),
        ({f"field_{n}": n for n in range(MAX_FIELDS)}, Limits()),
        ({"n" * MAX_FIELD_NAME: 1}, Limits()),
        ({"a": "xx"}, TEN),
        ({"a": nested(4)}, Limits(depth=5)),
    ],
    ids=["nothing", "names", "fields", "long name", "bytes", "depth"],
)
def test_what_is_just_within_the_limits_is_taken(evidence, limits):
    require_evidence(evidence, limits)


@pytest.mark.parametrize("name", ["", "a\nb", "a\0", "\x1b[31m", "\u202e", "\u2028", "\ud800"])
def test_a_name_is_text_that_can_be_shown(name):
    assert refusal({"fine": 1, name: 1}) == (
        "evidence has a field whose name is empty or holds control characters",
        "Name the fields as get_phase shows them.",
    )


@pytest.mark.parametrize(
    ("evidence", "count"),
    [
        ({f"field_{n}": n for n in range(MAX_FIELDS + 1)}, 257),
        ({"n" * (MAX_FIELD_NAME + 1): 1, "other": 2}, 2),
    ],
    ids=["fields", "name"],
)
def test_there_are_only_so_many_fields_with_names_only_so_long(evidence, count):
    message, remedy = refusal(evidence)
    assert message == (
        f"evidence is too large: {count} fields; at most 256, with names of at most 128 characters"
    )
    assert remedy == "Submit the fields that the gate names; put lists into one field."


@pytest.mark.parametrize(
    ("evidence", "limits", "message"),
    [
        ({"a": "xxx"}, TEN, "evidence is too large: 11 bytes of JSON, at most 10"),
        ({"a": "\u6587"}, TEN, "evidence is too large: 11 bytes of JSON, at most 10"),
        ({"a": nested(5)}, Limits(depth=5), "evidence is nested too deep: more than 5 levels"),
        ({"a": nested(100_000)}, Limits(), "evidence is nested too deep: more than 64 levels"),
        (
            {"a": float("nan")},
            Limits(),
            "evidence is not plain JSON: Out of range float values are not JSON compliant",
        ),
        (
            {"a": "\ud800"},
            Limits(),
            "evidence is not plain JSON: it holds a lone surrogate, which UTF-8 cannot encode",
        ),
    ],
    ids=["bytes", "bytes of UTF-8", "depth", "very deep", "NaN", "surrogate"],
)
def test_evidence_is_small_shallow_plain_json(evidence, limits, message):
    assert refusal(evidence, limits)[0].startswith(message)
