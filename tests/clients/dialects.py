"""The model interfaces of four clients, as far as a scripted model needs them.

A dialect reads from a request which tools the client offers and what tool calls came to, and
writes a reply that calls a tool or says something, as a stream of events.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
Event = tuple[str, Any]
"""The name of an event, empty for none, and its data."""

DONE: Event = ("", "[DONE]")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the model must name it."""

    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says: a call of a tool if there is one, else a text."""

    number: int
    tool: Tool | None = None
    arguments: Mapping[str, Any] | None = None
    text: str = "Done."

    @property
    def id(self) -> str:
        """The id of the call."""
        return f"call_{self.number}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One interface: the tools that a request offers, the results in it, a reply."""

    tools: Callable[[Body], list[Tool]]
    results: Callable[[Body], list[str]]
    reply: Callable[[Reply], Iterator[Event]]


def dialect_of(path: str) -> Dialect | None:
    """Return the dialect that a request to `path` speaks."""
    route = path.partition("?")[0]
    if route.endswith("/messages"):
        return MESSAGES
    if route.endswith("/responses"):
        return RESPONSES
    if route.endswith("/chat/completions"):
        return COMPLETIONS
    return CONTENT if route.endswith(":streamGenerateContent") else None


def _text(content: Any) -> str:
    """Return what a model reads in a content that may be text or parts with text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "\n".join(str(part.get("text", json.dumps(part))) for part in parts)


def _messages_tools(body: Body) -> list[Tool]:
    return [Tool(tool["name"]) for tool in body.get("tools", ())]


def _messages_results(body: Body) -> list[str]:
    return [
        _text(part["content"])
        for message in body["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "tool_result"
    ]


def _messages_reply(reply: Reply) -> Iterator[Event]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    block: dict[str, Any] = {"type": "text", "text": ""}
    delta: dict[str, Any] = {"type": "text_delta", "text": reply.text}
    if reply.tool is not None:
        block = {"type": "tool_use", "id": reply.id, "name": reply.tool.name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(reply.arguments)}
    message: dict[str, Any] = {
        "id": f"msg_{reply.number}",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    stop = {"stop_reason": "tool_use" if reply.tool else "end_turn", "stop_sequence": None}
    for name, data in (
        ("message_start", {"message": message}),
        ("content_block_start", {"index": 0, "content_block": block}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": stop, "usage": usage}),
        ("message_stop", {}),
    ):
        yield name, {"type": name, **data}


def _responses_tools(body: Body) -> list[Tool]:
    found = []
    for tool in body.get("tools", ()):
        if tool["type"] == "namespace":
            found += [Tool(inner["name"], tool["name"]) for inner in tool["tools"]]
        elif "name" in tool:
            found.append(Tool(tool["name"]))
    return found


def _responses_results(body: Body) -> list[str]:
    items = (item for item in body["input"] if item["type"] == "function_call_output")
    return [_text(item["output"]) for item in items]


def _responses_reply(reply: Reply) -> Iterator[Event]:
    item: dict[str, Any] = {
        "type": "message",
        "id": f"msg_{reply.number}",
        "role": "assistant",
        "content": [{"type": "output_text", "text": reply.text, "annotations": []}],
    }
    if reply.tool is not None:
        item = {
            "type": "function_call",
            "id": f"fc_{reply.number}",
            "call_id": reply.id,
            "name": reply.tool.name,
            "arguments": json.dumps(reply.arguments),
        }
        if reply.tool.namespace is not None:
            item["namespace"] = reply.tool.namespace
    response = {"id": f"resp_{reply.number}"}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    for name, data in (
        ("response.created", {"response": response}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": {**response, "output": [item], "usage": usage}}),
    ):
        yield name, {"type": name, **data}


def _content_tools(body: Body) -> list[Tool]:
    return [
        Tool(declared["name"])
        for tool in body.get("tools", ())
        for declared in tool.get("functionDeclarations", ())
    ]


def _content_results(body: Body) -> list[str]:
    parts = (part for content in body["contents"] for part in content["parts"])
    found = (part["functionResponse"]["response"] for part in parts if "functionResponse" in part)
    return [
        str(response.get("output", response.get("error", json.dumps(response))))
        for response in found
    ]


def _content_reply(reply: Reply) -> Iterator[Event]:
    part: dict[str, Any] = {"text": reply.text}
    if reply.tool is not None:
        call = {"id": reply.id, "name": reply.tool.name, "args": reply.arguments}
        part = {"functionCall": call, "thoughtSignature": "c2NyaXB0ZWQ="}
    candidate = {
        "index": 0,
        "content": {"role": "model", "parts": [part]},
        "finishReason": "STOP",
    }
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    yield "", {"candidates": [candidate], "usageMetadata": usage}


def _completions_tools(body: Body) -> list[Tool]:
    return [Tool(tool["function"]["name"]) for tool in body.get("tools", ())]


def _completions_results(body: Body) -> list[str]:
    return [_text(message["content"]) for message in body["messages"] if message["role"] == "tool"]


def _completions_reply(reply: Reply) -> Iterator[Event]:
    delta: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.tool is not None:
        function = {"name": reply.tool.name, "arguments": json.dumps(reply.arguments)}
        call = {"index": 0, "id": reply.id, "type": "function", "function": function}
        delta = {"role": "assistant", "tool_calls": [call]}
    base = {"id": f"chat_{reply.number}", "object": "chat.completion.chunk", "model": "scripted"}
    finish = "tool_calls" if reply.tool else "stop"
    yield "", {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield "", {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    yield DONE


MESSAGES = Dialect(_messages_tools, _messages_results, _messages_reply)
RESPONSES = Dialect(_responses_tools, _responses_results, _responses_reply)
CONTENT = Dialect(_content_tools, _content_results, _content_reply)
COMPLETIONS = Dialect(_completions_tools, _completions_results, _completions_reply)
