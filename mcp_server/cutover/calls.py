"""Calls of the old tools as text, and the `aos_workflow` calls that say the same. Pure.

A call is rewritten only where it is certain: its arguments are those that the old tool took, all
that it needs are there, and it stands by itself. What is inserted is the action and the names of
positional arguments; every other character of the call stays, line breaks and comments too.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mcp_server.core.transitions import Action
from mcp_server.cutover.findings import NEW_TOOL

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_BRACKETS = frozenset("([{)]}")
_KEYWORD = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*=(?!=)")
_PLACEHOLDER = re.compile(r"<[^<>]*>\Z|\{[^{}]*\}\Z|\[[^\[\]]*\]\Z|\$\{?\w+\}?\Z")
_SIGNATURE_AFTER = re.compile(r"`?\s*->")
_MAX_CALL = 20_000

NEWLINE, FENCE, QUOTES = "\n", "```", ("'", '"')


@dataclass(frozen=True, slots=True)
class OldCall:
    """What an old tool took, and the action that takes its place."""

    action: Action
    parameters: tuple[str, ...]
    needed: frozenset[str]


EQUIVALENTS: Mapping[str, OldCall] = {
    "start_workflow": OldCall(
        Action.START,
        ("workflow_type", "target_file", "options"),
        frozenset({"workflow_type", "target_file"}),
    ),
    "get_current_phase": OldCall(Action.GET_PHASE, ("session_id",), frozenset({"session_id"})),
    "get_task": OldCall(
        Action.GET_TASK,
        ("session_id", "phase", "task_number"),
        frozenset({"session_id", "task_number"}),
    ),
    "complete_phase": OldCall(
        Action.COMPLETE_PHASE,
        ("session_id", "phase", "evidence"),
        frozenset({"session_id", "phase", "evidence"}),
    ),
    "get_workflow_state": OldCall(Action.GET_STATE, ("session_id",), frozenset({"session_id"})),
}

SUCCESSORS = {
    "create_workflow": "no action does this: the command `aos-workflow new` does",
    "validate_workflow": "no action does this: the command `aos-workflow lint` does",
}


class UncertainCallError(ValueError):
    """It is not certain what a call would become; the text says why."""


def becomes(name: str) -> str:
    """Return what a person may put in the place of an old tool."""
    if name in EQUIVALENTS:
        return f'now {NEW_TOOL}(action="{EQUIVALENTS[name].action}", ...)'
    return SUCCESSORS.get(name, "no action is known to do this")


def rewritten(text: str, name: str, opened: int) -> tuple[int, str]:
    """Return where the call ends whose bracket opens at `opened`, and its brackets as they become.

    Raises UncertainCallError.
    """
    if name not in EQUIVALENTS:
        raise UncertainCallError(becomes(name))
    old = EQUIVALENTS[name]
    call = _read(text, opened)
    if _SIGNATURE_AFTER.match(text, call.end):
        raise UncertainCallError("it reads like a signature")
    parameters = [_parameter(old, at, argument) for at, argument in enumerate(call.arguments)]
    _require_whole(old, parameters)
    inner = text[opened + 1 : call.end - 1]
    lead = inner[: len(inner) - len(inner.lstrip())]
    quote = "'" if "'" in inner and '"' not in inner else '"'
    parts = [f"({lead}action={quote}{old.action}{quote},{lead if NEWLINE in lead else ' '}"]
    at = opened + 1 + len(lead)
    for parameter, argument in zip(parameters, call.arguments, strict=True):
        if parameter and not argument.keyword:
            parts += [text[at : argument.start], f"{parameter}="]
            at = argument.start
    return call.end, "".join([*parts, text[at : call.end]])


def _parameter(old: OldCall, position: int, argument: "_Argument") -> str:
    """Return the parameter that an argument is for; empty for an ellipsis, which may be many."""
    if argument.value == "..." and not argument.keyword:
        return ""
    _require_value(argument.value)
    if argument.keyword:
        if argument.keyword not in old.parameters:
            raise UncertainCallError(f"the old tool took no {argument.keyword}")
        return argument.keyword
    if position >= len(old.parameters):
        raise UncertainCallError("the old tool took fewer arguments")
    parameter = old.parameters[position]
    if _bare(argument.value) in {*old.parameters} - {parameter}:
        raise UncertainCallError("its arguments stand in another order")
    looks_fit = any(word in argument.value.lower() for word in ("session", "sid"))
    if parameter == "session_id" and not looks_fit:
        raise UncertainCallError("its first argument does not look like a session")
    return parameter


def is_signature(text: str, opened: int) -> bool:
    """Tell whether the brackets that open at `opened` hold nothing but names of parameters."""
    names = {name for old in EQUIVALENTS.values() for name in old.parameters}
    return all(_bare(argument.value) in names and not argument.keyword
               for argument in _read(text, opened).arguments)  # fmt: skip


def _bare(value: str) -> str:
    """Return a value without the brackets of a placeholder, in lower case."""
    return value.strip("[]<>{}$ ").lower()


def _require_whole(old: OldCall, parameters: list[str]) -> None:
    given = [parameter for parameter in parameters if parameter]
    if len(set(given)) < len(given):
        raise UncertainCallError("an argument stands twice")
    is_elided = len(given) < len(parameters)
    missing = sorted(old.needed - set(given))
    if missing and not (is_elided and given):
        raise UncertainCallError(f"it does not say {', '.join(missing)}")


def _require_value(value: str) -> None:
    if _PLACEHOLDER.match(value):
        return
    try:
        ast.parse(value.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UncertainCallError("it reads like a signature, or like prose") from error


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of a call: where it starts, and what it says."""

    start: int
    keyword: str
    value: str


@dataclass(frozen=True, slots=True)
class _Call:
    """A call: its arguments, and where it ends."""

    arguments: tuple[_Argument, ...]
    end: int


def _read(text: str, opened: int) -> _Call:
    """Return the call whose bracket opens at `opened`."""
    plain, begun = list(text[: opened + _MAX_CALL]), opened + 1
    arguments: list[_Argument] = []
    for at, end, sign in _signs(text, opened):
        if sign == "#":
            plain[at:end] = " " * (end - at)
            continue
        if argument := _argument("".join(plain[begun:at]), begun):
            arguments.append(argument)
        elif sign == ",":
            break
        begun = end
        if sign == ")":
            return _Call(tuple(arguments), end)
    raise UncertainCallError("it cannot be read as a call")


def _argument(said: str, begun: int) -> _Argument | None:
    """Return the argument that `said` is, None if nothing stands there."""
    stripped = said.strip()
    if not stripped:
        return None
    keyword = _KEYWORD.match(stripped)
    value = stripped[keyword.end() :] if keyword else stripped
    start = begun + len(said) - len(said.lstrip())
    return _Argument(start, keyword["name"] if keyword else "", value.strip())


def _signs(text: str, opened: int) -> Iterator[tuple[int, int, str]]:
    """Yield the comments, the commas between arguments, and the bracket that ends the call."""
    brackets: list[str] = []
    at = opened
    while at < min(len(text), opened + _MAX_CALL):
        sign, end = text[at], at + 1
        if sign in QUOTES:
            end = _after_string(text, at)
        elif sign == "#" and text[at - 1].isspace():
            end = text.find(NEWLINE, at)
            if end < 0:
                return
            yield at, end, sign
        elif sign in _BRACKETS:
            if not _matched(brackets, sign):
                return
            if not brackets:
                yield at, end, ")"
                return
        elif sign == "," and len(brackets) == 1:
            yield at, end, sign
        elif text.startswith(FENCE, at):
            return
        at = end


def _matched(brackets: list[str], sign: str) -> bool:
    """Open or close a bracket, and tell whether it is one that may stand here."""
    if sign in _CLOSING:
        brackets.append(_CLOSING[sign])
        return True
    return brackets.pop() == sign


def _after_string(text: str, at: int) -> int:
    quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
    end = at + len(quote)
    while end < len(text):
        if text[end] == "\\":
            end += 2
        elif text.startswith(quote, end):
            return end + len(quote)
        elif text[end] == NEWLINE and len(quote) == 1:
            break
        else:
            end += 1
    raise UncertainCallError("a quotation mark in it is not closed")
