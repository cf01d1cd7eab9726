"""What loads and is wrong all the same: each warning, where it stands, and what brings it about."""

import pytest

from mcp_server.linting.linter import lint
from tests.linting.lint_builders import (
    GATE,
    GATE_FILE,
    PHASE,
    TASK,
    clean,
    clean_dynamic,
    gone,
    loads,
    meta,
    moved,
    put,
    swap,
    text,
    told,
)

META = "metadata.json"
TEXT = "phases/1/phase.md"
TASK_FILE = "phases/1/task-1-do.md"
ENTRY = {"phase_number": 1, "phase_name": "Work"}
SECOND = {"phase_number": 2, "phase_name": "Work"}


def listing(*tasks: dict[str, object]):
    return meta(phases=[{**ENTRY, "tasks": list(tasks)}, SECOND])


WARNINGS = {
    # metadata.json
    "unknown key": (meta(colour="red"), [(META, 17, "metadata/unknown-key")]),
    "key close to one that is there": (meta(names="x"), [(META, 17, "metadata/unknown-key")]),
    "unknown key of an entry": (meta(phases=[{**ENTRY, "colour": 1}, SECOND]),
                                [(META, 11, "metadata/unknown-key")]),
    "no description": (meta(description=""), [(META, 5, "metadata/no-description")]),
    "no name": (meta(name=None), [(META, 4, "metadata/no-name")]),
    "wrong total": (meta(total_phases=3), [(META, 6, "metadata/total-phases")]),
    "phase without folder": (meta(phases=[ENTRY, SECOND, {"phase_number": 3}]),
                             [(META, 16, "metadata/no-such-phase")]),
    "phase named twice": (meta(phases=[ENTRY, SECOND, SECOND]),
                          [(META, 16, "metadata/phase-twice")]),
    "folder without entry": (meta(phases=[ENTRY]), [(META, 7, "metadata/phase-not-named")]),
    "other title": (meta(phases=[{**ENTRY, "phase_name": "Rest"}, SECOND]),
                    [(TEXT, 1, "phase/title")]),
    "required evidence": (
        meta(phases=[{**ENTRY, "checkpoint": {"required_evidence": ["tests", "plan"]}}, SECOND]),
        [(META, 12, "metadata/required-evidence")],
    ),
    "document not there": (meta(core_utilities=[{"file": "core/a.md"}]),
                           [(META, 19, "metadata/no-such-file")]),
    "start that is not there": (meta(start_phase=-1),
                                [(META, 17, "metadata/start-phase")]),
    "config of a static workflow": (meta(dynamic_config={"parser": "spec_tasks_parser"}),
                                    [(META, 17, "metadata/dynamic-config")]),
    "listed task not there": (listing({"task_number": 1, "file": "task-1-do.md"},
                                      {"task_number": 2, "file": "task-2-more.md"}),
                              [(META, 16, "metadata/no-such-task")]),
    "listed number not there": (listing({"task_number": 1}, {"task_number": 2}),
                                [(META, 15, "metadata/no-such-task")]),
    "task not listed": (listing({"task_number": 7, "file": "task-1-do.md"}),
                        [(META, 12, "metadata/no-such-task")]),
    # phases
    "folder that is not read": (moved("phases/2", "phases/phase-2"), [
        (META, 6, "metadata/total-phases"), (META, 12, "metadata/no-such-phase"),
        ("phases/phase-2", None, "phase/not-read")]),
    "phase before the start": (meta(start_phase=2), [
        (META, 6, "metadata/total-phases"), (META, 8, "metadata/no-such-phase"),
        ("phases/1", None, "phase/before-start"), ("phases/2", None, "phase/gap")]),
    "gap in the phases": (lambda f: (moved("phases/2", "phases/3")(f),
                                     swap("phases/3/phase.md", "Phase 2", "Phase 3")(f),
                                     meta(phases=[])(f)),
                          [("phases/3", None, "phase/gap")]),
    "no text": (gone(TEXT), [(TEXT, None, "phase/no-text")]),
    "no title": (text(TEXT, "`tests`, `report`\n"), [(TEXT, 1, "phase/no-title")]),
    "number of the title": (swap(TEXT, "Phase 1:", "Phase 3:"), [(TEXT, 1, "phase/title-number")]),
    # tasks
    "task that is not read": (text("phases/1/task-one.md", TASK),
                              [("phases/1/task-one.md", None, "task/not-read")]),
    "gap in the tasks": (text("phases/1/task-3-x.md", "# Task 3\n"),
                         [("phases/1/task-3-x.md", None, "task/gap")]),
    "late first task": (lambda f: (moved(TASK_FILE, "phases/1/task-2-do.md")(f),
                                   swap(TEXT, "task-1-do.md", "task-2-do.md")(f),
                                   swap("phases/1/task-2-do.md", "Task 1", "Task 2")(f)),
                        [("phases/1/task-2-do.md", None, "task/gap")]),
    "long task": (text(TASK_FILE, "# Task 1\n" + "x\n" * 100), [(TASK_FILE, 101, "task/too-long")]),
    "empty task": (text(TASK_FILE, " \n"), [(TASK_FILE, None, "task/empty")]),
    "task without title": (text(TASK_FILE, "Do it.\n"), [(TASK_FILE, 1, "task/no-title")]),
    "number of a task's title": (text(TASK_FILE, "\n# Task 4: Do\n"),
                                 [(TASK_FILE, 2, "task/title-number")]),
    # gates
    "no gate": (gone(GATE_FILE), [("phases/1", None, "gate/missing"),
                                  (TEXT, 7, "text/unknown-evidence"),
                                  (TEXT, 8, "text/unknown-evidence")]),
    "gate of nothing": (text(GATE_FILE, "evidence_schema: {}\n"), [
        (GATE_FILE, None, "gate/empty"), (TEXT, 7, "text/unknown-evidence"),
        (TEXT, 8, "text/unknown-evidence")]),
    "gate that is not read": (text("phases/1/old-gate.yaml", GATE),
                              [("phases/1/old-gate.yaml", None, "gate/not-read")]),
    "lenient": (swap(GATE_FILE, "strict: true", "strict: false"), [(GATE_FILE, 1, "gate/lenient")]),
    "unknown key of a gate": (text(GATE_FILE, GATE + "colour: red\n"),
                              [(GATE_FILE, 17, "gate/unknown-key")]),
    "unknown keyword": (swap(GATE_FILE, "minimum: 1", "colour: red"),
                        [(GATE_FILE, 6, "gate/unknown-key")]),
    "claims only": (swap(GATE_FILE, "    verify: {junit: reports/junit.xml, count: passed}\n", ""),
                    [(GATE_FILE, 2, "gate/claims-only")]),
    "bare booleans": (text(GATE_FILE, "evidence_schema:\n"
                           "  tests: {type: boolean, description: a}\n"
                           "  report: {type: boolean, description: b}\n"),
                      [(GATE_FILE, 1, "gate/proves-nothing")]),
    "unused validator": (swap(GATE_FILE, "    validator: positive\n", ""),
                         [(GATE_FILE, 12, "gate/unused-validator")]),
    "field without description": (swap(GATE_FILE, "    description: Path of the report\n", ""),
                       [(GATE_FILE, 9, "gate/no-description")]),
    "no type": (swap(GATE_FILE, "    type: string\n", ""), [(GATE_FILE, 9, "gate/no-type")]),
    "rule on no field": (swap(GATE_FILE, "len(e['report'])", "e['repot']"),
                         [(GATE_FILE, 15, "gate/unknown-evidence")]),
    "path from no field": (swap(GATE_FILE, "reports/junit.xml", "'{evidence.repot}'"),
                           [(GATE_FILE, 8, "gate/unknown-evidence")]),
    # texts
    "dead link": (swap(TEXT, "task-1-do.md", "task-2-do.md"), [(TEXT, 3, "text/dead-link")]),
    "link out": (swap(TEXT, "task-1-do.md", "../../../../secret.md"),
                 [(TEXT, 3, "text/link-out")]),
    "absolute link": (swap(TEXT, "task-1-do.md", "/etc/passwd"), [(TEXT, 3, "text/link-out")]),
    "link home": (swap(TEXT, "task-1-do.md", "~/notes.md"), [(TEXT, 3, "text/link-out")]),
    "dead image of a task": (text(TASK_FILE, "# Task 1\n\nSee\nhere: ![it](a%20b.png#x)\n"),
                             [(TASK_FILE, 4, "text/dead-link")]),
    "misnamed evidence": (swap(TEXT, "`tests`", "`test`"), [
        (TEXT, 5, "text/unnamed-evidence"), (TEXT, 7, "text/unknown-evidence")]),
    "unnamed evidence": (swap(TEXT, "- `report`: where the report is", "- the rest"),
                         [(TEXT, 5, "text/unnamed-evidence")]),
    "evidence in passing": (swap(TEXT, "how many pass", "with `no_such_field`"),
                            [(TEXT, 7, "text/unknown-evidence")]),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), WARNINGS.values(), ids=WARNINGS)
def test_what_loads_and_is_wrong_is_a_warning(tmp_path, change, expected):
    folder = clean(tmp_path / "shelf")
    change(folder)

    assert told(folder) == [("warning", *found) for found in expected]
    assert loads(folder)


FINE = {
    "links elsewhere": "[a](https://x.y/z) [b](#top) [c](mailto:a@b) [d]({target_file}) <http://x>",
    "a link with an anchor": "[task](task-1-do.md#steps) and [the gate](gate-definition.yaml)",
    "a link in code": "`[a](nothing.md)`\n\n```\n[b](nothing.md)\n```",
    "the names of the tool": "## Evidence\n\n- `complete_phase` takes it",
    "words of the gate": "## Evidence\n\n- `positive` and `reports`",
    "names of other sections": "## Pitfalls\n\n- `no_such_field` is one",
    "the section after": "## Gate\n\n- `tests`\n\n## Pitfalls\n\n- `no_such_field`",
    "the heading of a task": "### Task 5: Define the gate\n\n- `some_word`",
}


@pytest.mark.parametrize("more", FINE.values(), ids=FINE)
def test_what_is_fine_is_left_alone(tmp_path, more):
    folder = clean(tmp_path / "shelf")
    put(folder, TEXT, PHASE.format(number=1) + "\n# More\n\n" + more + "\n")

    assert told(folder) == []


def test_a_range_covers_its_phases(tmp_path):
    folder = clean(tmp_path / "shelf", phases=[{"phase_number": "1-N", "phase_name": "Any"}])

    assert told(folder) == []


# Dynamic workflows


def config(**keys: object):
    def change(folder):
        base = {"source_path_key": "spec_path", "parser": "spec_tasks_parser"}
        names = {kind: f"phases/dynamic/{kind}-template.md" for kind in ("phase", "task")}
        meta(dynamic_config={"templates": names, **base, **keys})(folder)

    return change


TEMPLATE = "phases/dynamic/phase-template.md"
DYNAMIC = {
    "unknown parser": (config(parser="x"), ("error", META, 24, "metadata/dynamic-config")),
    "no parser": (config(parser=None), ("error", META, 24, "metadata/invalid")),
    "template not there": (config(templates={"phase": "a.md", "task": "phases/dynamic/"
                                             "task-template.md"}),
                           ("error", META, 20, "metadata/dynamic-config")),
    "template out": (config(templates={"phase": TEMPLATE, "task": "../a.md"}),
                     ("error", META, 21, "metadata/dynamic-config")),
    "no template": (config(templates={"phase": TEMPLATE}),
                    ("warning", META, 19, "metadata/dynamic-config")),
    "slip in the config": (config(sorce_type="x"), ("error", META, 25, "metadata/unknown-key")),
    "empty key": (config(source_path_key=""), ("warning", META, 23, "metadata/dynamic-config")),
    "template empty": (text(TEMPLATE, " "), ("warning", TEMPLATE, None, "template/empty")),
    "template not UTF-8": (lambda f: (f / TEMPLATE).write_bytes(b"\xff"),
                           ("error", TEMPLATE, 1, "file/not-utf-8")),
    "unknown placeholder": (text(TEMPLATE, "# A\n\n[PHASE_NAM] [x] [N] [A](b) [PHASE_NAME]\n"),
                            ("warning", TEMPLATE, 3, "template/unknown-placeholder")),
    "placeholder of a task": (text(TEMPLATE, "# [TASK_NAME]\n"),
                              ("warning", TEMPLATE, 1, "template/unknown-placeholder")),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), DYNAMIC.values(), ids=DYNAMIC)
def test_the_parts_of_a_dynamic_workflow_are_checked(tmp_path, change, expected):
    folder = clean_dynamic(tmp_path / "shelf")
    change(folder)

    assert expected in told(folder)


def test_a_dynamic_workflow_without_config_is_told_what_is_taken(tmp_path):
    folder = clean(tmp_path / "shelf", total_phases="dynamic")

    problems = lint(folder)

    assert [problem.code for problem in problems] == ["metadata/dynamic-config"] * 4
    assert problems[0].remedy == "Write it, so that people see it: it is taken to be spec_path."
