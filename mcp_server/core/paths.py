"""Confinement: which paths an agent may name.

A target is relative, holds no `..` in any spelling that a careless reader could decode, and lies
inside the project root after symbolic links are resolved. It need not exist.
"""

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from mcp_server.errors import InvalidArgumentError

MAX_TARGET = 512

_DOTS_ONLY = re.compile(r"\.[.\s]*\.\Z")
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:|~([/\\]|\Z)|file:", re.IGNORECASE)


def validate_target(root: Path, target: object, name: str = "target_file") -> bool:
    """Return True; raises InvalidArgumentError (a ValueError) for a target outside `root`."""
    if not isinstance(target, str) or not target.strip():
        raise _refused(name, "must be the text of a relative path")
    if len(target) > MAX_TARGET:
        raise _refused(name, f"is too large: {len(target)} characters, at most {MAX_TARGET}")
    for spelling in _spellings(target):
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in spelling):
            raise _refused(name, "holds a control character")
        if _ABSOLUTE.match(spelling.strip()):
            raise _refused(name, "is an absolute path", "directory traversal: ")
        if any(_DOTS_ONLY.match(part.strip()) for part in re.split(r"[/\\]", spelling)):
            raise _refused(name, "has a part of dots only, such as '..'", "directory traversal: ")
    if not _is_inside(root, target):
        raise _refused(name, "leads out of the project through a link", "directory traversal: ")
    return True


def _spellings(target: str) -> list[str]:
    """Return all that decoding and normalizing, any number of times, may make of `target`."""
    found, pending = [target], [target]
    while pending:
        spelling = pending.pop()
        for other in (unquote(spelling), unicodedata.normalize("NFKC", spelling)):
            if other not in found:
                found.append(other)
                pending.append(other)
    return found


def is_plainly_below(folder: Path, parts: Sequence[str]) -> bool:
    """Tell whether `parts` lead down from `folder` with no link among them, there or not.

    False says nothing: on Windows there is more than links that leads elsewhere.
    """
    if os.name == "nt":
        return False
    at = str(folder)
    for part in parts:
        at = f"{at}/{part}"
        if part in {"", ".", ".."} or os.path.islink(at):  # noqa: PTH114 - a Path costs more
            return False
    return True


def _is_inside(root: Path, target: str) -> bool:
    if is_plainly_below(root, target.split("/")):
        return True
    try:
        resolved = (root / target).resolve()
        # From Python 3.13 on, links in a circle do not raise but stay in the resolved path.
        circular = any(_is_link(path) for path in (resolved, *resolved.parents))
        return resolved.is_relative_to(root.resolve()) and not circular
    except (OSError, RuntimeError, ValueError):
        return False


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        # A name that is too long for this file system is not there, and so is no link.
        return False


def _refused(name: str, reason: str, kind: str = "") -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{kind}{name} {reason}",
        remediation="Pass a path relative to the project root and inside it, such as"
        f' {name}="src/example.py"; it need not exist.',
    )
