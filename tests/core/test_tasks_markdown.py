"""What is read of a phase and of a task, which gate a phase has, and what is refused where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.core.task_list import MAX_PHASES, MAX_TEXT, TaskList, TaskListError
from mcp_server.core.tasks_markdown import parse_tasks_markdown

PHASE = "## Phase 1: Ground\n\n"
TASK = PHASE + "### Task 1.1: Dig\n\n"


def the_phase(text):
    return parse_tasks_markdown(text).phases[0]


def the_task(text):
    return the_phase(text).tasks[0]


@pytest.mark.parametrize(
    ("text", "objective", "duration"),
    [
        ("**Objective:** A base\n\n**Estimated Duration:** 2 days\n", "A base", "2 days"),
        ("**Goal**: A base\n**Duration**: 2 days\n", "A base", "2 days"),
        ("**Purpose:**\n\nA base\n\n*Timeline:* 2 days\n", "A base", "2 days"),
        ("A base\n\nEstimated Time: 2 days\n", "A base", "2 days"),
        ("### Objective\n\nA base\n\n### Duration\n\n2 days\n\n### Tasks\n\n", "A base", "2 days"),
        ("- **Objective:** A base\n- **Estimate**: 2 days\n\n", "A base", "2 days"),
        ("**Objective:** A base\nthat holds\n", "A base that holds", ""),
        ("**Objective:** A base | **Estimated Effort:** 2 days\n", "A base", "2 days"),
        ("", "", ""),
    ],
)
def test_a_phase_has_an_objective_and_a_duration(text, objective, duration):
    phase = the_phase(f"{PHASE}{text}\n### Task 1.1: Dig\n")
    assert (phase.objective, phase.duration) == (objective, duration)


@pytest.mark.parametrize(
    ("heading", "name", "duration"),
    [
        ("Ground (Days 1-2)", "Ground", "Days 1-2"),
        ("Ground [~3h]", "Ground", "~3h"),
        ("Ground (part two)", "Ground (part two)", ""),
        ("`Ground` in __init__.py", "`Ground` in __init__.py", ""),
        ("Validation & Testing", "Validation & Testing", ""),
        ("(2 weeks)", "(2 weeks)", ""),
    ],
)
def test_a_duration_in_parentheses_is_no_part_of_the_name(heading, name, duration):
    phase = the_phase(f"## Phase 1: {heading}\n### Task 1.1: Dig\n")
    assert (phase.name, phase.duration) == (name, duration)


def test_a_phase_without_a_name_is_called_by_its_number():
    phase = the_phase("## Phase 10\n### Task 10.4\n")
    assert (phase.number, phase.name, phase.tasks[0].name) == (10, "Phase 10", "Task 10.4")


FULL = {
    "labels in paragraphs": TASK + """**Estimated Time:** 2 hours
**Dependencies:** None

Take the long spade.

**Steps:**

1. Mark
2. Lift

**Acceptance Criteria:**
- [ ] one meter
- [x] no stones

**Traceability:** R-1
""",
    "labels in a list": TASK + """Take the long spade.

- **Estimated Time**: 2 hours
- **Dependencies**: None
- **Steps**:
  - Mark
  - Lift
- **Acceptance Criteria**:
  - one meter
  - no stones
""",
    "labels as headings": TASK + """#### Description

Take the long spade.

#### Time Estimate

2 hours

#### Dependencies

None

#### Implementation Steps

- Mark
- Lift

#### Acceptance Criteria

* one meter
* no stones

#### Notes

* dry soil
""",
    "below a list item": PHASE + """- [ ] **Task 1.1**: Dig
  Take the long spade.
  **Time Estimate:** 2 hours
  **Depends on:** None

  - Mark
  - Lift

  **Done when:**
  - [ ] one meter
  - [ ] no stones
""",
    "items below a list item": PHASE + """- [ ] **Task 1.1**: Dig
  - **Description:** Take the long spade.
  - **Effort:** 2 hours
  - **Dependencies:** None
  - Mark
  - Lift
  - **Acceptance Criteria:**
    - [ ] one meter
    - [ ] no stones
""",
    "after a list item": PHASE + """- [x] **Task 1.1**: Dig

**Estimated Time**: 2 hours
**Dependencies**: None
**Description**: Take the long spade.
**Steps**:
  - Mark
  - Lift

**Acceptance Criteria:**
  - [ ] one meter
  - [ ] no stones

- [x] **Task 1.2**: Pour
""",
}  # fmt: skip


@pytest.mark.parametrize("text", FULL.values(), ids=FULL)
def test_a_task_has_fields(text):
    task = the_task(text)
    assert task.name == "Dig"
    assert task.description == "Take the long spade."
    assert task.estimated_time == "2 hours"
    assert (task.dependencies, task.dependency_text) == ((), "None")
    assert task.steps == ("Mark", "Lift")
    assert task.acceptance_criteria == ("one meter", "no stones")


def test_a_task_keeps_its_source():
    text = TASK + "Take it.\n\n```\ncode\n```\n\n### Task 1.2: Pour\n"
    assert the_task(text).text == "Take it.\n\n```\ncode\n```"


def test_nested_items_belong_to_their_criterion():
    text = TASK + (
        "**Acceptance Criteria:**\n"
        "- [ ] All pass:\n  - lint\n  - types\n"
        "- Safety\n  - [ ] no rubble\n  - [ ] a fence\n    - red\n"
    )
    assert the_task(text).acceptance_criteria == (
        "All pass: lint; types",
        "Safety: no rubble",
        "Safety: a fence: red",
    )


GATES = {
    "a label after the last task": "**Validation Gate:**\n\n- [ ] dry\n- [ ] level\n",
    "a label that names the phase": (
        "**Phase 1 Validation Gate:**\n\nBefore advancing to Phase 2:\n- [ ] dry\n- [x] level\n\n"
        "**Evidence Required:**\n- a photograph\n```\n- [ ] no\n```\n"
    ),
    "a heading": "### Phase 1 Validation Gate\n\n**Before Phase 2:**\n- [ ] dry\n- [ ] level\n",
    "a heading without the phase": "### Validation Gate\n- dry\n- level\n",
    "a heading below the task": "#### Validation Gate\n- dry\n- level\n",
    "a checkpoint": (
        "\N{OCTAGONAL SIGN} **Phase 1 Completion Checkpoint:**\n- [ ] dry\n- [ ] level\n"
    ),
    "exit criteria": "### Phase 1 Exit Criteria\n- [ ] dry\n- [ ] level\n",
    "success criteria": "### Success Criteria\n- [ ] dry\n- [ ] level\n",
    "at the level of the phase": "## Phase 1 Validation Gate\n- [ ] dry\n- [ ] level\n",
    "the same, without a number": "## Validation Gate\n- [ ] dry\n- [ ] level\n",
    "collected at the end": (
        "## Validation Gates\n\nTo go on:\n\n### Phase 1 Validation Gate (Final)\n"
        "- [ ] dry\n- [ ] level\n"
    ),
    "collected by name": "## Quality Gates\n### Phase 1: Ground\n- [ ] dry\n- [ ] level\n",
    "collected by transition": (
        "## Validation Gates\n### Phase 1 \N{RIGHTWARDS ARROW} Phase 2\n- [ ] dry\n- [ ] level\n"
    ),
    "criteria beside a gate": (
        "### Phase 1 Success Criteria\n- [ ] rich\n### Phase 1 Gate\n- [ ] dry\n- [ ] level\n"
    ),
    "parts of a gate": "### Phase 1 Validation Gate\n#### Checklist\n- dry\n- [ ] level\n",
    "below a list without an empty line": "- lift\n**Validation Gate**:\n- [ ] dry\n- [ ] level\n",
    "twice": "**Phase 1 Gate:**\n- [ ] dry\n- [ ] level\n\n## Phase 1 Validation Gate\n- [ ] dry\n",
}


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
@pytest.mark.parametrize("task", ["### Task 1.1: Dig\n- lift\n", "- [ ] **Task 1.1**: Dig\n"])
def test_a_phase_has_the_criteria_of_its_gate(gate, task):
    phase = the_phase(f"{PHASE}{task}\n{gate}")
    assert [one.text for one in phase.criteria] == ["dry", "level"]
    assert phase.tasks[0].acceptance_criteria == ()


def test_a_gate_may_have_parts_and_stand_on_one_line():
    text = TASK + "**Checkpoint**: it holds\n\n**Sign-off Required:**\n- [ ] Ann\n- Bob\n"
    assert [one.text for one in the_phase(text).criteria] == ["it holds", "Sign-off Required: Ann"]


def test_gates_within_tasks_belong_to_the_tasks():
    text = (
        TASK + "**Validation Gate:**\n- [ ] a\n### Task 1.2: Pour\n**Validation Gate:**\n- [ ] b\n"
    )
    phase = the_phase(text)
    assert [task.acceptance_criteria for task in phase.tasks] == [("a",), ("b",)]
    assert phase.criteria == ()


def test_criteria_and_tasks_know_their_lines():
    phase = the_phase(TASK + "**Phase 1 Gate:**\n\n- [ ] dry\n")
    assert (phase.line, phase.tasks[0].line, phase.criteria[0].line) == (1, 3, 7)


def test_lettered_tasks_are_numbered_by_position():
    text = PHASE + "### Task 1.1: a\n### Task 1.1b: b\n### Task 1.4: c\n"
    assert [(t.task_id, t.number) for t in the_phase(text).tasks] == [
        ("1.1", 1), ("1.1b", 2), ("1.4", 3),
    ]  # fmt: skip


def test_codes_are_kept_and_numbered_by_position():
    text = PHASE + "- [ ] T007 [P] Dig\n- [ ] T009 Pour\n  - **Depends on:** T007\n"
    found = the_phase(text).tasks
    assert [(t.task_id, t.number, t.name) for t in found] == [
        ("T007", 1, "[P] Dig"), ("T009", 2, "Pour"),
    ]  # fmt: skip
    assert found[1].dependencies == ("T007",)


def test_numbers_may_have_gaps():
    found = parse_tasks_markdown(
        "## Phase 0: a\n### Task 0.3: x\n## Phase 7: b\n### Task 7.10: y\n"
    )
    assert [(p.number, p.tasks[0].task_id, p.tasks[0].number) for p in found.phases] == [
        (0, "0.3", 3), (7, "7.10", 10),
    ]  # fmt: skip


REFUSED = {
    "no phases": ("# Plan\n\nprose\n", "no phase", None),
    "nothing": ("", "no phase", None),
    "a phase twice": (
        "## Phase 1: a\n### Task 1.1: x\n## Phase 1: b\n### Task 1.2: y\n", "phase 1 .* line 1", 3,
    ),
    "a task twice": (TASK + "### Task 1.1: again\n", "task 1.1 .* line 3", 5),
    "a number twice": (PHASE + "### Task 1: x\n### Task 1: y\n", "task 1.1 .* twice", 4),
    "an empty phase": (TASK + "## Phase 2: b\nprose\n", "phase 2 has neither", 5),
    "a task of another phase": (PHASE + "### Task 2.1: x\n", "task 2.1 stands in phase 1", 3),
    "a broken number": ("## Phase 2.5: a\n### Task 2.5: x\n", "whole number", 1),
    "a dependency on nothing": (TASK + "**Dependencies:** Task 1.2\n", "1.1 .* 1.2", 5),
    "a bare dependency on nothing": (TASK + "\n**Depends on:** 9.9\n", "1.1 .* 9.9", 6),
    "a dependency on no phase": (TASK + "**Dependencies:** Phase 3 complete\n", "phase 3", 5),
    "itself": (TASK + "**Dependencies:** 1.1\n", "1.1 -> 1.1", 5),
    "a cycle": (
        TASK + "**Dependencies:** 1.2\n### Task 1.2: y\n**Dependencies:** 1.1\n",
        "1.1 -> 1.2 -> 1.1", 5,
    ),
    "a gate of no phase": (TASK + "## Phase 2 Validation Gate\n- [ ] x\n", "gate of phase 2", 5),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_line(text, reason, line):
    with pytest.raises(TaskListError, match=reason) as refusal:
        parse_tasks_markdown(text)
    assert refusal.value.line == line


LARGE = {
    "fifty million characters": "x" * 50_000_000,
    "too many bytes": "\N{EURO SIGN}" * (MAX_TEXT // 3 + 1),
    "too many lines": "\n" * 100_000,
    "ten thousand phases": "".join(f"## Phase {n}: x\n### Task {n}.1: y\n" for n in range(10_000)),
    "too many phases": "".join(f"## Phase {n}: x\n- [ ] y\n" for n in range(MAX_PHASES + 1)),
    "too many tasks": PHASE + "".join(f"### Task 1.{n}: y\n" for n in range(2_001)),
    "deep quotes": ">" * 10_000 + " x",
    "deep lists": "- " * 10_000 + "x",
    "deep lists, line by line": "".join(f"{'  ' * n}- x\n" for n in range(1_000)),
    "link definitions": "[a]: b\n" * 50_000,
    "open brackets": "[" * 1_000_000,
    "open comments": "a <!-- " * 200_000,
    "stars": "*" * 1_000_000,
    "a long label": "**" + "a" * 1_000_000,
    "long headings": "## Phase " + "1" * 1_000_000,
    "long gaps": "## Phase" + " " * 1_000_000 + "1",
    "long gaps in a line": "**a**" + " " * 1_000_000 + "|",
    "many signs": "## Phase 1: " + "\N{WHITE HEAVY CHECK MARK}" * 1_000_000 + "x",
    "many paragraphs": "x\n\n" * 4_900,
    "many items": "- x\n" * 9_900,
    "many labels": "**a** | " * 100_000,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_too_much_is_refused(text):
    with pytest.raises(TaskListError):
        parse_tasks_markdown(text)


def outcome(text) -> TaskList | TaskListError:
    try:
        return parse_tasks_markdown(text)
    except TaskListError as refusal:
        return refusal


MIXED = """## Phase 1: a
## Phase 2: b
### Phase 1 Tasks
### Task 1.1: x
### Task 2.1: y
#### Steps
- [ ] **Task 1.2**: z
- [ ] 2.2 w
  - nested
    - [ ] deep
**Dependencies:** Task 1.1
**Depends on:** 2.1, Phase 1
**Validation Gate:**
**Acceptance Criteria:**
- [ ] good
```
---
===
> quote
<!--
-->
| a | b |
|---|---|
## Validation Gates
### Phase 1 Validation Gate
1. one
\t- tab
**Time:** 2h | **Goal:** x
## Phase 1.5
## Phase
Task
**
[ ]

"""
FRAGMENTS = MIXED.splitlines()


@given(st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("\n".join)))
def test_any_text_is_read_or_refused(text):
    found = outcome(text)
    if isinstance(found, TaskListError):
        assert found.reason
        assert found.line is None or 1 <= found.line <= len(text) + 1
    else:
        assert found.phases
