"""What every answer of the tool must be, whatever the action. Pure.

An answer is a result of two halves, each complete on its own, because clients show their model
only one of them. `problems` tells everything that is wrong with one: the envelope, `is_error`, how
the halves agree, the next call, and what no answer may hold.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mcp.types import CallToolResult

from mcp_server.core.transitions import Action
from mcp_server.errors import WorkflowError
from mcp_server.server.tools.arguments import ARGUMENTS

TOOL_NAME = "aos_workflow"

MAX_LINE = 2_000
MAX_BESIDE_CONTENT = 8 * 1024
"""Bytes of an answer besides the text of its phase or task."""

ERROR_TYPES = frozenset(kind.error_type for kind in WorkflowError.__subclasses__())

_ABSOLUTE = re.compile(
    r"(?<![\w.~/\\-])(?:/(?:home|Users|root|tmp|var|private|usr|opt|etc|srv|mnt|proc)/[\w.-]"
    r"|[A-Za-z]:[\\/]+[\w.-])[^\s\"']*"
)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|\bFile \"[^\"]+\", line \d+")
_WRITTEN_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONTENT_OF = ("phase_content", "task_content")
_MAX_CALL = 8_192
_SHOWN = 120

Answer = dict[str, Any]


def problems(
    result: CallToolResult,
    action: str,
    session_id: str | None = None,
    private: tuple[str, ...] = (),
) -> list[str]:
    """Return what is wrong with the answer to a call; `private` are folders it must not name."""
    answer = result.structured_content
    if not isinstance(answer, dict):
        return ["the answer has no structured content"]
    texts = [part.text for part in result.content if part.type == "text"]
    if len(texts) != 1 or len(result.content) != 1:
        return [f"the answer has {len(result.content)} parts, not one text"]
    sizes = list(_size(answer, texts[0]))
    found = [
        *_envelope(answer, action),
        *_flag(answer, is_error=bool(result.is_error)),
        *_next(answer, session_id),
        *_leaks(answer, texts[0], private),
        *sizes,
        # Comparing what is far too large would take far too long.
        *([] if sizes else _disagreements(answer, texts[0])),
    ]
    return list(dict.fromkeys(found))


def _envelope(answer: Mapping[str, Any], action: str) -> Iterator[str]:
    status = answer.get("status")
    if status not in ("success", "error"):
        yield f"status is {shown(status)}, not success or error"
    if answer.get("action") != action:
        yield f"action is {shown(answer.get('action'))}, not {action!r}"
    if status == "error":
        for name in ("error", "error_type", "remediation"):
            if not isinstance(answer.get(name), str) or not answer[name].strip():
                yield f"a refusal without {name}"
        if answer.get("error_type") not in ERROR_TYPES:
            yield f"error_type is {shown(answer.get('error_type'))}, which is none of the known"
    elif "error" in answer or "error_type" in answer:
        yield "status is success, and there is an error beside it"


def _flag(answer: Mapping[str, Any], *, is_error: bool) -> Iterator[str]:
    if is_error != (answer.get("status") == "error"):
        yield f"isError is {str(is_error).lower()} while status is {shown(answer.get('status'))}"


def _next(answer: Mapping[str, Any], session_id: str | None) -> Iterator[str]:
    if "next" not in answer:
        return
    call = next_call(answer["next"])
    if call is None:
        yield f"next is no call of the tool: {shown(answer['next'])}"
    elif session_id and call.get("session_id", session_id) != session_id:
        yield f"next is about another session: {shown(call['session_id'])}"


def next_call(text: Any) -> Answer | None:
    """Return the arguments of a call as `next` writes it, or None if it is no such call.

    Only text, numbers and truth values are returned as such; objects are left out.
    """
    try:
        is_short = isinstance(text, str) and len(text) <= _MAX_CALL
        tree = ast.parse(text, mode="eval").body if is_short else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(tree, ast.Call) or ast.unparse(tree.func) != TOOL_NAME or tree.args:
        return None
    names = {keyword.arg for keyword in tree.keywords}
    given = {
        keyword.arg: keyword.value.value
        for keyword in tree.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
    }
    legal = given.get("action") in set(Action) and names <= ARGUMENTS.keys()
    return given if legal else None


def _leaks(answer: Mapping[str, Any], text: str, private: tuple[str, ...]) -> Iterator[str]:
    for half in (json.dumps(answer, ensure_ascii=False).replace("\\\\", "\\"), text):
        if _TRACEBACK.search(half):
            yield "a traceback is in the answer"
        if (found := _ABSOLUTE.search(half)) is not None:
            yield f"an absolute path is in the answer: {shown(found[0])}"
        for folder in private:
            if folder in half:
                yield "the folder of the project is in the answer"


def _size(answer: Mapping[str, Any], text: str) -> Iterator[str]:
    content = len(_content(answer).encode("utf-8", "replace"))
    slim = {name: _without_content(value) if name in _CONTENT_OF else value
            for name, value in answer.items()}  # fmt: skip
    sizes = {
        "structured": len(json.dumps(slim, ensure_ascii=False).encode("utf-8", "replace")),
        "text": len(text.encode("utf-8", "replace")) - content,
    }
    for half, size in sizes.items():
        if size > MAX_BESIDE_CONTENT:
            yield f"the {half} half has {size:,} bytes besides content, over {MAX_BESIDE_CONTENT:,}"
    longest = max(map(len, text.split("\n")))
    if longest > MAX_LINE:
        yield f"a line of the text half has {longest:,} characters, over {MAX_LINE:,}"


def _content(answer: Mapping[str, Any]) -> str:
    holders = (answer.get(name) for name in _CONTENT_OF)
    return "".join(
        holder["content"]
        for holder in holders
        if isinstance(holder, Mapping) and isinstance(holder.get("content"), str)
    )


def _without_content(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: item for name, item in value.items() if name != "content"}


def _disagreements(answer: Mapping[str, Any], text: str) -> Iterator[str]:
    try:
        if json.loads(text) == answer:
            return
    except ValueError:
        pass
    lines = {line.replace('"', "").strip().lstrip("- ") for line in text.split("\n")}
    flat = _squeezed(text)
    for name, value in _leaves(answer):
        if not _is_said(name, _written(value), lines, flat):
            about = f"{name} is {shown(value)}" if name else f"there is {shown(value)}"
            yield f"the halves disagree: {about} in the structured one, and not in the text"
            return


def _is_said(name: str, said: str, lines: set[str], flat: str) -> bool:
    """Tell whether the text says it: on a line of its own if it fits, else anywhere."""
    line = f"{name}: {said}".replace('"', "").strip()
    if name and name != "content" and "\n" not in line and len(line) < MAX_LINE:
        return line in lines
    # Markdown stands at the end, away from its name.
    sought = _squeezed(said)
    return (sought if not name or name == "content" else f"{_squeezed(name)}:{sought}") in flat


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every name with what stands under it, where that is no further structure."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, str(key))
    elif isinstance(value, list) and value:
        for item in value:
            yield from _leaves(item)
    else:
        yield name, value


def _written(value: Any) -> str:
    if isinstance(value, str):
        # As the text half writes what a terminal would obey.
        return _WRITTEN_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
    return json.dumps(value, ensure_ascii=False)


def _squeezed(text: str) -> str:
    # Lines are wrapped and indented, and a text that reads like a number is quoted.
    return "".join(text.split()).replace('"', "")


def shown(value: Any) -> str:
    """Return a value as findings repeat it: short, on one line, with nothing a terminal obeys."""
    text = ascii(value) if not isinstance(value, str) else ascii(value[: 2 * _SHOWN])
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
