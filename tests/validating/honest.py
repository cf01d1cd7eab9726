"""A server that speaks MCP by hand, over the real engine, and does everything right.

Every fake spoils it by one method. It imports no SDK, so that it is up in no time.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcp_server.config import load_settings
from mcp_server.core.rendering import render
from mcp_server.core.transitions import Action
from mcp_server.errors import InvalidArgumentError, WorkflowError
from mcp_server.server.services import services_for
from mcp_server.server.tools.arguments import Given, require, screen

PUBLISHED = Path(__file__).resolve().parent.parent / "server" / "published_tool.json"
PROJECT = Path(sys.argv[2]) if len(sys.argv) > 2 else None

Data = dict[str, Any]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Honest:
    """Does everything right."""

    def __init__(self) -> None:
        services = services_for(load_settings(project=PROJECT))
        self.engine, self.sessions = services.engine, services.sessions
        self.calls = 0

    def serve(self) -> None:
        """Answer line by line until standard input ends."""
        for line in sys.stdin:
            request = json.loads(line)
            if "id" in request:
                self.reply(request["id"], self.handle(request["method"], request.get("params", {})))

    def reply(self, number: int, outcome: Data) -> None:
        say(json.dumps({"jsonrpc": "2.0", "id": number, **outcome}))

    def handle(self, method: str, params: Data) -> Data:
        if method == "initialize":
            version, about = params["protocolVersion"], {"name": "fake", "version": "1"}
            capabilities: Data = {"tools": {}}
            return {"result": {"protocolVersion": version, "capabilities": capabilities,
                               "serverInfo": about}}  # fmt: skip
        if method == "tools/list":
            return {"result": {"tools": self.tools()}}
        if method == "tools/call":
            self.calls += 1
            return self.called(params.get("arguments") or {})
        return {"error": {"code": -32601, "message": "Method not found"}}

    def called(self, arguments: Data) -> Data:
        return {"result": self.result(self.answer(arguments))}

    def tools(self) -> list[Data]:
        return [json.loads(PUBLISHED.read_text(encoding="utf-8"))]

    def result(self, answer: Data) -> Data:
        text = [{"type": "text", "text": render(answer)}]
        is_error = answer["status"] == "error"
        return {"content": text, "structuredContent": answer, "isError": is_error}

    def answer(self, arguments: Data) -> Data:
        head = {"action": str(arguments.get("action", ""))}
        try:
            return {"status": "success", **head, **self.carried_out(arguments)}
        except WorkflowError as error:
            fields = {"error": error.message, "error_type": error.error_type,
                      "remediation": error.remediation, **error.fields}  # fmt: skip
            details = {"details": error.details} if error.details else {}
            return {"status": "error", **head, **fields, **details}

    def carried_out(self, arguments: Data) -> Data:
        if arguments.get("action") not in self.handlers():
            raise InvalidArgumentError(
                "Unknown action", remediation="Call a valid one.",
                fields={"valid_actions": list(self.handlers())},
            )  # fmt: skip
        values, warnings = screen(arguments)
        action = Action(values["action"])
        require(action, values)
        answer = self.handlers()[action](Given(values))
        return answer | ({"warnings": warnings} if warnings else {})

    def handlers(self) -> dict[str, Callable[[Given], Data]]:
        engine, sessions = self.engine, self.sessions
        return {
            "list_workflows": lambda g: engine.list_workflows(
                g.optional_text("category"), g.optional_number("limit"), g.optional_text("cursor")
            ),
            "start": lambda g: engine.start(g.text("workflow_type"), g.text("target_file")),
            "get_phase": lambda g: engine.get_phase(g.session_id(), g.optional_number("phase")),
            "get_task": lambda g: engine.get_task(
                g.session_id(), g.number("task_number"), g.optional_number("phase")
            ),
            "complete_phase": lambda g: engine.complete_phase(
                g.session_id(), g.number("phase"), g.object("evidence")
            ),
            "get_state": lambda g: engine.get_state(g.session_id(), g.optional_number("phase")),
            "list_sessions": lambda g: sessions.list_sessions(
                g.status(), g.optional_number("limit"), g.optional_text("cursor")
            ),
            "get_session": lambda g: sessions.get_session(g.session_id()),
            "delete_session": lambda g: sessions.delete_session(g.session_id()),
            "pause": lambda g: sessions.pause(g.session_id(), g.optional_text("checkpoint_note")),
            "resume": lambda g: engine.resume(g.session_id()),
            "retry_phase": lambda g: engine.retry_phase(
                g.session_id(), g.number("phase"), reset_evidence=g.flag("reset_evidence")
            ),
            "rollback": lambda g: engine.rollback(g.session_id(), g.number("to_phase")),
            "get_errors": lambda g: engine.get_errors(g.session_id()),
        }
