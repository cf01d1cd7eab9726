"""Any replica answers any request: three behind a balancer, one of them killed on the way."""

from contextlib import ExitStack

import pytest
from mcp import MCPError

from tests.builders import EVIDENCE, write_workflow
from tests.http.http_builders import PATIENCE, call, served, tokens_for, transport
from tests.http.processes import RoundRobin, started
from tests.revisions import STATELESS, connected
from tests.server.tools.test_asking import GATE, YES, Person

KEY = "a-key-that-is-for-tests-and-nothing-else"


def test_a_walk_goes_on_when_a_replica_is_killed(project, tmp_path):
    write_workflow(project / ".praxis-os" / "workflows", phases=3)
    path, secrets = tokens_for(tmp_path, "ada")
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(started(project, "--token-file", str(path))) for _ in range(3)
        ]
        balancer = stack.enter_context(RoundRobin([url for _, url in replicas]))

        def ask(action, **arguments):
            answer = call(balancer.url, secrets["ada"], action=action, **arguments)
            assert answer["status"] == "success", answer
            return answer

        begun = ask("start", workflow_type="small_v1", target_file="src/a.py")
        session = {"session_id": begun["session_id"]}
        for phase in (1, 2, 3):
            ask("get_phase", **session)
            ask("get_task", **session, task_number=1)
            done = ask("complete_phase", **session, phase=phase, evidence=dict(EVIDENCE))
            if phase == 1:
                assert min(balancer.served) > 0
                replicas[1][0].kill()
                replicas[1][0].wait(PATIENCE)
                killed_after = balancer.served[1]
        assert done["workflow_complete"] is True
        assert ask("list_sessions")["count"] == 1
        assert balancer.served[1] == killed_after


@pytest.mark.parametrize("shared", [True, False])
async def test_a_persons_answer_is_understood_by_a_replica_with_the_same_key(project, shared):
    write_workflow(project / ".praxis-os" / "workflows", gate=GATE)
    (project / "report.md").write_text("Fine.\n", encoding="utf-8")
    keys = (KEY, KEY if shared else KEY.upper())
    with ExitStack() as stack:
        urls = [stack.enter_context(served(project, request_key=key)) for key in keys]
        begun = call(urls[0], action="start", workflow_type="small_v1", target_file="src/a.py")
        balancer = stack.enter_context(RoundRobin(urls))
        person = Person(YES)
        arguments = {
            "action": "complete_phase",
            "session_id": begun["session_id"],
            "phase": 1,
            "evidence": {},
        }
        async with connected(
            transport(balancer.url), STATELESS[0], elicitation_callback=person
        ) as client:
            if shared:
                result = await client.call_tool("aos_workflow", arguments)
                assert result.structured_content["checkpoint_passed"] is True
            else:
                with pytest.raises(MCPError, match="requestState"):
                    await client.call_tool("aos_workflow", arguments)
    assert len(person.asked) == 1
    assert min(balancer.served) > 0
