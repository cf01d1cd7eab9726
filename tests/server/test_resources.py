"""Workflows and sessions as pages: what is listed, what is read, and what is refused."""

from pathlib import Path

import pytest
from mcp import MCPError

from mcp_server.config import Settings
from mcp_server.server import documents, resources
from mcp_server.server.app import build_server
from mcp_server.server.resources import Target, target_of
from tests.builders import EVIDENCE, write_workflow
from tests.calls import ABSENT, complete, refused, started
from tests.revisions import Asking

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def small(project: Path) -> Path:
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def client(small):
    return Asking(build_server(Settings(project=small)))


async def text_of(client, uri):
    (content,) = (await client.read_resource(uri)).contents
    assert (content.uri, content.mime_type) == (uri, "text/markdown")
    return content.text


async def refusal_of(client, uri):
    with pytest.raises(MCPError) as refusal:
        await client.read_resource(uri)
    return refusal.value.error


async def test_workflows_are_listed_as_a_page_with_those_that_are_broken(client, small):
    broken = small / ".praxis-os/workflows/broken_v1"
    broken.mkdir()
    (broken / "metadata.json").write_text("{", encoding="utf-8")
    page = await text_of(client, "aos://workflows")
    assert "| `small_v1` | Small | 1.0.0 | test | 2 | 5 minutes | A small workflow |" in page
    assert "## Cannot be read\n\n- .praxis-os/workflows/broken_v1/metadata.json:1" in page
    listed = {item.uri for item in (await client.list_resources()).resources}
    assert "aos://workflows/broken_v1" not in listed
    assert (await refusal_of(client, "aos://workflows/broken_v1")).code == -32603


async def test_a_workflow_is_the_page_that_is_rendered_for_authors(client, services):
    page = await text_of(client, "aos://workflows/small_v1")
    assert page == documents.workflow(services.library, "small_v1")
    assert "### Gate of phase 2" in page


async def test_a_dynamic_workflow_has_a_page_without_its_list(client):
    assert "## Phases of the task list" in await text_of(
        client, "aos://workflows/spec_execution_v1"
    )


async def test_a_session_is_a_page_that_says_where_it_stands(client):
    session_id = await started()
    await refused(session_id)
    page = await text_of(client, f"aos://sessions/{session_id}")
    assert page.startswith("# Small: src/a.py\n\n**Refused by the gate**: phase 1, 0 of 2 done.\n")
    assert "| 1 | `tests` | `0` | **claimed** | nowhere: the agent says so |" in page
    history = await text_of(client, f"aos://sessions/{session_id}/history")
    assert history.startswith(f"# History of `{session_id}`\n\n2 changes, newest first;")


async def test_a_long_history_shows_the_newest_changes(client, services, monkeypatch):
    monkeypatch.setattr(documents, "MAX_CHANGES", 2)
    session_id = await started()
    for _ in range(3):
        services.sessions.pause(session_id, "x" * 4_000)
        services.engine.resume(session_id)
    page = await text_of(client, f"aos://sessions/{session_id}/history")
    assert [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")] == [
        "| change", "| ---", "| 7", "| 6"
    ]  # fmt: skip
    assert page.endswith("5 earlier changes not shown.\n")
    assert len(page) < 2_000


async def test_a_damaged_session_is_told_of_and_not_shown(client, small):
    session_id = await started()
    journal = small / ".praxis-os/state/workflows" / f"{session_id}.jsonl"
    journal.write_text(journal.read_text(encoding="utf-8").replace("a.py", "b.py"), "utf-8")
    error = await refusal_of(client, f"aos://sessions/{session_id}")
    assert error.code == -32603
    assert error.message.startswith(f"session {session_id} cannot be read: ")
    history = await text_of(client, f"aos://sessions/{session_id}/history")
    assert "cannot be read: line 1 is not what its hash says" in history


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (f"aos://sessions/{ABSENT}", f"no session {ABSENT}. Call aos_workflow(action="),
        (f"aos://sessions/{ABSENT}/history", f"no session {ABSENT}. Call aos_workflow(action="),
        ("aos://sessions/..%2f..%2fetc", "Invalid session_id format: '..%2f..%2fetc'. Pass the"),
        ("aos://sessions/UPPER", "Invalid session_id format: 'UPPER'. Pass the session_id exactly"),
        ("aos://workflows/none_v1", "no workflow 'none_v1'. Call aos_workflow(action="),
        ("aos://workflows/..", "no workflow '..'. Call aos_workflow(action="),
        ("aos://workflows/", "there is no such resource. There are: aos://workflows, aos://work"),
        ("aos://sessions", "there is no such resource. There are: aos://workflows, aos://work"),
        ("aos://sessions/a/b", "there is no such resource. There are: aos://workflows, aos://work"),
        ("file:///etc/passwd", "there is no such resource. There are: aos://workflows, aos://work"),
        ("", "there is no such resource. There are: aos://workflows, aos://workflows/{type}"),
    ],
)
async def test_what_is_not_there_is_the_protocols_own_refusal_and_teaches(client, uri, message):
    error = await refusal_of(client, uri)
    assert error.code == -32602
    assert error.message.startswith(message)
    assert error.data == {"uri": uri}


async def test_a_refusal_repeats_only_so_much(client):
    error = await refusal_of(client, "aos://sessions/" + "x" * 10_000)
    assert len(str(error.data)) < 400
    assert len(error.message) < 400


async def test_no_path_of_the_machine_is_told(client, small, tmp_path):
    session_id = await started()
    for uri in ("aos://workflows", "aos://workflows/small_v1", f"aos://sessions/{session_id}"):
        assert str(tmp_path) not in await text_of(client, uri)
    journal = small / ".praxis-os/state/workflows" / f"{session_id}.jsonl"
    journal.unlink()
    journal.mkdir()
    assert str(tmp_path) not in str(await refusal_of(client, f"aos://sessions/{session_id}"))


async def test_open_sessions_are_listed_the_one_that_changed_last_first(client, services):
    first, second = await started(), await started()
    services.sessions.pause(first)
    third = await started()
    for phase in (1, 2):
        await complete(third, phase)
    found = [
        item
        for item in (await client.list_resources()).resources
        if item.uri.startswith("aos://sessions/")
    ]
    assert [item.name for item in found] == [first, second]
    assert found[0].title == "small_v1: src/a.py"
    assert found[0].description == "A session that is paused, in phase 1"
    last = services.sessions.load(first).last_updated
    assert found[0].annotations.last_modified.startswith(f"{last:%Y-%m-%dT%H:%M:%S}")
    assert found[0].annotations.audience == ["user", "assistant"]
    # What is finished can still be read.
    assert "**Completed.**" in await text_of(client, f"aos://sessions/{third}")


async def test_lists_are_bounded(client, monkeypatch):
    monkeypatch.setattr(resources, "MAX_SESSIONS_LISTED", 1)
    monkeypatch.setattr(resources, "MAX_WORKFLOWS_LISTED", 2)
    _, last = await started(), await started()
    found = await client.list_resources()
    assert [item.uri for item in found.resources[-1:]] == [f"aos://sessions/{last}"]
    assert (len(found.resources), found.next_cursor) == (4, None)


async def test_the_template_says_which_sessions_the_list_has(client):
    found = (await client.list_resource_templates()).resource_templates
    (session,) = (item for item in found if item.name == "session")
    assert resources.MAX_SESSIONS_LISTED == 20
    assert session.description.endswith(
        "The list has the 20 open ones that changed last; completion finds all others"
    )


async def test_every_resource_is_described(client):
    await started()
    found = [
        *(await client.list_resources()).resources,
        *(await client.list_resource_templates()).resource_templates,
    ]
    for item in found:
        assert item.mime_type == "text/markdown"
        assert item.title
        assert item.description
        assert item.annotations is not None


async def test_a_value_that_is_long_is_shown_by_its_size(client):
    session_id = await started()
    evidence = {**EVIDENCE, "log": "x" * 50_000}
    for phase in (1, 2):
        await client.call_tool(
            "aos_workflow",
            {"action": "complete_phase", "session_id": session_id, "phase": phase,
             "evidence": evidence},
        )  # fmt: skip
    page = await text_of(client, f"aos://sessions/{session_id}")
    assert "| `log` | (50002 bytes, " in page
    assert len(page) < 3_000


def test_a_uri_is_read_whole():
    assert target_of("aos://workflows") == Target()
    assert target_of("aos://workflows/a.b-c_1") == Target("a.b-c_1")
    assert target_of("aos://sessions/a") == Target(session_id="a")
    assert target_of("aos://sessions/a/history") == Target(session_id="a", is_history=True)
    for uri in ("aos://workflows\n", "aos://sessions/a/", "aos://sessions/a?b", "AOS://workflows"):
        assert target_of(uri) is None
