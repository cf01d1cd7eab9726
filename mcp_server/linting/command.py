"""`aos-workflow lint` and `aos-workflow schema`: which definitions are meant, and the exit code.

A path is a definition's folder, its metadata.json, a folder of definitions, or a list of work (a
Markdown or YAML file, or a folder with a tasks.md); anything else is a workflow's name. Without a
path the project's own definitions are meant, or the built-in ones of a project that has none.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mcp_server.config import discover_root
from mcp_server.core.definition_files import Place, is_there
from mcp_server.core.library import BUILT_IN, WorkflowLibrary
from mcp_server.errors import ConfigurationError, InvalidArgumentError, NotFoundError
from mcp_server.gates.plugins import load_probes
from mcp_server.linting.gate_schema import gate_schema
from mcp_server.linting.linter import lint_all, place_of
from mcp_server.linting.lists import lint_list, list_at
from mcp_server.linting.metadata_schema import metadata_schema
from mcp_server.linting.reporting import Format, told
from mcp_server.server.services import library_for

_SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "metadata": metadata_schema,
    "gate": gate_schema,
}


def run_lint(paths: Sequence[str], project: Path | None, form: str, *, strict: bool = False) -> int:
    """Print the problems of the named definitions and return the exit code.

    It is 1 for an error, and in strict mode for a warning too. Raises InvalidArgumentError for a
    path that is nothing, and for an unknown format.
    """
    _require("format", form, list(Format))
    root = _root(project, needed=not paths)
    lists = {path: found for path in paths if (found := list_at(Path(path))) is not None}
    others = [path for path in paths if path not in lists]
    places = find_places(others, root) if others or not lists else []
    neighbours = library_for(root).places() if root else ()
    problems = lint_all(places, neighbours)
    problems += [problem for path in dict.fromkeys(lists.values()) for problem in lint_list(path)]
    sys.stdout.write(told(problems, len(places) + len(lists), Format(form)))
    return 1 if any(problem.is_error or strict for problem in problems) else 0


def run_schema(name: str) -> int:
    """Print the JSON Schema of one kind of file and return the exit code."""
    _require("schema", name, list(_SCHEMAS))
    # An editor completes the probes of other packages as well.
    load_probes()
    sys.stdout.write(json.dumps(_SCHEMAS[name](), indent=2) + "\n")
    return 0


def _require(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise InvalidArgumentError(
            f"unknown {what} {given[:20]!r}", remediation=f"Write one of {', '.join(known)}."
        )


def find_places(paths: Sequence[str], root: Path | None) -> list[Place]:
    """Return the definitions of the project `root` that are meant, each once."""
    if not paths:
        return _of_project(library_for(root)) if root else []
    found: dict[Path, Place] = {}
    for path in paths:
        for place in _named(path, root):
            found.setdefault(place.folder, place)
    return list(found.values())


def _root(project: Path | None, *, needed: bool) -> Path | None:
    try:
        return discover_root(os.environ, project).path
    except ConfigurationError:
        # Definitions that are named can be looked at anywhere.
        if needed or project is not None:
            raise
        return None


def _of_project(library: WorkflowLibrary) -> list[Place]:
    places = list(library.places())
    own = [place for place in places if place.shelf.label != BUILT_IN]
    nameless = (folder for shelf in dict.fromkeys(place.shelf for place in own)
                for folder in _unfound(shelf.folder))  # fmt: skip
    shelves = {place.shelf.folder: place.shelf for place in own}
    own += [Place(folder.name, shelves[folder.parent]) for folder in nameless]
    return own or places


def _named(path: str, root: Path | None) -> Iterator[Place]:
    given = Path(path)
    folder = given.parent if given.name == "metadata.json" and given.is_file() else given
    # The name of the folder is looked at, so that "." has to become one.
    folder = folder.resolve() if folder.name in {"", ".."} else folder
    if folder.is_dir():
        inner = [folder] if _looks_like_one(folder) else list(_definitions_in(folder))
        if inner:
            yield from (place_of(found, root) for found in inner)
            return
    yield _by_name(path, root, is_folder=folder.is_dir())


def _definitions_in(folder: Path) -> Iterator[Path]:
    try:
        inner = sorted(folder.iterdir())
    except OSError:
        return
    yield from (path for path in inner if path.is_dir() and _looks_like_one(path))


def _unfound(folder: Path) -> Iterable[Path]:
    """Return the folders of definitions that nobody finds, for want of metadata.json."""
    return (path for path in _definitions_in(folder) if not is_there(path / "metadata.json"))


def _looks_like_one(folder: Path) -> bool:
    return is_there(folder / "metadata.json") or (folder / "phases").is_dir()


def _by_name(name: str, root: Path | None, *, is_folder: bool) -> Place:
    said = "holds no definition" if is_folder else "is neither a folder nor a workflow's name"
    if root and not is_folder:
        try:
            return library_for(root).find(name)
        except NotFoundError as error:
            known = ", ".join(error.details["workflow_types"])
            raise InvalidArgumentError(
                f"{name!r} {said}", remediation=f"There are: {known}."
            ) from error
    raise InvalidArgumentError(
        f"{name!r} {said}",
        remediation="Name a folder with a metadata.json, a folder of such folders, or a workflow.",
    )
