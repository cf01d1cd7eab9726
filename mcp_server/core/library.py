"""Finds workflow definitions on disk and reads them into `Definition`s.

Folders are searched in order and the first of a name wins, broken or not: a broken definition is
an error that names its file, never silently replaced by another one. Loaded definitions are kept
until one of their files changes; safe to share between threads, which at worst load the same
definition twice.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_server.core.definition_files import (
    MAX_FILE,
    MAX_PHASES,
    NAME,
    Place,
    Shelf,
    Signature,
    Stamp,
    assembled,
    broken,
    names_in,
    phase_folders,
    read_metadata,
    read_templates,
    signature_of,
    stamp_of,
    static_phases,
)
from mcp_server.core.definitions import Definition, Metadata, Phase
from mcp_server.core.glances import Glance
from mcp_server.errors import DefinitionError, NotFoundError, quoted

__all__ = ["BUILT_IN", "MAX_FILE", "MAX_PHASES", "Place", "Shelf", "WorkflowLibrary"]

BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Listed:
    """What lists show of a definition; `phases` is how many, or "dynamic"."""

    metadata: Metadata
    phases: int | str
    source: str


class WorkflowLibrary:
    """All definitions that a project can start."""

    def __init__(self, shelves: tuple[Shelf, ...], project: Path | None = None) -> None:
        """Search `shelves` in this order; the lists of dynamic workflows lie in `project`."""
        self._shelves = shelves
        self._project = project
        self._loaded: dict[tuple[Place, str], tuple[Signature, Definition]] = {}
        self._glanced: dict[Place, tuple[Glance, Definition]] = {}
        self._listed: dict[Place, tuple[Stamp, Listed | DefinitionError]] = {}

    def places(self) -> Iterator[Place]:
        """Yield where each definition is, the first of a name only."""
        for place, _ in self._stamped():
            yield place

    def listing(self) -> Iterator[Listed | DefinitionError]:
        """Yield what lists show of each definition, or what is wrong with it.

        Costs one `stat` of each metadata.json and of each `phases`, besides what has changed.
        """
        for place, stamp in list(self._stamped()):
            known = self._listed.get(place)
            if known is None or known[0] != stamp:
                known = self._listed[place] = (stamp, self._read_listed(place))
            yield known[1]

    def _read_listed(self, place: Place) -> Listed | DefinitionError:
        try:
            self._refuse_twins(place)
            metadata = read_metadata(place)
            return Listed(metadata, self.phase_count(place, metadata), place.shelf.label)
        except DefinitionError as error:
            return error

    def _stamped(self) -> Iterator[tuple[Place, Stamp]]:
        named = self._named()
        seen: set[str] = set()
        for place in named:
            stamp = stamp_of(place) if place.name not in seen else None
            if stamp is not None:
                seen.add(place.name)
                # Another definition that comes or goes may be a twin of this one.
                yield place, (*stamp, *_twins(place, named))

    def _named(self) -> list[Place]:
        return [Place(name, shelf) for shelf in self._shelves for name in names_in(shelf.folder)]

    def _refuse_twins(self, place: Place) -> None:
        folded = place.name.casefold()
        names = (name for shelf in self._shelves for name in names_in(shelf.folder))
        if not any(name.casefold() == folded and name != place.name for name in names):
            return
        twins = _twins(place, self._named())
        if twins:
            reason = f"its name and that of {', '.join(twins)} differ by case only"
            raise broken(place, place.folder, reason)

    def find(self, workflow_type: str) -> Place:
        """Return where a definition is; raises NotFoundError naming those that exist."""
        if NAME.match(workflow_type):
            for shelf in self._shelves:
                # A link that leads nowhere is there, and broken, rather than absent.
                if os.path.lexists(f"{shelf.folder}{os.sep}{workflow_type}{os.sep}metadata.json"):
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
        return read_metadata(place)

    def load(self, workflow_type: str, options: Mapping[str, Any] | None = None) -> Definition:
        """Return a definition, read again only when one of its files has changed.

        `options` say where the task list of a dynamic workflow is. Raises DefinitionError, and
        InvalidArgumentError where they do not.
        """
        place = self.find(workflow_type)
        known = self._loaded.get((place, ""))
        # Taken before the files are looked through: what changes meanwhile shows the next time.
        glance = self._glance_at(place, known[0]) if known else None
        glanced = self._glanced.get(place)
        if glanced and glanced[0] == glance:
            return glanced[1]
        self._refuse_twins(place)
        signature, source = signature_of(place), None
        if known and known[0] == signature:
            if glance and glance.has_settled:
                self._glanced[place] = (glance, known[1])
            return known[1]
        metadata = read_metadata(place)
        if metadata.is_dynamic:
            # Only these need what reads lists, which is a good part of all that is imported.
            from mcp_server.core.task_source import find_source  # noqa: PLC0415

            source = find_source(self._project, metadata, options or {})
            signature += source.signature
            known = self._loaded.get((place, source.path))
            if known and known[0] == signature:
                return known[1]
        phases = static_phases(place, metadata)
        if source is not None:
            templates = read_templates(place, metadata.dynamic_config)
            phases = (*phases, *source.phases(templates, phases))
        definition = assembled(place, metadata, phases)
        self._loaded[place, source.path if source else ""] = (signature, definition)
        return definition

    def _glance_at(self, place: Place, signature: Signature) -> Glance:
        """Glance at all that decides what is loaded: the files, their folders, and the shelves."""
        glanced = self._glanced.get(place)
        if glanced and glanced[1] is self._loaded[place, ""][1]:
            return Glance.at(glanced[0].paths)
        files = [path for path, _, _ in signature]
        folders = (str(shelf.folder) for shelf in self._shelves)
        return Glance.at(sorted({*files, *map(os.path.dirname, files), *folders}))

    def inside(self, project: Path) -> "WorkflowLibrary":
        """Return the same definitions, for lists that lie in `project`."""
        return WorkflowLibrary(self._shelves, project)

    def static_phases(self, place: Place) -> tuple[Phase, ...]:
        """Return the phases that lie in a definition's own folders; raises DefinitionError."""
        return static_phases(place, read_metadata(place))

    def phase_count(self, place: Place, metadata: Metadata) -> int | str:
        """Return how many phases a definition has, or "dynamic"."""
        if metadata.is_dynamic:
            return "dynamic"
        start = metadata.start_phase or 0
        return sum(number >= start for number, _ in phase_folders(place))


def _twins(place: Place, named: list[Place]) -> tuple[str, ...]:
    """Return the definitions whose names differ from that of `place` by case only."""
    folded = place.name.casefold()
    return tuple(
        f"{other.shelf.label}/{other.name}"
        for other in named
        if other.name.casefold() == folded and other.name != place.name
    )
