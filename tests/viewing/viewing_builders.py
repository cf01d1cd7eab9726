"""Sessions and texts to look at, and what the output must be."""

import io
import re
from types import UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from rich.console import Console

EVIL = "a\x1b[2Jb\x07c\x9bd\u202ee\rf"
"""What a terminal would obey."""

EVIL_SHOWN = r"a\x1b[2Jb\x07c\x9bd\u202ee\rf"

_STYLE = re.compile(r"\x1b\[[\d;]*m")


def plain_console(**settings: Any) -> Console:
    """A console that is no terminal, and keeps what is printed."""
    return Console(file=io.StringIO(), highlight=False, markup=False, soft_wrap=True, **settings)


def terminal(width: int = 80, **settings: Any) -> Console:
    """A console that is a terminal, and keeps what is printed."""
    return plain_console(
        force_terminal=True, width=width, color_system="standard", _environ={}, **settings
    )


def printed(console: Console) -> str:
    """What was printed, without colours."""
    return _STYLE.sub("", console.file.getvalue())


def obeyed(text: str) -> list[str]:
    """What a terminal would obey in `text`, colours and lines apart."""
    return [sign for sign in _STYLE.sub("", text) if not sign.isprintable() and sign not in "\n\t"]


def misfits(value: Any, hint: Any, at: str = "") -> list[str]:
    """Where `value` is not what `hint` says that it is."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return misfits(value, arguments[0], at)
    if is_typeddict(hint):
        return _misfits_of(value, hint, at)
    if origin is UnionType:
        found = [misfits(value, one, at) for one in arguments]
        return [] if [] in found else found[0]
    if origin in (list, dict) and isinstance(value, origin):
        items = value.values() if origin is dict else value
        return [one for item in items for one in misfits(item, arguments[-1], f"{at}[]")]
    return [] if _is_plain(value, hint) else [f"{at}: {value!r} is not {hint}"]


def _is_plain(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    return hint is Any or type(value) in ((int, float) if hint is float else (hint,))


def _misfits_of(value: Any, shape: type, at: str) -> list[str]:
    hints = get_type_hints(shape)
    if not isinstance(value, dict):
        return [f"{at}: no object"]
    unknown = [f"{at}.{key}: unknown" for key in value.keys() - hints.keys()]
    missing = [f"{at}.{key}: missing" for key in shape.__required_keys__ - value.keys()]
    known = value.keys() & hints.keys()
    deeper = [one for key in known for one in misfits(value[key], hints[key], f"{at}.{key}")]
    return unknown + missing + deeper
