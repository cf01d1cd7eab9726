"""The text half of an answer: the same as the structured half, for a model to read.

Fields come first, one a line, nested ones indented; the Markdown of a phase or task comes last,
as it is. No line is over `MAX_LINE` characters, because some clients drop longer ones. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mcp_server.core.visible import without_controls

MAX_LINE = 2_000

_SHORT_LIST = 400

_AMBIGUOUS = re.compile(r"(null|true|false|\[\]|\{\}|-?\d+(\.\d+)?|)\Z")

_CONTENT_OF = ("phase_content", "task_content")


def render(answer: Mapping[str, Any]) -> str:
    """Return `answer` as text of many lines."""
    fields, content = _split(answer)
    lines = list(_mapping(fields, ""))
    if content:
        lines += ["", *content.rstrip("\n").split("\n")]
    return "\n".join(piece for line in lines for piece in _wrap(line))


def _split(answer: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    fields = dict(answer)
    for name in _CONTENT_OF:
        holder = fields.get(name)
        if isinstance(holder, Mapping) and isinstance(holder.get("content"), str):
            fields[name] = {key: value for key, value in holder.items() if key != "content"}
            return fields, holder["content"]
    return fields, ""


def _mapping(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in values.items():
        yield from _entry(f"{indent}{name}:", value, f"{indent}  ")


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield head
        yield from _mapping(value, indent)
    elif isinstance(value, list) and value:
        if _is_short(value):
            yield f"{head} [{', '.join(map(_scalar, value))}]"
            return
        yield head
        for item in value:
            yield from _item(item, indent)
    else:
        first, *rest = _scalar(value).split("\n")
        yield f"{head} {first}"
        yield from (f"{indent}{line}" for line in rest)


def _is_short(items: list[Any]) -> bool:
    if any(isinstance(item, Mapping | list) for item in items):
        return False
    texts = [_scalar(item) for item in items]
    plain = all(text and "," not in text and "\n" not in text for text in texts)
    return plain and sum(map(len, texts)) <= _SHORT_LIST


def _item(item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        first, *rest = _mapping(item, f"{indent}  ")
        yield f"{indent}- {first.lstrip()}"
        yield from rest
    else:
        yield from _entry(f"{indent}-", item, f"{indent}  ")


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    if _AMBIGUOUS.match(text):
        return f'"{text}"'
    # A terminal or a log that shows the text should not obey what an agent put into it.
    return without_controls(text)


def _wrap(line: str) -> Iterator[str]:
    while len(line) > MAX_LINE:
        space = line.rfind(" ", MAX_LINE // 2, MAX_LINE)
        cut = space + 1 if space > 0 else MAX_LINE
        yield line[:cut]
        line = line[cut:]
    yield line
