"""Finds workflow definitions on disk and reads them into `Definition`s.

Folders are searched in order and the first of a name wins, broken or not: a broken definition is
an error that names its file, never silently replaced by another one. Where metadata and folders
disagree the folders are right about what exists. Nothing outside the folder's boundary is read,
whatever links say. Loaded definitions are kept until one of their files changes; safe to share
between threads, which at worst load the same definition twice.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mcp_server.core.definitions import Definition, Metadata, Phase, Task
from mcp_server.core.markdown import Document
from mcp_server.errors import DefinitionError, NotFoundError, quoted
from mcp_server.gates.model import Gate, presence_gate
from mcp_server.gates.yaml_source import SourceError, YamlSource

BUILT_IN = "built-in"

MAX_FILE = 1024 * 1024
MAX_PHASES = 200

_TASK_FILE = re.compile(r"task-(?P<number>\d+)(-.*)?\.md\Z")
_TASK_LIKE = re.compile(r"task[-_ .]?\d.*\.(md|markdown)\Z", re.IGNORECASE)
_GATE_LIKE = re.compile(r"gate([-_. ]?definition)?s?\.(ya?ml|json)\Z", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


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


Signature = tuple[tuple[str, int, int], ...]


class WorkflowLibrary:
    """All definitions that a project can start."""

    def __init__(self, shelves: tuple[Shelf, ...]) -> None:
        """Search `shelves` in this order."""
        self._shelves = shelves
        self._loaded: dict[Place, tuple[Signature, Definition]] = {}

    def places(self) -> Iterator[Place]:
        """Yield where each definition is, the first of a name only."""
        seen: set[str] = set()
        for shelf in self._shelves:
            if not shelf.folder.is_dir():
                continue
            for folder in sorted(shelf.folder.iterdir()):
                if folder.name not in seen and _is_there(folder / "metadata.json"):
                    seen.add(folder.name)
                    yield Place(folder.name, shelf)

    def find(self, workflow_type: str) -> Place:
        """Return where a definition is; raises NotFoundError naming those that exist."""
        if _NAME.match(workflow_type):
            for shelf in self._shelves:
                if _is_there(shelf.folder / workflow_type / "metadata.json"):
                    return Place(workflow_type, shelf)
        known = [place.name for place in self.places()]
        raise NotFoundError(
            f"no workflow {quoted(workflow_type)}",
            remediation='Call aos_workflow(action="list_workflows"); there are: '
            + ", ".join(known[:20]),
            details={"workflow_types": known[:20]},
        )

    def metadata(self, place: Place) -> Metadata:
        """Return the metadata of a definition; raises DefinitionError."""
        path = place.folder / "metadata.json"
        if not _NAME.match(place.name):
            raise _broken(place, path, f"the folder's name is not of the form {_NAME.pattern}")
        text = _read(place, path)
        try:
            metadata = Metadata.model_validate(json.loads(text))
        except json.JSONDecodeError as error:
            raise _broken(place, path, f"not JSON: {error.msg}", error.lineno) from error
        except (ValueError, RecursionError) as error:
            raise _broken(place, path, _reason(error)) from error
        if metadata.workflow_type != place.name:
            raise _broken(
                place, path, f"workflow_type {metadata.workflow_type!r} is not the folder's name"
            )
        return metadata

    def load(self, workflow_type: str) -> Definition:
        """Return a definition, read again only when one of its files has changed."""
        place = self.find(workflow_type)
        signature = _signature(place)
        cached = self._loaded.get(place)
        if cached and cached[0] == signature:
            return cached[1]
        definition = self._read_definition(place)
        self._loaded[place] = (signature, definition)
        return definition

    def _read_definition(self, place: Place) -> Definition:
        metadata = self.metadata(place)
        if metadata.is_dynamic:
            raise _broken(
                place,
                place.folder / "metadata.json",
                "dynamic_phases: its phases come from a task list, which cannot be read",
            )
        start = metadata.start_phase or 0
        folders = [(n, path) for n, path in _phase_folders(place) if n >= start]
        if not folders:
            raise _broken(place, place.folder / "phases", "no phase folders such as phases/1")
        phases = tuple(_read_phase(place, metadata, number, path) for number, path in folders)
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
            raise _broken(place, place.folder / "phases", f"not plain data: {error}") from error
        return definition

    def phase_count(self, place: Place, metadata: Metadata) -> int | str:
        """Return how many phases a definition has, or "dynamic"."""
        if metadata.is_dynamic:
            return "dynamic"
        start = metadata.start_phase or 0
        return sum(number >= start for number, _ in _phase_folders(place))


def _read_phase(place: Place, metadata: Metadata, number: int, folder: Path) -> Phase:
    entry = metadata.phase(number)
    path = folder / "phase.md"
    tasks = _read_tasks(place, folder)
    content = _read(place, path) if _is_there(path) else ""
    if not content.strip() and not tasks:
        raise _broken(place, path, "the phase has neither a phase.md nor a task")
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
                raise _broken(place, path, "not read as a task: name it task-<number>-<slug>.md")
            continue
        number = int(found["number"])
        if number in tasks:
            raise _broken(place, path, f"task {number} is also in {tasks[number].file}")
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
            raise _broken(place, other, f"not read as a gate: rename it to {path.name}")
    if not _is_there(path):
        return None
    try:
        source = YamlSource(_read(place, path))
    except SourceError as error:
        raise _broken(place, path, str(error), error.line) from error
    if not isinstance(source.data, dict) or "evidence_schema" not in source.data:
        raise _broken(place, path, "a gate needs the key evidence_schema", 1)
    try:
        gate = Gate.model_validate(source.data)
    except ValidationError as error:
        where = error.errors(include_url=False)[0]["loc"]
        raise _broken(place, path, _reason(error), source.line_of(where)) from error
    return gate if gate.evidence_schema or gate.cross_field_validation else None


def _phase_folders(place: Place) -> list[tuple[int, Path]]:
    root = place.folder / "phases"
    _refuse_link_out(place, root)
    if not root.is_dir():
        return []
    numbered = sorted((int(path.name), path) for path in root.iterdir()
                      if path.name.isascii() and path.name.isdigit())  # fmt: skip
    if len(numbered) > MAX_PHASES:
        raise _broken(place, root, f"{len(numbered)} phases, at most {MAX_PHASES}")
    # A phase that cannot be read must not be passed over: its gate would be gone.
    for _, path in numbered:
        _refuse_link_out(place, path)
        if not path.is_dir():
            raise _broken(place, path, "is not a folder")
    for (number, _), (following, path) in pairwise(numbered):
        if number == following:
            raise _broken(place, path, f"there are two folders for phase {number}")
    return numbered


def _is_there(path: Path) -> bool:
    # A link that leads nowhere is there, and broken, rather than absent.
    return path.exists() or path.is_symlink()


def _refuse_link_out(place: Place, path: Path) -> None:
    try:
        inside = path.resolve().is_relative_to(place.shelf.boundary.resolve())
    except (OSError, RuntimeError) as error:
        raise _broken(place, path, "a link leads back to itself") from error
    if not inside:
        raise _broken(place, path, "a link leads out of the project")


def _read(place: Place, path: Path) -> str:
    _refuse_link_out(place, path)
    try:
        if path.stat().st_size > MAX_FILE:
            raise _broken(place, path, f"over {MAX_FILE} bytes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _broken(place, path, "not UTF-8", line) from error
    except OSError as error:
        raise _broken(place, path, f"cannot be read: {error.strerror}") from error


def _signature(place: Place) -> Signature:
    # Each folder is listed by itself: a search from the top would not follow links to folders.
    folders = (place.folder, *(folder for _, folder in _phase_folders(place)))
    paths = sorted(path for folder in folders for path in folder.iterdir() if path.exists())
    stats = ((path, path.stat()) for path in paths)
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats)


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    if not isinstance(error, ValidationError):
        return "a number has too many digits"
    first: Any = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {reason}" if where else reason


def _broken(place: Place, path: Path, reason: str, line: int | None = None) -> DefinitionError:
    at = f"{place.shown(path)}{f':{line}' if line else ''}"
    return DefinitionError(
        f"{at}: {reason}",
        remediation=f"Mend {at}, or start another workflow.",
        details={"workflow_type": place.name, "file": place.shown(path), "line": line},
    )
