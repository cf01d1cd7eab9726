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
    lines: list[str] = []
    _add_mapping(lines, fields, "")
    if content:
        lines += ["", *content.rstrip("\n").split("\n")]
    if max(map(len, lines), default=0) > MAX_LINE:
        lines = [piece for line in lines for piece in _wrap(line)]
    return "\n".join(lines)


def _split(answer: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    fields = dict(answer)
    for name in _CONTENT_OF:
        holder = fields.get(name)
        if isinstance(holder, dict) and isinstance(holder.get("content"), str):
            fields[name] = {key: value for key, value in holder.items() if key != "content"}
            return fields, holder["content"]
    return fields, ""


# Lines are added to one list, not yielded: an answer of a hundred of them would otherwise be half
# of what a call costs.


def _add_mapping(lines: list[str], values: Mapping[str, Any], indent: str) -> None:
    inner = f"{indent}  "
    for name, value in values.items():
        _add(lines, f"{indent}{name}:", value, inner)


def _add(lines: list[str], head: str, value: Any, indent: str) -> None:
    if isinstance(value, str):
        text = _text(value)
        if "\n" in text:
            first, *rest = text.split("\n")
            lines.append(f"{head} {first}")
            lines.extend(f"{indent}{line}" for line in rest)
        else:
            lines.append(f"{head} {text}")
    elif isinstance(value, dict) and value:
        lines.append(head)
        _add_mapping(lines, value, indent)
    elif isinstance(value, list) and value:
        if _is_short(value):
            lines.append(f"{head} [{', '.join(map(_scalar, value))}]")
            return
        lines.append(head)
        for item in value:
            _add_item(lines, item, indent)
    else:
        lines.append(f"{head} {_scalar(value)}")


def _add_item(lines: list[str], item: Any, indent: str) -> None:
    if isinstance(item, dict) and item:
        at = len(lines)
        _add_mapping(lines, item, f"{indent}  ")
        lines[at] = f"{indent}- {lines[at].lstrip()}"
    else:
        _add(lines, f"{indent}-", item, f"{indent}  ")


def _is_short(items: list[Any]) -> bool:
    if any(isinstance(item, dict | list) for item in items):
        return False
    texts = [_scalar(item) for item in items]
    plain = all(text and "," not in text and "\n" not in text for text in texts)
    return plain and sum(map(len, texts)) <= _SHORT_LIST


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else str(value)


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
