"""verify and prune, as people run them."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import STATE_DIR
from mcp_server.errors import InvalidArgumentError
from mcp_server.maintenance import parse_age
from mcp_server.server.services import services_for
from tests.builders import tree, write_workflow
from tests.calls import ABSENT, complete, started

runner = CliRunner()


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


def run(*arguments):
    return runner.invoke(app, [*arguments])


def told_hash(output):
    return output.split("last hash ")[1].strip()


async def test_verify_says_ok_and_the_last_hash(small):
    session_id = await started()
    await complete(session_id, 1)
    result = run("verify", session_id)
    lines = (small / STATE_DIR / f"{session_id}.jsonl").read_bytes().splitlines()
    last = json.loads(lines[-1])["hash"]
    assert (result.exit_code, result.stdout) == (
        0,
        f"OK: {session_id}: 2 lines, 2 pieces of evidence, last hash {last}\n",
    )


async def test_verify_names_the_first_line_that_does_not_fit(small):
    session_id = await started()
    await complete(session_id, 1)
    journal = small / STATE_DIR / f"{session_id}.jsonl"
    first, second = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first.replace(b"src/a.py", b"src/b.py") + second)
    result = run("verify", session_id)
    assert (result.exit_code, result.stdout) == (
        1,
        f"DAMAGED at line 1: {session_id}: line 1 is not what its hash says\n",
    )


async def test_verify_finds_lines_cut_off_the_end_against_a_noted_hash(small):
    session_id = await started()
    await complete(session_id, 1)
    noted = told_hash(run("verify", session_id).stdout)
    journal = small / STATE_DIR / f"{session_id}.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    assert run("verify", session_id).exit_code == 0
    result = run("verify", session_id, "--expect", noted)
    assert result.exit_code == 1
    assert "lines were cut off or rewritten" in result.stdout


async def test_verify_ignores_a_torn_last_line(small):
    session_id = await started()
    journal = small / STATE_DIR / f"{session_id}.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"schema_version":1,"se')
    assert run("verify", session_id).exit_code == 0


def test_verify_of_an_unknown_session_is_a_refusal(small):
    result = run("verify", ABSENT)
    assert result.exit_code == 2
    assert result.stderr == (
        f"aos-workflow: no session {ABSENT}. aos-workflow sessions lists those that exist.\n"
    )


def test_verify_of_no_session_id_is_wrong_usage(small):
    assert run("verify", "../x").exit_code == 2


@pytest.fixture
async def aged(small):
    """Two old sessions, one of them completed, and a fresh one; their ids."""
    sessions = services_for_project(small).sessions
    real = sessions.clock
    sessions.clock = lambda: real() - timedelta(days=40)
    try:
        open_one, done = await started(), await started()
        await complete(done, 1)
        await complete(done, 2)
    finally:
        sessions.clock = real
    return open_one, done, await started()


def services_for_project(project):
    from mcp_server.config import Settings  # noqa: PLC0415

    return services_for(Settings(project=project))


async def test_prune_is_a_dry_run_unless_told_to_apply(small, aged):
    before = tree(small)
    result = run("prune", "--older-than", "30d")
    assert result.exit_code == 0
    assert all(session_id in result.stdout for session_id in aged[:2])
    assert aged[2] not in result.stdout
    assert result.stdout.endswith("2 sessions would be deleted; add --apply to delete them.\n")
    assert tree(small) == before


async def test_prune_deletes_old_sessions_with_their_evidence_and_logs_each(small, aged):
    result = run("prune", "--older-than", "30d", "--apply")
    assert (result.exit_code, result.stdout) == (0, "2 of 2 sessions deleted.\n")
    left = {name for name in tree(small / STATE_DIR) if name.endswith(".jsonl")}
    assert left == {f"{aged[2]}.jsonl"}
    log = (small / STATE_DIR / "deletions.log").read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)["session_id"] for line in log) == sorted(aged[:2])
    assert {json.loads(line)["reason"] for line in log} == {"pruned: older than 30d"}


async def test_prune_can_be_narrowed_to_a_status(small, aged):
    result = run("prune", "--older-than", "30d", "--status", "completed", "--apply")
    assert result.stdout == "1 of 1 sessions deleted.\n"
    assert not (small / STATE_DIR / "finished" / f"{aged[1]}.jsonl").exists()
    assert (small / STATE_DIR / f"{aged[0]}.jsonl").exists()


async def test_a_session_that_changed_since_it_was_listed_is_kept(small, aged):
    sessions = services_for_project(small).sessions
    (listed, _) = sessions.prunable(sessions.clock() - timedelta(days=30))
    sessions.pause(listed.session_id)
    assert sessions.prune(listed, "old") is False
    sessions.delete_session(listed.session_id)
    assert sessions.prune(listed, "old") is False


@pytest.mark.parametrize(
    ("text", "age"),
    [("30d", timedelta(days=30)), ("12h", timedelta(hours=12)), ("2w", timedelta(weeks=2)),
     ("5m", timedelta(minutes=5)), ("0d", timedelta())],
)  # fmt: skip
def test_an_age_is_a_number_and_a_unit(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 d", "30d\n", "9999999d"])
def test_anything_else_is_no_age(text):
    with pytest.raises(InvalidArgumentError):
        parse_age(text)


def test_a_wrong_age_is_wrong_usage(small):
    result = run("prune", "--older-than", "soon")
    assert result.exit_code == 2
    assert result.stderr.startswith("aos-workflow: 'soon' is not an age.")


def test_import_state_shows_then_imports_then_finds_everything_there(small, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    document = {
        "session_id": "c03c8f3f-4a77-4d81-8bc2-59f224512380", "workflow_type": "small_v1",
        "target_file": "a.py", "current_phase": 1, "completed_phases": [],
        "created_at": "2026-03-14T12:00:00", "metadata": {"total_phases": 2},
    }  # fmt: skip
    (old / "one.json").write_text(json.dumps(document), encoding="utf-8")
    (old / "two.json").write_text("{", encoding="utf-8")
    session_id = "small_v1_a_py_20260314_120000_c03c8f"
    reason = "not JSON: Expecting property name enclosed in double quotes in line 1"

    shown = run("import-state", str(old))
    assert shown.exit_code == 1
    assert shown.stdout.splitlines() == [
        f"one.json: would be imported: {session_id}",
        f"two.json: not imported: {reason}",
        "1 sessions would be imported, 0 are already there, 1 cannot; add --apply to import them.",
    ]
    assert not (small / STATE_DIR).exists()
    (old / "two.json").unlink()
    imported = run("import-state", str(old), "--apply")
    assert (imported.exit_code, imported.stdout.splitlines()[-1]) == (
        0,
        "1 imported, 0 already there, 0 not imported.",
    )
    again = run("import-state", str(old), "--apply")
    assert again.stdout.splitlines()[-1] == "0 imported, 1 already there, 0 not imported."
    assert run("verify", session_id).exit_code == 0


def test_import_state_says_when_the_definition_is_not_at_hand(small, tmp_path):
    document = {
        "session_id": "c03c8f3f-4a77-4d81-8bc2-59f224512380", "workflow_type": "gone_v1",
        "target_file": "a.py", "current_phase": 0, "completed_phases": [],
        "created_at": "2026-03-14T12:00:00", "metadata": {"total_phases": 2},
    }  # fmt: skip
    (tmp_path / "one.json").write_text(json.dumps(document), encoding="utf-8")
    shown = run("import-state", str(tmp_path))
    assert shown.stdout.splitlines()[1] == (
        "    its definition is not at hand (no workflow 'gone_v1'): it can be read, not continued"
    )


def test_import_state_from_a_folder_that_is_not_there_is_wrong_usage(small, tmp_path):
    assert run("import-state", str(tmp_path / "none")).exit_code == 2


async def test_a_dry_run_names_twenty_and_counts_the_rest(small, monkeypatch):
    for _ in range(22):
        await started()
    result = run("prune", "--older-than", "0d")
    *named, rest, total = result.stdout.splitlines()
    assert (len(named), rest) == (20, "... and 2 more")
    assert total == "22 sessions would be deleted; add --apply to delete them."


async def test_a_session_that_cannot_be_deleted_is_told_and_stops_nothing_else(
    small, aged, monkeypatch
):
    monkeypatch.setenv("AOS_WORKFLOW_LOCK_TIMEOUT", "0.05")
    with services_for_project(small).sessions.store.locked(aged[0]):
        result = run("prune", "--older-than", "30d", "--apply")
    assert result.exit_code == 1
    told, total = result.stdout.splitlines()
    assert told.startswith(f"{aged[0]}: Session modified by another operation")
    assert total == "1 of 2 sessions deleted."
