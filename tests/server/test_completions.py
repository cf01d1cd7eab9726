"""What is offered while a person types: the best first, bounded, and how many there are."""

from pathlib import Path

import pytest
from mcp.types import PromptReference, ResourceTemplateReference

from mcp_server.config import Settings
from mcp_server.server import completions
from mcp_server.server.app import build_server
from mcp_server.server.completions import matches
from tests.builders import BUILT_IN_NAMES, DYNAMIC_NAME, write_workflow
from tests.calls import ABSENT, complete, refused, started
from tests.revisions import Asking

pytestmark = pytest.mark.usefixtures("small")

SESSION = ResourceTemplateReference(uri="aos://sessions/{id}")
HISTORY = ResourceTemplateReference(uri="aos://sessions/{id}/history")
WORKFLOW = ResourceTemplateReference(uri="aos://workflows/{type}")


@pytest.fixture
def small(project: Path) -> Path:
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def client(small):
    return Asking(build_server(Settings(project=small)))


def prompt(name):
    return PromptReference(name=name)


async def offered(client, ref, name, typed="", **known):
    found = (await client.complete(ref, {"name": name, "value": typed}, known)).completion
    assert found.total == len(found.values)
    assert found.has_more is False
    return found.values


async def test_workflow_types_are_offered_by_name(client):
    everything = sorted([*BUILT_IN_NAMES, DYNAMIC_NAME, "small_v1"])
    assert await offered(client, WORKFLOW, "type") == everything
    assert await offered(client, prompt("start_workflow"), "workflow_type") == everything
    assert await offered(client, WORKFLOW, "type", "SPEC") == [
        "spec_creation_v1", "spec_execution_v1"
    ]  # fmt: skip


async def test_sessions_are_offered_the_one_that_changed_last_first(client, services):
    first, second, third = [await started() for _ in range(3)]
    services.sessions.pause(first)
    await complete(third, 1)
    await complete(third, 2)
    for ref in (SESSION, HISTORY):
        assert await offered(client, ref, "id") == [third, first, second]
    assert await offered(client, prompt("review_session"), "session_id") == [third, first, second]
    assert await offered(client, prompt("continue_session"), "session_id") == [first, second]
    suffix = second[-6:]
    assert await offered(client, SESSION, "id", suffix) == [second]


async def test_refused_sessions_are_offered_first_for_their_explanation(client):
    first, second = await started(), await started()
    await refused(first)
    third = await started()
    found = await offered(client, prompt("explain_refusal"), "session_id")
    assert found == [first, third, second]


async def test_phases_are_those_of_the_session_that_is_named(client):
    session_id = await started()
    review = prompt("review_session")
    assert await offered(client, review, "phase", session_id=session_id) == ["1", "2"]
    assert await offered(client, review, "phase", "2", session_id=session_id) == ["2"]
    for known in ({}, {"session_id": ABSENT}, {"session_id": "../x"}):
        assert await offered(client, review, "phase", **known) == []


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (prompt("start_workflow"), "target_file"),
        (prompt("unknown"), "session_id"),
        (SESSION, "type"),
        (ResourceTemplateReference(uri="aos://workflows"), "type"),
    ],
)
async def test_nothing_is_offered_for_what_is_not_known(client, ref, name):
    await started()
    assert await offered(client, ref, name) == []


async def test_at_most_a_hundred_values_are_offered_and_the_rest_is_counted(client, monkeypatch):
    assert completions.MAX_VALUES == 100
    monkeypatch.setattr(completions, "MAX_VALUES", 2)
    for _ in range(3):
        await started()
    found = (await client.complete(SESSION, {"name": "id", "value": "small"})).completion
    assert (len(found.values), found.total, found.has_more) == (2, 3, True)


def test_what_begins_with_what_was_typed_comes_before_what_contains_it():
    values = ["b_a", "ab", "xay", "a", "c"]
    assert matches(values, "A") == ["ab", "a", "b_a", "xay"]
    assert matches(values, "") == values
    assert matches(["aa"], "a") == ["aa"]
    assert matches(values, "z") == []
