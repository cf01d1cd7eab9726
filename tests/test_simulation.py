"""The model of many agents: repeatable, and in keeping with what is known of queues."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.simulation import Assumptions, assumptions, simulate, table

SMALL = Assumptions(agents=200, thinking=1.0, seconds=40.0, at_once=1, network=0.0,
                    changing=1.0, change_work=0.001)  # fmt: skip


def test_the_same_assumptions_give_the_same_figures():
    assert simulate(SMALL) == simulate(SMALL)
    assert simulate(replace(SMALL, seed=2)) != simulate(SMALL)


def test_a_partition_is_as_busy_as_its_calls_make_it():
    came = simulate(SMALL)
    assert came.busy == pytest.approx(came.calls * SMALL.change_work, rel=0.05)


def test_every_agent_is_either_thinking_or_waiting():
    # With hardly any waiting, so many agents make so many calls: Little's law.
    came = simulate(SMALL)
    assert came.calls == pytest.approx(SMALL.agents / SMALL.thinking, rel=0.05)


def test_one_line_waits_as_long_as_the_formula_says():
    # One server, busy half of the time: its answers are distributed exponentially around twice
    # the work, if there are so many agents that one does not matter.
    half = replace(SMALL, agents=5_000, thinking=10.0)
    came = simulate(half)
    assert came.busy == pytest.approx(0.5, rel=0.05)
    assert came.median == pytest.approx(2 * half.change_work * 0.693, rel=0.1)
    assert came.slow == pytest.approx(2 * half.change_work * 4.605, rel=0.15)


def test_what_is_too_much_for_one_partition_is_answered_as_fast_as_it_can_work():
    came = simulate(replace(SMALL, agents=4_000))
    assert came.busy == pytest.approx(1.0, rel=0.02)
    assert came.calls == pytest.approx(1 / SMALL.change_work, rel=0.05)


def test_more_partitions_answer_sooner():
    one, two = (simulate(replace(SMALL, agents=900, partitions=n)) for n in (1, 2))
    assert two.slow < one.slow
    assert two.busy < one.busy


def test_the_document_shows_what_the_model_says():
    document = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
    text = document.read_text(encoding="utf-8")
    assert table() in text
    assert assumptions() in text
