"""The files of a project that the cutover looks at, read once.

Rules: a link is never followed; what git ignores is not edited, but for client configuration, which
usually is ignored and yet in force; virtual environments, dependencies, backups and stored state
are not looked into. What cannot be read as UTF-8, or is too large, is told and left alone.
"""

import codecs
import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mcp_server.cutover import git
from mcp_server.cutover.findings import Place
from mcp_server.errors import CutoverError

MAX_FILE = 4 * 1024 * 1024
"""Bytes of the largest file that is looked at."""

_SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", "site-packages", ".tox", ".nox",
     ".venv", "venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".eggs"}
)  # fmt: skip
_SKIPPED_PATHS = frozenset({".praxis-os/backups", ".praxis-os/state"})
_CLIENT_FOLDERS = frozenset(
    {".claude", ".cursor", ".vscode", ".gemini", ".codex", ".roo", ".kilocode", ".windsurf",
     ".amazonq", ".cline", ".zed"}
)  # fmt: skip
_CLIENT_FILES = frozenset(
    {".mcp.json", "mcp.json", "opencode.json", "opencode.jsonc", "claude_desktop_config.json",
     "cline_mcp_settings.json", "mcp_config.json"}
)  # fmt: skip


class Kind(StrEnum):
    """How a file is looked at."""

    PYTHON = "python"
    JSON = "json"
    PROSE = "prose"
    OTHER = "other"


_KINDS = {
    ".py": Kind.PYTHON,
    **dict.fromkeys((".json", ".jsonc"), Kind.JSON),
    **dict.fromkeys(
        (".md", ".mdc", ".mdx", ".markdown", ".txt", ".rst", ".prompt", ".cursorrules",
         ".windsurfrules", ".clinerules", ".roorules"),
        Kind.PROSE,
    ),
    **dict.fromkeys(
        (".toml", ".yaml", ".yml", ".ini", ".cfg", ".sh", ".ps1", ".js", ".ts", ".mjs", ".tsx",
         ".pyi", ".ipynb", ".j2", ".jinja", ".html", ".xml", ".env", ".json5", ".jsonl"),
        Kind.OTHER,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """One file as it is on disk."""

    path: str
    """POSIX, relative to the project."""
    kind: Kind
    data: bytes
    mode: int

    @property
    def text(self) -> str:
        """The content without a byte order mark, line ends as they are."""
        return self.data.removeprefix(codecs.BOM_UTF8).decode("utf-8")

    def encoded(self, text: str) -> bytes:
        """Return `text` as this file would hold it: with its byte order mark."""
        has_mark = self.data.startswith(codecs.BOM_UTF8)
        return (codecs.BOM_UTF8 if has_mark else b"") + text.encode("utf-8")


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found: the files to look at, and what is left alone and why."""

    files: tuple[ProjectFile, ...]
    skipped: tuple[Place, ...]

    def of(self, kind: Kind) -> dict[str, ProjectFile]:
        """Return the files of one kind by path."""
        return {file.path: file for file in self.files if file.kind is kind}


def scan(root: Path, old: Collection[str]) -> Scan:
    """Read the files under `root`; only such as name a tool in `old` are told when left alone.

    Raises CutoverError where a folder cannot be read: what is in it would go unseen.
    """
    named = re.compile(rb"(?<![A-Za-z0-9])(?:%s)\b" % b"|".join(map(_escaped, old)))
    walked = list(_walk(root, ""))
    paths = [(path, mode) for path, mode in walked if _is_utf8(path)]
    ignored = git.ignored(root, [path for path, _ in paths if not is_client_file(path)])
    files: list[ProjectFile] = []
    skipped = [Place(path, 1, "", "its name is not UTF-8: not looked at")
               for path, _ in walked if not _is_utf8(path)]  # fmt: skip
    for path, mode in paths:
        found = _read(root, path, mode)
        if isinstance(found, Place):
            skipped.append(found)
            continue
        problem = "ignored by git" if path in ignored else _problem(found.data)
        if not problem:
            files.append(found)
        elif match := named.search(found.data):
            line = found.data.count(b"\n", 0, match.start()) + 1
            skipped.append(Place(path, line, match[0].decode(), f"{problem}: left as it is"))
    return Scan(tuple(files), tuple(skipped))


def is_client_file(path: str) -> bool:
    """Tell whether a file is where clients keep their configuration."""
    *folders, name = path.split("/")
    return name in _CLIENT_FILES or any(folder in _CLIENT_FOLDERS for folder in folders)


def kind_of(name: str) -> Kind | None:
    """Return how a file of this name is looked at; None for not at all."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    return _KINDS.get(ending)


def _walk(root: Path, inside: str) -> Iterator[tuple[str, int]]:
    try:
        entries = sorted(os.scandir(root / inside), key=lambda entry: entry.name)
    except OSError as error:
        raise CutoverError(
            f"the folder {inside or '.'} cannot be read: {error.strerror}",
            remediation="Make it readable, or run the cutover as who may read it.",
        ) from error
    for entry in entries:
        path = f"{inside}/{entry.name}" if inside else entry.name
        if entry.is_dir(follow_symlinks=False):
            if not _is_skipped(root, path, entry.name):
                yield from _walk(root, path)
        elif entry.is_file(follow_symlinks=False) and kind_of(entry.name):
            yield path, entry.stat(follow_symlinks=False).st_mode


def _is_skipped(root: Path, path: str, name: str) -> bool:
    return (
        name in _SKIPPED_FOLDERS or path in _SKIPPED_PATHS or (root / path / "pyvenv.cfg").exists()
    )


def _read(root: Path, path: str, mode: int) -> ProjectFile | Place:
    kind = kind_of(path.rpartition("/")[2])
    assert kind is not None  # noqa: S101 - the walk yields no other
    try:
        if (root / path).stat().st_size > MAX_FILE:
            return Place(path, 1, "", f"over {MAX_FILE >> 20} MiB: not looked at")
        data = (root / path).read_bytes()
    except OSError as error:
        return Place(path, 1, "", f"cannot be read: {error.strerror}")
    return ProjectFile(path, kind, data, stat.S_IMODE(mode))


def _problem(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    return ""


def _is_utf8(path: str) -> bool:
    # What is not would not survive the manifest of a backup.
    return not any("\ud800" <= sign <= "\udfff" for sign in path)


def _escaped(name: str) -> bytes:
    return re.escape(name).encode()
