"""What answers show of evidence that the server looked for, and of what persons said."""

import json
from datetime import timedelta

import pytest

from mcp_server.core import views
from mcp_server.core.artifacts import MAX_VALUE
from mcp_server.core.definitions import Phase
from mcp_server.core.lifecycle import MAX_SOURCES, override_phase, prepare, record_of, refuse_phase
from mcp_server.core.models import Override
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Known, Observation, Source
from tests.builders import NOON
from tests.core.session_builders import ERROR, ID, birth, state

LATER = NOON + timedelta(seconds=5)
SOURCE = Source("docs/plan.md", 12, "0123456789abcdef" * 4, NOON)


def seen(value=1, sources=(SOURCE,), **changes):
    return Observation(Known.OBSERVED, value=value, probe="count plan", sources=sources, **changes)


def items(**looks):
    """Evidence that was found, as it is stored."""
    values = {name: look.value for name, look in looks.items()}
    known = {name: look.known for name, look in looks.items()}
    return prepare(values, known, {n: record_of(look, LATER) for n, look in looks.items()}).items


def size(value):
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def verified_by(verify, **facts):
    gate = Gate.model_validate({"evidence_schema": {"field": {"verify": verify}}})
    shown = views.phase_content(Phase(phase_number=1, title="P", gate=gate), state(**facts))
    return shown["checkpoint"]["evidence"]["field"]["verified_by"]


def test_a_claim_is_shown_as_a_claim():
    assert views.accepted(prepare({"a": 1}).items) == {"a": {"known": "claimed"}}


def test_what_was_found_is_shown_with_what_showed_it():
    assert views.accepted(items(a=seen())) == {
        "a": {
            "known": "observed",
            "observed": {
                "by": "count plan",
                "at": "2026-03-14T12:00:05.000Z",
                "value": 1,
                "files": [
                    {
                        "path": "docs/plan.md",
                        "size": 12,
                        "sha256": "0123456789ab",
                        "modified": "2026-03-14T12:00:00.000Z",
                    }
                ],
            },
        }
    }


def test_what_was_found_without_a_file_is_shown_without_one():
    assert views.accepted(items(a=seen(value=True, sources=()))) == {
        "a": {
            "known": "observed",
            "observed": {"by": "count plan", "at": "2026-03-14T12:00:05.000Z", "value": True},
        }
    }


def test_many_files_are_shown_by_the_first():
    sources = tuple(Source(f"{n}.md", n, "a" * 64, NOON) for n in range(MAX_SOURCES + 1))
    shown = views.accepted(items(a=seen(sources=sources)))["a"]["observed"]["files"]
    assert [file["path"] for file in shown] == ["0.md", "1.md"]
    shown = views.observed({"a": seen(sources=sources)})["a"]["files"]
    assert [file["path"] for file in shown] == ["0.md", "1.md"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, True),
        (False, True),
        ("", True),
        ("x" * (MAX_VALUE - 2), True),
        ("x" * (MAX_VALUE - 1), False),
        ("x" * 5_000, False),
        (None, False),
    ],
)
def test_a_value_is_shown_if_there_is_a_short_one(value, shown):
    accepted = views.accepted(items(a=seen(value=value)))["a"]["observed"]
    found = views.observed({"a": seen(value=value)})["a"]
    assert [("value" in view, view.get("value")) for view in (accepted, found)] == [
        (shown, value if shown else None)
    ] * 2


def test_a_long_probe_is_clipped():
    shown = views.accepted(items(a=Observation(Known.OBSERVED, value=1, probe="p" * 500)))
    assert shown["a"]["observed"]["by"] == "p" * 119 + "\u2026"


def test_all_accepted_fields_are_shown_and_as_many_looks_as_fit():
    shown = views.accepted(items(**{f"field_{n}": seen(value="v" * 150) for n in range(20)}))
    assert [view["known"] for view in shown.values()] == ["observed"] * 20
    looks = [view["observed"] for view in shown.values() if "observed" in view]
    assert 1 < len(looks) < 20
    assert sum(map(size, looks)) <= views.MAX_OBSERVED


def test_what_was_seen_is_shown_in_a_refusal():
    assert views.observed({"a": seen(), "b": seen(value=[1, 2], sources=())}) == {
        "a": {
            "known": "observed",
            "value": 1,
            "files": [{"path": "docs/plan.md", "size": 12, "sha256": "0123456789ab"}],
        },
        "b": {"known": "observed", "value": [1, 2]},
    }
    assert views.observed({}) == {}


def test_what_was_seen_beyond_the_budget_is_counted():
    looks = {f"field_{n:02}": seen(value="v" * 150) for n in range(20)}
    shown = views.observed(looks)
    *fields, last = shown
    assert (last, shown[last]) == ("more_fields", 20 - len(fields))
    assert fields == list(looks)[: len(fields)]
    assert 1 < len(fields) < 20
    assert size(shown) < views.MAX_OBSERVED + 100


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        ({}, {}),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        ({"a": "x" * (views.MAX_REPEATED - 8)}, {"a": "x" * (views.MAX_REPEATED - 8)}),
        ({"a": "x" * (views.MAX_REPEATED - 7)}, {"...": "the same evidence"}),
        ({"a": "\u6587" * (views.MAX_REPEATED // 3)}, {"...": "the same evidence"}),
    ],
)
def test_evidence_is_repeated_if_it_is_short(evidence, shown):
    assert views.repeated(evidence) == shown


def waved(phases=(1, 2), reason="an experiment"):
    refused = refuse_phase(birth(phases=phases).state, prepare({}), ERROR, NOON).state
    override = Override(phase=1, by="alex", via="the client", time=LATER, reason=reason)
    return override_phase(refused, override).state


def test_a_phase_that_was_waved_through_is_not_shown_as_passed():
    assert views.overridden(waved()) == {
        "phase_completed": 1,
        "checkpoint_passed": False,
        "overridden": {"by": "alex", "via": "the client", "reason": "an experiment"},
        "current_phase": 2,
        "next": f'aos_workflow(action="get_phase", session_id="{ID}")',
    }


def test_the_last_phase_that_was_waved_through_ends_the_workflow():
    shown = views.overridden(waved(phases=(1,), reason="r" * 1_000))
    assert shown == {
        "phase_completed": 1,
        "checkpoint_passed": False,
        "overridden": {"by": "alex", "via": "the client", "reason": "r" * 299 + "\u2026"},
        "workflow_complete": True,
        "next": 'aos_workflow(action="list_workflows")',
    }


@pytest.mark.parametrize(
    ("verify", "shown"),
    [
        ({"file": "docs/plan.md"}, "file docs/plan.md"),
        ({"file": ["a.md", "b.md"]}, "file a.md, b.md"),
        ({"count": "a.md", "pattern": "^## "}, "count a.md, matches of ^## "),
        (
            {"junit": "r.xml", "count": "passed", "of": "{target_file}"},
            "junit r.xml (passed)",
        ),
        ({"coverage": "c.xml", "of": "{target_file}"}, "coverage c.xml (lines of src/a.py)"),
        (
            [{"command": "test", "report": {"junit": "r.xml"}}, {"junit": "r.xml"}],
            "command test, then junit r.xml, or junit r.xml",
        ),
        ({"approval": "Is {target_name} good?"}, "approval: Is a.py good?"),
        ({"file": "{evidence.report}"}, "file {evidence.report}"),
        (
            {"file": "{target_dir}/{target_stem}/{session_id}.md"},
            f"file src/a/{ID}.md",
        ),
        ({"approval": "q" * 500}, "approval: " + "q" * 149 + "\u2026"),
    ],
)
def test_a_gate_says_what_the_server_looks_at(verify, shown):
    assert verified_by(verify) == shown


def test_a_gate_describes_a_field_by_the_names_of_this_session():
    gate = Gate.model_validate({"evidence_schema": {"field": {"description": "{target_dir}/n.md"}}})
    shown = views.phase_content(Phase(phase_number=1, title="P", gate=gate), state())
    assert shown["checkpoint"]["evidence"]["field"]["description"] == "src/n.md"


def test_a_gate_says_how_a_field_must_be_known():
    field = {
        "type": "integer",
        "assurance": "executed",
        "verify": {"command": "test"},
        "description": "D",
    }
    gate = Gate.model_validate({"evidence_schema": {"field": field, "plain": {}}})
    shown = views.phase_content(Phase(phase_number=1, title="P", gate=gate), state())
    assert shown["checkpoint"]["evidence"] == {
        "field": {
            "type": "integer",
            "required": True,
            "description": "D",
            "verified_by": "command test",
            "assurance": "executed",
        },
        "plain": {"type": "any", "required": True},
    }
