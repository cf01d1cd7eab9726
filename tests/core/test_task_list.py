"""What a list of tasks must be like, whoever made it, and lists of another project."""

import pytest

from mcp_server.core.task_list import (
    MAX_PHASES,
    MAX_TASKS,
    ListedPhase,
    ListedTask,
    TaskList,
    TaskListError,
)
from mcp_server.core.task_references import references
from mcp_server.core.tasks_markdown import parse_tasks_markdown


def task(task_id, number=None, **fields):
    number = int(task_id.split(".")[1]) if number is None else number
    return ListedTask(task_id=task_id, number=number, name="x", line=number, **fields)


def phase(number, *tasks):
    return ListedPhase(number=number, name="x", line=number, tasks=tasks)


def test_phases_are_in_order_and_tasks_stay_as_they_were():
    found = TaskList((phase(3, task("3.9"), task("3.1")), phase(1, task("1.1"))))
    assert [one.number for one in found.phases] == [1, 3]
    assert list(found.tasks) == ["1.1", "3.9", "3.1"]


def test_phase_0_may_be_waited_for_though_it_is_not_in_the_list():
    assert TaskList((phase(1, task("1.1", phase_dependencies=(0,))),)).phases


REFUSED = {
    "nothing": ((), "no phase", None),
    "a phase twice": ((phase(1, task("1.1")), phase(1, task("1.2"))), "phase 1 is there twice", 1),
    "an empty phase": ((phase(4),), "phase 4 has neither", 4),
    "a task twice": ((phase(1, task("1.1"), task("1.1")),), "task 1.1 is there twice", 1),
    "a number twice": ((phase(1, task("1.1"), task("1.1b", 1)),), "the number 1", 1),
    "no such task": ((phase(1, task("1.1", dependencies=("1.2",))),), "task 1.2, which is not", 1),
    "no such phase": ((phase(1, task("1.1", phase_dependencies=(2,))),), "phase 2, which", 1),
    "the line of a dependency": (
        (phase(1, task("1.1", dependencies=("9.9",), dependency_line=7)),), "9.9", 7,
    ),
    "a cycle": (
        (phase(1, task("1.5", dependencies=("1.6",)), task("1.6", dependencies=("1.7",)),
               task("1.7", dependencies=("1.6",))),), "1.6 -> 1.7 -> 1.6$", 6,
    ),
    "a long cycle": (
        (phase(1, *(task(f"1.{n}", dependencies=(f"1.{n % 1500 + 1}",)) for n in range(1, 1501))),),
        r"1.1 -> 1.2 .* \.\.\. .* -> 1.1$", 1,
    ),
    "too many phases": (tuple(phase(n, task(f"{n}.1")) for n in range(MAX_PHASES + 1)), "200", 200),
    "too many tasks": ((phase(1, *(task(f"1.{n}") for n in range(MAX_TASKS + 1))),), "2000", 2000),
}  # fmt: skip


@pytest.mark.parametrize(("phases", "reason", "line"), REFUSED.values(), ids=REFUSED)
def test_a_list_that_cannot_be_followed_is_refused(phases, reason, line):
    with pytest.raises(TaskListError, match=reason) as refusal:
        TaskList(phases)
    assert refusal.value.line == line


def test_a_chain_of_all_tasks_is_no_cycle():
    chain = (task(f"1.{n}", dependencies=(f"1.{n + 1}",)) for n in range(1, MAX_TASKS))
    assert TaskList((phase(1, *chain, task(f"1.{MAX_TASKS}")),)).tasks


REFERENCES = {
    "None": ([], []),
    "Task 1.1": (["1.1"], []),
    "Tasks 1.1, 1.4 and 2.1": (["1.1", "1.4", "2.1"], []),
    "1.1, 1.2": (["1.1", "1.2"], []),
    "**Task 1.1** (needs 9.9), `1.2`": (["1.1", "1.2"], []),
    "Tasks 2.1-2.3": (["2.1-2.3"], []),
    "Task 2.1 through Task 2.3": (["2.1-2.3"], []),
    "2.1 \N{EN DASH} 2.3": (["2.1-2.3"], []),
    "Phase 1 complete": ([], [1]),
    "Phases 1-3 complete": ([], [1, 2, 3]),
    "Phases 1 and 2": ([], [1, 2]),
    "All Phase 2 tasks": ([], [2]),
    "Completion of Phase 1, Task 2.2": (["2.2"], [1]),
    "1.1 complete; 1.2: the parser": (["1.1", "1.2"], []),
    "Requires task 1.3 to be merged": (["1.3"], []),
    "T012, T-13": (["t012", "t-13"], []),
    "Task 3": (["3"], []),
    "Python 3.11, Node 18.2": ([], []),
    "all previous tasks": ([], []),
    "release 1.2.3": ([], []),
    "1.2.3": ([], []),
    "(Task 1.1)": (["1.1"], []),
    "Task 1.1 (after Task 9.9), Phase 1 (not Phase 9)": (["1.1"], [1]),
    "3 days of rest": ([], []),
    "": ([], []),
}


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items(), ids=REFERENCES)
def test_dependencies_are_read_out_of_words(text, expected):
    found = references(text)
    tasks = [first if first == last else f"{first}-{last}" for first, last in found.tasks]
    assert (tasks, found.phases) == expected


def dependencies(*lines, ids=("1.1", "1.2", "1.3", "2.1")):
    text = ""
    for task_id, line in zip(ids, (*lines, *[""] * 4), strict=False):
        text += f"## Phase {task_id[0]}: x\n" if task_id.endswith(".1") else ""
        text += f"### Task {task_id}: y\n**Dependencies:** {line}\n"
    return {name: one.dependencies for name, one in parse_tasks_markdown(text).tasks.items()}


def test_a_range_holds_the_tasks_between():
    assert dependencies("", "", "", "Tasks 1.1-1.3")["2.1"] == ("1.1", "1.2", "1.3")
    assert dependencies("", "", "", "Tasks 1.2-3")["2.1"] == ("1.2", "1.3")


def test_a_range_must_be_there_and_run_forwards():
    for line, reason in [("Tasks 1.1-1.9", "1.9"), ("Tasks 1.3-1.1", "backwards")]:
        with pytest.raises(TaskListError, match=reason):
            dependencies("", "", "", line)


def test_a_number_without_a_phase_is_that_of_the_own_phase():
    text = ("## Phase 1: a\n### Task 1: x\n## Phase 2: b\n### Task 1: y\n### Task 2: z\n"
            "**Dependencies:** Task 1\n### Task 3: w\n**Dependencies:** Task 7\n")  # fmt: skip
    with pytest.raises(TaskListError, match=r"task 2\.3 depends on task 7"):
        parse_tasks_markdown(text)
    found = parse_tasks_markdown(text.replace("Task 7", "Phase 1")).tasks
    assert found["2.2"].dependencies == ("2.1",)


COUNTS = {
    "agent-os-upgrade": {1: (8, 4), 2: (6, 4), 3: (7, 4), 4: (6, 4), 5: (7, 7)},
    "dual-transport": {1: (7, 10), 2: (7, 7), 3: (6, 8), 4: (4, 11)},
    "divio-docs": {1: (4, 7), 2: (2, 7), 3: (5, 6), 4: (4, 8), 5: (1, 5), 6: (3, 5)},
    "aos-workflow": {1: (4, 6), 2: (6, 7), 3: (8, 7), 4: (5, 8), 5: (6, 11)},
}


def read(compat, name):
    text = (compat / "tasks" / f"{name}.tasks.md").read_text(encoding="utf-8")
    return parse_tasks_markdown(text)


@pytest.mark.parametrize("name", COUNTS)
def test_lists_of_another_project_have_their_tasks_and_criteria(compat, name):
    found = read(compat, name)
    counts = {one.number: (len(one.tasks), len(one.criteria)) for one in found.phases}
    assert counts == COUNTS[name]
    for one in found.phases:
        assert [t.task_id for t in one.tasks] == [f"{one.number}.{t.number}" for t in one.tasks]
        assert [t.number for t in one.tasks] == list(range(1, len(one.tasks) + 1))
        assert one.name
        assert one.objective
        assert one.duration


def test_headed_tasks_of_another_project(compat):
    found = read(compat, "agent-os-upgrade")
    server = found.tasks["1.6"]
    assert (server.name, server.estimated_time) == ("Implement Server Manager", "0.5 days")
    assert (server.dependencies, server.dependency_text) == (
        ("1.4",), "Task 1.4 (for health check)",
    )  # fmt: skip
    assert len(server.acceptance_criteria) == 7
    assert found.tasks["2.3"].dependencies == ("1.2", "1.4", "1.8", "2.1")
    assert found.tasks["5.1"].phase_dependencies == (4,)
    assert (found.tasks["5.7"].dependencies, found.tasks["5.7"].dependency_text) == (
        (), "All previous tasks",
    )  # fmt: skip
    assert found.phases[4].duration == "Week 4-5 (Days 22-30)"
    assert found.phases[1].criteria[3].text == "Supporting docs created (Task 2.6)"


def test_listed_tasks_of_another_project(compat):
    found = read(compat, "dual-transport")
    entry = found.tasks["1.4"]
    assert entry.name == "Update Entry Point (__main__.py)"
    assert len(entry.acceptance_criteria) == 10
    assert len(found.tasks["1.1"].steps) == 8
    assert found.tasks["4.2"].acceptance_criteria[0] == "PR created with clear description"
    assert found.phases[3].criteria[-1].text == "No critical bugs reported"


def test_nested_tasks_of_another_project(compat):
    found = read(compat, "divio-docs")
    assert found.tasks["1.3"].dependencies == ("1.1", "1.2")
    assert found.tasks["3.5"].phase_dependencies == (1, 2)
    assert found.tasks["5.1"].phase_dependencies == (1, 2, 3, 4)
    assert found.tasks["6.2"].acceptance_criteria == ()
    assert found.tasks["4.1"].name == "Enhance `mcp-tools.md` Reference Documentation"
    assert found.phases[5].criteria[3].text.startswith("All validation passing: Divio compliance")


def test_dated_phases_of_another_project(compat):
    found = read(compat, "aos-workflow")
    assert (found.phases[0].name, found.phases[0].duration) == ("Foundation", "Days 1-2")
    assert found.tasks["4.4"].steps[3] == "Create migration guide from old tools"
    assert found.tasks["2.1"].phase_dependencies == (1,)
    assert found.tasks["2.5"].estimated_time == "6 hours"
    assert found.phases[4].criteria[-1].text == "Sign-off Required: QA Lead"
