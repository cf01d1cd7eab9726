"""`--json`: one object that is what its documentation says, and nothing else on standard output."""

import json

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import STATE_DIR
from mcp_server.viewing.shapes import DOCUMENTS
from tests.builders import write_workflow
from tests.calls import complete, refused, started
from tests.cli.command_tree import commands
from tests.viewing.viewing_builders import EVIL, misfits, obeyed

BROKEN = {"evidence_schema": {"tests": {"type": "nonsense"}}}
COMMANDS_FILE = "test:\n  argv: [pytest, -q]\n"
LISTING = {
    "workflows", "show", "sessions", "show-session", "verify", "prune", "import-state",
    "migrate-state", "trust", "lint", "gates test", "watch", "token list",
}  # fmt: skip


def run(*words, code=0, **environment):
    done = CliRunner().invoke(app, [*words], env=environment)
    assert done.exit_code == code, done.output
    return done


def document(*words, code=0, **environment):
    """The one JSON object that is printed, checked against what is documented."""
    done = run(*words, "--json", code=code, **environment)
    assert obeyed(done.stdout) == []
    assert done.stdout.isascii()
    found = json.loads(done.stdout)
    known = [key for key in DOCUMENTS if " ".join(words).startswith(key.split(" --")[0])]
    key = max((key for key in known if set(key.split()) <= set(words)), key=len)
    assert misfits(found, DOCUMENTS[key]) == []
    return found


@pytest.fixture
def small(project, monkeypatch, tmp_path):
    """A project with a workflow, a broken one, texts that a terminal would obey, and a command."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    shelf = project / ".praxis-os" / "workflows"
    write_workflow(shelf, metadata={"description": EVIL})
    write_workflow(shelf, "broken_v1", gate=BROKEN)
    (project / ".praxis-os" / "commands.yaml").write_text(COMMANDS_FILE, encoding="utf-8")
    return project


def test_whatever_lists_has_it_and_is_documented():
    offered = {name for name, command in commands().items()
               if any("--json" in param.opts for param in command.params)}  # fmt: skip
    assert offered >= LISTING
    assert {key.split(" --")[0] for key in DOCUMENTS} == LISTING


def test_workflows(small):
    listed = document("workflows", "--category", "test")
    assert [row["description"] for row in listed["workflows"]] == [EVIL]
    assert len(listed["warnings"]) == 1
    done = run("workflows", "--json")
    assert done.stderr.startswith("aos-workflow: warning: .praxis-os/workflows/broken_v1/")
    assert len(done.stderr.splitlines()) == 1


def test_show(small):
    assert document("show", "small_v1")["total_phases"] == 2
    assert document("show", "spec_execution_v1")["total_phases"] == "dynamic"


async def test_sessions_and_one_of_them(small):
    first, second = await started(), await started()
    await refused(first)
    listed = document("sessions", "--limit", "1")
    assert ([row["session_id"] for row in listed["sessions"]], listed["count"]) == ([second], 2)
    assert document("sessions", "--status", "failed")["count"] == 1
    shown = document("show-session", first)
    assert (shown["status"], shown["history"]) == ("failed", None)
    assert len(document("show-session", first, "--history")["history"]) == 2


async def test_watch(small):
    await started()
    assert document("watch", "--once")["statuses"] == {"active": 1}


async def test_verify(small):
    session_id = await started()
    sound = document("verify", session_id[:-2])
    assert (sound["session_id"], sound["holds"], sound["lines"]) == (session_id, True, 1)
    journal = small / STATE_DIR / f"{session_id}.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"src/a.py", b"src/b.py"))
    damaged = document("verify", session_id, code=1)
    assert (damaged["holds"], damaged["line"]) == (False, 1)
    assert damaged["problem"] == "line 1 is not what its hash says"


async def test_prune(small):
    session_id = await started()
    await complete(session_id, 1)
    shown = document("prune", "--older-than", "0d")
    assert (shown["applied"], shown["count"], shown["deleted"]) == (False, 1, 0)
    done = document("prune", "--older-than", "0d", "--apply")
    assert (done["applied"], done["count"], done["deleted"]) == (True, 1, 1)
    assert document("sessions")["count"] == 0


async def test_prune_tells_what_could_not_be_deleted(small, services):
    session_id = await started()
    with services.sessions.store.locked(session_id):
        done = document(
            "prune", "--older-than", "0d", "--apply", code=1, AOS_WORKFLOW_LOCK_TIMEOUT="0.05"
        )
    assert [session_id in problem for problem in done["problems"]] == [True]


def test_import_state(small, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    (old / "one.json").write_text("{", encoding="utf-8")
    shown = document("import-state", str(old), code=1)
    assert (shown["applied"], shown["count"], shown["refused"]) == (False, 0, 1)
    assert shown["files"][0]["reason"].startswith("not JSON: ")


async def test_migrate_state(small, tmp_path):
    session_id = await started()
    (tmp_path / "other").mkdir()
    places = ("--from", str(small), "--to", str(tmp_path / "other"))
    shown = document("migrate-state", *places)
    assert (shown["applied"], shown["count"], shown["left"]) == (False, 1, 0)
    done = document("migrate-state", *places, "--apply")
    assert [row["session_id"] for row in done["sessions"]] == [session_id]


def test_trust_list(small):
    listed = document("trust", "--list")
    (row,) = listed["commands"]
    assert (row["name"], row["argv"], row["trust"], row["by"]) == (
        "test", ["pytest", "-q"], "unknown", None
    )  # fmt: skip
    assert (listed["count"], listed["not_trusted"], len(listed["warnings"])) == (1, 1, 1)
    assert run("trust", "--list", "--json").stderr.startswith("aos-workflow: warning: Not read: ")


def test_lint(small, monkeypatch):
    monkeypatch.chdir(small)
    found = document("lint", "broken_v1", code=1)
    assert (found["definitions"], found["problems"][0]["severity"]) == (1, "error")
    assert run("lint", "broken_v1", "--format", "json", code=1).stdout == (
        run("lint", "broken_v1", "--json", code=1).stdout
    )


def test_gates_test(small):
    assert document("gates", "test", "small_v1")["holds"] is True
    assert document("gates", "test", "broken_v1", code=1)["not_tested"][0]["workflow"] == (
        "broken_v1"
    )


def test_token_list(small):
    run("token", "new", "ada", "--expires", "1d")
    (row,) = document("token", "list")["tokens"]
    assert (row["name"], row["admin"], row["expired"]) == ("ada", False, False)


def test_where_it_is_refused_standard_output_is_empty(small):
    done = run("show", "broken_v1", "--json", code=1)
    assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)
