"""What a check may expect of an answer."""

import pytest

from mcp_server.validating.agent import UnsoundError, expect, expect_equal


def test_what_is_as_it_must_be_passes():
    expect("something", "never said")
    expect_equal({"paused": True, "phase": 1, "note": None}, paused=True, phase=1, note=None)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"paused": False}, "paused is False, not True"),
        ({"paused": 1}, "paused is 1, not True"),
        ({"paused": "true"}, "paused is 'true', not True"),
        ({}, "paused is None, not True"),
    ],
)
def test_what_is_not_is_told_with_both_values(answer, told):
    with pytest.raises(UnsoundError) as raised:
        expect_equal(answer, paused=True)
    assert str(raised.value) == told
