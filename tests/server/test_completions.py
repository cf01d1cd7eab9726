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


async def test_at_most_a_hundred_values_are_offered_and_no_more_are_looked_for(client, monkeypatch):
    assert completions.MAX_VALUES == 100
    monkeypatch.setattr(completions, "MAX_VALUES", 2)
    sessions = [await started() for _ in range(3)]
    for typed, shown in (("", [2, 1]), ("small", [2, 1]), ("mall", [2, 1])):
        found = (await client.complete(SESSION, {"name": "id", "value": typed})).completion
        assert found.values == [sessions[number] for number in shown]
        assert (found.total, found.has_more) == (None, True)


async def test_how_many_workflows_there_are_is_known(client, monkeypatch):
    monkeypatch.setattr(completions, "MAX_VALUES", 2)
    everything = sorted([*BUILT_IN_NAMES, DYNAMIC_NAME, "small_v1"])
    found = (await client.complete(WORKFLOW, {"name": "type", "value": ""})).completion
    assert (found.values, found.total, found.has_more) == (everything[:2], len(everything), True)


@pytest.mark.parametrize("end", [-1, -8, None])
async def test_what_was_typed_finds_sessions_behind_all_that_are_newer(client, monkeypatch, end):
    monkeypatch.setattr(completions, "MAX_VALUES", 1)
    wanted = await started("src/wanted.py")
    for _ in range(3):
        await started("src/other.py")
    assert await offered(client, SESSION, "id", wanted[:end].upper()) == [wanted]
    assert await offered(client, SESSION, "id", "_wanted_") == [wanted]
    assert await offered(client, prompt("continue_session"), "session_id", "wanted") == [wanted]


async def test_sessions_that_begin_so_come_before_newer_ones_that_contain_it(
    client, small, monkeypatch
):
    write_workflow(small / ".praxis-os" / "workflows", "py_v1")
    beginning = await started("src/b.py", "py_v1")
    older, newer = await started(), await started()
    assert await offered(client, SESSION, "id", "py") == [beginning, newer, older]
    monkeypatch.setattr(completions, "MAX_VALUES", 1)
    found = (await client.complete(SESSION, {"name": "id", "value": "py"})).completion
    assert (found.values, found.has_more) == ([beginning], True)


@pytest.mark.parametrize("typed", ["\0", "small\n", "small%", "sm ll", "\u00df", "x" * 300])
async def test_nothing_is_offered_for_what_cannot_stand_in_an_id(client, typed):
    await started()
    assert await offered(client, SESSION, "id", typed) == []


def test_what_begins_with_what_was_typed_comes_before_what_contains_it():
    values = ["b_a", "ab", "xay", "a", "c"]
    assert matches(values, "A") == ["ab", "a", "b_a", "xay"]
    assert matches(values, "") == values
    assert matches(["aa"], "a") == ["aa"]
    assert matches(values, "z") == []
