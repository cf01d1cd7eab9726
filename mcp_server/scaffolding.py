"""A new workflow definition: texts that say what to put where, and gates that hold already.

Rules: it can be started as it is, and its example passes its gates; nothing that exists is written
over; and nothing half-written is left, since a definition is written aside and renamed.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from mcp_server.core.definition_files import NAME
from mcp_server.core.library import WorkflowLibrary
from mcp_server.errors import DiskRefusedError, InvalidArgumentError, quoted

MAX_PHASES = 20

TARGET = "docs/example.md"
"""What the example works on."""

MINUTES = 30
"""What the two tasks of a phase say that they take."""

_TEXTS = Path(__file__).parent / "scaffold"


class _Text(Template):
    """A text with @{name} where something is filled in; regular expressions need the dollar."""

    delimiter = "@"


@dataclass(frozen=True, slots=True)
class _Part:
    """What a phase says because of where it stands: first, in between or last."""

    title: str
    purpose: str
    task: str
    task_file: str
    objective: str
    step: str
    result: str
    done: str

    @property
    def has_tests(self) -> bool:
        """Whether the phase ends with a run of the tests."""
        return self.task_file == _LAST.task_file


_FIRST = _Part(
    title="Prepare",
    purpose="Find out what is asked for and what is there already, before anything is changed.",
    task="Look around",
    task_file="task-1-look.md",
    objective="Know what is asked for, what is there already, and what could go wrong.",
    step="Write down what is asked for in one sentence, and who says so.",
    result="what is asked for, and what is there already",
    done="What is asked for stands in one sentence, with who says so",
)
_BETWEEN = _Part(
    title="Build",
    purpose="Do one part of the work, small enough to be checked by itself.",
    task="Do the work",
    task_file="task-1-work.md",
    objective="Make this part of the work, and nothing of the next one.",
    step="Make the change in small steps, and look at the result after each.",
    result="this part of the work, finished and looked at",
    done="This part of the work is finished, and nothing else was changed",
)
_LAST = _Part(
    title="Prove",
    purpose="Show with tests that the whole works, and sum up what was done.",
    task="Run the tests",
    task_file="task-1-test.md",
    objective="Have a report of the tests that says how the work stands now, not how it once did.",
    step="Finish what earlier phases left open, or say in the report why it stays open.",
    result="a test report of this phase without a failure",
    done="Nothing that an earlier phase left open goes unmentioned",
)


def require_new(name: str, library: WorkflowLibrary, folder: Path) -> None:
    """Refuse a name that no workflow may have, or that is taken, in any case of its letters."""
    if not NAME.match(name):
        raise InvalidArgumentError(
            f"a workflow cannot be named {quoted(name)}",
            remediation="Use 1 to 64 letters, digits, dots, hyphens and underscores, the first one"
            " a letter or a digit, such as release_v1.",
        )
    taken = {place.name: place.shelf.label for place in library.places()}
    taken |= dict.fromkeys(_entries(folder), "in the same folder")
    for other, where in taken.items():
        # On many systems names that differ by case are one folder.
        if other.casefold() == name.casefold():
            raise InvalidArgumentError(
                f"there is already {quoted(other)} ({where})",
                remediation="Choose another name, such as one with a higher version.",
            )


def files_of(name: str, phases: int) -> dict[str, str]:
    """Return the files of a new definition by their path in its folder."""
    example = {"target_file": TARGET, "options": {}, "commit_after": []}
    files = {"metadata.json": _json(_metadata(name, phases))}
    for number in range(1, phases + 1):
        files |= _phase_files(name, number, phases)
    files["example/example.json"] = _json(example)
    files[f"example/before/{TARGET}"] = _filled("example-target.md", {})
    for number in range(1, phases + 1):
        files |= _example_files(name, number, phases)
    return files


def write_definition(folder: Path, name: str, files: Mapping[str, str]) -> None:
    """Write a definition below `folder`, whole or not at all; raises DiskRefusedError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".new-", dir=folder) as aside:
            # One level down, where nobody looks for definitions.
            for path, text in files.items():
                _write(Path(aside, name, path), text)
            Path(aside, name).rename(folder / name)
    except OSError as error:
        raise _refused(f"{name} cannot be written: {error.strerror}") from error
    finally:
        for made in missing:
            # What holds the new definition is not empty, and stays.
            with suppress(OSError):
                made.rmdir()


def _entries(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()] if folder.exists() else []
    except OSError as error:
        raise _refused(f"the folder of workflows cannot be read: {error.strerror}") from error


def _refused(message: str) -> DiskRefusedError:
    return DiskRefusedError(
        message,
        remediation="Make the folder of workflows writable, or name another one by --folder.",
    )


def _part(number: int, phases: int) -> _Part:
    if number == phases:
        return _LAST
    return _FIRST if number == 1 else _BETWEEN


def _title(number: int, phases: int) -> str:
    part = _part(number, phases)
    is_one_of_several = part is _BETWEEN and phases - 2 > 1
    return f"{part.title}, part {number - 1}" if is_one_of_several else part.title


def _metadata(name: str, phases: int) -> dict[str, object]:
    words = " ".join(name.replace("_", " ").replace("-", " ").split())
    return {
        "workflow_type": name,
        "version": "0.1.0",
        "name": words[:1].upper() + words[1:],
        "description": "Say here in one sentence what comes of this workflow: agents choose by it.",
        "category": "general",
        "total_phases": phases,
        "start_phase": 1,
        "estimated_duration": f"{phases * MINUTES} minutes",
        "dynamic_phases": False,
        "phases": [
            {
                "phase_number": number,
                "phase_name": _title(number, phases),
                "purpose": _part(number, phases).purpose,
                "estimated_effort": f"{MINUTES} minutes",
            }
            for number in range(1, phases + 1)
        ],
    }


def _phase_files(name: str, number: int, phases: int) -> dict[str, str]:
    part = _part(number, phases)
    values = _values(name, number, phases)
    task = "task-test.md" if part.has_tests else "task-work.md"
    texts = {
        "phase.md": _filled("phase.md", values),
        part.task_file: _filled(task, values),
        "task-2-report.md": _filled("task-report.md", values),
        "gate-definition.yaml": _filled("gate.yaml", values)
        + (_filled("gate-tests.yaml", values) if part.has_tests else ""),
    }
    return {f"phases/{number}/{file}": text for file, text in texts.items()}


def _example_files(name: str, number: int, phases: int) -> dict[str, str]:
    values = _values(name, number, phases)
    files = {values["report"]: _filled("example-report.md", values)}
    if _part(number, phases).has_tests:
        files["reports/junit.xml"] = _filled("example-junit.xml", values)
    return {f"example/phase-{number}/{path}": text for path, text in files.items()}


def _values(name: str, number: int, phases: int) -> dict[str, str]:
    part = _part(number, phases)
    tests = "- `tests`: the cases of `reports/junit.xml`, of which one has passed and none failed\n"
    return {
        "name": name,
        "number": str(number),
        "title": _title(number, phases),
        "purpose": part.purpose,
        "report": f"reports/{name}-phase-{number}.md",
        "task": part.task,
        "task_file": part.task_file,
        "objective": part.objective,
        "step": part.step,
        "result": part.result,
        "done": part.done,
        "tests": tests if part.has_tests else "",
    }


def _filled(file: str, values: Mapping[str, str]) -> str:
    return _Text((_TEXTS / file).read_text(encoding="utf-8")).substitute(values)


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
