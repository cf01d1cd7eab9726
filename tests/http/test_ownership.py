"""A session belongs to who started it: for other callers over HTTP it does not exist."""

import json

import pytest

from mcp_server.config import STATE_DIR
from mcp_server.server.tools.workflow_tools import VALID_ACTIONS
from tests.builders import EVIDENCE, write_workflow
from tests.http.http_builders import call, post, served, tokens_for

UNKNOWN = "small_v1_a_py_20260314_120000_abcdef"

ON_A_SESSION = {
    "get_phase": {},
    "get_task": {"task_number": 1},
    "complete_phase": {"phase": 1, "evidence": dict(EVIDENCE)},
    "get_state": {},
    "get_session": {},
    "delete_session": {},
    "pause": {},
    "resume": {},
    "retry_phase": {"phase": 1},
    "rollback": {"to_phase": 1},
    "get_errors": {},
}
"""What else each action that names a session needs."""

OTHERS = {"list_workflows", "start", "list_sessions"}


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def three(small, tmp_path):
    """Ada and Bob, who are callers, and Root, who is an admin."""
    path, secrets = tokens_for(tmp_path, "ada", "bob", "root", admin="root")
    with served(small, token_file=path) as url:
        yield url, secrets


def start(url, token, target="src/a.py"):
    return call(url, token, action="start", workflow_type="small_v1", target_file=target)


def journals(project):
    return {path.name: path.read_bytes() for path in (project / STATE_DIR).glob("*.jsonl")}


def test_every_action_is_one_that_names_a_session_or_one_of_the_others():
    assert {*ON_A_SESSION, *OTHERS} == VALID_ACTIONS


def test_others_are_told_word_for_word_what_is_told_of_no_session(three, small):
    url, secrets = three
    of_ada = start(url, secrets["ada"])["session_id"]
    before = journals(small)
    for action, arguments in ON_A_SESSION.items():
        theirs = post(url, secrets["bob"], action=action, session_id=of_ada, **arguments)
        unknown = post(url, secrets["bob"], action=action, session_id=UNKNOWN, **arguments)
        assert "NotFoundError" in unknown.text, action
        assert theirs.text.replace(of_ada, UNKNOWN) == unknown.text, action
        assert theirs.status_code == unknown.status_code == 200
    assert journals(small) == before


def test_lists_and_starts_do_not_hint_at_sessions_of_others(three):
    url, secrets = three
    start(url, secrets["ada"])
    listed = call(url, secrets["bob"], action="list_sessions")
    assert (listed["sessions"], listed["count"]) == ([], 0)
    started = start(url, secrets["bob"])
    assert started["other_sessions"] == []
    assert call(url, secrets["bob"], action="list_sessions")["count"] == 1


@pytest.mark.parametrize(
    "guess",
    [
        lambda known: f"{known[:-6]}000000",
        lambda known: known[:-1],
        lambda known: known.upper(),
        lambda known: f"{known}/",
        lambda known: f"../{known}",
    ],
)
def test_ids_that_are_guessed_lead_nowhere(three, guess):
    url, secrets = three
    of_ada = start(url, secrets["ada"])["session_id"]
    near = post(url, secrets["bob"], action="get_state", session_id=guess(of_ada)).text
    far = post(url, secrets["bob"], action="get_state", session_id=guess(UNKNOWN)).text
    assert '"isError":true' in near
    assert near.replace(guess(of_ada), guess(UNKNOWN)) == far


def test_a_damaged_session_of_another_does_not_exist_either(three, small):
    url, secrets = three
    of_ada = start(url, secrets["ada"])["session_id"]
    journal = small / STATE_DIR / f"{of_ada}.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"active"', b'"paused"'))
    answer = call(url, secrets["bob"], action="get_state", session_id=of_ada)
    assert answer["error_type"] == "NotFoundError"
    assert "warnings" not in call(url, secrets["bob"], action="list_sessions")
    answer = call(url, secrets["root"], action="get_state", session_id=of_ada)
    assert answer["error_type"] != "NotFoundError"


def test_an_admin_sees_all_and_every_line_bears_who_made_it(three, small):
    url, secrets = three
    of_ada = start(url, secrets["ada"])["session_id"]
    assert call(url, secrets["root"], action="list_sessions")["count"] == 1
    assert call(url, secrets["root"], action="pause", session_id=of_ada)["status"] == "success"
    assert call(url, secrets["ada"], action="resume", session_id=of_ada)["status"] == "success"
    lines = [json.loads(line) for line in journals(small)[f"{of_ada}.jsonl"].splitlines()]
    assert [line["principal"] for line in lines] == ["token:ada", "token:root", "token:ada"]
    assert {line["state"]["owner"] for line in lines} == {"token:ada"}


def test_without_authentication_the_caller_is_whoever_runs_the_server(small):
    with served(small) as url:
        session = start(url, None)["session_id"]
        assert call(url, None, action="list_sessions")["count"] == 1
    line = json.loads(journals(small)[f"{session}.jsonl"])
    assert line["principal"].startswith("local")
