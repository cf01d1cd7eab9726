"""The reference of the command line, made from the commands and from the documents they print."""

import builtins
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints

import typer

from mcp_server.viewing.shapes import DOCUMENTS

PROGRAM = "aos-workflow"

INTRODUCTION = """\
# Commands

Written by `make generate` from the code. `aos-workflow COMMAND --help` says the same.

A command works on the project that is found from the working directory (the nearest folder upwards
with `.praxis-os/` or `.git`), or on the one that `--project` or `AOS_WORKFLOW_PROJECT` names. The
beginning of a session's id is enough, as long as only one begins so. `aos-workflow
--install-completion` has the shell complete commands, names of workflows and ids of sessions.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | something is not as it should be, or could not be done |
| 2 | wrong usage: no command, a value that cannot be, a name of nothing, or one that is taken |
| 74 | the output cannot be written: the disk is full, or standard output is closed |
| 130 | interrupted by Ctrl-C (`watch` ends with 0) |
| 141 | nobody reads the output any more, such as after `| head` |

On a terminal, tables have headings and colours (`NO_COLOR` turns these off). Elsewhere a table is
one row a line, with tabs between the cells, no headings, and nothing cut off, and help is plain
text. Warnings and refusals go to standard error. What a terminal would obey, such as control
characters in a session's note, is written out."""

JSON_INTRODUCTION = """\
## JSON

With `--json` standard output is one JSON object in plain ASCII and nothing else, or none where the
command is refused; `watch` prints one a line. Times are UTC in ISO 8601. Keys may be added."""

_PLAIN_TYPES = {
    str: "text", int: "number", float: "number", bool: "true or false", Any: "anything",
    type(None): "null",
}  # fmt: skip


def command_table(app: typer.Typer) -> str:
    """Return the table of all commands, each with what it does."""
    rows = [f"| `{name}` | {_summary(command)} |" for name, command in _commands(app)]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def command_reference(app: typer.Typer) -> str:
    """Return the page on all commands and what they print as JSON."""
    parts = [INTRODUCTION]
    panel = None
    for name, command in _commands(app):
        if command.rich_help_panel != panel:
            panel = command.rich_help_panel
            parts.append(f"## {panel}")
        parts += _command(name, command)
    return "\n\n".join([*parts, JSON_INTRODUCTION, *_json_documents()]) + "\n"


def _commands(app: typer.Typer) -> list[tuple[str, Any]]:
    """Return the commands with their full names, those of a panel together."""
    found = list(_flat(typer.main.get_command(app), ""))
    panels = list(dict.fromkeys(command.rich_help_panel for _, command in found))
    return sorted(found, key=lambda one: panels.index(one[1].rich_help_panel))


def _flat(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _flat(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"### {name}"
    arguments = [_argument(one) for one in command.params if one.param_type_name == "argument"]
    usage = " ".join([PROGRAM, name, "[OPTIONS]", *arguments])
    yield f"`{usage}`"
    yield command.help
    if name in DOCUMENTS or f"{name} --list" in DOCUMENTS:
        yield "Its JSON: " + ", ".join(
            f"[`{_with_json(key)}`](#{_anchor(_with_json(key))})"
            for key in DOCUMENTS
            if key.split(" --")[0] == name
        )
    rows = [
        f"| `{_escaped(_spelt(one))}` | {one.help or ''}{_default(one)} |" for one in command.params
    ]
    yield "\n".join(["| | |", "|---|---|", *rows])
    _, *calls = command.epilog.split("\n\n")
    yield "\n".join(["```text", *calls, "```"])


def _summary(command: Any) -> str:
    return str(command.help).partition("\n")[0].removesuffix(".")


def _argument(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper())
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _spelt(param: Any) -> str:
    if param.param_type_name == "argument":
        return _argument(param)
    value = "" if param.is_flag else f" {param.metavar or 'VALUE'}"
    return f"{', '.join(param.opts)}{value}"


def _default(param: Any) -> str:
    is_plain = isinstance(param.default, int | float | str) and not isinstance(param.default, bool)
    return f" Default: {param.default}." if is_plain else ""


def _with_json(key: str) -> str:
    return f"{key} --json"


def _json_documents() -> Iterator[str]:
    told: dict[str, type] = {}
    for key, shape in DOCUMENTS.items():
        yield f"### {_with_json(key)}"
        yield _keys(shape)
        told |= _parts(shape)
    for name, shape in told.items():
        yield f"### {name}"
        yield (shape.__doc__ or "").strip()
        yield _keys(shape)


def _parts(shape: type) -> dict[str, type]:
    """Return the shapes that a shape holds, by name."""
    found: dict[str, type] = {}
    for hint in get_type_hints(shape).values():
        for kind in (hint, *get_args(hint)):
            if typing.is_typeddict(kind):
                found |= {kind.__name__: kind, **_parts(kind)}
    return found


def _keys(shape: type) -> str:
    rows = []
    for name, hint in get_type_hints(shape, include_extras=True).items():
        kind, said = _taken_apart(hint)
        rows.append(f"| `{name}` | {_type(kind)} | {said} |")
    return "\n".join(["| key | type | what it is |", "|---|---|---|", *rows])


def _taken_apart(hint: Any) -> tuple[Any, str]:
    if get_origin(hint) is NotRequired:
        return _taken_apart(get_args(hint)[0])
    if get_origin(hint) is Annotated:
        kind, said = get_args(hint)
        return kind, _escaped(said)
    return hint, ""


def _type(kind: Any) -> str:
    arguments = get_args(kind)
    match get_origin(kind):
        case types.UnionType:
            said = " or ".join(_type(one) for one in arguments)
        case typing.Literal:
            said = " or ".join(f"`{one}`" for one in arguments)
        case builtins.list:
            said = f"list of {_type(arguments[0])}"
        case builtins.dict:
            said = f"object of {_type(arguments[1])}"
        case _ if typing.is_typeddict(kind):
            said = f"[{kind.__name__}](#{_anchor(kind.__name__)})"
        case _:
            said = _PLAIN_TYPES[kind]
    return said


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
