"""The gates of phases that come from a task list, and how a gates.yaml has them looked up."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.criteria_gate import MAX_SLUG, criteria_gate, gates_of, parse_gates, slugs
from mcp_server.core.task_list import Criterion, TaskListError
from mcp_server.core.tasks_markdown import parse_tasks_markdown
from mcp_server.gates.evaluation import evaluate
from mcp_server.gates.observation import Judgement

CRITERIA = tuple(Criterion(text, 1) for text in ("All tests pass", "All pages load", "Reviewed"))
FILE = {"file": "report.md"}


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("All unit tests pass (> 90%)", "all_unit_tests_pass_90"),
        ("`ruff check src` reports nothing", "ruff_check_src_reports_nothing"),
        ("Größe geprüft", "grosse_gepruft"),
        ("完了", "criterion"),
        ("!", "criterion"),
        ("word " * 20, "word_word_word_word_word_word_word_word_word_word_word_word"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_slug_is_made_of_the_words(text, slug):
    assert list(slugs([Criterion(text, 1)])) == [slug]


def test_equal_slugs_are_numbered():
    criteria = [Criterion(text, 1) for text in ("A!", "a", "a 2", "a")]
    assert list(slugs(criteria)) == ["a", "a_2", "a_2_2", "a_3"]


@given(st.lists(st.text(), max_size=20))
def test_slugs_are_unique_and_plain(texts):
    found = slugs(Criterion(text, 1) for text in texts)
    assert len(found) == (len(texts) or 1)
    for name in found:
        assert len(name) <= MAX_SLUG
        assert name.isascii()
        assert name.replace("_", "").isalnum()
        assert name == name.lower()


def test_every_criterion_is_required_and_must_be_true():
    gate = criteria_gate(CRITERIA)
    assert gate.checkpoint.strict
    assert gate.required_fields == ("all_tests_pass", "all_pages_load", "reviewed")
    assert gate.evidence_schema["reviewed"].description == "Reviewed"
    claims = dict.fromkeys(gate.required_fields, True)
    assert evaluate(gate, claims, {}).outcome is Judgement.PASS
    for name in claims:
        assert evaluate(gate, claims | {name: False}, {}).outcome is Judgement.FAIL
        assert evaluate(gate, claims | {name: None}, {}).outcome is Judgement.FAIL


def test_without_criteria_the_phase_must_be_completed():
    gate = criteria_gate(())
    assert gate.required_fields == ("phase_completed",)
    assert evaluate(gate, {"phase_completed": False}, {}).outcome is Judgement.FAIL


@pytest.mark.parametrize("key", ["all_tests_pass", "All tests", "all tests pass", "ALL TESTS"])
def test_settings_are_found_by_slug_or_first_words(key):
    field = criteria_gate(CRITERIA, {key: {"verify": FILE}}).evidence_schema["all_tests_pass"]
    assert [probe.probe for probe in field.probes] == ["file"]
    assert (field.type, field.required, field.description) == ("boolean", True, "All tests pass")


def test_a_type_needs_a_judge():
    settings = {"type": "integer", "verify": {"junit": "r.xml", "count": "failed"}}
    gate = criteria_gate(CRITERIA, {"All tests": settings | {"maximum": 0}})
    assert gate.evidence_schema["all_tests_pass"].json_schema == {"type": "integer", "maximum": 0}
    with pytest.raises(TaskListError, match="which values pass"):
        criteria_gate(CRITERIA, {"All tests": settings})


def test_validators_come_along_where_they_are_used():
    validators = {"none": "lambda x: x == 0", "other": "lambda x: x"}
    extra = {"reviewed": {"type": "integer", "validator": "none"}}
    gate = criteria_gate(CRITERIA, extra, validators)
    assert gate.validators == {"none": "lambda x: x == 0"}


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"all_test_pass": {"verify": FILE}}, "no criterion .* closest is all_tests_pass"),
        ({"All": {"verify": FILE}}, "several criteria: all_tests_pass, all_pages_load"),
        ({"Rev": {"verify": FILE}}, "no criterion"),
        ({"": {"verify": FILE}}, "no criterion"),
        ({"reviewed": {"verify": FILE}, "Reviewed": {"verify": FILE}}, "same criterion"),
        ({"reviewed": {}}, "needs settings"),
        ({"reviewed": "file"}, "needs settings"),
        ({"reviewed": {"required": False}}, "required is not for"),
        ({"reviewed": {"description": "x"}}, "description is not for"),
        ({"reviewed": {"verify": {"fiel": "x"}}}, "unknown probe"),
        ({"reviewed": {"verfy": FILE}}, "did you mean verify"),
        ({"reviewed": {"validator": "none"}}, "unknown validator"),
    ],
)
def test_settings_that_make_no_sense_are_refused(extra, reason):
    with pytest.raises(TaskListError, match=reason):
        criteria_gate(CRITERIA, extra)


LIST = parse_tasks_markdown(
    "## Phase 1: a\n- [ ] 1.1 x\n\n**Phase 1 Gate:**\n- [ ] All tests pass\n"
    "## Phase 3: b\n- [ ] 3.1 y\n"
)
GATES = """validators:
  none: "lambda x: x == 0"
phases:
  1:
    All tests:
      type: integer
      validator: none
      verify: {junit: r.xml, count: failed}
  3:
    phase_completed:
      verify: {approval: "Done?"}
"""


def test_a_file_of_gates_belongs_to_a_list():
    gates = gates_of(LIST, GATES)
    assert gates[1].evidence_schema["all_tests_pass"].validator == "none"
    assert gates[3].verified_fields
    assert not gates_of(LIST)[1].verified_fields
    assert gates_of(LIST, "").keys() == {1, 3}


@pytest.mark.parametrize(
    ("old", "new", "reason", "line"),
    [
        ("  3:", "  2:", "phase 2 is not in the list of tasks; the closest is 1", 9),
        ("  3:", "  three:", "no phase number", 9),
        ("phases:", "phase:", "did you mean phases", 3),
        ("All tests", "Some tests", "phase 1: 'Some tests' is no criterion", 5),
        ("phase_completed", "done", "closest is phase_completed", 10),
        ("x == 0", "open(x)", "open", 1),
        ("validator: none", "validator: some", "unknown validator", 4),
        ("  1:", "  1: []\n  4:", "must be a mapping", 4),
        ("phases:", "phases: [", "not YAML", 5),
    ],
)
def test_a_file_of_gates_is_refused_with_its_line(old, new, reason, line):
    with pytest.raises(TaskListError, match=reason) as refusal:
        gates_of(LIST, GATES.replace(old, new))
    assert refusal.value.line == line


@given(st.text())
def test_any_file_of_gates_is_read_or_refused(text):
    with contextlib.suppress(TaskListError):
        assert gates_of(LIST, text).keys() == {1, 3}
        assert parse_gates(text).phases.keys() <= {1, 3}
