"""Folders of the older server's state: what becomes of each file, and that nothing else happens."""

import errno
import json
import os
from pathlib import Path

import pytest

from mcp_server import importing
from mcp_server.errors import GateRefusedError, InvalidArgumentError
from mcp_server.gates.evaluation import Known
from mcp_server.importing import import_state
from tests.builders import copy_compat, tree, write_workflow
from tests.core.session_builders import lines_of, link, refusing
from tests.core.test_durable import System
from tests.core.test_legacy import old_state
from tests.importing_builders import (
    FAILED,
    ID,
    LARGE,
    fresh,
    outcomes,
    put,
    reason,
    stored_ids,
    uuid,
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of the older server's state, empty as yet."""
    folder = tmp_path / "old"
    folder.mkdir()
    return folder


@pytest.fixture
def shelved(project: Path) -> Path:
    """A project whose library has the workflow of `old_state`."""
    write_workflow(project / ".praxis-os" / "workflows", phases=3, first=0)
    return project


def test_a_dry_run_says_what_would_be_and_writes_nothing(old, project, services):
    put(old, 0)
    put(old, 1, target_file="/etc/passwd")
    before = tree(project), tree(old)
    report = import_state(old, services, apply=False)
    assert outcomes(report) == ["would be imported", "not imported"]
    assert (report.files[0].session_id, report.applied) == (ID, False)
    assert not report.is_complete
    assert (tree(project), tree(old)) == before
    assert not (project / ".praxis-os").exists()


def test_every_file_that_is_understood_becomes_a_session_that_holds_in_an_audit(old, services):
    for number, state in enumerate([{}, FAILED, {"completed": 3}, {"phase_artifacts": LARGE}]):
        put(old, number, **state)
    report = import_state(old, services, apply=True)
    assert outcomes(report) == ["imported"] * 4
    assert report.is_complete
    statuses = []
    for file in report.files:
        assert services.sessions.verify(file.session_id).holds
        statuses.append(services.engine.get_state(file.session_id)["session_status"])
    assert statuses == ["active", "failed", "completed", "active"]


def test_importing_twice_finds_everything_there(old, services):
    put(old, 0)
    put(old, 1, completed=3)
    import_state(old, services, apply=True)
    before = tree(services.settings.state_folder)
    for apply in (True, False):
        report = import_state(old, services, apply=apply)
        assert outcomes(report) == ["already imported"] * 2
        assert report.files[0].session_id == ID
    assert tree(services.settings.state_folder) == before


@pytest.mark.parametrize("apply", [True, False])
def test_a_copy_of_a_file_is_the_same_session(old, services, apply):
    (old / "copy.json").write_bytes(put(old).read_bytes())
    second = outcomes(import_state(old, services, apply=apply))[1]
    assert second == "already imported"


@pytest.mark.parametrize("apply", [True, False])
def test_an_id_that_another_session_has_is_no_sign_of_an_earlier_import(old, services, apply):
    put(old, 0)
    other = json.dumps(old_state(session_id=uuid(0), target_file="other/a.py"))
    (old / "other.json").write_text(other, encoding="utf-8")
    second = import_state(old, services, apply=apply).files[1]
    assert second.reason == f"session_id: another session is already {ID}"


def test_an_imported_session_goes_on_under_the_definition_at_hand(old, shelved, services):
    put(old, 0, **FAILED)
    (file,) = import_state(old, services, apply=True).files
    assert file.note is None
    engine = services.engine
    assert "moved_on" not in engine.get_state(file.session_id)["definition"]
    assert engine.get_errors(file.session_id)["errors"][0]["details"] == {"imported": True}
    engine.retry_phase(file.session_id, 1)
    with pytest.raises(GateRefusedError):
        engine.complete_phase(file.session_id, 1, {"tests": 0})
    engine.retry_phase(file.session_id, 1)
    evidence = {"tests": 3, "report": "r.xml"}
    assert engine.complete_phase(file.session_id, 1, evidence)["checkpoint_passed"]
    assert services.sessions.verify(file.session_id).holds


@pytest.mark.parametrize(
    ("phases", "note"),
    [
        (0, "no workflow 'small_v1'"),
        (2, "the workflow at hand has the phases 0, 1"),
        (-1, ".praxis-os/workflows/small_v1/metadata.json"),
    ],
)
def test_without_the_definition_a_stand_in_lets_nobody_through(
    old, project, services, phases, note
):
    if phases:
        folder = write_workflow(
            project / ".praxis-os" / "workflows", phases=max(1, phases), first=0
        )
    if phases < 0:
        (folder / "metadata.json").write_text("{", encoding="utf-8")
    put(old, 0, **FAILED)
    (file,) = import_state(old, services, apply=True).files
    assert file.note is not None
    assert file.note.startswith(note)
    engine = services.engine
    assert "start a new session" in engine.get_errors(ID)["errors"][0]["remediation"].lower()
    content = engine.retry_phase(ID, 1)["phase_content"]["content"]
    assert "was not at hand when this session was imported" in content
    (field,) = engine.get_phase(ID)["phase_content"]["checkpoint"]["required_evidence"]
    with pytest.raises(GateRefusedError):
        engine.complete_phase(ID, 1, {field: True, "tests": 3, "report": "r.xml"})


@pytest.mark.parametrize("apply", [True, False])
def test_the_limit_of_active_sessions_is_respected_and_stops_nothing_else(old, project, apply):
    put(old, 0)
    put(old, 1, **FAILED)
    put(old, 2)
    put(old, 3, completed=3)
    services = fresh(project, max_active_sessions=2)
    report = import_state(old, services, apply=apply)
    done = "imported" if apply else "would be imported"
    assert outcomes(report) == [done, done, "not imported", done]
    assert "the limit of 2 active or failed sessions" in report.files[2].reason


BROKEN = [
    (b"", "not JSON: "),
    (b'{"session_id": "broken"', "not JSON: "),
    (b'{"session_id": "\xff"}', "not UTF-8: byte 16"),
    ('{"session_id": 1}'.encode("utf-16"), "not UTF-8: "),
    (b"[" * 200_000, "nested too deep"),
    (b'{"a": ' + b"1" * 5_000 + b"}", "not JSON that can be read: a number has too many digits"),
    (b'{"current_phase": 1, "current_phase": 2}', '"current_phase": stands twice'),
    (b"[]", "the file must hold one object"),
    (b'{"name": "some-package"}', "workflow_type: missing"),
]


@pytest.mark.parametrize(("content", "expected"), BROKEN, ids=[text for _, text in BROKEN])
def test_a_file_that_holds_no_state_is_listed_with_the_reason(old, services, content, expected):
    (old / "broken.json").write_bytes(content)
    assert reason(import_state(old, services, apply=True)).startswith(expected)


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../a.py", "a/../../b", "C:\\a.py", "%2e%2e/a", "~/a", "", "out/a.py"]
)
def test_a_target_outside_the_project_is_listed_with_the_reason(old, project, services, target):
    link(project / "out", old, is_folder=True)
    put(old, 0, target_file=target)
    assert "target_file" in reason(import_state(old, services, apply=True))
    assert stored_ids(services) == set()


def test_the_limits_of_submitted_evidence_and_options_hold_for_imports_too(old, project):
    put(old, 0, phase_artifacts=LARGE)
    put(old, 1, metadata={"total_phases": 3, "note": "x" * 500})
    services = fresh(project, max_evidence_size=5_000, max_options_size=400)
    reasons = [file.reason for file in import_state(old, services, apply=True).files]
    assert [text.split(":")[0] for text in reasons] == ["phase_artifacts.0.evidence", "metadata"]


def test_a_file_is_refused_only_when_it_is_over_the_limit(old, services, monkeypatch):
    path = put(old)
    size = path.stat().st_size
    monkeypatch.setattr(importing, "MAX_FILE", size - 1)
    assert reason(import_state(old, services, apply=False)) == f"too large: over {size - 1} bytes"
    monkeypatch.setattr(importing, "MAX_FILE", size)
    assert outcomes(import_state(old, services, apply=False)) == ["would be imported"]


def test_the_limit_is_32_mebibytes(old, services):
    with (old / "huge.json").open("wb") as file:
        file.truncate(32 * 1024 * 1024 + 1)
    assert reason(import_state(old, services, apply=True)) == "too large: over 33554432 bytes"


def test_only_json_files_directly_in_the_folder_are_looked_at(old, services):
    put(old)
    (old / "deeper").mkdir()
    put(old / "deeper", 1)
    (old / "notes.txt").write_text("{", encoding="utf-8")
    (old / "state.json.bak").write_text("{", encoding="utf-8")
    assert [file.name for file in import_state(old, services, apply=True).files] == [
        f"{uuid(0)}.json"
    ]


def test_links_and_what_is_no_file_are_listed_and_not_opened(old, tmp_path, services):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link(old / "a-link.json", put(elsewhere))
    link(old / "b-dangling.json", tmp_path / "nowhere")
    (old / "c-folder.json").mkdir()
    os.mkfifo(old / "d-pipe.json")
    reasons = [file.reason for file in import_state(old, services, apply=True).files]
    assert reasons == ["a link, which is not followed"] * 2 + ["not an ordinary file"] * 2


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(
    old, tmp_path, services, monkeypatch
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path, real = put(old), put(elsewhere, 1)
    looked_at = path.lstat()
    path.unlink()
    link(path, real)
    monkeypatch.setattr(Path, "lstat", lambda _path: looked_at)
    assert reason(import_state(old, services, apply=True)) == "a link, which is not followed"


def test_a_file_that_cannot_be_read_stops_nothing_else(old, services, monkeypatch):
    put(old, 0)
    put(old, 1)
    refuse = refusing(errno.EACCES)

    def opened(path, *rest):
        return refuse() if Path(path).name.startswith("000000") else os.open(path, *rest)

    monkeypatch.setattr(importing, "os", System(open=opened))
    report = import_state(old, services, apply=True)
    assert outcomes(report) == ["not imported", "imported"]
    assert report.files[0].reason == "cannot be read: Permission denied"


def test_a_folder_that_is_none_is_refused_without_naming_where_it_would_be(tmp_path, services):
    with pytest.raises(InvalidArgumentError, match="'none' cannot be listed") as refused:
        import_state(tmp_path / "none", services, apply=True)
    assert str(tmp_path) not in refused.value.message + refused.value.remediation


@pytest.mark.parametrize("inside", ["", "finished", "definitions"])
def test_the_servers_own_state_is_no_folder_to_import_from(services, old, inside):
    put(old)
    import_state(old, services, apply=True)
    with pytest.raises(InvalidArgumentError, match="own state"):
        import_state(services.settings.state_folder / inside, services, apply=True)


def test_nothing_in_the_folder_changes(old, services):
    put(old, 0, phase_artifacts=LARGE)
    (old / "broken.json").write_bytes(b'{"a"')
    for path in old.iterdir():
        path.chmod(0o400)
    stats = {path: path.stat() for path in (old, *old.iterdir())}
    content = tree(old)
    import_state(old, services, apply=True)
    import_state(old, services, apply=True)
    assert tree(old) == content
    for path, before in stats.items():
        after = path.stat()
        assert (after.st_mode, after.st_mtime_ns, after.st_ino) == (
            before.st_mode,
            before.st_mtime_ns,
            before.st_ino,
        )


def test_files_of_the_older_server_become_what_they_were(compat, project, services):
    copy_compat(compat, project)
    before = tree(compat)
    report = import_state(compat / "state", services, apply=True)
    assert outcomes(report) == ["imported"] * 3 + ["not imported"]
    assert (report.files[3].name, report.files[3].reason) == (
        "not-json.json",
        "not JSON: Expecting ',' delimiter in line 1",
    )
    done, failed, begun = (services.sessions.load(file.session_id) for file in report.files[:3])
    assert [state.session_id for state in (done, failed, begun)] == [
        "spec_creation_v1_feature_b_md_20261122_222023_3ec634",
        "praxis_os_upgrade_v1_praxis_os_20261122_222023_52a353",
        "spec_creation_v1_feature_a_20261122_222023_c03c8f",
    ]
    assert [file.note for file in report.files[:3]] == [
        None,
        "no workflow 'praxis_os_upgrade_v1'",
        None,
    ]
    assert (done.status, done.completed_phases, done.options) == (
        "completed",
        (0, 1, 2, 3, 4, 5),
        {"priority": "high"},
    )
    assert done.evidence[3]["notes"].value == "phase 3 done"
    assert {item.known for items in done.evidence.values() for item in items.values()} == {
        Known.CLAIMED
    }
    assert (failed.status, failed.current_phase, failed.error_count) == ("failed", 1, 1)
    assert (begun.status, begun.current_phase, begun.options) == ("active", 0, {})
    for state in (done, failed, begun):
        assert services.sessions.verify(state.session_id).holds
    assert tree(compat) == before


def test_the_journal_of_an_import_has_the_old_times(old, services):
    put(old, 0, completed=2)
    import_state(old, services, apply=True)
    lines = lines_of(services.settings.state_folder / f"{ID}.jsonl")
    assert [line["time"][11:16] for line in lines] == ["12:00", "12:01", "12:30"]
