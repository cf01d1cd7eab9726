"""The self-test: nothing gets through the built-in gates, and weak gates are called weak."""

import io
import json
import shutil
import subprocess
import tempfile
from collections import Counter

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.core.limits import Limits
from mcp_server.example import Example
from mcp_server.gates.hostile import Hostile, Kind, Project, submissions
from mcp_server.gates.observation import Judgement
from mcp_server.gates.plausible import plausible
from mcp_server.selftest import GateReport, examine, examine_gate, run_self_test
from mcp_server.throwaway import Bench
from tests.builders import (
    BUILT_IN_FOLDER,
    BUILT_IN_NAMES,
    DYNAMIC_NAME,
    GATE,
    copy_compat,
    gate,
    library,
    tree,
    write_workflow,
)
from tests.gates.gate_builders import lenient, one

runner = CliRunner()


def examined(made) -> GateReport:
    return examine_gate(Bench(made, 1), Limits(), "small_v1")


def through(made) -> set[tuple[Kind, str]]:
    return {(hostile.kind, hostile.field) for hostile in examined(made).let_through}


def reported(*shelves, names=(), **settings) -> tuple[int, str]:
    printed = io.StringIO()
    console = Console(file=printed, width=200, highlight=False, markup=False)
    code = run_self_test(library(*shelves), Limits(), names, console, **settings)
    return code, printed.getvalue()


@pytest.fixture(scope="module")
def built_in():
    return examine(library(), Limits(), (), Console(file=io.StringIO()))


def test_nothing_gets_through_a_built_in_gate(built_in):
    assert [made for made in built_in.gates if made.let_through] == []
    assert built_in.untested == ()
    assert built_in.holds
    assert {made.workflow for made in built_in.gates} == {*BUILT_IN_NAMES, DYNAMIC_NAME}
    assert min(made.tried for made in built_in.gates) > 100


def test_no_built_in_gate_deserves_a_remark(built_in):
    assert [made for made in built_in.gates if made.remarks] == []


def test_at_most_a_third_of_what_a_built_in_workflow_requires_is_claimed(built_in):
    required, claims = Counter(), Counter()
    for made in built_in.gates:
        required[made.workflow] += made.required
        claims[made.workflow] += made.claims
    assert [name for name in required if claims[name] * 3 > required[name]] == []
    assert len(required) == 5


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
def test_what_is_stale_at_a_built_in_gate_would_pass_if_it_were_not(name):
    example = Example.of(BUILT_IN_FOLDER / name)
    missed = []
    for phase in library().load(name).phases:
        bench = Bench.of(phase.gate, phase.phase_number, example)
        for hostile in submissions(phase.gate, plausible(phase.gate), 10):
            if hostile.kind is Kind.STALE:
                missed += unlike(bench, hostile, Judgement.FAIL)
                fresh = Hostile(hostile.kind, hostile.field, hostile.what, hostile.evidence, {},
                                Project.DONE, hostile.asked)  # fmt: skip
                missed += unlike(bench, fresh, Judgement.PASS)
    assert missed == []


def unlike(bench, hostile, wanted) -> list:
    seen = bench.observe(hostile)[hostile.field]
    is_meant = wanted is not Judgement.FAIL or "is stale" in seen.reason
    return [] if seen.judgement is wanted and is_meant else [(hostile.field, hostile.what, seen)]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "verify": {"file": "docs/{target_name}.md", "min_size": 900}},
        {"type": "list", "verify": {"file": "docs/**/*.md", "minimum": 3}},
        {"type": "integer", "const": 4, "verify": {"count": "a.md", "pattern": r"^- \S"}},
        {"type": "list", "verify": {"count": ["a.md", "b.md"], "pattern": "^## (.*)$"}},
        {"type": "string", "verify": {"text": "a[0-9].md", "pattern": "^text$"}},
        {"type": "boolean", "verify": {"text": "a.md", "contains": "Decided"}},
        {"type": "string", "verify": {"json": "a.json", "pointer": "/project/version"}},
        {"type": "integer", "verify": {"yaml": "a.yaml", "pointer": "/n~1m"}},
        {"type": "dict", "verify": {"toml": "a.toml", "pointer": "/tool/it"}},
        {"type": "integer", "const": 4, "verify": {"junit": "a.xml", "count": "passed"}},
        {"type": "list", "verify": {"junit": "a.xml", "tests": ["test_a"], "of": "tests/t.py"}},
        {"type": "number", "const": 87.5, "verify": {"coverage": "c.xml", "of": "{target_file}"}},
        {"type": "string", "verify": {"text": "{options.folder}/a.md"}},
    ],
)
def test_files_are_made_up_in_which_a_probe_finds_something(field):
    fresh = {**field, "verify": {**field["verify"], "fresh": True}}
    made = one(**fresh)
    bench = Bench.of(made, 1, None)
    (stale,) = (h for h in submissions(made, plausible(made), 10) if h.kind is Kind.STALE)
    done = Hostile(stale.kind, "a", "", stale.evidence, {}, Project.DONE, stale.asked)
    assert unlike(bench, stale, Judgement.FAIL) == []
    assert unlike(bench, done, Judgement.PASS) == []


def test_a_strict_gate_lets_nothing_through_and_its_claims_are_counted():
    made = examined(gate())
    assert (made.fields, made.required, made.claims, made.let_through) == (2, 2, 2, ())
    assert made.remarks == ("claims only",)


def test_a_gate_of_bare_booleans_proves_nothing():
    made = examined(gate(evidence_schema={"done": {"type": "boolean"}}))
    assert made.let_through == ()
    assert made.remarks == ("claims only", "proves nothing")


def test_a_lenient_gate_lets_wrong_types_through():
    made = lenient(evidence_schema={"done": {"type": "boolean"}, "n": {"type": "integer"}})
    assert through(made) == {(Kind.FALSE, "done"), (Kind.WRONG_TYPE, "done"), (Kind.HUGE, "done"),
                             (Kind.WRONG_TYPE, "n"), (Kind.HUGE, "n")}  # fmt: skip
    assert examined(made).remarks == ("claims only", "lenient")


def test_a_lenient_gate_does_not_wave_a_look_through():
    made = lenient(evidence_schema={"n": {"type": "integer", "verify": {"junit": "a.xml"}}})
    assert through(made) == {(Kind.WRONG_TYPE, "n")}
    assert examined(made).remarks == ("lenient",)


@pytest.mark.parametrize("verify", [{}, {"verify": {"file": "a.md"}}])
def test_a_gate_that_requires_nothing_is_passed_by_what_is_beside_the_point(verify):
    made = examined(one(required=False, type="boolean", **verify))
    assert [(h.kind, h.what) for h in made.let_through] == [
        (Kind.EMPTY, "nothing that the gate asks for")
    ]
    assert made.remarks == ("proves nothing",) if verify else ("claims only", "proves nothing")


def test_a_gate_without_fields_takes_anything():
    made = examined(gate(evidence_schema={}))
    assert [(h.kind, h.what) for h in made.let_through] == [(Kind.HUGE, "a list of 200,000")]
    assert made.remarks == ("claims only", "proves nothing")


def test_a_field_without_a_type_takes_a_list_without_end():
    assert through(one()) == {(Kind.HUGE, "a")}
    assert through(one(maxLength=80, maxItems=9)) == set()


def test_a_validator_that_is_always_true_is_named():
    made = gate(
        evidence_schema={"done": {"type": "boolean", "validator": "fine"},
                         "n": {"type": "integer", "validator": "positive"}},
        validators={"fine": "lambda x: True", "positive": "lambda x: x > 0"},
    )  # fmt: skip
    assert examined(made).remarks == ("claims only", "validator fine refuses nothing")


def test_a_gate_that_nothing_passes_is_tested_all_the_same():
    made = examined(one(type="integer", minimum=2, maximum=1))
    assert made.remarks == ("no passing example", "claims only")
    assert made.tried > 15


def test_a_person_cannot_be_left_out_and_an_untrusted_command_is_never_run(tmp_path):
    ran = tmp_path / "ran"
    fields = {
        "good": {"type": "boolean", "verify": {"approval": "Is it good?", "of": ["a.md"]}},
        "run": {"type": "boolean", "verify": {"command": {"argv": ["touch", str(ran)]}}},
        "tests": {"type": "integer", "assurance": "executed",
                  "verify": {"command": {"name": "test", "report": {"junit": "a.xml"}}}},
    }  # fmt: skip
    made = examined(gate(evidence_schema=fields))
    assert (made.let_through, made.claims, made.remarks) == ((), 0, ())
    assert not ran.exists()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_a_repository_around_the_temporary_folder_is_not_looked_at(tmp_path, monkeypatch):
    person = ["-c", "user.name=A", "-c", "user.email=a@localhost"]
    for arguments in (["init", "-q"], [*person, "commit", "-q", "--allow-empty", "-m", "One"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert through(one(type="string", verify={"git": {"commit": "HEAD"}})) == set()


def test_the_table_names_what_is_weak_and_below_it_what_gets_through(tmp_path):
    write_workflow(tmp_path / "shelf", phases=1, gate={**GATE, "checkpoint": {"strict": False}})
    code, text = reported(tmp_path / "shelf")
    assert code == 1
    (row,) = (line for line in text.splitlines() if line.startswith("small_v1\t"))
    assert row.split("\t") == ["small_v1", "1", "2", "2", "41", "25", "claims only, lenient"]
    assert "small_v1, phase 1 lets through: wrong type: tests: '1'" in text
    assert "small_v1, phase 1: ... and 20 more" in text
    assert text.endswith("1 gate, 41 hostile submissions, 25 let through.\n")


def test_json_says_the_same(tmp_path):
    write_workflow(tmp_path / "shelf", phases=1)
    code, text = reported(tmp_path / "shelf", as_json=True)
    assert code == 0
    assert json.loads(text) == {
        "holds": True,
        "gates": [{"workflow": "small_v1", "phase": 1, "fields": 2, "required": 2, "claims": 2,
                   "tried": 41, "let_through": [], "remarks": ["claims only"]}],
        "not_tested": [],
    }  # fmt: skip


def test_a_terminal_does_not_obey_a_name(tmp_path):
    named = {"evidence_schema": {"a": {"validator": "v\x1b[31m"}},
             "validators": {"v\x1b[31m": "lambda x: True"}}  # fmt: skip
    write_workflow(tmp_path / "shelf", phases=1, gate=named)
    _, text = reported(tmp_path / "shelf")
    assert "\x1b" not in text
    assert "validator v\\x1b[31m refuses nothing" in text


def test_a_dynamic_workflow_is_tested_as_far_as_it_stands(tmp_path):
    write_workflow(tmp_path / "shelf", "dynamic_v1", metadata={"dynamic_phases": True})
    code, text = reported(tmp_path / "shelf")
    assert code == 0
    assert "2 gates" in text


def test_a_broken_workflow_is_a_failure(tmp_path):
    write_workflow(tmp_path / "shelf", "broken_v1", phases=1, gate={"checkpoint": {}})
    code, text = reported(tmp_path / "shelf")
    assert code == 1
    assert "broken_v1: not tested: shelf/broken_v1/phases/1/gate-definition.yaml" in text


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"target_file": 3}', '{"target_file": "a", "options": 3}']
)
def test_an_example_that_cannot_be_read_does_no_harm(tmp_path, content):
    folder = write_workflow(tmp_path / "shelf", phases=1)
    (folder / "example").mkdir()
    (folder / "example" / "example.json").write_text(content, encoding="utf-8")
    assert reported(tmp_path / "shelf")[0] == 0


def test_the_command_tests_a_project_and_leaves_it_as_it_was(project):
    shelf = project / ".praxis-os" / "workflows"
    write_workflow(shelf, "weak_v1", phases=1, gate={"evidence_schema": {"a": {}}})
    write_workflow(shelf, "strong_v1", phases=1)
    before = tree(project)
    assert runner.invoke(app, ["gates", "test", "strong_v1"]).exit_code == 0
    weak = runner.invoke(app, ["gates", "test", "--json", "weak_v1", "strong_v1"])
    assert weak.exit_code == 1
    assert [made["workflow"] for made in json.loads(weak.stdout)["gates"]] == [
        "weak_v1",
        "strong_v1",
    ]
    assert tree(project) == before


def test_the_command_says_which_workflows_there_are(project):
    refused = runner.invoke(app, ["gates", "test", "none_v1", "--project", str(project)])
    assert refused.exit_code == 2
    names = ", ".join(sorted((*BUILT_IN_NAMES, DYNAMIC_NAME)))
    assert refused.stderr == (
        "aos-workflow: no workflow 'none_v1'. `aos-workflow workflows` shows what there is:"
        f" {names}.\n"
    )


def test_the_gates_of_other_projects_are_found_lenient(compat, project):
    copy_compat(compat, project)
    result = runner.invoke(app, ["gates", "test", "--json", "spec_creation_v1"])
    assert result.exit_code == 1
    made = json.loads(result.stdout)["gates"]
    assert len(made) == 6
    assert all("lenient" in one["remarks"] for one in made if one["required"])
