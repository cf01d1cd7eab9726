"""Servers that misbehave in one way each, as processes: `python fakes.py NAME [PROJECT]`."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mcp_server.core.rendering import render
from mcp_server.errors import InvalidArgumentError, WorkflowError
from mcp_server.server.tools.arguments import Given
from tests.validating.honest import Data, Honest

LATE_SECONDS = 0.25
HANGS_SECONDS = 60.0


class NotListed(Honest):
    """Does not list the tool."""

    def tools(self) -> list[Data]:
        return []


class ActionNotListed(Honest):
    """Drops an action from the published ones."""

    def tools(self) -> list[Data]:
        (tool,) = super().tools()
        tool["inputSchema"]["properties"]["action"]["enum"].remove("rollback")
        return [tool]


class HandlerMissing(Honest):
    """Publishes an action that nothing handles."""

    def handlers(self) -> dict[str, Callable[[Given], Data]]:
        return {name: act for name, act in super().handlers().items() if name != "rollback"}


class OldToolBeside(Honest):
    """Still lists one of the tools that it replaces."""

    def tools(self) -> list[Data]:
        (tool,) = super().tools()
        return [tool, {"name": "start_workflow", "inputSchema": {"type": "object"}}]


class OtherToolsBeside(Honest):
    """Lists tools of its own beside it, which is right."""

    def tools(self) -> list[Data]:
        others = [
            {"name": name, "inputSchema": {"type": "object"}} for name in ("get_task", "grep")
        ]
        return [*others, *super().tools()]


class SmallPages(Honest):
    """Lists one workflow a page, as a server with many has more than one page, which is right."""

    def carried_out(self, arguments: Data) -> Data:
        if arguments.get("action") == "list_workflows" and arguments.get("limit"):
            arguments["limit"] = 1
        return super().carried_out(arguments)


class Late(Honest):
    """Answers one action late."""

    def answer(self, arguments: Data) -> Data:
        if arguments.get("action") == "resume":
            time.sleep(LATE_SECONDS)
        return super().answer(arguments)


class Silent(Honest):
    """Never answers one action."""

    def answer(self, arguments: Data) -> Data:
        if arguments.get("action") == "pause":
            time.sleep(HANGS_SECONDS)
        return super().answer(arguments)


class TellsAndHangs(Honest):
    """Tells a test by a connection that it hangs now; the connection ends when it does."""

    def answer(self, arguments: Data) -> Data:
        if arguments.get("action") == "pause":
            with socket.create_connection(("127.0.0.1", int(os.environ["FAKE_PORT"]))):
                time.sleep(HANGS_SECONDS)
        return super().answer(arguments)


class NoHandshake(Honest):
    """Answers nothing at all, and prints why to stderr."""

    def handle(self, method: str, params: Data) -> Data:
        sys.stderr.write("waiting for a database\n")
        sys.stderr.flush()
        time.sleep(HANGS_SECONDS)
        return {}


class Dies(Honest):
    """Ends in the middle."""

    def called(self, arguments: Data) -> Data:
        if self.calls > 30:
            os._exit(1)
        return super().called(arguments)


class NotAnError(Honest):
    """Says isError false of a refusal."""

    def result(self, answer: Data) -> Data:
        return super().result(answer) | {"isError": False}


class LiesInText(Honest):
    """Says another status in the text half than in the structured one."""

    def result(self, answer: Data) -> Data:
        result = super().result(answer)
        result["content"][0]["text"] = render(answer | {"session_status": "completed"})
        return result


class LiesInStructure(Honest):
    """Says another phase in the structured half than in the text."""

    def result(self, answer: Data) -> Data:
        result = super().result(answer)
        if "current_phase" in answer:
            result["structuredContent"] = answer | {"current_phase": 1_000}
        return result


class NoStructure(Honest):
    """Leaves the structured half out."""

    def result(self, answer: Data) -> Data:
        return super().result(answer) | {"structuredContent": None, "isError": True}


class RefusesEverything(Honest):
    """Refuses whatever is asked."""

    def carried_out(self, arguments: Data) -> Data:
        raise InvalidArgumentError("not today", remediation="Come back tomorrow.")


class SaysNothing(Honest):
    """Says success to everything, and nothing else."""

    def carried_out(self, arguments: Data) -> Data:
        return {}


class LetsEverythingPass(Honest):
    """Has a gate that never refuses."""

    def carried_out(self, arguments: Data) -> Data:
        if arguments.get("action") != "complete_phase":
            return super().carried_out(arguments)
        return {"phase_completed": arguments.get("phase"), "checkpoint_passed": True,
                "evidence_accepted": [], "evidence": {}, "warnings": []}  # fmt: skip


class RefusesAndGoesOn(Honest):
    """Refuses at the gate, and is in the next phase all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def answer(self, arguments: Data) -> Data:
        answer = super().answer(arguments)
        if answer.get("error_type") == "ValidationError":
            self.refused.add(arguments["session_id"])
        if arguments.get("action") == "get_state" and arguments.get("session_id") in self.refused:
            return answer | {"current_phase": 2, "session_status": "active"}
        return answer


class ShowsLaterPhases(Honest):
    """Shows a phase that is not reached."""

    def carried_out(self, arguments: Data) -> Data:
        if arguments.get("action") == "get_phase" and arguments.get("phase") == 2:
            del arguments["phase"]
        return super().carried_out(arguments)


class ClaimsAreFacts(Honest):
    """Says of claims that it has observed them."""

    def carried_out(self, arguments: Data) -> Data:
        answer = super().carried_out(arguments)
        for item in answer["evidence"].values() if "evidence" in answer else ():
            item["known"] = "observed"
        return answer


class Forgets(Honest):
    """Loses what was done between two calls."""

    def carried_out(self, arguments: Data) -> Data:
        answer = super().carried_out(arguments)
        if arguments["action"] == "pause":
            self.engine.resume(arguments["session_id"])
        return answer


class DeletesNothing(Honest):
    """Says that a session is deleted, and keeps it."""

    def carried_out(self, arguments: Data) -> Data:
        if arguments.get("action") != "delete_session" or "session_id" not in arguments:
            return super().carried_out(arguments)
        self.sessions.load(arguments["session_id"])
        return {"session_id": arguments["session_id"], "deleted": True, "cleanup": {}}


class OtherSession(Honest):
    """Answers about another session than it was asked about."""

    def carried_out(self, arguments: Data) -> Data:
        answer = super().carried_out(arguments)
        other = {"session_id": "release_v1_notes_20260101_000000_abcdef"}
        return answer | (other if arguments["action"] == "get_state" else {})


class SomebodysSession(Honest):
    """Answers start with a session that somebody else began before."""

    def __init__(self) -> None:
        super().__init__()
        self.others = self.engine.start("code_review_v1", "src/theirs.py")

    def carried_out(self, arguments: Data) -> Data:
        super().carried_out(arguments)
        if arguments["action"] == "start":
            return self.others
        return super().carried_out(arguments)


class LeaksPath(Honest):
    """Names the folder of the project in a refusal."""

    def carried_out(self, arguments: Data) -> Data:
        try:
            return super().carried_out(arguments)
        except WorkflowError as error:
            error.message += f" in {Path.cwd()}"
            raise


class LeaksTraceback(Honest):
    """Shows a traceback in a refusal."""

    def carried_out(self, arguments: Data) -> Data:
        try:
            return super().carried_out(arguments)
        except WorkflowError as error:
            error.details["log"] = "Traceback (most recent call last):"
            raise


class Chatters(Honest):
    """Prints to standard output what is no message."""

    def called(self, arguments: Data) -> Data:
        if self.calls == 3:
            sys.stdout.buffer.write(b"loading the model \x1b[31m \xff...\n")
            sys.stdout.flush()
        return super().called(arguments)


class TalksTooMuch(Honest):
    """Answers with far more than was asked for."""

    def carried_out(self, arguments: Data) -> Data:
        return super().carried_out(arguments) | {"log": ["and so on"] * 2_000}


class LeadsAstray(Honest):
    """Names a next call that does not exist."""

    def carried_out(self, arguments: Data) -> Data:
        return super().carried_out(arguments) | {"next": "aos_workflow(action='advance')"}


class ProtocolError(Honest):
    """Answers a refusal by an error of the protocol."""

    def called(self, arguments: Data) -> Data:
        outcome = super().called(arguments)
        if outcome["result"]["isError"]:
            return {"error": {"code": -32603, "message": "Internal error"}}
        return outcome


class DoesNotEnd(Honest):
    """Ignores the end of its input and SIGTERM."""

    def serve(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        super().serve()
        time.sleep(HANGS_SECONDS)


FAKES = {kind.__name__: kind for kind in (Honest, *Honest.__subclasses__())}

if __name__ == "__main__":
    FAKES[sys.argv[1]]().serve()
