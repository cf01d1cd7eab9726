"""All checks of one definition, in order, and of several at once.

`lint` collects what the checks find. Only where they find no error is the definition loaded as
well: should the library refuse what the checks let pass, that is a problem too, never a surprise
at start.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mcp_server.core.definition_files import (
    NAME,
    Place,
    Shelf,
    assembled,
    is_there,
    read_metadata,
    read_templates,
    static_phases,
)
from mcp_server.core.library import WorkflowLibrary
from mcp_server.errors import DefinitionError, NotFoundError
from mcp_server.gates.plugins import load_probes
from mcp_server.linting import gates
from mcp_server.linting.gates import check_gate
from mcp_server.linting.ground import Ground
from mcp_server.linting.metadata import (
    Described,
    check_metadata,
    check_required_evidence,
    check_utilities,
)
from mcp_server.linting.phases import check_phase_text, check_phases
from mcp_server.linting.problems import Problem, listed
from mcp_server.linting.strength import check_strength
from mcp_server.linting.tasks import check_tasks, find_tasks
from mcp_server.linting.templates import check_dynamic
from mcp_server.linting.texts import Page, check_links, check_names

_GATE_LIKE = re.compile(r"gate([-_. ]?definition)?s?\.(ya?ml|json)\Z", re.IGNORECASE)
_PERHAPS_A_GATE = re.compile(r".*(?<![a-z])gates?(?![a-z]).*\.(ya?ml|json)\Z", re.IGNORECASE)


def lint(path: Path, project: Path | None = None) -> list[Problem]:
    """Return every problem of the definition in the folder `path`, by file and line."""
    return lint_place(place_of(path, project))


def place_of(path: Path, project: Path | None = None) -> Place:
    """Return a folder as the place of a definition; files are told relative to the project.

    Outside of the project they are told relative to the folder around the definition, which
    nothing that is read may then lie outside of.
    """
    folder = path.absolute()
    around = folder.parent.resolve()
    root = project.resolve() if project else around
    if not around.is_relative_to(root):
        root = around
    label = around.relative_to(root).as_posix()
    return Place(folder.name, Shelf("" if label == "." else label, around, root))


def lint_all(places: Iterable[Place], neighbours: Iterable[Place] = ()) -> list[Problem]:
    """Return every problem of several definitions, and of their names among `neighbours`."""
    places = list(places)
    others = [*places, *neighbours]
    found: list[Problem] = []
    for place in places:
        found += lint_place(place)
        elsewhere = [other for other in others if other.shelf.folder != place.shelf.folder]
        ground = Ground(place)
        _check_case(ground, place, [other.name for other in elsewhere])
        found += ground.problems
    return found


def lint_place(place: Place) -> list[Problem]:
    """Return every problem of one definition."""
    load_probes()
    ground = Ground(place)
    if not NAME.match(place.name):
        ground.error(place.folder, "definition/name",
                     f"the folder's name is not of the form {NAME.pattern}",
                     "Use letters, digits, dots, hyphens and underscores only.")  # fmt: skip
    _check_case(ground, place, _neighbours(ground, place))
    if ground.is_inside(place.folder):
        _check(ground)
        if not ground.has_errors:
            _check_loading(ground, place)
    return sorted(ground.problems, key=lambda problem: (problem.file, problem.line or 0))


def _check(ground: Ground) -> None:
    described = check_metadata(ground)
    for number, folder in check_phases(ground, described):
        _check_phase(ground, described, number, folder)
    if described:
        check_utilities(ground, described)
        check_dynamic(ground, described)


def _check_phase(ground: Ground, described: Described | None, number: int, folder: Path) -> None:
    tasks = find_tasks(ground, folder)
    check_tasks(ground, described, number, tasks)
    page = check_phase_text(ground, described, number, folder, has_tasks=bool(tasks))
    for path in tasks.values():
        text = ground.read(path)
        if text is not None:
            check_links(ground, path, Page(text))
    if page:
        check_links(ground, folder / "phase.md", page)
    fields = _check_gate(ground, described, number, folder)
    if page and fields is not None:
        gate_text = ground.read(folder / gates.FILE) if is_there(folder / gates.FILE) else ""
        check_names(ground, folder / "phase.md", page, fields, gate_text or "")


def _check_gate(
    ground: Ground, described: Described | None, number: int, folder: Path
) -> Sequence[str] | None:
    """Check the gate of a phase and return the names of its evidence, if they can be told."""
    path = folder / gates.FILE
    _check_gate_names(ground, folder)
    asked = described.model.required_evidence(number) if described else ()
    text = ground.read(path) if is_there(path) else ""
    if not is_there(path):
        said = f"only that {listed(asked)} is there" if asked else "anything but nothing passes"
        ground.warn(folder, "gate/missing", f"the phase has no gate: {said}",
                    f"Write {gates.FILE}.")  # fmt: skip
        return asked
    checked = check_gate(ground, path, text) if text is not None else None
    if checked is None:
        return None
    sheet, gate = checked
    if gate:
        check_strength(sheet, gate)
        if not gate.evidence_schema and not gate.cross_field_validation:
            ground.warn(path, "gate/empty", "the gate asks for nothing",
                        "Write what the phase must prove into evidence_schema.")  # fmt: skip
            return asked
    fields = list(sheet.section("evidence_schema"))
    if described:
        check_required_evidence(ground, described, number, fields)
    return fields


def _check_gate_names(ground: Ground, folder: Path) -> None:
    for path in ground.entries(folder):
        if path.name == gates.FILE:
            continue
        if _GATE_LIKE.match(path.name):
            ground.error(path, "gate/name", "not read as a gate: its name is not the one",
                         f"Rename it to {gates.FILE}.")  # fmt: skip
        elif _PERHAPS_A_GATE.match(path.name):
            ground.warn(path, "gate/not-read", "looks like a gate, and nothing reads it",
                        f"Rename it to {gates.FILE}, or otherwise altogether.")  # fmt: skip


def _check_loading(ground: Ground, place: Place) -> None:
    try:
        if read_metadata(place).is_dynamic:
            _load_what_is_there(place)
        else:
            WorkflowLibrary((place.shelf,)).load(place.name)
    except (DefinitionError, NotFoundError, OSError) as error:
        reason = f"cannot be loaded: {str(error).lstrip('/')}"
        ground.error(place.folder, "definition/refused", reason, "Mend what is named.")


def _load_what_is_there(place: Place) -> None:
    """Load a dynamic definition as far as that can be done without a task list."""
    metadata = read_metadata(place)
    read_templates(place, metadata.dynamic_config)
    phases = static_phases(place, metadata)
    if phases:
        assembled(place, metadata, phases)


def _neighbours(ground: Ground, place: Place) -> list[str]:
    """Return the names of the definitions in the same folder that may be taken for this one."""
    return [
        path.name
        for path in ground.entries(place.shelf.folder)
        if path.name.lower() == place.name.lower() and is_there(path / "metadata.json")
    ]


def _check_case(ground: Ground, place: Place, others: Iterable[str]) -> None:
    for other in dict.fromkeys(others):
        if other != place.name and other.lower() == place.name.lower():
            ground.error(place.folder, "definition/case",
                         f"{place.name} and {other} differ by case only",
                         "Rename one of them: on many systems they are one folder.")  # fmt: skip
