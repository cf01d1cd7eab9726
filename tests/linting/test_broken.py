"""One thing broken at a time: what the linter says, where, and that the library agrees with it.

Whatever the library refuses is an error here, and what has no error here loads.
"""

import shutil
from pathlib import Path

import pytest

from mcp_server.core.library import MAX_FILE, MAX_PHASES
from mcp_server.linting import linter
from mcp_server.linting.linter import lint
from tests.linting.lint_builders import (
    GATE_FILE,
    PHASE,
    TASK,
    clean,
    clean_dynamic,
    data,
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


def more_phases(folder: Path) -> None:
    for number in range(3, MAX_PHASES + 2):
        (folder / "phases" / str(number)).mkdir()


def out(name: str):
    def change(folder: Path) -> None:
        path, outside = folder / name, folder.parent.parent / "outside"
        path.rename(outside)
        path.symlink_to(outside, target_is_directory=outside.is_dir())

    return change


REFUSED = {
    # metadata.json
    "no metadata": (gone(META), (META, None, "metadata/missing")),
    "no JSON": (text(META, '{\n  "a": 1,,\n}'), (META, 2, "metadata/not-json")),
    "no object": (text(META, "[]"), (META, 1, "metadata/not-an-object")),
    "deep": (text(META, "[" * 200_000), (META, None, "metadata/not-json")),
    "endless number": (text(META, '{"a": ' + "1" * 5000 + "}"), (META, None, "metadata/not-json")),
    "no workflow_type": (swap(META, '"workflow_type"', '"workflow_typ"'),
                         (META, 2, "metadata/unknown-key")),
    "other workflow_type": (meta(workflow_type="other_v1"), (META, 2, "metadata/workflow-type")),
    "tags no list": (meta(tags="a"), (META, 17, "metadata/invalid")),
    "entry without number": (meta(phases=[{}]), (META, 8, "metadata/invalid")),
    "total of a wrong kind": (meta(total_phases=[]), (META, 6, "metadata/invalid")),
    "surrogate": (meta(name="\ud800"), (META, 4, "metadata/not-plain")),
    "not UTF-8": (data(META, b"{\n\n\xff"), (META, 3, "file/not-utf-8")),
    "too large": (data(META, b" " * (MAX_FILE + 1)), (META, None, "file/too-large")),
    "metadata a folder": (lambda f: ((f / META).unlink(), (f / META).mkdir()),
                          (META, None, "file/kind")),
    "metadata linked out": (out(META), (META, None, "file/link")),
    # phases
    "no phases": (lambda f: shutil.rmtree(f / "phases"), ("phases", None, "phase/none")),
    "all before the start": (meta(start_phase=3), ("phases", None, "phase/none")),
    "phases linked out": (out("phases"), ("phases", None, "file/link")),
    "phase linked out": (out("phases/1"), ("phases/1", None, "file/link")),
    "too many phases": (more_phases, ("phases", None, "phase/too-many")),
    "phase no folder": (text("phases/3", ""), ("phases/3", None, "phase/not-a-folder")),
    "phase twice": (lambda f: shutil.copytree(f / "phases/1", f / "phases/01"),
                    ("phases/1", None, "phase/twice")),
    "empty phase": (lambda f: (gone(TEXT)(f), gone("phases/1/task-1-do.md")(f)),
                    (TEXT, None, "phase/empty")),
    "text not UTF-8": (data(TEXT, b"\xff"), (TEXT, 1, "file/not-utf-8")),
    "text linked out": (out(TEXT), (TEXT, None, "file/link")),
    "text a dangling link": (lambda f: (gone(TEXT)(f), (f / TEXT).symlink_to("nowhere")),
                             (TEXT, None, "file/unreadable")),
    "text in circles": (lambda f: (gone(TEXT)(f), (f / TEXT).symlink_to("phase.md")),
                        (TEXT, None, "file/")),
    # tasks
    "misnamed task": (moved("phases/1/task-1-do.md", "phases/1/Task_1.md"),
                      ("phases/1/Task_1.md", None, "task/name")),
    "task twice": (text("phases/1/task-01-b.md", TASK),
                   ("phases/1/task-1-do.md", None, "task/twice")),
    "task too large": (data("phases/1/task-1-do.md", b"a" * (MAX_FILE + 1)),
                       ("phases/1/task-1-do.md", None, "file/too-large")),
    # gates
    "misnamed gate": (moved(GATE_FILE, "phases/1/gate.yml"),
                      ("phases/1/gate.yml", None, "gate/name")),
    "gate not YAML": (text(GATE_FILE, "evidence_schema:\n  a: [\n"),
                      (GATE_FILE, 3, "gate/not-yaml")),
    "gate empty": (text(GATE_FILE, ""), (GATE_FILE, None, "gate/no-evidence")),
    "gate a list": (text(GATE_FILE, "- a\n"), (GATE_FILE, 1, "gate/no-evidence")),
    "misspelt section": (swap(GATE_FILE, "evidence_schema", "evidence_shema"),
                         (GATE_FILE, 2, "gate/unknown-key")),
    "misspelt key": (swap(GATE_FILE, "minimum", "minimun"), (GATE_FILE, 6, "gate/unknown-key")),
    "misspelt strict": (swap(GATE_FILE, "{strict", "{srict"), (GATE_FILE, 1, "gate/unknown-key")),
    "misspelt rule": (swap(GATE_FILE, "- rule", "- rules"), (GATE_FILE, 15, "gate/unknown-key")),
    "unknown type": (swap(GATE_FILE, "type: integer", "type: text"), (GATE_FILE, 4, "gate/type")),
    "wrong keyword": (swap(GATE_FILE, "minimum: 1", "minimum: few"), (GATE_FILE, 3, "gate/schema")),
    "unknown probe": (swap(GATE_FILE, "{junit: reports", "{oracle: reports"),
                      (GATE_FILE, 8, "gate/")),
    "setting of a probe": (swap(GATE_FILE, "count: passed", "cont: passed"),
                           (GATE_FILE, 8, "gate/unknown-key")),
    "placeholder": (swap(GATE_FILE, "reports/junit.xml", "'{targt_file}.xml'"),
                    (GATE_FILE, 8, "gate/placeholder")),
    "path out": (swap(GATE_FILE, "reports/junit", "../junit"), (GATE_FILE, 8, "gate/invalid")),
    "verify empty": (swap(GATE_FILE, "{junit: reports/junit.xml, count: passed}", "[]"),
                     (GATE_FILE, 8, "gate/invalid")),
    "unknown validator": (swap(GATE_FILE, "validator: positive", "validator: positiv"),
                          (GATE_FILE, 7, "gate/unknown-validator")),
    "validator parameters": (swap(GATE_FILE, "lambda x:", "lambda x, y:"),
                             (GATE_FILE, 7, "gate/validator-params")),
    "broken validator": (swap(GATE_FILE, "lambda x: x > 0", "x > 0"),
                         (GATE_FILE, 13, "gate/validator")),
    "validator no text": (swap(GATE_FILE, '"lambda x: x > 0"', "1"),
                          (GATE_FILE, 13, "gate/validator")),
    "broken rule": (swap(GATE_FILE, "e['tests']", "f"), (GATE_FILE, 15, "gate/invalid")),
    "rules no list": (swap(GATE_FILE, "  - rule", "  rule"), (GATE_FILE, None, "gate/")),
    "assurance": (swap(GATE_FILE, "minimum: 1", "assurance: executed"), (GATE_FILE, 3, "gate/")),
    "field of no name": (swap(GATE_FILE, "  report:", "  yes:"), (GATE_FILE, 2, "gate/invalid")),
    "field no mapping": (text(GATE_FILE, "evidence_schema:\n  a: 1\n"),
                         (GATE_FILE, 2, "gate/invalid")),
    "bomb": (text(GATE_FILE, "[" * 500_000), (GATE_FILE, 1, "gate/not-yaml")),
    "gate linked out": (out(GATE_FILE), (GATE_FILE, None, "file/link")),
}  # fmt: skip


def test_the_clean_definition_is_clean_and_loads(tmp_path):
    for folder in (clean(tmp_path / "shelf"), clean_dynamic(tmp_path / "dynamic")):
        assert told(folder) == []
        assert loads(folder)


@pytest.mark.parametrize(("change", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_the_library_refuses_is_an_error_with_file_and_line(tmp_path, change, expected):
    folder = clean(tmp_path / "shelf")
    change(folder)
    file, line, code = expected

    errors = [found[1:] for found in told(folder) if found[0] == "error"]

    assert not loads(folder)
    assert [found for found in errors if found[0] == file and found[2].startswith(code)
            and line in {None, found[1]}], errors  # fmt: skip
    assert "definition/refused" not in {found[2] for found in errors}


ALSO_ERRORS = {
    "key twice": (swap("metadata.json", '"version": "1.0.0",', '"version": "1",\n "version": "2",'),
                  [(META, 4, "metadata/duplicate-key")]),
    "slip of a key": (swap(META, '"total_phases"', '"Total-Phases"'),
                      [(META, 6, "metadata/unknown-key")]),
    "slip in an entry": (meta(phases=[{"phase_number": 1, "phase_nam": "Work"}]),
                         [(META, 10, "metadata/unknown-key")]),
    "nested keyword": (swap(GATE_FILE, "    type: string\n",
                            "    type: list\n    items:\n      minLenght: 2\n"),
                       [(GATE_FILE, 12, "gate/unknown-key")]),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), ALSO_ERRORS.values(), ids=ALSO_ERRORS)
def test_what_would_silently_do_nothing_is_an_error_too(tmp_path, change, expected):
    folder = clean(tmp_path / "shelf")
    change(folder)

    assert [found[1:] for found in told(folder) if found[0] == "error"] == expected
    assert loads(folder)


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    folder = clean(tmp_path / "shelf", workflow_type="other_v1", tags="a", descripton="x")
    swap(GATE_FILE, "minimum: 1", "minimun: 1")(folder)
    swap(GATE_FILE, "type: string", "type: text")(folder)
    swap(GATE_FILE, "lambda e:", "lambda e: f or")(folder)
    put(folder, "phases/2/gate-definition.yaml", "{")
    put(folder, "phases/2/task_2.md", TASK)

    assert [found[1:] for found in told(folder) if found[0] == "error"] == [
        (META, 17, "metadata/invalid"),
        (GATE_FILE, 6, "gate/unknown-key"),
        (GATE_FILE, 10, "gate/type"),
        (GATE_FILE, 15, "gate/invalid"),
        ("phases/2/gate-definition.yaml", 2, "gate/not-yaml"),
        ("phases/2/task_2.md", None, "task/name"),
    ]


def test_several_slips_of_one_field_are_all_told(tmp_path):
    folder = clean(tmp_path / "shelf")
    field = "evidence_schema:\n  a:\n    descripton: x\n    minimun: 1\n    type: text\n"
    put(folder, GATE_FILE, field + "    validator: v\n    verify: {file: ../x, fresch: true}\n")

    assert [found[2:] for found in told(folder) if found[0] == "error"] == [
        (3, "gate/unknown-key"),
        (4, "gate/unknown-key"),
        (5, "gate/type"),
        (6, "gate/unknown-validator"),
        (7, "gate/invalid"),
        (7, "gate/unknown-key"),
    ]


def test_a_problem_says_what_is_wrong_and_how_to_mend_it(tmp_path):
    folder = clean(tmp_path / "shelf")
    swap(GATE_FILE, "minimum", "minimun")(folder)

    [problem] = lint(folder, tmp_path)

    assert (problem.file, problem.message, problem.remedy) == (
        f"shelf/small_v1/{GATE_FILE}",
        "unknown key 'minimun': did you mean minimum?",
        "Rename it to minimum: as it is, it does nothing.",
    )


def test_what_the_checks_let_pass_and_the_library_does_not_is_an_error(tmp_path, monkeypatch):
    folder = clean(tmp_path / "shelf")
    put(folder, GATE_FILE, "{")
    monkeypatch.setattr(linter, "check_gate", lambda *_: None)

    [problem] = lint(folder)

    assert (problem.code, problem.is_error) == ("definition/refused", True)
    assert problem.message.startswith(f"cannot be loaded: small_v1/{GATE_FILE}:2: ")


def test_the_text_of_a_broken_phase_is_still_looked_at(tmp_path):
    folder = clean(tmp_path / "shelf")
    put(folder, GATE_FILE, "{")
    put(folder, TEXT, PHASE.format(number=1).replace("task-1-do.md", "task-9.md"))

    assert ("warning", TEXT, 3, "text/dead-link") in told(folder)
