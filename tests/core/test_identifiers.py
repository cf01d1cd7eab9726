"""Session ids: how they are made and what passes as one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.identifiers import (
    MAX_SESSION_ID,
    SESSION_ID_PATTERN,
    is_digest,
    make_session_id,
    validate_session_id,
)
from mcp_server.errors import InvalidArgumentError, quoted
from tests.builders import NOON

ID = "test_generation_v3_main_py_20260314_120000_a1b2c3"


@pytest.mark.parametrize("session_id", [ID, "a", "0", "_", "a" * 128])
def test_an_id_is_accepted(session_id):
    assert validate_session_id(session_id) is True


@pytest.mark.parametrize(
    "session_id",
    [
        "",
        f"{ID}\n",
        f"\n{ID}",
        f"{ID} ",
        f"{ID}\0",
        ID.upper(),
        "a\u0664b",
        "a\u00b2b",
        "caf\u00e9",
        "\uff41bc",
        "a/b",
        "a\\b",
        "../a",
        "..",
        "a.b",
        "a-b",
        "a:b",
        "a" * 129,
        "a" * 100_000,
    ],
)
def test_text_that_is_no_id_is_refused(session_id):
    with pytest.raises(InvalidArgumentError) as refusal:
        validate_session_id(session_id)
    assert refusal.value.message == f"Invalid session_id format: {quoted(session_id)}"
    assert refusal.value.remediation == (
        "Pass the session_id exactly as start or list_sessions returned it."
    )


@pytest.mark.parametrize(
    ("session_id", "shown"),
    [(None, "of type NoneType"), (7, "7"), (ID.encode(), "of type bytes"), ([ID], "of 1 items")],
)
def test_anything_but_text_is_refused(session_id, shown):
    with pytest.raises(InvalidArgumentError) as refusal:
        validate_session_id(session_id)
    assert refusal.value.message == f"Invalid session_id format: {shown}"


@pytest.mark.parametrize(
    ("workflow", "target", "expected"),
    [
        ("small_v1", "src/main.py", "small_v1_main_py_20260314_120000_a1b2c3"),
        ("small_v1", "src/package/", "small_v1_package_20260314_120000_a1b2c3"),
        ("Small-V1.2", "Main File.PY", "small_v1_2_main_file_py_20260314_120000_a1b2c3"),
        ("small_v1", "\u6587\u4ef6", "small_v1_target_20260314_120000_a1b2c3"),
        ("\u6587", "a", "workflow_a_20260314_120000_a1b2c3"),
        ("small_v1", "x" * 60, f"small_v1_{'x' * 40}_20260314_120000_a1b2c3"),
        ("small_v1", f"{'x' * 39} y", f"small_v1_{'x' * 39}_20260314_120000_a1b2c3"),
        ("w" * 200, "a", f"{'w' * 103}_a_20260314_120000_a1b2c3"),
    ],
)  # fmt: skip
def test_an_id_tells_workflow_target_and_time(workflow, target, expected):
    assert make_session_id(workflow, target, NOON, "a1b2c3") == expected


@given(
    workflow=st.text(max_size=200),
    target=st.text(max_size=600),
    now=st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    suffix=st.text("0123456789abcdef", min_size=6, max_size=6),
)
def test_every_id_that_is_made_passes_and_ends_in_time_and_suffix(workflow, target, now, suffix):
    made = make_session_id(workflow, target, now, suffix)
    assert SESSION_ID_PATTERN.fullmatch(made)
    assert len(made) <= MAX_SESSION_ID
    assert made.endswith(f"_{now:%Y%m%d_%H%M%S}_{suffix}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0" * 64, True),
        ("0123456789abcdef" * 4, True),
        ("0" * 63, False),
        ("0" * 65, False),
        ("0" * 64 + "\n", False),
        ("A" * 64, False),
        ("\u0660" * 64, False),
        ("../" + "0" * 61, False),
    ],
)
def test_a_digest_is_64_lower_hexadecimal_digits(text, expected):
    assert is_digest(text) is expected
