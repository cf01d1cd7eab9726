"""Every revision of the protocol over HTTP: the walk, and what stands beside the tool."""

import pytest
from mcp import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from tests.builders import EVIDENCE, write_workflow
from tests.http.http_builders import served, tokens_for, transport
from tests.revisions import REVISIONS, connected


@pytest.fixture
def three(project, tmp_path):
    write_workflow(project / ".praxis-os" / "workflows")
    path, secrets = tokens_for(tmp_path, "ada", "bob", "root", admin="root")
    with served(project, token_file=path) as url:
        yield {name: (url, secret) for name, secret in secrets.items()}


async def answer(client, action, **arguments):
    result = await client.call_tool("aos_workflow", {"action": action, **arguments})
    assert result.structured_content["status"] == "success", result.structured_content
    return result.structured_content


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_workflow_is_walked_to_its_end(three, revision):
    async with connected(transport(*three["ada"]), revision) as client:
        begun = await answer(client, "start", workflow_type="small_v1", target_file="src/a.py")
        session = {"session_id": begun["session_id"]}
        for phase in (1, 2):
            await answer(client, "get_task", **session, task_number=1)
            done = await answer(
                client, "complete_phase", **session, phase=phase, evidence=dict(EVIDENCE)
            )
        assert done["workflow_complete"] is True


@pytest.mark.parametrize("revision", [REVISIONS[2], REVISIONS[-1]])
async def test_pages_prompts_and_completions_tell_a_caller_nothing_of_others(three, revision):
    async with connected(transport(*three["ada"]), revision) as client:
        begun = await answer(client, "start", workflow_type="small_v1", target_file="src/a.py")
    of_ada = begun["session_id"]
    page = f"aos://sessions/{of_ada}"
    references = (
        (PromptReference(name="review_session"), "session_id"),
        (ResourceTemplateReference(uri="aos://sessions/{id}"), "id"),
    )
    for who, sees in (("ada", True), ("bob", False), ("root", True)):
        async with connected(transport(*three[who]), revision) as client:
            resources = (await client.list_resources()).resources
            assert (page in {str(found.uri) for found in resources}) == sees
            for reference, name in references:
                found = await client.complete(reference, {"name": name, "value": ""})
                assert found.completion.values == ([of_ada] if sees else [])
            if sees:
                assert (await client.read_resource(page)).contents
                assert (await client.get_prompt("review_session", {"session_id": of_ada})).messages
            else:
                await refuses(client, of_ada, page)


async def refuses(client, session_id, page):
    for uri in (page, f"{page}/history"):
        with pytest.raises(MCPError, match=f"no session {session_id}"):
            await client.read_resource(uri)
    with pytest.raises(MCPError, match=f"no session {session_id}"):
        await client.get_prompt("review_session", {"session_id": session_id})
