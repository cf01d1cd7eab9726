"""The folders of phases: which there are, their order, and whether metadata agrees with them."""

import re
from itertools import pairwise
from pathlib import Path

from mcp_server.core.definition_files import MAX_PHASES, is_there
from mcp_server.linting.ground import Ground
from mcp_server.linting.metadata import Described
from mcp_server.linting.problems import listed, plural
from mcp_server.linting.texts import Page

_NUMBERED_TITLE = re.compile(r"phase\s+(?P<number>\d{1,6})\b\W*(?P<name>.*)", re.IGNORECASE)
_TEMPLATES = "dynamic"

Folders = list[tuple[int, Path]]


def check_phases(ground: Ground, described: Described | None) -> Folders:
    """Check which phase folders there are and return those that are served, with their numbers."""
    root = ground.folder / "phases"
    if not ground.is_inside(root):
        return []
    # Of broken metadata nobody can tell; that it is broken is said elsewhere.
    is_dynamic = described is None or described.model.is_dynamic
    folders = _numbered(ground, root, is_dynamic=is_dynamic) if root.is_dir() else []
    start = (described.model.start_phase if described else None) or 0
    served = [(number, path) for number, path in folders if number >= start]
    if described:
        _check_start(ground, described, folders)
        _check_total(ground, described, served)
        _check_entries(ground, described, served)
    if not served and not is_dynamic:
        ground.error(root, "phase/none", "no phase folders such as phases/1",
                     "Make one folder for each phase, named by its number.")  # fmt: skip
    _check_order(ground, served)
    return served


def check_phase_text(
    ground: Ground, described: Described | None, number: int, folder: Path, *, has_tasks: bool
) -> Page | None:
    """Check that a phase has a text, and that its title is the one that metadata gives."""
    path = folder / "phase.md"
    text = ground.read(path) if is_there(path) else ""
    if text is None:
        return None
    if not text.strip() and not has_tasks:
        ground.error(path, "phase/empty", "the phase has neither a phase.md nor a task",
                     "Write phase.md, or remove the folder.")  # fmt: skip
        return None
    if not text.strip():
        ground.warn(path, "phase/no-text", "the phase has no text of its own",
                    "Write what the phase is about, and what its gate asks for.")  # fmt: skip
        return None
    page = Page(text)
    _check_title(ground, described, number, path, page)
    return page


def _numbered(ground: Ground, root: Path, *, is_dynamic: bool) -> Folders:
    found: Folders = []
    for path in ground.entries(root):
        if path.name.isascii() and path.name.isdigit():
            found += _as_phase(ground, path)
        elif path.name == _TEMPLATES and is_dynamic:
            ground.is_inside(path)
        elif not path.name.startswith("."):
            ground.warn(path, "phase/not-read", "is not the folder of a phase: nothing reads it",
                        "Name it by the phase's number alone, or move it elsewhere.")  # fmt: skip
    found.sort(key=lambda item: item[0])
    if len(found) > MAX_PHASES:
        ground.error(root, "phase/too-many", f"{len(found)} phases, at most {MAX_PHASES}",
                     "Put several phases together.")  # fmt: skip
        return []
    return _without_twins(ground, found)


def _as_phase(ground: Ground, path: Path) -> Folders:
    if not ground.is_inside(path):
        return []
    if not path.is_dir():
        ground.error(path, "phase/not-a-folder", "is not a folder",
                     "Make it the folder of a phase, or rename it.")  # fmt: skip
        return []
    return [(int(path.name), path)]


def _without_twins(ground: Ground, folders: Folders) -> Folders:
    kept: dict[int, Path] = {}
    for number, path in folders:
        if number in kept:
            ground.error(
                path, "phase/twice",
                f"there are two folders for phase {number}: {kept[number].name} and {path.name}",
                "Remove or renumber one of them.",
            )  # fmt: skip
        kept.setdefault(number, path)
    return list(kept.items())


def _check_start(ground: Ground, described: Described, folders: Folders) -> None:
    start = described.model.start_phase or 0
    for number, path in folders:
        if number < start:
            ground.warn(path, "phase/before-start",
                        f"is never served: start_phase is {start}",
                        "Lower start_phase in metadata.json, or remove the folder.")  # fmt: skip
    if start and folders and start not in dict(folders):
        line = described.source.line_of(("start_phase",))
        ground.warn(described.path, "metadata/start-phase", f"there is no phase {start}",
                    "Let start_phase be the number of the first phase.", line)  # fmt: skip


def _check_total(ground: Ground, described: Described, served: Folders) -> None:
    total = described.model.total_phases
    if total is None or described.model.is_dynamic or str(total) == str(len(served)):
        return
    ground.warn(described.path, "metadata/total-phases",
                f"total_phases is {total!r}, and there are {plural(len(served), 'phase folder')}",
                f"Write {len(served)}, or make the folders that are missing.",
                described.source.line_of(("total_phases",)))  # fmt: skip


def _check_entries(ground: Ground, described: Described, served: Folders) -> None:
    there, named = dict(served), set[int]()
    for index, entry in enumerate(described.model.phases):
        number, line = entry.phase_number, described.source.line_of(("phases", index))
        if not isinstance(number, int):
            continue
        if number in named:
            ground.warn(described.path, "metadata/phase-twice",
                        f"phases has two entries for phase {number}: the second is not read",
                        "Remove or renumber one of them.", line)  # fmt: skip
        elif number not in there:
            ground.warn(described.path, "metadata/no-such-phase",
                        f"phases names phase {number}, and there is no folder phases/{number}",
                        "Make the folder, or remove the entry.", line)  # fmt: skip
        named.add(number)
    unnamed = [number for number in there if number not in named
               and not any(entry.covers(number) for entry in described.model.phases)]  # fmt: skip
    if unnamed and described.model.phases:
        ground.warn(described.path, "metadata/phase-not-named",
                    f"phases has no entry for the folder of phase {listed(unnamed)}",
                    "Add an entry, or remove phases altogether.",
                    described.source.line_of(("phases",)))  # fmt: skip


def _check_order(ground: Ground, served: Folders) -> None:
    if served and served[0][0] > 1:
        number, path = served[0]
        ground.warn(path, "phase/gap", f"the first phase is number {number}",
                    "Number the phases from 0 or 1.")  # fmt: skip
    for (number, _), (following, path) in pairwise(served):
        if following != number + 1:
            ground.warn(path, "phase/gap", f"phase {following} comes right after phase {number}",
                        "Number the phases without gaps.")  # fmt: skip


def _check_title(
    ground: Ground, described: Described | None, number: int, path: Path, page: Page
) -> None:
    if page.title is None:
        ground.warn(path, "phase/no-title", "there is no heading",
                    f"Begin with a heading, such as: # Phase {number}: Name.", 1)  # fmt: skip
        return
    title, line = page.title
    found = _NUMBERED_TITLE.match(title)
    if found and int(found["number"]) != number:
        ground.warn(path, "phase/title-number",
                    f"the heading says phase {found['number']} in the folder of phase {number}",
                    "Correct the number.", line)  # fmt: skip
    entry = described.model.phase(number) if described else None
    stated = entry.phase_name if entry else None
    name = found["name"] if found else title
    if stated and name and _plain(stated) not in {_plain(name), _plain(title)}:
        ground.warn(path, "phase/title",
                    f"the heading says {name!r}, and metadata.json {stated!r}",
                    "Give the phase one name.", line)  # fmt: skip


def _plain(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())
