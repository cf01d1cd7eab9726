"""Task lists in the many styles that people and models write: the same parts come out of each."""

import pytest

from mcp_server.core.tasks_markdown import parse_tasks_markdown

NAMES = {1: "Ground", 2: "House"}
TASKS = ["1.1 Dig", "1.2 Pour", "2.1 Build"]

STYLES = {
    "headings": """# Plan

## Phase 1: Ground
### Task 1.1: Dig
### Task 1.2: Pour
## Phase 2: House
### Task 2.1: Build
""",
    "deeper headings under phase headings of the same": """# Plan
## Phases
### Phase 1: Ground
#### Phase 1 Tasks
##### Task 1.1: Dig
##### Task 1.2: Pour
### Phase 2: House
#### Phase 2 Tasks
##### Task 2.1: Build
""",
    "everything at one level": """## Phase 1: Ground
## Task 1.1: Dig
## Acceptance Criteria
- [ ] deep
## Task 1.2: Pour
## Phase 2: House
## Task 2.1: Build
""",
    "bold list items": """## Phase 1: Ground

### Phase 1 Tasks

- [x] **Task 1.1**: Dig
  - with a spade

  **Acceptance Criteria:**
  - [x] deep

- [ ] **Task 1.2**: Pour

## Phase 2: House

### Phase 2 Tasks

- [ ] **Task 2.1**: Build
""",
    "the name in bold": """## Phase 1: Ground
* [ ] **Task 1.1: Dig**
* [ ] **Task 1.2: Pour**
## Phase 2: House
* [ ] **Task 2.1: Build**
""",
    "check boxes with numbers only": """## Phase 1 - Ground
- [ ] 1.1 Dig
- [X] 1.2 Pour
## Phase 2 - House
- [ ] 2.1 Build
""",
    "plain bullets": """## Phase 1: Ground
+ Task 1.1: Dig
+ Task 1.2: Pour
## Phase 2: House
+ Task 2.1: Build
""",
    "numbered lists": """## Phase 1: Ground
1. **Task 1.1**: Dig
  - with a spade
2. **Task 1.2**: Pour
## Phase 2: House
1. **Task 2.1**: Build
""",
    "numbered headings": """## Phase 1: Ground
### 1.1 Dig
### 1.2. Pour
## Phase 2: House
### 2.1: Build
""",
    "bold paragraphs": """## Phase 1: Ground
**Task 1.1: Dig**

Take a spade.

**Task 1.2: Pour**

## Phase 2: House
**Task 2.1**: Build
""",
    "dashes, signs and words": """## \N{ROCKET} Phase 1 \N{EM DASH} Ground (Days 1-2)
### \N{WHITE HEAVY CHECK MARK} Task 1.1 \N{EN DASH} Dig
### Task 1.2 - Pour \N{WHITE HEAVY CHECK MARK}
## **Phase Two: House**
### Task 2.1. Build (2 hours)
""",
    "underlined headings": """Plan
====

Phase 1: Ground
---------------

- [ ] **1.1** Dig
- [ ] **1.2** Pour

Phase 2: House
---

- [ ] **2.1** Build
""",
    "windows lines, tabs and a byte order mark": (
        "\ufeff## Phase 1: Ground  \r\n\r\n- [ ] **Task 1.1**: Dig  \r\n"
        "\t- with a spade\t\r\n- [ ] **Task 1.2**: Pour\r\n\r\n"
        "## Phase 2: House\t\r\n\r\n- [ ] **Task 2.1**: Build\r\n"
    ),
    "no ids, check boxes": """## Phase 1: Ground
**Goal:** a base
- [ ] Dig
  - with a spade
- [ ] Pour
## Phase 2: House
- [ ] Build
""",
    "no ids, numbered boxes": """## Phase 1: Ground
- [ ] 1. Dig
- [ ] 2. Pour
## Phase 2: House
- [ ] 1. Build
""",
    "no ids, headings": """## Phase 1: Ground
### Dig
**Acceptance Criteria:**
- [ ] deep
### Pour
## Phase 2: House
### Task: Build
""",
    "no ids, a numbered list": """## Phase 1: Ground
Tasks:
1. Dig
2. Pour
## Phase 2: House
1. Build
""",
    "no ids, bullets under a label": """## Phase 1: Ground
**Objective:** a base

**Tasks:**
- Dig
- Pour

**Deliverables:**
- a hole
## Phase 2: House
**Tasks:**
- Build
""",
    "numbers that start anew": """## Phase 1: Ground
### Task 1: Dig
### Task 2: Pour
## Phase 2: House
### Task 1: Build
**Dependencies:** Phase 1
""",
    "letters before the numbers": """## Phase 1: Ground
### T1.1: Dig
### TASK-1.2: Pour
## Phase 2: House
### P2-T1: Build
""",
    "groups within a phase": """## Phase 1: Ground
### Earth
- [ ] **Task 1.1**: Dig
### Concrete
- [ ] **Task 1.2**: Pour
## Phase 2: House
### Walls
- [ ] **Task 2.1**: Build
""",
    "comments and rules": """<!-- ## Phase 1: Nothing -->
## Phase 1: Ground <!-- first -->
---
### Task 1.1: Dig
Text over a rule.
---
### Task 1.2: Pour
<!--
### Task 1.3: Hidden
-->
---
## Phase 2: House
### Task 2.1: Build
""",
    "phases in bold type": """# Plan

**Phase 1: Ground**

- [ ] Task 1.1: Dig
- [ ] Task 1.2: Pour

**Phase 2: House**

- [ ] Task 2.1: Build
""",
    "the phases counted": """## Phase 1/2: Ground
### Task 1.1: Dig
### Task 1.2: Pour
## PHASE 2 of 2: House
### Task 2.1: Build
""",
    "a title that names a phase": """# Phase 3: Tasks of the third phase
## Phase 1: Ground
### Task 1.1: Dig
### Task 1.2: Pour
## Phase 2: House
### Task 2.1: Build
""",
    "phases as titles": """# Phase 1: Ground
## Task 1.1: Dig
## Task 1.2: Pour
# Phase 2: House
## Task 2.1: Build
""",
    "tasks in a section of their own": """## Phase 1: Ground
A base.
## Phase 1 Tasks
### Task 1.1: Dig
### Task 1.2: Pour
## Phase 2: House
## Phase 2 Tasks
### Task 2.1: Build
""",
    "order of the page": """## Phase 2: House
### Task 2.1: Build
## Phase 1: Ground
### Task 1.1: Dig
### Task 1.2: Pour
""",
    "steps with ids of their own": """## Phase 1: Ground
- [ ] 1.1 Dig
  - [ ] 1.1.1 Find a spade
  - [ ] 1.1.2 Use it
- [ ] 1.2 Pour
## Phase 2: House
- [ ] 2.1 Build
  - 3.5 hours
""",
}

MENTIONS = {
    "a table": "| Phase | Tasks |\n|---|---|\n| Phase 1: Ground | Task 1.1 |\n",
    "a list of estimates": "## Time Estimates\n- **Phase 1:** 2 hours\n- **Phase 2: House:** 3\n",
    "an overview": (
        "## Overview\n### Phase 1: Ground\n- Task 1.1: Dig\n- Task 1.2: Pour\n"
        "### Phase 2: House\n- Task 2.1: Build\n"
    ),
    "an index": "1. **Ground** - dig\n2. **House**\n\nPhase 1 comes before Phase 2: House.\n",
    "dependencies": (
        "## Dependencies\n### Phase 1 \N{RIGHTWARDS ARROW} Phase 2\nThe house needs ground.\n"
        "### Task-Level Dependencies\n- **Task 1.2** (Pour) depends on Task 1.1\n"
        "- **Task 1.1, 1.2** go on\n### Task 1.2 \N{RIGHTWARDS ARROW} Task 1.1\n"
    ),
    "a strategy": "## Testing Strategy\n### Unit Tests (Phase 2, Tasks 2.1-2.3)\n- **Walls:** x\n",
    "criteria again": "## Acceptance Criteria Summary\n### Phase 1: Ground\n- [ ] it holds\n",
    "code": "```\n## Phase 1: Ground\n### Task 1.1: Dig\n```\n\n    ## Phase 2: House\n",
    "a quote": "> ## Phase 1: Ground\n> ### Task 1.1: Dig\n",
    "risks": "## Risks\n### Risk: Phase 1 is late\n- Task 1.1 again\n### Phase 2: rain\n- a roof\n",
    "a range": "## Phases 1-2: Together\n- Task 1.1: Dig\n## Phase 1-2\n- Task 1.2: Pour\n",
    "a history": "## Changelog\n- Task 1.1: renamed\n- [x] **Task 1.2**: moved\n",
}


def shape(text: str) -> tuple[dict[int, str], list[str]]:
    found = parse_tasks_markdown(text)
    return (
        {phase.number: phase.name for phase in found.phases},
        [f"{task.task_id} {task.name}" for task in found.tasks.values()],
    )


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_a_style_gives_the_same_phases_and_tasks(text):
    assert shape(text) == (NAMES, TASKS)


@pytest.mark.parametrize("mention", MENTIONS.values(), ids=MENTIONS)
@pytest.mark.parametrize("style", ["headings", "bold list items", "no ids, check boxes"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_mention_makes_no_phase_and_no_task(mention, style, place):
    text = STYLES[style]
    text = f"{mention}\n{text}" if place == "before" else f"{text}\n{mention}"
    assert shape(text) == (NAMES, TASKS)


TASKS_IN_A_PHASE = {
    "a line about tasks": "See Task 1.2: it pours.\n",
    "bold prose": "**Task 1.2** must wait.\n",
    "a list of mentions": "### Dependencies\n- Task 1.2: after 1.1\n- **Task 1.1**: none\n",
    "a summary": "### Phase 1 Summary\n- Task 1.1: dug\n- [x] Task 1.2: poured\n",
    "tasks of another phase": "### Notes\n- **Task 2.1**: uses it\n",
    "a gate that speaks of tasks": (
        "**Validation Gate:**\n- [ ] Task 1.1: dug\n- [ ] **Task 1.2**: poured\n"
    ),
    "a subphase": "#### Phase 1 Deliverables\n- [ ] **Task 1.1**: a hole\n",
    "steps that look like tasks": "#### Steps\n- [ ] Task 1.1: again\n",
}


@pytest.mark.parametrize("mention", TASKS_IN_A_PHASE.values(), ids=TASKS_IN_A_PHASE)
def test_a_mention_in_a_phase_makes_no_task(mention):
    text = "## Phase 1: Ground\n### Task 1.1: Dig\n### Task 1.2: Pour\n\n" + mention
    assert shape(text)[1] == TASKS[:2]


@pytest.mark.parametrize("mention", [*TASKS_IN_A_PHASE.values()][:-1], ids=[*TASKS_IN_A_PHASE][:-1])
def test_a_mention_after_listed_tasks_makes_no_task(mention):
    text = "## Phase 1: Ground\n- [ ] **Task 1.1**: Dig\n- [ ] **Task 1.2**: Pour\n\n" + mention
    assert shape(text)[1] == TASKS[:2]


ARROW = "\N{RIGHTWARDS ARROW}"
PLANS = {
    "text in an item": (
        "## Phase 1: Ground\n- x\n\n  ## Phase 3: no\n\n- [ ] 1.1 Dig\n- [ ] 1.2 Pour\n"
    ),
    "a rule below text": "## Phase 1: Ground\nA base.\n---\n- [ ] 1.1 Dig\n- [ ] 1.2 Pour\n",
    "an idea and the work": (
        "## Phase 1: the idea\nprose\n## Work\n### Phase 1: Ground\n- [ ] 1.1 Dig\n- [ ] 1.2 Pour\n"
    ),
    "remarks beside headed tasks": (
        "## Phase 1: Ground\n### Task 1.1: Dig\n### Task 1.2: Pour\n### Remarks\n- Task 1.2: fine\n"
        f"### Task 1.2 {ARROW} Task 1.1\n"
    ),
    "a mention below a listed task": (
        "## Phase 1: Ground\n- [ ] **Task 1.1**: Dig\n  - Task 1.2: see there\n"
        "- [ ] **Task 1.2**: Pour\n"
    ),
    "criteria that begin like tasks": (
        "## Phase 1: Ground\n- [ ] **Task 1.1**: Dig\n\n**Acceptance Criteria:**\n"
        "- [ ] Task 1.2: not begun\n- [ ] **Task 1.2**: Pour\n"
    ),
    "a number with a unit": (
        "## Phase 1: Ground\n- [ ] 1.1 Dig\n- [ ] 1.2 Pour\n- [ ] 1.5 hours at most\n"
    ),
    "a summary of phases that stand deeper": (
        "## Work\n### Phase 1: Ground\n- [ ] 1.1 Dig\n- [ ] 1.2 Pour\n"
        "## Acceptance Criteria Summary\n### Phase 1: Ground\n- [ ] it holds\n"
    ),
}


@pytest.mark.parametrize("text", PLANS.values(), ids=PLANS)
def test_what_only_looks_like_a_part_is_none(text):
    assert shape(text) == ({1: "Ground"}, TASKS[:2])


def test_a_table_says_nothing_of_a_task():
    text = "## Phase 1: a\n### Task 1.1: x\n| **Time:** 9 h | b |\n|---|---|\n| c | d |\n"
    assert parse_tasks_markdown(text).tasks["1.1"].estimated_time == ""
