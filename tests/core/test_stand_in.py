"""The stand-in for a definition that is not at hand: it says so, and lets nobody through."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.definitions import Definition
from mcp_server.core.stand_in import stand_in
from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.observation import Judgement

MADE = stand_in("gone_v1", (0, 1, 2))
GATE = MADE.phases[0].gate
FIELD = GATE.required_fields[0]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text() | st.just(FIELD), JSON))
def test_no_evidence_ever_passes_its_gate(evidence: dict[str, Any]):
    assert evaluate(GATE, evidence, {}).outcome is Judgement.FAIL


@pytest.mark.parametrize("value", [None, True, False, 0, 1, "", "nothing", [], {}])
def test_the_field_that_it_asks_for_does_not_pass_either(value):
    assert evaluate(GATE, {FIELD: value}, {}).outcome is Judgement.FAIL


def test_every_phase_is_gated_so_and_strictly():
    assert MADE.phase_numbers == (0, 1, 2)
    assert all(phase.gate == GATE and phase.gate.checkpoint.strict for phase in MADE.phases)
    assert not GATE.checkpoint.allow_override


def test_it_says_what_happened_and_what_to_do():
    (field,) = GATE.evidence_schema.values()
    texts = [MADE.description, field.description, *(phase.content for phase in MADE.phases)]
    for text in texts:
        assert "not at hand when" in text
        assert 'aos_workflow(action="start", workflow_type="gone_v1"' in text
    assert all(len(text) <= 300 for text in texts[:2]), "an answer clips it there"


def test_the_gate_stays_shut_after_being_pinned():
    again = Definition.from_snapshot(MADE.snapshot)
    assert again == MADE
    assert evaluate(again.phases[0].gate, {FIELD: True}, {}).outcome is Judgement.FAIL
