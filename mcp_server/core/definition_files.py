"""Reads one workflow definition from its folder: metadata, phases, tasks and gates.

A file that is broken, or would silently be left out, is an error that names it and, where known,
its line. Where metadata and folders disagree the folders are right about what exists. Nothing
outside the definition's boundary is read, whatever links say.
"""

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mcp_server.core.definitions import Definition, DynamicConfig, Metadata, Phase, Task
from mcp_server.core.dynamic import Templates
from mcp_server.core.markdown import Document
from mcp_server.core.paths import is_plainly_below
from mcp_server.errors import DefinitionError
from mcp_server.gates.model import Gate, presence_gate
from mcp_server.gates.yaml_source import SourceError, YamlSource

MAX_FILE = 1024 * 1024
MAX_PHASES = 200

_TASK_FILE = re.compile(r"task-(?P<number>\d+)(-.*)?\.md\Z")
_TASK_LIKE = re.compile(r"task[-_ .]?\d.*\.(md|markdown)\Z", re.IGNORECASE)
_GATE_LIKE = re.compile(r"gate([-_. ]?definition)?s?\.(ya?ml|json)\Z", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")

Signature = tuple[tuple[str, int, int], ...]
Stamp = tuple[tuple[int, int, int] | str, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of definitions; `boundary` is what its files may not lie outside of."""

    label: str
    folder: Path
    boundary: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where one definition was found."""

    name: str
    shelf: Shelf

    @property
    def folder(self) -> Path:
        """The definition's own folder."""
        return self.shelf.folder / self.name

    def shown(self, path: Path) -> str:
        """Return how a message names a file of this definition: never by its absolute path."""
        return f"{self.shelf.label}/{path.relative_to(self.shelf.folder).as_posix()}"


def read_metadata(place: Place) -> Metadata:
    """Return the metadata of a definition; raises DefinitionError."""
    path = place.folder / "metadata.json"
    if not NAME.match(place.name):
        raise broken(place, path, f"the folder's name is not of the form {NAME.pattern}")
    text = _read(place, path)
    try:
        metadata = Metadata.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise broken(place, path, f"not JSON: {error.msg}", error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise broken(place, path, _reason(error)) from error
    if metadata.workflow_type != place.name:
        raise broken(
            place,
            path,
            f"workflow_type {metadata.workflow_type!r} is not the folder's name {place.name!r}",
        )
    return metadata


def static_phases(place: Place, metadata: Metadata) -> tuple[Phase, ...]:
    """Return the phases that lie in the definition's own folders; raises DefinitionError."""
    start = metadata.start_phase or 0
    folders = [(number, path) for number, path in phase_folders(place) if number >= start]
    return tuple(_read_phase(place, metadata, number, path) for number, path in folders)


def assembled(place: Place, metadata: Metadata, phases: tuple[Phase, ...]) -> Definition:
    """Return the definition of these phases; raises DefinitionError if it cannot be pinned."""
    if not phases:
        raise broken(place, place.folder / "phases", "no phase folders such as phases/1")
    definition = Definition(
        workflow_type=metadata.workflow_type,
        version=metadata.version,
        name=metadata.name or metadata.workflow_type,
        description=metadata.description,
        category=metadata.category,
        estimated_duration=metadata.estimated_duration,
        phases=phases,
    )
    try:
        _ = definition.digest
    except ValueError as error:
        raise broken(place, place.folder / "phases", f"not plain data: {error}") from error
    return definition


def read_templates(place: Place, config: DynamicConfig) -> Templates:
    """Return how listed phases and tasks are told; raises DefinitionError."""
    told: dict[str, str] = {}
    for kind, name in (("phase", config.templates.phase), ("task", config.templates.task)):
        if name is not None:
            path = place.folder / name
            if ".." in path.parts or not path.is_relative_to(place.folder):
                raise broken(place, place.folder / "metadata.json", f"template {name!r} is outside")
            if not is_there(path):
                raise broken(place, place.folder / "metadata.json", f"there is no file {name!r}")
            told[kind] = _read(place, path)
    return Templates(**told)


def _read_phase(place: Place, metadata: Metadata, number: int, folder: Path) -> Phase:
    entry = metadata.phase(number)
    path = folder / "phase.md"
    tasks = _read_tasks(place, folder)
    content = _read(place, path) if is_there(path) else ""
    if not content.strip() and not tasks:
        raise broken(place, path, "the phase has neither a phase.md nor a task")
    document = Document(content)
    stated = entry.purpose if entry else None
    return Phase(
        phase_number=number,
        title=document.title or (entry and entry.phase_name) or f"Phase {number}",
        description=stated or document.label("Purpose") or document.first_paragraph or "",
        content=content,
        tasks=tasks,
        gate=_read_gate(place, folder) or presence_gate(metadata.required_evidence(number)),
    )


def _read_tasks(place: Place, folder: Path) -> tuple[Task, ...]:
    tasks: dict[int, Task] = {}
    for path in sorted(folder.iterdir()):
        found = _TASK_FILE.match(path.name)
        if not found:
            # A task under another name would silently be left out.
            if _TASK_LIKE.match(path.name):
                raise broken(place, path, "not read as a task: name it task-<number>-<slug>.md")
            continue
        number = int(found["number"])
        if number in tasks:
            raise broken(place, path, f"task {number} is also in {tasks[number].file}")
        content = _read(place, path)
        document = Document(content)
        tasks[number] = Task(
            task_number=number,
            title=document.title or path.stem,
            file=path.name,
            content=content,
            execution_steps=document.steps(),
            estimated_duration=document.label("Estimated Time", "Estimated Duration", "Time"),
        )
    return tuple(tasks[number] for number in sorted(tasks))


def _read_gate(place: Place, folder: Path) -> Gate | None:
    path = folder / "gate-definition.yaml"
    for other in folder.iterdir():
        # A gate under another name would silently not gate.
        if _GATE_LIKE.match(other.name) and other.name != path.name:
            raise broken(place, other, f"not read as a gate: rename it to {path.name}")
    if not is_there(path):
        return None
    try:
        source = YamlSource(_read(place, path))
    except SourceError as error:
        raise broken(place, path, str(error), error.line) from error
    if not isinstance(source.data, dict) or "evidence_schema" not in source.data:
        raise broken(place, path, "a gate needs the key evidence_schema", 1)
    try:
        gate = Gate.model_validate(source.data)
    except ValidationError as error:
        where = error.errors(include_url=False)[0]["loc"]
        raise broken(place, path, _reason(error), source.line_of(where)) from error
    return gate if gate.evidence_schema or gate.cross_field_validation else None


def phase_folders(place: Place) -> list[tuple[int, Path]]:
    """Return the folders of the static phases, by number; raises DefinitionError."""
    root = place.folder / "phases"
    _refuse_link_out(place, root)
    if not root.is_dir():
        return []
    with os.scandir(root) as entries:
        found = [entry for entry in entries if entry.name.isascii() and entry.name.isdigit()]
    numbered = sorted((int(entry.name), root / entry.name) for entry in found)
    if len(numbered) > MAX_PHASES:
        raise broken(place, root, f"{len(numbered)} phases, at most {MAX_PHASES}")
    # A phase that cannot be read must not be passed over: its gate would be gone.
    for entry in sorted(found, key=lambda entry: int(entry.name)):
        # What stands in a folder that is inside, and is no link, is inside; Windows has others.
        if entry.is_symlink() or os.name == "nt":
            _refuse_link_out(place, root / entry.name)
        if not entry.is_dir():
            raise broken(place, root / entry.name, "is not a folder")
    for (number, _), (following, path) in pairwise(numbered):
        if number == following:
            raise broken(place, path, f"there are two folders for phase {number}")
    return numbered


def names_in(shelf: Path) -> list[str]:
    """Return the names in a folder of definitions, sorted; none if it is not there."""
    try:
        with os.scandir(shelf) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def stamp_of(place: Place) -> Stamp | None:
    """Return what changes when the metadata is written or a phase comes or goes.

    None where there is no metadata, and so no definition.
    """
    folder = f"{place.shelf.folder}{os.sep}{place.name}"
    # Paths would cost more than the looks, and a list looks at every definition.
    try:
        stats = [os.stat(f"{folder}{os.sep}metadata.json")]  # noqa: PTH116
    except OSError:
        # A link that leads nowhere is a definition, and broken.
        return () if (place.folder / "metadata.json").is_symlink() else None
    with suppress(OSError):
        stats.append(os.stat(f"{folder}{os.sep}phases"))  # noqa: PTH116
    return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)


def is_there(path: Path) -> bool:
    """Tell whether anything bears this name."""
    # A link that leads nowhere is there, and broken, rather than absent.
    return path.exists() or path.is_symlink()


def _refuse_link_out(place: Place, path: Path) -> None:
    boundary = place.shelf.boundary
    if path.is_relative_to(boundary) and is_plainly_below(
        boundary, path.parts[len(boundary.parts) :]
    ):
        return
    try:
        inside = path.resolve().is_relative_to(place.shelf.boundary.resolve())
    except (OSError, RuntimeError) as error:
        raise broken(place, path, "a link leads back to itself") from error
    if not inside:
        raise broken(place, path, "a link leads out of the project")


def _read(place: Place, path: Path) -> str:
    _refuse_link_out(place, path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # A pipe would be waited on for ever.
            raise broken(place, path, "is not a file")
        if status.st_size > MAX_FILE:
            raise broken(place, path, f"over {MAX_FILE} bytes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise broken(place, path, "not UTF-8", line) from error
    except OSError as error:
        raise broken(place, path, f"cannot be read: {error.strerror}") from error


def signature_of(place: Place) -> Signature:
    """Return what changes when a file of the definition is written; raises DefinitionError."""
    # Each folder is listed by itself: a search from the top would not follow links to folders.
    folders = [place.folder, *(folder for _, folder in phase_folders(place))]
    templates = place.folder / "phases" / "dynamic"
    if templates.is_dir():
        _refuse_link_out(place, templates)
        folders.append(templates)
    return tuple(sorted(_stamped(path) for folder in folders for path in _files_in(folder)))


def _files_in(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.path for entry in entries]


def _stamped(path: str) -> tuple[str, int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path costs more than the look
    except OSError:
        # A link that leads nowhere; reading the definition says what that means.
        return path, 0, -1
    return path, status.st_mtime_ns, status.st_size


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    if not isinstance(error, ValidationError):
        return "a number has too many digits"
    first: Any = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {reason}" if where else reason


def broken(place: Place, path: Path, reason: str, line: int | None = None) -> DefinitionError:
    """Return the error of a file of the definition that cannot be used."""
    at = f"{place.shown(path)}{f':{line}' if line else ''}"
    return DefinitionError(
        f"{at}: {reason}",
        remediation=f"Mend {at}, or start another workflow.",
        details={"workflow_type": place.name, "file": place.shown(path), "line": line},
    )
