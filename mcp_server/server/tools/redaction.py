"""Errors that are not ours, made safe to show: a stable type and one line without file paths."""

import re

_QUOTED_PATH = re.compile(r"""(?P<quote>['"])(?:[^'"\n]*[/\\])[^'"\n]*(?P=quote)""")
_PATH = re.compile(
    r"""(?<![\w<])(?:file:/+|~|\.{0,2}|[A-Za-z]:)[/\\][^\s'",;:<>()\[\]]*|(?:[\w.-]+/)+[\w-]+\.\w+"""
)


def sanitize_error(error: BaseException) -> dict[str, str]:
    """Return `error_type` and `error` of an exception: its first line, file paths redacted."""
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    lines = message.strip().splitlines()
    return {
        "error_type": _type_of(error),
        "error": redact_paths(lines[0].strip()) if lines else type(error).__name__,
    }


def redact_paths(text: str) -> str:
    """Return `text` with everything that looks like a file path replaced by <path>."""
    return _PATH.sub("<path>", _QUOTED_PATH.sub("<path>", text))


def _type_of(error: BaseException) -> str:
    if isinstance(error, PermissionError):
        return "PermissionError"
    if isinstance(error, KeyError | FileNotFoundError):
        return "NotFoundError"
    return "ValidationError" if isinstance(error, ValueError) else "RuntimeError"
