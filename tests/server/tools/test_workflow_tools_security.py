"""Attacks through the tool: nothing raises, nothing stored changes, nothing leaks."""

import json
import os
import sys
from pathlib import Path

import pytest

from mcp_server.server.tools.workflow_tools import VALID_ACTIONS, dispatch
from tests.builders import EVIDENCE, tree
from tests.calls import started


def assert_tells_nothing(answer: dict[str, object], project: Path) -> None:
    text = json.dumps(answer)
    for secret in (
        str(project),
        str(Path.home()),
        sys.prefix,
        "Traceback",
        "site-packages",
        '.py"',
    ):
        assert secret not in text


TRAVERSALS = {
    "parent": "../secret.txt",
    "many parents": "../../../../../../etc/passwd",
    "parent inside": "src/../../secret.txt",
    "parent that stays inside": "src/../a.py",
    "only the parent": "..",
    "parent at the end": "src/..",
    "backslashes": "..\\..\\windows\\win.ini",
    "mixed slashes": "..\\../secret.txt",
    "absolute": "/etc/passwd",
    "absolute with two slashes": "//etc/passwd",
    "windows drive": "C:\\windows\\win.ini",
    "drive relative": "c:secret.txt",
    "network share": "\\\\server\\share\\x",
    "home": "~/.ssh/id_rsa",
    "file url": "file:///etc/passwd",
    "percent encoded": "%2e%2e/secret.txt",
    "percent encoded slash": "..%2fsecret.txt",
    "encoded twice": "%252e%252e%252fsecret.txt",
    "full-width dots": "\uff0e\uff0e/secret.txt",
    "dot leaders": "\u2024\u2024/secret.txt",
    "full-width slash": "..\uff0fsecret.txt",
    "dots and spaces": ".. /secret.txt",
    "more dots": ".../secret.txt",
    "filter evasion": "....//....//secret.txt",
    "encoded absolute": "%2fetc%2fpasswd",
}

BROKEN_TARGETS = {
    "nul": "src/a.py\x00.txt",
    "newline": "src/a.py\nmore",
    "escape": "src/\x1b[31ma.py",
    "empty": "",
    "blank": "   ",
    "lone surrogate": "src/\ud800.py",
    "too long": "a/" * 400,
    "huge": "a" * 5_000_000,
    "number": 5,
    "list": ["src/a.py"],
    "object": {"path": "src/a.py"},
}


@pytest.mark.parametrize("target", TRAVERSALS.values(), ids=TRAVERSALS)
async def test_a_target_that_leaves_the_project_is_refused(small, target):
    (small.parent / "secret.txt").write_text("s3cret", encoding="utf-8")
    before = tree(small)
    answer = await dispatch({"action": "start", "workflow_type": "small_v1", "target_file": target})
    assert answer["error_type"] == "ValueError"
    assert "directory traversal" in answer["error"]
    assert_tells_nothing(answer, small)
    assert "'/etc" not in answer["error"]
    assert tree(small) == before


@pytest.mark.parametrize("target", BROKEN_TARGETS.values(), ids=BROKEN_TARGETS)
async def test_a_target_that_is_no_path_is_refused(small, target):
    before = tree(small)
    answer = await dispatch({"action": "start", "workflow_type": "small_v1", "target_file": target})
    assert (answer["status"], answer["error_type"]) == ("error", "ValueError")
    assert len(json.dumps(answer)) < 1_000
    assert tree(small) == before


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links on this platform")
async def test_a_link_out_of_the_project_is_refused(small):
    outside = small.parent / "outside"
    outside.mkdir()
    (small / "inside").symlink_to(outside)
    for target in ("inside", "inside/a.py"):
        answer = await dispatch(
            {"action": "start", "workflow_type": "small_v1", "target_file": target}
        )
        assert "directory traversal" in answer["error"]


async def test_a_sibling_folder_with_the_same_prefix_is_outside(small):
    sibling = small.with_name(small.name + "-evil")
    sibling.mkdir()
    (small / "link").symlink_to(sibling)
    answer = await dispatch(
        {"action": "start", "workflow_type": "small_v1", "target_file": "link/a.py"}
    )
    assert "directory traversal" in answer["error"]


@pytest.mark.parametrize(
    "target", ["foo..bar.py", "..foo", ".hidden/x", "a b/c.py", "src/naïve.py", "a.b.c", ".", "a~b"]
)
async def test_a_strange_but_honest_target_is_accepted(small, target):
    answer = await dispatch({"action": "start", "workflow_type": "small_v1", "target_file": target})
    assert answer["status"] == "success"


BAD_IDS = {
    "newline at the end": "{id}\n",
    "newline": "small\nv1",
    "traversal": "../{id}",
    "subfolder": "finished/{id}",
    "absolute": "/etc/passwd",
    "suffix": "{id}.jsonl",
    "upper case": "{ID}",
    "empty": "",
    "space": " {id}",
    "nul": "{id}\x00",
    "unicode look-alike": "small_v1_\u0430_py",
    "unicode digit": "small_v1_\u0661",
    "glob": "*",
    "too long": "a" * 129,
    "huge": "a" * 5_000_000,
    "number": 5,
    "list": ["{id}"],
    "object": {"id": 1},
    "boolean": True,
}


@pytest.mark.parametrize("bad", BAD_IDS.values(), ids=BAD_IDS)
@pytest.mark.parametrize("action", ["get_state", "delete_session", "complete_phase"])
async def test_what_is_no_session_id_is_refused_before_any_file_is_touched(small, bad, action):
    session_id = await started()
    if isinstance(bad, str):
        bad = bad.replace("{id}", session_id).replace("{ID}", session_id.upper())
    before = tree(small)
    answer = await dispatch(
        {"action": action, "session_id": bad, "phase": 1, "evidence": dict(EVIDENCE)}
    )
    assert answer["error_type"] == "ValueError"
    assert answer["error"].startswith("Invalid session_id format")
    assert_tells_nothing(answer, small)
    assert tree(small) == before


@pytest.mark.parametrize(
    "name", ["../small_v1", "/etc", "small_v1/../small_v1", "small_v1\n", "", ".", "..", "x" * 900]
)
async def test_a_workflow_name_never_becomes_a_path(small, name):
    answer = await dispatch({"action": "start", "workflow_type": name, "target_file": "a.py"})
    assert answer["error_type"] == "NotFoundError"
    assert_tells_nothing(answer, small)


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE_EVIDENCE = {
    "too large": {"tests": 3, "report": "x" * (10 * 1024 * 1024)},
    "nested deeper than 64": {"tests": nested(65)},
    "nested deeper than Python recurses": {"tests": nested(100_000)},
    "NaN": {"tests": float("nan")},
    "infinity": {"tests": float("inf")},
    "lone surrogate": {"report": "\ud800"},
    "bytes": {"report": b"x"},
    "a set": {"tests": {1, 2}},
    "number keys": {1: 2},
    "too many fields": {f"field_{n}": 1 for n in range(300)},
    "a huge field name": {"n" * 1000: 1},
    "a huge number": {"tests": 10**5000},
}


@pytest.mark.parametrize("evidence", HOSTILE_EVIDENCE.values(), ids=HOSTILE_EVIDENCE)
async def test_hostile_evidence_is_refused_and_nothing_is_recorded(small, evidence):
    session_id = await started()
    before = tree(small)
    answer = await dispatch(
        {"action": "complete_phase", "session_id": session_id, "phase": 1, "evidence": evidence}
    )
    assert answer["error_type"] == "ValueError"
    assert len(json.dumps(answer)) < 1_000
    assert_tells_nothing(answer, small)
    assert tree(small) == before


NOT_PROOF = {
    "nothing": {},
    "nulls": {"tests": None, "report": None},
    "true for a number": {"tests": True, "report": "r.xml"},
    "text for a number": {"tests": "3", "report": "r.xml"},
    "zero": {"tests": 0, "report": "r.xml"},
    "a fraction": {"tests": 2.5, "report": "r.xml"},
    "a list": {"tests": [3], "report": "r.xml"},
    "a number for text": {"tests": 3, "report": 5},
    "other names": {"test": 3, "reports": "r.xml", "override": True, "checkpoint_passed": True},
    "a gate of its own": {"checkpoint": {"strict": False}, "evidence_schema": {}},
}


@pytest.mark.parametrize("evidence", NOT_PROOF.values(), ids=NOT_PROOF)
async def test_evidence_that_proves_nothing_passes_no_gate(small, evidence):
    session_id = await started()
    answer = await dispatch(
        {"action": "complete_phase", "session_id": session_id, "phase": 1, "evidence": evidence}
    )
    assert (answer["error_type"], answer["checkpoint_passed"]) == ("ValidationError", False)
    state = await dispatch({"action": "get_state", "session_id": session_id})
    assert (state["current_phase"], state["completed_phases"]) == (1, [])


@pytest.mark.parametrize("action", sorted(VALID_ACTIONS))
@pytest.mark.parametrize(
    "junk",
    [0, -1, 2**70, 1.5, float("nan"), True, "", "\x00", "x" * 100_000, [], [[]], {}, {"a": []}],
    ids=lambda value: repr(value)[:20],
)
async def test_junk_in_every_argument_gives_the_envelope(small, action, junk):
    names = ("session_id", "workflow_type", "target_file", "options", "phase", "task_number",
             "evidence", "category", "status", "reason", "checkpoint_note", "reset_evidence",
             "to_phase", "limit", "cursor")  # fmt: skip
    answer = await dispatch({"action": action, **dict.fromkeys(names, junk)})
    assert answer["status"] in {"success", "error"}
    assert answer["action"] == action
    if answer["status"] == "error":
        assert answer["error_type"] in {"ValueError", "NotFoundError"}
        assert answer["remediation"]
    assert_tells_nothing(answer, small)


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "bnVsbA", "WzFd", "=" * 10, "a" * 900])
@pytest.mark.parametrize("action", ["list_sessions", "list_workflows"])
async def test_a_cursor_that_we_did_not_give_is_refused(small, action, cursor):
    answer = await dispatch({"action": action, "cursor": cursor})
    assert answer["error_type"] == "ValueError"
    assert "is not one that this tool gave" in answer["error"]


async def test_a_definition_that_links_out_of_the_project_is_not_read(small):
    secret = small.parent / "secret.md"
    secret.write_text("# s3cret\n", encoding="utf-8")
    phase = small / ".praxis-os" / "workflows" / "small_v1" / "phases" / "1" / "phase.md"
    phase.unlink()
    phase.symlink_to(secret)
    answer = await dispatch({"action": "start", "workflow_type": "small_v1", "target_file": "a.py"})
    assert answer["error_type"] == "DefinitionError"
    assert answer["error"].endswith("phases/1/phase.md: a link leads out of the project")
    assert "s3cret" not in json.dumps(answer)


async def test_damage_to_one_session_leaves_the_others_and_says_so(small):
    first, second = await started(), await started()
    journal = small / ".praxis-os" / "state" / "workflows" / f"{first}.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"active"', b'"paused"'))
    answer = await dispatch({"action": "get_state", "session_id": first})
    assert answer == {
        "status": "error",
        "action": "get_state",
        "error": f"session {first} cannot be read: line 1 is not what its hash says",
        "error_type": "RuntimeError",
        "remediation": "Its files were left as they are. Restore them from a backup, or start a new"
        " session; all other sessions go on working.",
    }
    listed = await dispatch({"action": "list_sessions"})
    assert [session["session_id"] for session in listed["sessions"]] == [second]
    assert listed["warnings"] == [answer["error"]]
